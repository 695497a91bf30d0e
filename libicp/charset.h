/* Which charset a page is read in, decided as browsers do.
 *
 * In this order: byte order mark; the Content-Type header; <meta charset>, <meta http-equiv> or an XML declaration, looked for as far as
 * the head reaches; UTF-8 if the bytes are that; else GB18030. Labels: https://encoding.spec.whatwg.org, 4.2.
 */
#ifndef ICP_CHARSET_H
#define ICP_CHARSET_H

#include <apr_pools.h>

typedef struct icp_charset_t {
    const char *name;  /* "utf-8", "gbk", "gb18030", "big5" … */
    const char *iconv; /* what iconv calls it; NULL: iconv is not asked */
    enum { ICP_DECODE_UTF8, ICP_DECODE_GB, ICP_DECODE_TABLE, ICP_DECODE_WIDE, ICP_DECODE_NOTHING /* browsers refuse to read it */ } how;
} icp_charset_t;

/* By a label as pages and headers have it, in any case, blanks around it ignored; NULL for an unknown one. */
const icp_charset_t *icp_charset_by_label(const char *label, apr_size_t length);

/* That of a Content-Type header; NULL if it names none that is known. */
const icp_charset_t *icp_charset_by_type(const char *content_type);

/* By the byte order mark, or the zero bytes of UTF-16, at the very beginning; NULL: neither. *mark: bytes of it to skip. */
const icp_charset_t *icp_charset_by_mark(const char *bytes, apr_size_t length, apr_size_t *mark);

/* Declared in the page, of which `bytes` is the beginning (it is changed: names of tags in lower case); NULL: not there.
 * *settled: more bytes would not change that answer. */
const icp_charset_t *icp_charset_declared(char *bytes, apr_size_t length, int *settled);

/* Of bytes that nobody declared: all that there are. */
const icp_charset_t *icp_charset_guess(const char *bytes, apr_size_t length);

#endif
