#include "number.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "block.h"
#include "fold.h"
#include "number_parts.h"
#include "number_read.h"

/* Where two bytes in a row may belong to an anchor: the end of 备備俻 证證証 or of Ｂｂ in UTF-8; CP, or a B with what may follow one. In the
 * source of a page, not in its text, a tag or reference may stand behind C or B. Macros, so that one table serves single bytes and blocks of them. */
#define HIGH_PAIR(a, b)                                                                                          \
    ((((a) == 0xA4) & ((b) == 0x87)) | (((a) == 0x82) & ((b) == 0x99)) | (((a) == 0xBF) & ((b) == 0xBB)) /* 备 */ | \
     (((a) == 0xAF) & ((b) == 0x81)) | (((a) == 0xAD) & ((b) == 0x89)) | (((a) == 0xA8) & ((b) == 0xBC)) /* 证 */ | \
     (((a) == 0xBC) & ((b) == 0xA2)) | (((a) == 0xBD) & ((b) == 0x82)) /* Ｂｂ */)
#define ASCII_PAIR(a, b) \
    (((((a) | 0x20) == 'c') & (((b) | 0x20) == 'p')) | ((((a) | 0x20) == 'b') & (((b) <= ' ') | ((b) == '1') | ((b) == '2') | ((b) >= 0x7F))))
#define SOURCE_PAIR(a, b) (((((a) | 0x20) == 'c') | (((a) | 0x20) == 'b')) & (((b) == '<') | ((b) == '&')))

/* Where such pairs begin in a block, and where B stands before more than what may follow it: before any byte but ASCII beyond '<'. */
static inline icp_block_t pairs_in(const unsigned char *text, int source)
{
    icp_block_t a = icp_block_load(text), b = icp_block_load(text + 1), small = a | 0x20;
    icp_block_t after_c = (icp_block_t)((b | 0x20) == 'p'), after_b = (icp_block_t)(b - 0x7F <= 0x81 + '<');
    if (source) after_c |= (icp_block_t)(b == '<') | (icp_block_t)(b == '&');
    icp_block_t hits = ((icp_block_t)(small == 'c') & after_c) | ((icp_block_t)(small == 'b') & after_b);
    if (icp_block_any(a)) hits |= (icp_block_t)HIGH_PAIR(a, b);
    return hits;
}

/* Can 备 or 证 whose second byte is at `at` be an anchor, after what stands before it? Not after a letter but P (or C: IPC), a digit, or Han but 安
 * and 可 (公安备, 许可证; and 丨, which is typed for a bar): nearly every one is part of a word. */
static int after_letters(const unsigned char *text, apr_size_t at)
{
    if (at < 2) return 1;
    const unsigned char *before = text + at - 2; /* the byte before the character */
    if (*before < 0x80) return (*before | 0x20) == 'p' || (*before | 0x20) == 'c' || !apr_isalnum(*before);
    int han = at >= 4 && before[-2] >= 0xE4 && before[-2] <= 0xE9 && (before[-1] & 0xC0) == 0x80 && (*before & 0xC0) == 0x80;
    return !han || memcmp(before - 2, "安", 3) == 0 || memcmp(before - 2, "可", 3) == 0 || memcmp(before - 2, "丨", 3) == 0;
}

/* May the pair at `at` end an anchor, its neighbours considered? */
static int is_place(const unsigned char *text, apr_size_t length, apr_size_t at, int source)
{
    unsigned a = text[at], b = text[at + 1];
    if (a >= 0x80) return HIGH_PAIR(a, b) && (a == 0xBC || a == 0xBD || after_letters(text, at));
    if (!ASCII_PAIR(a, b) && !(source && SOURCE_PAIR(a, b))) return 0;
    unsigned before = at > 0 ? text[at - 1] : ' ';
    if ((a | 0x20) == 'c') { /* behind the I, which no letter or digit stands before; or behind white space or a tag */
        return (before | 0x20) == 'i' ? at < 2 || !apr_isalnum(text[at - 2]) : !apr_isalnum(before);
    }
    if (apr_isalnum(before)) return 0;
    while (++at < length && (text[at] <= ' ' || text[at] == 0x7F)) continue;
    if (at < length && (text[at] == '1' || text[at] == '2')) at++;
    else if (at < length && text[at] < 0x80 && !(source && (text[at] == '<' || text[at] == '&'))) return 0;
    return at == length || text[at] >= 0x7F || text[at] <= ' ' || memchr("-./Bb<&", text[at], source ? 7 : 5);
}

/* The first of the places in a block that is one; ICP_BLOCK: none is. */
static inline apr_size_t stop_in(icp_block_t hits, const unsigned char *text, apr_size_t length, apr_size_t at, int source)
{
    for (apr_size_t i = icp_block_next(hits, 0); i < ICP_BLOCK; i = icp_block_next(hits, i + 1)) {
        if (is_place(text, length, at + i, source)) return i;
    }
    return ICP_BLOCK;
}

/* The first such place at or after `at`, else `length`. A block at a time: nearly every byte of a
 * page is no such place. */
static inline apr_size_t next_place(const unsigned char *text, apr_size_t length, apr_size_t at, int source)
{
    while (at + ICP_BLOCK < length) {
        while (at + 2 * ICP_BLOCK < length && !icp_block_any(pairs_in(text + at, source) | pairs_in(text + at + ICP_BLOCK, source))) at += 2 * ICP_BLOCK;
        if (at + ICP_BLOCK >= length) break;
        apr_size_t stop = stop_in(pairs_in(text + at, source), text, length, at, source);
        at += stop;
        if (stop < ICP_BLOCK) return at;
    }
    for (; at + 1 < length; at++) {
        if (is_place(text, length, at, source)) return at;
    }
    return length;
}

/* The anchor's character from the first byte of the pair: CP is anchored at its P, a lone B at itself. */
static apr_size_t anchor_of(const unsigned char *text, apr_size_t pair)
{
    unsigned char first = text[pair] | 0x20;
    if (first == 'c' && text[pair] < 0x80) {
        return pair + 1;
    }
    return first == 'b' && text[pair] < 0x80 ? pair : pair - 1;
}

int icp_number_possible(const char *text, apr_size_t length)
{
    return next_place((const unsigned char *)text, length, 0, 0) < length;
}

apr_size_t icp_number_hint(const char *source, apr_size_t length, apr_size_t at)
{
    apr_size_t place = next_place((const unsigned char *)source, length, at, 1);
    int cut = place == length && length > at && strchr("BbCc", source[length - 1]);
    return cut ? length - 1 : place;
}

apr_array_header_t *icp_number_find(const char *text, apr_size_t length, apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 4, sizeof(icp_number_t));
    const unsigned char *bytes = (const unsigned char *)text;
    apr_size_t floor = 0;
    for (apr_size_t at = next_place(bytes, length, 0, 0); at < length; at = next_place(bytes, length, at, 0)) {
        icp_number_t number;
        if (at > 0 || bytes[at] < 0x80) {
            apr_size_t anchor = anchor_of(bytes, at);
            if (anchor >= floor && icp_number_read(&number, text, floor, length, anchor, pool)) {
                *(icp_number_t *)apr_array_push(found) = number;
                at = floor = number.end;
                continue;
            }
        }
        at++;
    }
    return found;
}

/* Nothing but white space and what is not drawn in [start, end)? */
static int is_blank(const char *text, apr_size_t start, apr_size_t end)
{
    icp_cursor_t cursor = icp_cursor(text, start, end, start);
    return icp_cursor_next(&cursor).code == 0 && cursor.at == end;
}

icp_number_t *icp_number_parse(const char *text, apr_pool_t *pool)
{
    apr_size_t length = strlen(text);
    apr_array_header_t *found = icp_number_find(text, length, pool);
    icp_number_t *number = (icp_number_t *)found->elts;
    if (found->nelts == 1 && is_blank(text, 0, number->start) && is_blank(text, number->end, length)) {
        return number;
    }
    if (found->nelts == 1 && number->kind == ICP_NUMBER_NONE) {
        return number;
    }
    number = apr_pcalloc(pool, sizeof *number);
    number->kind = ICP_NUMBER_NONE;
    number->reason = found->nelts ? ICP_REASON_SURROUNDED : ICP_REASON_NOT_NUMBER;
    number->text = icp_number_fold(text, 0, length, pool);
    number->end = length;
    return number;
}

int icp_number_same_license(const icp_number_t *a, const icp_number_t *b)
{
    return a->license && b->license && icp_same_province(a->province, b->province)
           && !strcmp(a->license + strlen(a->province), b->license + strlen(b->province));
}

const char *icp_number_kind_name(const icp_number_t *number)
{
    switch (number->kind) {
    case ICP_NUMBER_FILING: return number->service ? "service" : number->suffix ? "website" : "license";
    case ICP_NUMBER_PERMIT: return "permit";
    case ICP_NUMBER_TELECOM: return "telecom";
    case ICP_NUMBER_POLICE: return "police";
    case ICP_NUMBER_NONE: break;
    }
    return "none";
}

static const struct {
    const char *name, *text;
} REASONS[] = {
    [ICP_REASON_NONE] = {"", ""},
    [ICP_REASON_NO_PROVINCE] = {"no-province", "The province, one character before ICP, is missing."},
    [ICP_REASON_NOT_PROVINCE] = {"not-province", "The character before ICP is none of the 31 provinces' abbreviations."},
    [ICP_REASON_DIGITS] = {"digits", "It does not have as many digits as a number of its kind: 8 or 10 after ICP备, 6 to 8 "
                                     "after ICP证, 8 after B1 or B2."},
    [ICP_REASON_PLACEHOLDER] = {"placeholder", "It is a template's: letters, stars or zeros stand for the digits."},
    [ICP_REASON_SUFFIX] = {"suffix", "After the dash there must be one number from 1 to 99999, without a leading zero."},
    [ICP_REASON_PENDING] = {"pending", "It says that the filing was applied for; there is no number yet."},
    [ICP_REASON_WORDING] = {"wording", "The words are not those of a number: province, ICP备 (or ICP证), digits, 号."},
    [ICP_REASON_NOT_NUMBER] = {"not-number", "It is not written like an ICP number."},
    [ICP_REASON_SURROUNDED] = {"surrounded", "There is other text beside the number."},
};

const char *icp_number_reason_name(icp_number_reason_e reason)
{
    return REASONS[reason].name;
}

const char *icp_number_reason_text(icp_number_reason_e reason)
{
    return REASONS[reason].text;
}
