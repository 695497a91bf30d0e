/* Undoing a response's Content-Encoding on the side: gzip, deflate (zlib or raw, as browsers accept both) and br, in a
 * chain of at most ICP_CODING_LAYERS. Output goes to a sink as it comes; the sink ends the work when it has enough, so that a
 * few bytes that inflate to gigabytes cost no more than the sink's own limit. */
#ifndef ICP_CODING_H
#define ICP_CODING_H

#include <apr_pools.h>

#define ICP_CODING_LAYERS 3

typedef struct icp_coding_t icp_coding_t;

/* Takes decoded bytes; 0: no more are wanted. */
typedef int icp_coding_sink_t(void *baton, const char *bytes, apr_size_t length);

/* For the value of a Content-Encoding header (RFC 9110 8.4: codings in the order they were applied). NULL if one of them is
 * unknown or there are too many. Freed by `pool`. */
icp_coding_t *icp_coding_create(const char *content_encoding, icp_coding_sink_t *sink, void *baton, apr_pool_t *pool);

typedef enum icp_coding_e {
    ICP_CODING_MORE, /* go on */
    ICP_CODING_FULL, /* the sink wants no more */
    ICP_CODING_BAD   /* the data is not what the header says */
} icp_coding_e;

/* Any chunking gives the same output, but for how much of it comes before BAD. After FULL or BAD further input is ignored and the answer stays. Bytes after the
 * end of the compressed data are ignored, as browsers do; gzip members may follow one another. */
icp_coding_e icp_coding_feed(icp_coding_t *coding, const char *bytes, apr_size_t length);

/* Nonzero if the compressed data had come to its end: a response cut short has not. */
int icp_coding_ended(const icp_coding_t *coding);

#endif
