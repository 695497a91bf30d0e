#include "number_read.h"

#include <limits.h>
#include <string.h>

#include <apr_strings.h>
#include <unistr.h>

#include "number_parts.h"

#define MIN_MEANT 4 /* digits that without 号 or the right count still look meant as a number */

static const wchar_t LABEL[] = L"号编序证书许可码信息为是";
static const wchar_t PENDING[] = L"正在申请审核办理备案进行处受批提交报等待";

static const icp_form_t FILING = {ICP_NUMBER_FILING, 1u << 8 | 1u << 10, "ICP备"};
static const icp_form_t PERMIT = {ICP_NUMBER_PERMIT, 1u << 6 | 1u << 7 | 1u << 8, "ICP证"};
static const icp_form_t POLICE = {ICP_NUMBER_POLICE, 1u << 12 | 1u << 14, "公网安备"};
static const icp_form_t TELECOM_B1 = {ICP_NUMBER_TELECOM, 1u << 8, "B1-"};
static const icp_form_t TELECOM_B2 = {ICP_NUMBER_TELECOM, 1u << 8, "B2-"};
static const icp_form_t TELECOM_B1_B2 = {ICP_NUMBER_TELECOM, 1u << 8, "B1.B2-"};
static const icp_form_t TELECOM_A2 = {ICP_NUMBER_TELECOM, 1u << 8, "A2.B1.B2-"}; /* nationwide: no province */

/* Digits that only a template shows. */
static int is_sample(const icp_form_t *form, const char *digits)
{
    static const char *const samples[] = {"12345678", "87654321", "01234567", "1234567890", "0123456789", "0987654321",
                                          "9876543210", "123456", "654321", "1234567", NULL};
    for (int i = 0; samples[i]; i++) {
        if (!strcmp(samples[i], digits)) {
            return 1;
        }
    }
    size_t length = strlen(digits);
    return length >= 6 && (strspn(digits, (char[]){digits[0], 0}) == length
           || (form->kind == ICP_NUMBER_FILING && !strcmp(digits + length - 6, "000000")));
}

/* The first that holds tells its owner most. */
static icp_number_reason_e reason_of(const icp_reading_t *reading)
{
    const icp_digits_t *digits = &reading->digits;
    if (reading->province == ICP_PROVINCE_FALSE) return ICP_REASON_NOT_PROVINCE;
    if (digits->blanks || !digits->text[strspn(digits->text, "0")]) return ICP_REASON_PLACEHOLDER;
    if (reading->province == ICP_PROVINCE_ABSENT) return ICP_REASON_NO_PROVINCE;
    if (reading->wording || digits->letters) return ICP_REASON_WORDING;
    if (!icp_count_fits(reading->form, digits)) return ICP_REASON_DIGITS;
    if (reading->suffix_state == ICP_SUFFIX_WRONG) return ICP_REASON_SUFFIX;
    return ICP_REASON_NONE;
}

static unsigned marks_of(const icp_reading_t *reading)
{
    const icp_form_t *form = reading->form;
    int sample = is_sample(form, reading->digits.text) || reading->suffix_state == ICP_SUFFIX_BLANK;
    unsigned marks = 0;
    if (reading->province == ICP_PROVINCE_ALIAS && form->kind == ICP_NUMBER_FILING) marks |= ICP_MARK_ALIAS_PROVINCE;
    if (!reading->hao && form->kind != ICP_NUMBER_TELECOM) marks |= ICP_MARK_NO_HAO;
    if (icp_year_is_odd(form, &reading->digits)) marks |= ICP_MARK_SUSPECT;
    if (sample) marks |= ICP_MARK_PLACEHOLDER;
    if (reading->service) marks |= ICP_MARK_SERVICE;
    return marks;
}

static int no_number(icp_number_t *number, const icp_reading_t *reading, icp_number_reason_e reason, apr_pool_t *pool)
{
    *number = (icp_number_t){.kind = ICP_NUMBER_NONE, .reason = reason};
    if (is_sample(reading->form, reading->digits.text)) number->marks = ICP_MARK_PLACEHOLDER;
    number->start = reading->back.at;
    number->end = reading->ahead.at;
    number->text = icp_number_fold(reading->ahead.text, number->start, number->end, pool);
    return 1;
}

static int well_formed(icp_number_t *number, const icp_reading_t *reading, apr_pool_t *pool)
{
    const icp_form_t *form = reading->form;
    const char *hao = form->kind == ICP_NUMBER_TELECOM ? "" : "号";
    *number = (icp_number_t){.kind = form->kind, .marks = marks_of(reading)};
    number->start = reading->back.at;
    number->end = reading->ahead.at;
    number->province = apr_pstrdup(pool, reading->province_text);
    number->text = apr_pstrcat(pool, number->province, form->mark, reading->digits.text, hao, NULL);
    if (form->kind == ICP_NUMBER_POLICE) {
        return 1;
    }
    number->license = number->text;
    if (reading->suffix_state == ICP_SUFFIX_RIGHT) {
        number->suffix = reading->suffix;
        number->service = reading->service;
        number->text = apr_psprintf(pool, "%s-%d%s", number->license, reading->suffix, (char[]){reading->service, 0});
    }
    return 1;
}

static int judge(icp_number_t *number, const icp_reading_t *reading, apr_pool_t *pool)
{
    icp_number_reason_e reason = reason_of(reading);
    return reason ? no_number(number, reading, reason, pool) : well_formed(number, reading, pool);
}

/* Were these digits meant as a number? A mere mention (ICP备 2024年新规) is not. */
static int is_meant(const icp_reading_t *reading)
{
    const icp_digits_t *digits = &reading->digits;
    int fits = icp_count_fits(reading->form, digits), province = reading->province != ICP_PROVINCE_ABSENT;
    if (digits->blanks) {
        return reading->hao || (digits->blanks > 1 && (province || digits->count >= MIN_MEANT));
    }
    if (reading->hao) {
        return fits || digits->count >= MIN_MEANT || (province && digits->count);
    }
    icp_symbol_t next = icp_cursor_peek(&reading->ahead);
    int glued = !next.spaced && icp_symbol_is_han(next.code);
    if (glued && icp_is_one_of(next.code, ICP_UNITS)) {
        return 0;
    }
    return province ? digits->count >= MIN_MEANT : fits && !glued;
}

/* ICP备案中, 闽ICP备中, ICP备案号：正在申请中; not ICP备案中心. */
static int read_pending(icp_reading_t *reading)
{
    icp_cursor_t look = reading->ahead;
    int filing = icp_take(&look, U'案');
    int label = icp_take_any(&look, L"号编序证书", 3);
    icp_take(&look, ':');
    int words = icp_take_any(&look, PENDING, 10);
    int evident = words || (!label && (filing || reading->province != ICP_PROVINCE_ABSENT));
    if (!evident || !icp_take(&look, U'中')) {
        return 0;
    }
    icp_symbol_t next = icp_cursor_peek(&look);
    if (!next.spaced && icp_symbol_is_han(next.code)) {
        return 0;
    }
    reading->ahead = look;
    return 1;
}

/* ICP备案05012345号, ICP备案号：京05012345号: a label's words where the number's own should be. Without a province
 * something must call the digits a number. */
static int read_wording(icp_reading_t *reading)
{
    icp_take(&reading->ahead, U'案');
    int called = 0;
    for (int i = 0; i < 8; i++) {
        icp_cursor_t look = reading->ahead;
        uint32_t code = icp_cursor_next(&look).code;
        if (!icp_is_one_of(code, LABEL) && !icp_is_one_of(code, ICP_SEPARATORS)) {
            break;
        }
        called |= code == U'号';
        reading->ahead = look;
    }
    icp_cursor_t look = reading->ahead;
    if (icp_set_province(reading, icp_cursor_next(&look).code)) {
        reading->ahead = look;
    }
    icp_read_digits(reading);
    icp_read_end(reading);
    reading->wording = 1;
    int evident = reading->hao || reading->digits.blanks > 1 || icp_count_fits(reading->form, &reading->digits);
    called |= reading->hao || reading->province != ICP_PROVINCE_ABSENT;
    return reading->digits.count && evident && called && is_meant(reading);
}

/* 沪ICP备号: a template that was given no number; not the label 沪ICP备号码. */
static int is_empty(const icp_reading_t *reading)
{
    icp_symbol_t next = icp_cursor_peek(&reading->ahead);
    int label = next.code == ':' || (!next.spaced && icp_symbol_is_han(next.code));
    return !reading->digits.count && reading->hao && !label && reading->province != ICP_PROVINCE_ABSENT;
}

/* 沪ICP备 No.05012345号, 沪ICP备编号：05012345号, 沪ICP证号070226号 */
static void take_no(icp_cursor_t *cursor)
{
    icp_cursor_t look = *cursor;
    int label = icp_take(&look, 'N') && icp_take(&look, 'O');
    if (!label) {
        look = *cursor;
        label = icp_take(&look, U'编');
        if (!icp_take(&look, U'号')) {
            return;
        }
    }
    icp_take_any(&look, L".:", 1);
    uint32_t next = icp_cursor_peek(&look).code;
    if (label || icp_is_digit(next) || icp_is_one_of(next, ICP_BLANKS)) { /* 号 alone may as well end a number without digits */
        *cursor = look;
    }
}

/* 京ICP许可证030173号, 京ICP经营许可证030173号: the permit's whole name where 证 should be. */
static int take_whole_name(icp_cursor_t *back)
{
    icp_cursor_t look = *back;
    if (!icp_take_back(&look, U'可') || !icp_take_back(&look, U'许')) {
        return 0;
    }
    *back = look;
    if (icp_take_back(&look, U'营') && icp_take_back(&look, U'经')) {
        *back = look;
    }
    return 1;
}

/* 备 or 证 with ICP before it. */
static int read_licensed(icp_number_t *number, icp_reading_t *reading, apr_pool_t *pool)
{
    int whole_name = reading->form == &PERMIT && take_whole_name(&reading->back);
    if (!icp_read_letters(reading)) {
        return 0;
    }
    icp_read_province(reading);
    if (whole_name && reading->province <= ICP_PROVINCE_FALSE) {
        return 0; /* a label: ICP许可证号：京B2-20090001 */
    }
    reading->wording |= whole_name;
    if (reading->form == &FILING && read_pending(reading)) {
        return no_number(number, reading, ICP_REASON_PENDING, pool);
    }
    icp_symbol_t next = icp_cursor_peek(&reading->ahead);
    icp_reading_t worded = *reading;
    int behind = reading->province == ICP_PROVINCE_ABSENT && icp_set_province(&worded, next.code); /* ICP备沪05012345号 */
    if (behind || next.code == U'案' || (next.code == U'号' && reading->province <= ICP_PROVINCE_FALSE)) {
        worded = *reading;
        if (read_wording(&worded)) {
            return judge(number, &worded, pool);
        }
    }
    icp_take_any(&reading->ahead, ICP_SEPARATORS, 2);
    icp_take_any(&reading->ahead, L"字第", 2);
    take_no(&reading->ahead);
    icp_take_any(&reading->ahead, ICP_SEPARATORS, 1);
    icp_read_digits(reading);
    icp_read_end(reading);
    return (reading->digits.count ? is_meant(reading) : !whole_name && is_empty(reading)) && judge(number, reading, pool);
}

/* One that is not well formed is nobody's business here. */
static int read_police(icp_number_t *number, icp_reading_t *reading, apr_pool_t *pool)
{
    icp_cursor_t *back = &reading->back;
    if (!icp_take_back(back, U'安') || !icp_take_back(back, U'网') || !icp_take_back(back, U'公')) {
        return 0;
    }
    icp_cursor_t words = reading->back;
    icp_read_province(reading);
    if (reading->province == ICP_PROVINCE_FALSE) {
        reading->back = words;
    }
    icp_take_any(&reading->ahead, ICP_SEPARATORS, 2);
    icp_read_digits(reading);
    reading->hao = icp_take_hao(&reading->ahead);
    return icp_count_fits(&POLICE, &reading->digits) && well_formed(number, reading, pool);
}

/* 京ICP05012345号: neither 备 nor 证 after the P. */
static int read_bare(icp_number_t *number, icp_reading_t *reading, apr_pool_t *pool)
{
    if (!icp_take_back(&reading->back, 'C') || !icp_take_back(&reading->back, 'I')) {
        return 0;
    }
    icp_take_any(&reading->ahead, L":-", 1);
    icp_read_digits(reading);
    if (!reading->digits.count) {
        return 0;
    }
    icp_read_province(reading);
    icp_read_end(reading);
    reading->wording = 1;
    int evident = reading->hao || icp_count_fits(reading->form, &reading->digits);
    return reading->province > ICP_PROVINCE_FALSE && evident && is_meant(reading) && judge(number, reading, pool);
}

/* What stands before B1 or B2: 合字, a province, both perhaps with ICP证 or ICP备 behind, or A2. before B1.B2. */
static void read_telecom_issuer(icp_reading_t *reading)
{
    icp_cursor_t look = reading->back;
    int a2 = icp_take_back(&look, '.') && icp_take_back(&look, '2') && icp_take_back(&look, 'A');
    if (a2 && reading->form == &TELECOM_B1_B2) {
        reading->form = &TELECOM_A2;
        reading->province = ICP_PROVINCE_RIGHT;
        reading->back = look;
        return;
    }
    icp_reading_t permit = *reading;
    icp_take_back(&permit.back, ':');
    if ((icp_take_back(&permit.back, U'证') || icp_take_back(&permit.back, U'备')) && icp_read_letters(&permit)) {
        reading->back = permit.back;
    }
    look = reading->back;
    if (icp_take_back(&look, U'字') && icp_take_back(&look, U'合')) {
        reading->province = ICP_PROVINCE_RIGHT;
        strcpy(reading->province_text, "合字");
        reading->back = look;
        return;
    }
    icp_read_province(reading);
}

static int read_telecom(icp_number_t *number, icp_reading_t *reading, apr_pool_t *pool)
{
    uint32_t class = icp_cursor_next(&reading->ahead).code;
    if (class != '1' && class != '2') {
        return 0;
    }
    reading->form = class == '1' ? &TELECOM_B1 : &TELECOM_B2;
    icp_cursor_t look = reading->ahead;
    icp_take_any(&look, L"./、", 1);
    if (class == '1' && icp_take(&look, 'B') && icp_take(&look, '2')) {
        reading->form = &TELECOM_B1_B2;
        reading->ahead = look;
    }
    int dash = icp_take_any(&reading->ahead, L"-", 2);
    icp_symbol_t first = icp_cursor_peek(&reading->ahead);
    if (!(dash || first.spaced) || !(icp_is_digit(first.code) || icp_is_one_of(first.code, ICP_BLANKS))) {
        return 0;
    }
    read_telecom_issuer(reading);
    if (reading->province < ICP_PROVINCE_ALIAS) {
        return 0;
    }
    icp_read_digits(reading);
    icp_read_end(reading);
    const icp_digits_t *digits = &reading->digits;
    int fits = icp_count_fits(reading->form, digits);
    if (dash ? !fits && !reading->hao && digits->count < 6 : !fits || icp_year_is_odd(reading->form, digits)) {
        return 0; /* a product: 新B2-2024, 京B2 20000 */
    }
    return is_meant(reading) && judge(number, reading, pool);
}

int icp_number_read(icp_number_t *number, const char *text, apr_size_t floor, apr_size_t length, apr_size_t anchor,
                    apr_pool_t *pool)
{
    icp_cursor_t look = icp_cursor(text, floor, length, anchor);
    icp_reading_t reading = {.back = look, .ahead = look};
    switch (icp_cursor_next(&reading.ahead).code) {
    case U'备':
        if (icp_cursor_previous(&look).code == U'安') {
            reading.form = &POLICE;
            return read_police(number, &reading, pool);
        }
        reading.form = &FILING;
        return read_licensed(number, &reading, pool);
    case U'证':
        reading.form = &PERMIT;
        return read_licensed(number, &reading, pool);
    case 'P':
        reading.form = &FILING;
        return read_bare(number, &reading, pool);
    case 'B':
        return read_telecom(number, &reading, pool);
    default:
        return 0;
    }
}

const char *icp_number_fold(const char *text, apr_size_t start, apr_size_t end, apr_pool_t *pool)
{
    char *folded = apr_palloc(pool, (end - start) * 3 + 1); /* an invalid byte becomes U+FFFD */
    size_t used = 0;
    icp_cursor_t cursor = icp_cursor(text, start, end, start);
    cursor.gap = INT_MAX;
    for (icp_symbol_t symbol = icp_cursor_next(&cursor); symbol.code; symbol = icp_cursor_next(&cursor)) {
        int bytes = u8_uctomb((uint8_t *)folded + used, symbol.code, 4);
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    folded[used] = '\0';
    return folded;
}
