/* One character as UTF-8. */
#ifndef ICP_UTF8_H
#define ICP_UTF8_H

#include <apr.h>

/* The bytes of the UTF-8 character at `p`; negative: as many that are none; 0: cut by `end`. */
int icp_utf8_next(const char *p, const char *end);

/* Writes a character as UTF-8, 1 to 4 bytes; U+FFFD for what is none. Returns the bytes written. */
apr_size_t icp_utf8_put(char *out, unsigned long character);

#endif
