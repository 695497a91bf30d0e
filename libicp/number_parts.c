#include "number_parts.h"

#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#define SUFFIX_DIGITS 5
#define LAST_YEAR_OF_8 21 /* of the numbers with a two-digit year the newest in use are of 2021 */

const wchar_t ICP_SEPARATORS[] = L"|:.-/()[]{}【】〔〕「」『』《》<>";
const wchar_t ICP_BLANKS[] = L"X*?#_×✕○〇●□■△…某";
const wchar_t ICP_UNITS[] = L"年月日时天元万%";

static const wchar_t PROVINCES[] = L"京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝蜀黔滇藏陕陇青宁新";
static const wchar_t ALIASES[] = L"川甘贵云秦";
static const wchar_t ALIAS_OF[] = L"蜀陇黔滇陕";
static const wchar_t NOT_PROVINCES[] = L"港澳台萌茶团"; /* no mainland filing, or a joke registry */

int icp_is_one_of(uint32_t code, const wchar_t *set)
{
    return code && wcschr(set, (wchar_t)code);
}

int icp_is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

static int is_letter(uint32_t code)
{
    return code >= 'A' && code <= 'Z';
}

int icp_take(icp_cursor_t *cursor, uint32_t code)
{
    icp_cursor_t look = *cursor;
    if (icp_cursor_next(&look).code != code) {
        return 0;
    }
    *cursor = look;
    return 1;
}

int icp_take_back(icp_cursor_t *cursor, uint32_t code)
{
    icp_cursor_t look = *cursor;
    if (icp_cursor_previous(&look).code != code) {
        return 0;
    }
    *cursor = look;
    return 1;
}

int icp_take_any(icp_cursor_t *cursor, const wchar_t *set, int limit)
{
    icp_cursor_t look = *cursor;
    int taken = 0;
    while (taken < limit && icp_is_one_of(icp_cursor_next(&look).code, set)) {
        *cursor = look;
        taken++;
    }
    return taken;
}

int icp_take_hao(icp_cursor_t *cursor)
{
    icp_cursor_t look = *cursor;
    icp_take_any(&look, L")]】〕", 1);
    if (!icp_take(&look, U'号')) {
        return 0;
    }
    *cursor = look;
    return 1;
}

static void put_province(icp_reading_t *reading, uint32_t code, icp_province_e province)
{
    int bytes = u8_uctomb((uint8_t *)reading->province_text, code, sizeof reading->province_text - 1);
    reading->province_text[bytes > 0 ? bytes : 0] = '\0';
    reading->province = province;
}

int icp_set_province(icp_reading_t *reading, uint32_t code)
{
    const wchar_t *alias = code ? wcschr(ALIASES, (wchar_t)code) : NULL;
    if (alias) {
        int issued = reading->form->kind != ICP_NUMBER_FILING; /* 川B2-…, 川ICP证…, 川公网安备… */
        put_province(reading, issued ? code : (uint32_t)ALIAS_OF[alias - ALIASES], ICP_PROVINCE_ALIAS);
        return 1;
    }
    if (icp_is_one_of(code, PROVINCES)) {
        put_province(reading, code, ICP_PROVINCE_RIGHT);
        return 1;
    }
    return 0;
}

static uint32_t first_name(const char *province)
{
    ucs4_t code = 0;
    u8_strmbtouc(&code, (const uint8_t *)province);
    const wchar_t *alias = code ? wcschr(ALIASES, (wchar_t)code) : NULL;
    return alias ? (uint32_t)ALIAS_OF[alias - ALIASES] : code;
}

int icp_same_province(const char *a, const char *b)
{
    return !strcmp(a, b) || first_name(a) == first_name(b);
}

void icp_read_province(icp_reading_t *reading)
{
    icp_cursor_t look = reading->back;
    icp_symbol_t symbol = icp_cursor_previous(&look);
    int separators = 0;
    while (separators < 2 && icp_is_one_of(symbol.code, ICP_SEPARATORS)) {
        symbol = icp_cursor_previous(&look);
        separators++;
    }
    if (!icp_symbol_is_han(symbol.code)) {
        return;
    }
    icp_cursor_t before = look;
    icp_symbol_t previous = icp_cursor_previous(&before);
    int alone = previous.spaced || !icp_symbol_is_han(previous.code);

    if (separators ? !alone || !icp_set_province(reading, symbol.code) : !icp_set_province(reading, symbol.code)) {
        if (separators || !(icp_is_one_of(symbol.code, NOT_PROVINCES) || (alone && !symbol.spaced))) {
            return;
        }
        reading->province = ICP_PROVINCE_FALSE;
    }
    reading->back = separators && icp_is_one_of(previous.code, L"([【〔") ? before : look;
}

int icp_read_letters(icp_reading_t *reading)
{
    icp_cursor_t look = reading->back;
    char letters[4] = "";
    for (int i = 2; i >= 0; i--) {
        icp_symbol_t symbol = icp_cursor_previous(&look);
        if (icp_is_one_of(symbol.code, ICP_SEPARATORS)) {
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

int icp_count_fits(const icp_form_t *form, const icp_digits_t *digits)
{
    return !digits->blanks && !digits->letters && digits->count <= ICP_DIGITS_MAX && (form->counts >> digits->count & 1);
}

static int leading(const icp_digits_t *digits, int count)
{
    char text[8] = "";
    memcpy(text, digits->text, (size_t)count);
    return atoi(text);
}

int icp_year_is_odd(const icp_form_t *form, const icp_digits_t *digits)
{
    if (form->kind == ICP_NUMBER_TELECOM) {
        return leading(digits, 4) < 1990 || leading(digits, 4) > 2099;
    }
    if (form->kind != ICP_NUMBER_FILING) {
        return 0;
    }
    if (digits->count == 8) {
        return leading(digits, 2) > LAST_YEAR_OF_8;
    }
    return leading(digits, 4) < 2000 || leading(digits, 4) > 2099;
}

/* A letter glued to the digit behind it, and to one before it if there was one. */
static int is_stray(icp_symbol_t letter, const icp_cursor_t *after, int count)
{
    icp_symbol_t next = icp_cursor_peek(after);
    return is_letter(letter.code) && !(count && letter.spaced) && icp_is_digit(next.code) && !next.spaced;
}

void icp_read_digits(icp_reading_t *reading)
{
    icp_digits_t run = {"", 0, 0, 0}, shorter = run;
    icp_cursor_t at = reading->ahead, after_shorter = at;
    while (run.count <= ICP_DIGITS_MAX) {
        icp_cursor_t look = at;
        icp_symbol_t symbol = icp_cursor_next(&look);
        int blank = icp_is_one_of(symbol.code, ICP_BLANKS);
        int letter = !blank && is_stray(symbol, &look, run.count);
        if (!blank && !letter && !icp_is_digit(symbol.code)) {
            break;
        }
        if (!shorter.count && (symbol.spaced || blank || letter) && icp_count_fits(reading->form, &run)) {
            shorter = run;
            after_shorter = at;
        }
        if (run.count < ICP_DIGITS_MAX) {
            run.text[run.count] = blank ? 'X' : (char)symbol.code;
        }
        run.count++;
        run.blanks += blank;
        run.letters += letter;
        at = look;
    }
    icp_cursor_t after = at;
    int right = icp_count_fits(reading->form, &run) && !icp_year_is_odd(reading->form, &run);
    if (shorter.count && !((run.blanks || run.letters || right) && icp_take_hao(&after))) {
        run = shorter;
        at = after_shorter;
    }
    reading->digits = run;
    reading->ahead = at;
}

/* What follows digits tells that they are no suffix: 2026年, 24小时, 2003-2024, 400-888…, 7x24, 10:30. */
static int is_other_thing(icp_cursor_t cursor, int digits)
{
    icp_symbol_t symbol = icp_cursor_next(&cursor), next = icp_cursor_peek(&cursor);
    if (symbol.spaced) {
        return 0;
    }
    if (icp_is_one_of(symbol.code, ICP_UNITS) || (symbol.code == U'小' && next.code == U'时')) {
        return 1;
    }
    return icp_is_digit(next.code) && !next.spaced && icp_is_one_of(symbol.code, digits > 2 ? L".:X*×-/~至" : L".:X*×");
}

/* Digits without white space between them; -1: more than any suffix has, a telephone number or a date. */
static int suffix_digits(icp_cursor_t *cursor, char text[SUFFIX_DIGITS + 2])
{
    int count = 0;
    for (icp_symbol_t symbol = icp_cursor_peek(cursor); icp_is_digit(symbol.code) && !(count && symbol.spaced);
         symbol = icp_cursor_peek(cursor)) {
        if (count > SUFFIX_DIGITS) {
            return -1;
        }
        text[count++] = (char)symbol.code;
        icp_cursor_next(cursor);
    }
    text[count] = '\0';
    return count;
}

/* X or *** in place of a suffix or behind its first digits; not the first letter of a word. */
static int take_blank_suffix(icp_cursor_t *cursor, int at_least)
{
    icp_cursor_t look = *cursor;
    int blanks = icp_take_any(&look, L"X*?#×N", SUFFIX_DIGITS);
    icp_symbol_t next = icp_cursor_peek(&look);
    if (blanks < at_least || (!next.spaced && (is_letter(next.code) || icp_is_digit(next.code)))) {
        return 0;
    }
    *cursor = look;
    return 1;
}

static char take_service(icp_cursor_t *cursor)
{
    icp_cursor_t look = *cursor;
    icp_symbol_t letter = icp_cursor_next(&look), next = icp_cursor_peek(&look);
    int word = !next.spaced && (is_letter(next.code) || icp_is_digit(next.code));
    if (letter.spaced || word || !icp_is_one_of(letter.code, L"AXK")) {
        return 0;
    }
    *cursor = look;
    return (char)letter.code;
}

/* Every dash will do, doubled too; but only digits make a suffix, so that the dash before the next number makes none. */
static icp_suffix_e read_suffix(icp_cursor_t *ahead, int after_hao, int *suffix, char *service)
{
    icp_cursor_t look = *ahead;
    icp_symbol_t dash = icp_cursor_next(&look);
    if (dash.code != '-' && dash.code != '_' && !(dash.code == U'一' && after_hao)) {
        return ICP_SUFFIX_ABSENT;
    }
    icp_take_any(&look, L"-", 2);
    if (take_blank_suffix(&look, 1)) {
        *ahead = look;
        return ICP_SUFFIX_BLANK;
    }
    int spaced = dash.spaced | icp_cursor_peek(&look).spaced;
    char text[SUFFIX_DIGITS + 2];
    int count = suffix_digits(&look, text);
    if (count <= 0 || is_other_thing(look, count)) {
        return ICP_SUFFIX_ABSENT;
    }
    int value = atoi(text);
    int year = spaced && count == 4 && value >= 1990 && value < 2040;
    int area_code = text[0] == '0' && count > 2 && icp_is_digit(icp_cursor_peek(&look).code);
    if (year || area_code) {
        return ICP_SUFFIX_ABSENT;
    }
    if (!icp_cursor_peek(&look).spaced && take_blank_suffix(&look, 2)) {
        *ahead = look;
        return ICP_SUFFIX_BLANK;
    }
    *service = take_service(&look);
    *suffix = value;
    *ahead = look;
    return text[0] == '0' || count > SUFFIX_DIGITS ? ICP_SUFFIX_WRONG : ICP_SUFFIX_RIGHT;
}

void icp_read_end(icp_reading_t *reading)
{
    reading->hao = icp_take_hao(&reading->ahead);
    reading->suffix_state = read_suffix(&reading->ahead, reading->hao, &reading->suffix, &reading->service);
    if (reading->suffix_state == ICP_SUFFIX_ABSENT) {
        return;
    }
    if (!reading->hao || !icp_cursor_peek(&reading->ahead).spaced) {
        reading->hao |= icp_take(&reading->ahead, U'号');
    }
    icp_cursor_t look = reading->ahead;
    int second = 0;
    char service = 0;
    if (!icp_cursor_peek(&look).spaced && read_suffix(&look, 1, &second, &service) == ICP_SUFFIX_RIGHT && second < 1000) {
        reading->suffix_state = ICP_SUFFIX_WRONG;
        reading->ahead = look;
    }
}
