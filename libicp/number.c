#include "number.h"

#include <string.h>

#include <apr_strings.h>

#include "fold.h"
#include "number_parts.h"
#include "number_read.h"

#define BLOCK 16

typedef unsigned char block_t __attribute__((vector_size(BLOCK)));

static block_t load(const unsigned char *bytes)
{
    block_t block;
    memcpy(&block, bytes, BLOCK);
    return block;
}

/* Where two bytes in a row may belong to an anchor: the end of 备備俻 证證証 in UTF-8, CP, or a B with what may follow one.
 * A macro, so that one table serves single bytes and blocks of them. */
#define ANCHOR_ENDS(a, b)                                                                                        \
    ((((a) == 0xA4) & ((b) == 0x87)) | (((a) == 0x82) & ((b) == 0x99)) | (((a) == 0xBF) & ((b) == 0xBB)) /* 备 */ | \
     (((a) == 0xAF) & ((b) == 0x81)) | (((a) == 0xAD) & ((b) == 0x89)) | (((a) == 0xA8) & ((b) == 0xBC)) /* 证 */ | \
     ((((a) | 0x20) == 'c') & (((b) | 0x20) == 'p')) |                                                            \
     (((a) == 0xBC) & ((b) == 0xA2)) | (((a) == 0xBD) & ((b) == 0x82)) /* Ｂｂ */ |                               \
     ((((a) | 0x20) == 'b') & (((b) <= ' ') | ((b) == '1') | ((b) == '2') | ((b) >= 0x7F))))

/* The first bytes of such pairs. */
static const unsigned char begins_pair[256] = {
    [0xA4] = 1, [0x82] = 1, [0xBF] = 1, [0xAF] = 1, [0xAD] = 1, [0xA8] = 1, [0xBC] = 1, [0xBD] = 1,
    ['c'] = 1, ['C'] = 1, ['b'] = 1, ['B'] = 1,
};

static int pairs_in(const unsigned char *text)
{
    block_t a = load(text), b = load(text + 1);
    block_t hits = (block_t)ANCHOR_ENDS(a, b);
    apr_uint64_t halves[2];
    memcpy(halves, &hits, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* The first byte at or after `at` whose pair with the next may end an anchor, else `length`. A block at a time: nearly
 * every byte of a page is no such place. */
static apr_size_t next_pair(const unsigned char *text, apr_size_t length, apr_size_t at)
{
    while (at + BLOCK < length && !pairs_in(text + at)) at += BLOCK;
    if (at + 1 < length && at + BLOCK >= length && length > BLOCK && !pairs_in(text + length - BLOCK - 1)) return length;
    for (; at + 1 < length; at++) {
        if (begins_pair[text[at]] && ANCHOR_ENDS(text[at], text[at + 1])) return at;
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
    return next_pair((const unsigned char *)text, length, 0) < length;
}

apr_array_header_t *icp_number_find(const char *text, apr_size_t length, apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 4, sizeof(icp_number_t));
    const unsigned char *bytes = (const unsigned char *)text;
    apr_size_t floor = 0;
    for (apr_size_t at = next_pair(bytes, length, 0); at < length; at = next_pair(bytes, length, at)) {
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
