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

/* Does one of the words (NULL at their end) stand in the text, in either case? */
int icp_scan_words(const char *text, apr_size_t length, const char *const *words);

#endif
