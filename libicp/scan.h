/* Looking over the bytes of a page, many at a time: the loops that see every byte, kept in one place so that they stay cheap.
 * They know characters, not what any of it means.
 */
#ifndef ICP_SCAN_H
#define ICP_SCAN_H

#include <apr.h>

/* HTML's white space. */
static inline int icp_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

/* The line feeds among them. */
int icp_scan_lines(const char *text, apr_size_t length);

/* The first of the bytes that is not ASCII, or is zero; `end` if none is. */
const char *icp_scan_ascii(const char *p, const char *end);

/* The first of the bytes that is a space or below; `end` if none is. */
const char *icp_scan_low(const char *p, const char *end);

/* The first of the bytes that is `a` or `b`; `end` if none is. */
const char *icp_scan_either(const char *p, const char *end, char a, char b);

/* The first place of a word of two characters or more, as it is written; NULL: there is none. */
const char *icp_scan_word(const char *p, const char *end, const char *word);

/* Words that are looked for together, NULL at their end. `pairs` is ICP_PAIR of the first two characters of each: few other places
 * in a text have any of those. */
typedef struct icp_words_t {
    apr_uint64_t pairs;
    const char *words[9];
} icp_words_t;
#define ICP_PAIR(a, b) (APR_UINT64_C(1) << (((a) & 31) << 1 ^ ((b) & 31)))

/* Does one of the words stand in the text, in either case? */
int icp_scan_words(const char *text, apr_size_t length, const icp_words_t *words);

#endif
