/* Character references and the escapes of scripts: what `&nbsp;`, `&#22791;` and `&copy2005` stand for. Of the named ones only those that can
 * stand in or beside a number are known: white space, dashes, punctuation; others stay as they are written.
 */
#ifndef ICP_CHARREF_H
#define ICP_CHARREF_H

#include <apr.h>

/* The longest reference that can be known, in bytes: how much text after a '&' must be at hand to decide on it. */
#define ICP_CHARREF_LONGEST 40

/* Writes `length` bytes of `text` to `out` with its references replaced, and returns the bytes written, at most `length`.
 * `out` may be `text`. In an attribute, names without a semicolon before '=' or a letter or digit stay. */
apr_size_t icp_charref_decode(char *out, const char *text, apr_size_t length, int attribute);

/* The same for the escapes of scripts: \uXXXX, %uXXXX and \xXX; surrogates of a pair become one character. */
apr_size_t icp_script_decode(char *out, const char *text, apr_size_t length);
#define ICP_ESCAPE_LONGEST 12

#endif
