/* Characters of GB18030 that take two bytes, which are nearly all of a Chinese page: looked up in what iconv says of each, because
 * asking it byte by byte costs as much as all the rest of reading a page.
 */
#ifndef ICP_GB_H
#define ICP_GB_H

#include <apr.h>

/* The characters of two bytes from *p on, up to what is none, in UTF-8 at `out`, which has room for 2 bytes per byte and 4 more. Returns the bytes
 * written; *p is moved behind those read. */
apr_size_t icp_gb_pairs(char *out, const char **p, const char *end);

#endif
