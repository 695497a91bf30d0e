/* The bytes of a page as UTF-8. Every result is valid UTF-8: what cannot be read is U+FFFD, zero bytes are left out, and an invalid byte
 * never swallows the markup behind it (Encoding Standard).
 */
#ifndef ICP_DECODE_H
#define ICP_DECODE_H

#include "charset.h"

typedef struct icp_decoder_t icp_decoder_t;
icp_decoder_t *icp_decoder_create(const icp_charset_t *charset, apr_pool_t *pool);

/* Decodes into `out`, which has room for ICP_DECODED_MAX(length) bytes. Returns the bytes written; *used those read: up to
 * 3 at the end stay for the next call, if it is not the last. */
#define ICP_DECODED_MAX(length) ((length) * 3 + 8)
apr_size_t icp_decoder_read(icp_decoder_t *decoder, char *out, const char *bytes, apr_size_t length, apr_size_t *used, int last);

#endif
