#include "number_read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include <apr_strings.h>
#include <unistr.h>

#include "fold.h"

#define DIGITS_MAX 24       /* a longer run is no number of any kind */
#define SUFFIX_DIGITS 5
#define LAST_YEAR_OF_8 21   /* of the numbers with a two-digit year the newest in use are of 2021 */
#define MIN_MEANT 4         /* digits that without 号 or the right count still look meant as a number */

static const char32_t PROVINCES[] = U"京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝蜀黔滇藏陕陇青宁新";
static const char32_t ALIASES[] = U"川甘贵云秦";
static const char32_t ALIAS_OF[] = U"蜀陇黔滇陕";
static const char32_t NOT_PROVINCES[] = U"港澳台萌茶团"; /* no mainland filing, or a joke registry */

static const char32_t SEPARATORS[] = U"|:.-/()[]{}【】〔〕「」『』《》<>";
static const char32_t BLANKS[] = U"X*?#_×✕○〇●□■△…某"; /* stand for digits in a template */
static const char32_t LABEL[] = U"号编序证书许可码信息为是";
static const char32_t PENDING[] = U"正在申请审核办理备案进行处受批提交报等待";
static const char32_t UNITS[] = U"年月日时天元万%";

/* What one kind looks like. */
typedef struct form_t {
    icp_number_kind_e kind;
    unsigned counts; /* bit n: n digits are right */
    const char *mark; /* between province and digits */
} form_t;

static const form_t FILING = {ICP_NUMBER_FILING, 1u << 8 | 1u << 10, "ICP备"};
static const form_t PERMIT = {ICP_NUMBER_PERMIT, 1u << 6 | 1u << 7 | 1u << 8, "ICP证"};
static const form_t POLICE = {ICP_NUMBER_POLICE, 1u << 12 | 1u << 14, "公网安备"};
static const form_t TELECOM_B1 = {ICP_NUMBER_TELECOM, 1u << 8, "B1-"};
static const form_t TELECOM_B2 = {ICP_NUMBER_TELECOM, 1u << 8, "B2-"};
static const form_t TELECOM_B1_B2 = {ICP_NUMBER_TELECOM, 1u << 8, "B1.B2-"};
static const form_t TELECOM_A2 = {ICP_NUMBER_TELECOM, 1u << 8, "A2.B1.B2-"}; /* nationwide: no province */

typedef struct digits_t {
    char text[DIGITS_MAX + 1];
    int count;  /* blanks included; over DIGITS_MAX: too many */
    int blanks; /* X, * and the like among them */
} digits_t;

typedef enum province_e { PROVINCE_ABSENT, PROVINCE_FALSE, PROVINCE_ALIAS, PROVINCE_RIGHT } province_e;

typedef enum suffix_e { SUFFIX_ABSENT, SUFFIX_RIGHT, SUFFIX_WRONG, SUFFIX_BLANK } suffix_e;

/* A number while it is being read. */
typedef struct reading_t {
    icp_cursor_t back, ahead; /* before and after what has been read */
    const form_t *form;
    province_e province;
    char province_text[8];
    digits_t digits;
    int hao;     /* 号 is there */
    int wording; /* words or letters are not those of a number */
    suffix_e suffix_state;
    int suffix;
    char service;
} reading_t;

static int is_one_of(uint32_t code, const char32_t *set)
{
    while (*set && *set != code) {
        set++;
    }
    return *set != 0;
}

static int is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

static int is_letter(uint32_t code)
{
    return code >= 'A' && code <= 'Z';
}

/* Takes the next symbol if it is `code`. */
static int take(icp_cursor_t *cursor, uint32_t code)
{
    icp_cursor_t look = *cursor;
    if (icp_cursor_next(&look).code != code) {
        return 0;
    }
    *cursor = look;
    return 1;
}

static int take_back(icp_cursor_t *cursor, uint32_t code)
{
    icp_cursor_t look = *cursor;
    if (icp_cursor_previous(&look).code != code) {
        return 0;
    }
    *cursor = look;
    return 1;
}

static int take_any(icp_cursor_t *cursor, const char32_t *set, int limit)
{
    int taken = 0;
    for (; taken < limit; taken++) {
        icp_cursor_t look = *cursor;
        if (!is_one_of(icp_cursor_next(&look).code, set)) {
            break;
        }
        *cursor = look;
    }
    return taken;
}

/* 号, perhaps behind the bracket that closes round the digits. */
static int take_hao(icp_cursor_t *cursor)
{
    icp_cursor_t look = *cursor;
    take_any(&look, U")]】〕", 1);
    if (!take(&look, U'号')) {
        return 0;
    }
    *cursor = look;
    return 1;
}

static uint32_t province_of(uint32_t code, province_e *province)
{
    for (int i = 0; ALIASES[i]; i++) {
        if (ALIASES[i] == code) {
            *province = PROVINCE_ALIAS;
            return ALIAS_OF[i];
        }
    }
    *province = is_one_of(code, PROVINCES) ? PROVINCE_RIGHT : PROVINCE_ABSENT;
    return code;
}

static void put_province(reading_t *reading, uint32_t code)
{
    int bytes = u8_uctomb((uint8_t *)reading->province_text, code, sizeof reading->province_text - 1);
    reading->province_text[bytes > 0 ? bytes : 0] = '\0';
}

/* The character before ICP, B2 or 公网安备: glued to it, or standing alone before a bar, bracket or dash. Where it is none,
 * a single character in its place (港, 萌) is taken for one that should be. */
static void read_province(reading_t *reading)
{
    icp_cursor_t look = reading->back;
    icp_symbol_t symbol = icp_cursor_previous(&look);
    int separators = 0;
    while (separators < 2 && is_one_of(symbol.code, SEPARATORS)) {
        symbol = icp_cursor_previous(&look);
        separators++;
    }
    icp_cursor_t before = look;
    icp_symbol_t previous = icp_cursor_previous(&before);
    int alone = previous.spaced || !icp_symbol_is_han(previous.code);

    uint32_t code = province_of(symbol.code, &reading->province);
    if (reading->province == PROVINCE_ABSENT && !separators
        && (is_one_of(code, NOT_PROVINCES) || (alone && icp_symbol_is_han(code) && !symbol.spaced))) {
        reading->province = PROVINCE_FALSE;
    }
    if (reading->province == PROVINCE_ABSENT || (separators && !alone)) {
        reading->province = PROVINCE_ABSENT;
        return;
    }
    if (reading->form->kind == ICP_NUMBER_POLICE) {
        code = symbol.code; /* the police write 川, 贵, 甘 themselves */
    }
    put_province(reading, code);
    reading->back = separators && is_one_of(previous.code, U"([【〔") ? before : look;
}

/* The letters before 备 or 证; a separator may stand before each. Two of them exchanged are a slip: wrong, but meant. */
static int read_letters_back(reading_t *reading)
{
    icp_cursor_t look = reading->back;
    char letters[4] = "";
    for (int i = 2; i >= 0; i--) {
        icp_symbol_t symbol = icp_cursor_previous(&look);
        if (is_one_of(symbol.code, SEPARATORS)) {
            symbol = icp_cursor_previous(&look);
        }
        if (!is_letter(symbol.code)) {
            return 0;
        }
        letters[i] = (char)symbol.code;
    }
    if (strcmp(letters, "ICP") && strcmp(letters, "IPC")) {
        return 0;
    }
    reading->wording = letters[1] == 'P';
    reading->back = look;
    return 1;
}

static int count_fits(const form_t *form, const digits_t *digits)
{
    return !digits->blanks && digits->count <= DIGITS_MAX && form->counts >> digits->count & 1;
}

/* The year that a number of this length begins with; 0 if it has none. */
static int year_of(const form_t *form, const digits_t *digits)
{
    int year = 0;
    if (form->kind == ICP_NUMBER_TELECOM || (form->kind == ICP_NUMBER_FILING && digits->count == 10)) {
        for (int i = 0; i < 4; i++) {
            year = year * 10 + (digits->text[i] - '0');
        }
    }
    return year;
}

static int year_is_odd(const form_t *form, const digits_t *digits)
{
    if (form->kind == ICP_NUMBER_FILING && digits->count == 8) {
        return atoi((char[]){digits->text[0], digits->text[1], 0}) > LAST_YEAR_OF_8;
    }
    int year = year_of(form, digits);
    int first = form->kind == ICP_NUMBER_TELECOM ? 1990 : 2000;
    return (form->kind == ICP_NUMBER_TELECOM || digits->count == 10) && form->kind != ICP_NUMBER_PERMIT
           && (year < first || year > 2099);
}

/* Digits may be spread by white space. A run that becomes too long so (a number without 号 with a telephone number or a
 * year behind it) ends at the first place where its length was right. */
static void read_digits(reading_t *reading)
{
    digits_t run = {"", 0, 0}, shorter = run;
    icp_cursor_t at = reading->ahead, after_shorter = at;
    for (;;) {
        icp_cursor_t look = at;
        icp_symbol_t symbol = icp_cursor_next(&look);
        int blank = is_one_of(symbol.code, BLANKS);
        if ((!blank && !is_digit(symbol.code)) || run.count > DIGITS_MAX) {
            break;
        }
        if (!shorter.count && (symbol.spaced || blank) && count_fits(reading->form, &run)) {
            shorter = run;
            after_shorter = at;
        }
        if (run.count < DIGITS_MAX) {
            run.text[run.count] = blank ? 'X' : (char)symbol.code;
        }
        run.count++;
        run.blanks += blank;
        at = look;
    }
    icp_cursor_t after = at;
    int closed = take_hao(&after);
    if (shorter.count && !(closed && (run.blanks || (count_fits(reading->form, &run) && !year_is_odd(reading->form, &run))))) {
        reading->digits = shorter;
        reading->ahead = after_shorter;
    }
    else {
        reading->digits = run;
        reading->ahead = at;
    }
}

static int looks_like_year(int value)
{
    return value >= 1990 && value <= 2039;
}

/* What follows the digits of a suffix tells whether they are one: 2026年, 24小时, 400-888…, 7x24 and 10:30 are not. */
static int follows_other_thing(icp_cursor_t cursor, int digits)
{
    icp_symbol_t symbol = icp_cursor_next(&cursor), next = icp_cursor_peek(&cursor);
    if (symbol.spaced) {
        return 0;
    }
    if (is_one_of(symbol.code, UNITS) || (symbol.code == U'小' && next.code == U'时')) {
        return 1;
    }
    if (!is_digit(next.code) || next.spaced) {
        return 0;
    }
    return is_one_of(symbol.code, U".:X*×") || (symbol.code == '-' && digits > 2);
}

/* X or *** in place of a suffix; not the first letter of a word. */
static int take_blank_suffix(icp_cursor_t *cursor)
{
    icp_cursor_t look = *cursor;
    int blanks = take_any(&look, U"X*?#×N", SUFFIX_DIGITS);
    icp_symbol_t next = icp_cursor_peek(&look);
    if (!blanks || (!next.spaced && (is_letter(next.code) || is_digit(next.code)))) {
        return 0;
    }
    *cursor = look;
    return 1;
}

/* Every dash will do, doubled too; but only digits make a suffix, so that the dash before the next number makes none. */
static suffix_e read_suffix(icp_cursor_t *ahead, int after_hao, int *suffix, char *service)
{
    icp_cursor_t look = *ahead;
    icp_symbol_t dash = icp_cursor_next(&look);
    if (dash.code != '-' && dash.code != '_' && !(dash.code == U'一' && after_hao)) {
        return SUFFIX_ABSENT;
    }
    take_any(&look, U"-", 2);
    if (take_blank_suffix(&look)) {
        *ahead = look;
        return SUFFIX_BLANK;
    }

    char text[8] = "";
    int count = 0, spaced = dash.spaced;
    for (;; count++) {
        icp_symbol_t symbol = icp_cursor_peek(&look);
        if (!is_digit(symbol.code) || (count && symbol.spaced)) {
            break;
        }
        spaced |= symbol.spaced;
        if (count == SUFFIX_DIGITS + 1) {
            return SUFFIX_ABSENT; /* a telephone number or a date */
        }
        text[count] = (char)symbol.code;
        icp_cursor_next(&look);
    }
    int value = atoi(text);
    if (!count || follows_other_thing(look, count) || (spaced && count == 4 && looks_like_year(value))) {
        return SUFFIX_ABSENT;
    }
    if (text[0] == '0') {
        icp_symbol_t next = icp_cursor_peek(&look);
        if (count > 2 && is_digit(next.code)) {
            return SUFFIX_ABSENT; /* an area code */
        }
    }

    icp_cursor_t letter = look;
    icp_symbol_t symbol = icp_cursor_next(&letter), after = icp_cursor_peek(&letter);
    if (!symbol.spaced && is_one_of(symbol.code, BLANKS)) {
        icp_cursor_t blank = look;
        if (!(symbol.code == 'X' && (after.spaced || after.code != 'X')) && take_any(&blank, BLANKS, SUFFIX_DIGITS) > 1) {
            *ahead = blank;
            return SUFFIX_BLANK;
        }
    }
    if (!symbol.spaced && is_one_of(symbol.code, U"AXK") && (after.spaced || !(is_letter(after.code) || is_digit(after.code)))) {
        *service = (char)symbol.code;
        look = letter;
    }
    *ahead = look;
    *suffix = value;
    return text[0] == '0' || count > SUFFIX_DIGITS ? SUFFIX_WRONG : SUFFIX_RIGHT;
}

/* 号 and the suffix, in either order; a second suffix spoils the number. */
static void read_end(reading_t *reading)
{
    reading->hao = take_hao(&reading->ahead);
    reading->suffix_state = read_suffix(&reading->ahead, reading->hao, &reading->suffix, &reading->service);
    if (reading->suffix_state == SUFFIX_ABSENT) {
        return;
    }
    icp_symbol_t next = icp_cursor_peek(&reading->ahead);
    if (next.code == U'号' && (!reading->hao || !next.spaced)) {
        icp_cursor_next(&reading->ahead);
        reading->hao = 1;
    }
    icp_cursor_t look = reading->ahead;
    int second = 0;
    char service = 0;
    if (!icp_cursor_peek(&look).spaced && read_suffix(&look, 1, &second, &service) == SUFFIX_RIGHT && second < 1000) {
        reading->suffix_state = SUFFIX_WRONG;
        reading->ahead = look;
    }
}

static int all_same(const char *digits)
{
    return strspn(digits, (char[]){digits[0], 0}) == strlen(digits);
}

/* Digits that only a template shows. */
static int is_sample(const form_t *form, const char *digits)
{
    static const char *const samples[] = {"12345678", "87654321", "01234567", "1234567890", "0123456789", "0987654321",
                                          "9876543210", "123456", "654321", "1234567", NULL};
    for (int i = 0; samples[i]; i++) {
        if (!strcmp(samples[i], digits)) {
            return 1;
        }
    }
    size_t length = strlen(digits);
    return all_same(digits) || (form->kind == ICP_NUMBER_FILING && !strcmp(digits + length - 6, "000000"));
}

static icp_number_reason_e reason_of(const reading_t *reading)
{
    if (reading->province == PROVINCE_FALSE) return ICP_REASON_NOT_PROVINCE;
    if (reading->digits.blanks || !reading->digits.text[strspn(reading->digits.text, "0")]) {
        return ICP_REASON_PLACEHOLDER;
    }
    if (reading->province == PROVINCE_ABSENT) return ICP_REASON_NO_PROVINCE;
    if (reading->wording) return ICP_REASON_WORDING;
    if (!count_fits(reading->form, &reading->digits)) return ICP_REASON_DIGITS;
    if (reading->suffix_state == SUFFIX_WRONG) return ICP_REASON_SUFFIX;
    return ICP_REASON_NONE;
}

static unsigned marks_of(const reading_t *reading)
{
    unsigned marks = 0;
    int telecom = reading->form->kind == ICP_NUMBER_TELECOM;
    if (reading->province == PROVINCE_ALIAS && reading->form->kind != ICP_NUMBER_POLICE) marks |= ICP_MARK_ALIAS_PROVINCE;
    if (!reading->hao && !telecom) marks |= ICP_MARK_NO_HAO;
    if (year_is_odd(reading->form, &reading->digits)) marks |= ICP_MARK_SUSPECT;
    if (is_sample(reading->form, reading->digits.text) || reading->suffix_state == SUFFIX_BLANK) marks |= ICP_MARK_PLACEHOLDER;
    if (reading->service) marks |= ICP_MARK_SERVICE;
    return marks;
}

static int no_number(icp_number_t *number, const reading_t *reading, icp_number_reason_e reason, apr_pool_t *pool)
{
    *number = (icp_number_t){.kind = ICP_NUMBER_NONE, .reason = reason};
    number->start = reading->back.at;
    number->end = reading->ahead.at;
    number->text = icp_number_fold(reading->ahead.text, number->start, number->end, pool);
    return 1;
}

static int fill(icp_number_t *number, const reading_t *reading, apr_pool_t *pool)
{
    const form_t *form = reading->form;
    *number = (icp_number_t){.kind = form->kind, .marks = marks_of(reading)};
    number->start = reading->back.at;
    number->end = reading->ahead.at;
    number->province = apr_pstrdup(pool, reading->province_text);
    number->text = apr_pstrcat(pool, number->province, form->mark, reading->digits.text,
                               form->kind == ICP_NUMBER_TELECOM ? "" : "号", NULL);
    number->license = form->kind == ICP_NUMBER_POLICE ? NULL : number->text;
    if (reading->suffix_state == SUFFIX_RIGHT) {
        number->suffix = reading->suffix;
        number->service = reading->service;
        number->text = apr_psprintf(pool, "%s-%d%.1s", number->license, reading->suffix, (char[]){reading->service, 0});
    }
    return 1;
}

static int finish(icp_number_t *number, const reading_t *reading, apr_pool_t *pool)
{
    icp_number_reason_e reason = reason_of(reading);
    return reason ? no_number(number, reading, reason, pool) : fill(number, reading, pool);
}

/* Were these digits meant as a number? A mere mention (ICP备 2024年新规) is not. */
static int is_meant(const reading_t *reading)
{
    const digits_t *digits = &reading->digits;
    int fits = count_fits(reading->form, digits);
    if (digits->blanks) {
        return reading->hao || (digits->blanks > 1 && (reading->province != PROVINCE_ABSENT || digits->count >= MIN_MEANT));
    }
    if (!reading->hao) {
        icp_symbol_t next = icp_cursor_peek(&reading->ahead);
        if (!next.spaced && is_one_of(next.code, UNITS)) {
            return 0;
        }
        if (reading->province == PROVINCE_ABSENT && (!fits || (!next.spaced && icp_symbol_is_han(next.code)))) {
            return 0;
        }
    }
    return fits || digits->count >= MIN_MEANT || (reading->hao && reading->province != PROVINCE_ABSENT && digits->count);
}

/* ICP备案中, 闽ICP备中, ICP备案号：正在申请中; not ICP备案中心. */
static int read_pending(reading_t *reading)
{
    icp_cursor_t look = reading->ahead;
    int filing = take(&look, U'案');
    int label = take_any(&look, U"号编序证书", 3);
    take(&look, ':');
    int words = take_any(&look, PENDING, 10);
    if (!take(&look, U'中') || (label && !words) || !(filing || words || reading->province != PROVINCE_ABSENT)) {
        return 0;
    }
    icp_symbol_t next = icp_cursor_peek(&look);
    if (!next.spaced && icp_symbol_is_han(next.code)) {
        return 0;
    }
    reading->ahead = look;
    return 1;
}

/* ICP备案05012345号, ICP备案号：京05012345号: the words of a label where the number's own should be. Without a province
 * something must call the digits a number. */
static int read_wording(reading_t *reading)
{
    take(&reading->ahead, U'案');
    int called = 0;
    for (int i = 0; i < 8; i++) {
        icp_cursor_t look = reading->ahead;
        icp_symbol_t symbol = icp_cursor_next(&look);
        if (!is_one_of(symbol.code, LABEL) && !is_one_of(symbol.code, SEPARATORS)) {
            break;
        }
        called |= symbol.code == U'号';
        reading->ahead = look;
    }
    icp_cursor_t look = reading->ahead;
    province_e province;
    uint32_t code = province_of(icp_cursor_next(&look).code, &province);
    if (province != PROVINCE_ABSENT) {
        reading->province = province;
        put_province(reading, code);
        reading->ahead = look;
    }
    read_digits(reading);
    read_end(reading);
    reading->wording = 1;
    return reading->digits.count && (called || reading->hao || reading->province != PROVINCE_ABSENT) && is_meant(reading)
           && (reading->hao || reading->digits.blanks > 1 || count_fits(reading->form, &reading->digits));
}

/* 备 or 证 with ICP before it. */
static int read_licensed(icp_number_t *number, reading_t *reading, apr_pool_t *pool)
{
    if (!read_letters_back(reading)) {
        return 0;
    }
    read_province(reading);
    int filing = reading->form->kind == ICP_NUMBER_FILING;
    if (filing && read_pending(reading)) {
        return no_number(number, reading, ICP_REASON_PENDING, pool);
    }
    if (filing && icp_cursor_peek(&reading->ahead).code == U'案') {
        return read_wording(reading) ? finish(number, reading, pool) : 0;
    }
    for (int i = 0; i < 3 && (take_any(&reading->ahead, SEPARATORS, 1) || take_any(&reading->ahead, U"字第", 1)); i++) {
    }
    read_digits(reading);
    read_end(reading);
    if (!reading->digits.count) { /* 沪ICP备号: a template that was given no number */
        icp_symbol_t next = icp_cursor_peek(&reading->ahead);
        int label = next.code == ':' || (!next.spaced && icp_symbol_is_han(next.code));
        if (!reading->hao || label || reading->province == PROVINCE_ABSENT) {
            return 0;
        }
    }
    else if (!is_meant(reading)) {
        return 0;
    }
    return finish(number, reading, pool);
}

/* One that is wrongly written is nobody's business here. */
static int read_police(icp_number_t *number, reading_t *reading, apr_pool_t *pool)
{
    if (!take_back(&reading->back, U'安') || !take_back(&reading->back, U'网') || !take_back(&reading->back, U'公')) {
        return 0;
    }
    read_province(reading);
    take_any(&reading->ahead, SEPARATORS, 2);
    read_digits(reading);
    reading->hao = take_hao(&reading->ahead);
    if (reading->province == PROVINCE_FALSE) {
        reading->province = PROVINCE_ABSENT;
        reading->province_text[0] = '\0';
    }
    return count_fits(&POLICE, &reading->digits) && fill(number, reading, pool);
}

/* 京ICP05012345号: ICP without 备 or 证. */
static int read_letters(icp_number_t *number, reading_t *reading, apr_pool_t *pool)
{
    if (!take_back(&reading->back, 'C') || !take_back(&reading->back, 'I')) {
        return 0;
    }
    read_province(reading);
    take_any(&reading->ahead, U":-", 1);
    read_digits(reading);
    read_end(reading);
    reading->wording = 1;
    return reading->province > PROVINCE_FALSE && (reading->hao || count_fits(reading->form, &reading->digits)) && is_meant(reading)
           && finish(number, reading, pool);
}

/* What stands before B1 or B2: 合字, a province, A2. before B1.B2, or a province with ICP证. */
static void read_telecom_issuer(reading_t *reading)
{
    icp_cursor_t look = reading->back;
    if (reading->form == &TELECOM_B1_B2 && take_back(&look, '.') && take_back(&look, '2') && take_back(&look, 'A')) {
        reading->form = &TELECOM_A2;
        reading->province = PROVINCE_RIGHT;
        reading->back = look;
        return;
    }
    look = reading->back;
    if (take_back(&look, U'字') && take_back(&look, U'合')) {
        reading->province = PROVINCE_RIGHT;
        strcpy(reading->province_text, "合字");
        reading->back = look;
        return;
    }
    look = reading->back;
    if (take_back(&look, U'证')) {
        icp_cursor_t before = reading->back;
        reading->back = look;
        if (!read_letters_back(reading)) {
            reading->back = before;
        }
    }
    read_province(reading);
}

static int read_telecom(icp_number_t *number, reading_t *reading, apr_pool_t *pool)
{
    icp_symbol_t class = icp_cursor_next(&reading->ahead);
    if (class.code != '1' && class.code != '2') {
        return 0;
    }
    reading->form = class.code == '1' ? &TELECOM_B1 : &TELECOM_B2;
    if (class.code == '1') {
        icp_cursor_t look = reading->ahead;
        take_any(&look, U"./、", 1);
        if (take(&look, 'B') && take(&look, '2')) {
            reading->form = &TELECOM_B1_B2;
            reading->ahead = look;
        }
    }
    int dash = take_any(&reading->ahead, U"-", 2);
    icp_symbol_t first = icp_cursor_peek(&reading->ahead);
    if (!(dash || first.spaced) || !(is_digit(first.code) || is_one_of(first.code, BLANKS))) {
        return 0;
    }
    read_telecom_issuer(reading);
    read_digits(reading);
    read_end(reading);
    if (reading->province < PROVINCE_ALIAS || !is_meant(reading)) {
        return 0;
    }
    const digits_t *digits = &reading->digits;
    int fits = count_fits(reading->form, digits);
    if (dash ? !fits && !reading->hao && digits->count < 6 : !fits || year_is_odd(reading->form, digits)) {
        return 0; /* a product: 新B2-2024, 京B2 20000 */
    }
    return finish(number, reading, pool);
}

int icp_number_read(icp_number_t *number, const char *text, apr_size_t floor, apr_size_t length, apr_size_t anchor,
                    apr_pool_t *pool)
{
    reading_t reading = {.back = icp_cursor(text, floor, length, anchor), .ahead = icp_cursor(text, floor, length, anchor)};
    switch (icp_cursor_next(&reading.ahead).code) {
    case U'备':
        reading.form = &FILING;
        if (icp_cursor_previous(&(icp_cursor_t){text, floor, length, anchor, ICP_FOLD_GAP}).code == U'安') {
            reading.form = &POLICE;
            return read_police(number, &reading, pool);
        }
        return read_licensed(number, &reading, pool);
    case U'证':
        reading.form = &PERMIT;
        return read_licensed(number, &reading, pool);
    case 'P':
        reading.form = &FILING;
        return read_letters(number, &reading, pool);
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
