/* Undoing a response's Content-Encoding on the side: gzip, deflate (zlib or raw, as browsers accept both) and br, in a
 * chain of at most ICP_DECODE_LAYERS. Output goes to a sink as it comes; the sink ends the work when it has enough, so that a
 * few bytes that inflate to gigabytes cost no more than the sink's own limit. */
#ifndef ICP_DECODE_H
#define ICP_DECODE_H

#include <apr_pools.h>

#define ICP_DECODE_LAYERS 3

typedef struct icp_decode_t icp_decode_t;

/* Takes decoded bytes; 0: no more are wanted. */
typedef int icp_decode_sink_t(void *baton, const char *bytes, apr_size_t length);

/* For the value of a Content-Encoding header (RFC 9110 8.4: codings in the order they were applied). NULL if one of them is
 * unknown or there are too many. Freed by `pool`. */
icp_decode_t *icp_decode_create(const char *content_encoding, icp_decode_sink_t *sink, void *baton, apr_pool_t *pool);

typedef enum icp_decode_e {
    ICP_DECODE_MORE, /* go on */
    ICP_DECODE_FULL, /* the sink wants no more */
    ICP_DECODE_BAD   /* the data is not what the header says */
} icp_decode_e;

/* Any chunking gives the same output. After FULL or BAD further input is ignored and the answer stays. Bytes after the
 * end of the compressed data are ignored, as browsers do; gzip members may follow one another. */
icp_decode_e icp_decode_feed(icp_decode_t *decode, const char *bytes, apr_size_t length);

/* Nonzero if the compressed data had come to its end: a response cut short has not. */
int icp_decode_ended(const icp_decode_t *decode);

#endif
