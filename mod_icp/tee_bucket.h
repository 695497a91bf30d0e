/* A bucket that shows what is read from it: it stands in for a bucket whose length nobody knows yet (CGI output, a pipe), so
 * that the inspection sees the bytes when, and only if, a filter further on reads them. Reading such
 * a bucket earlier would block, or move the flushes that others see. */
#ifndef MOD_ICP_TEE_BUCKET_H
#define MOD_ICP_TEE_BUCKET_H

#include <apr_buckets.h>

typedef struct icp_tee_t {
    void (*data)(void *baton, const char *bytes, apr_size_t length);
    void (*closed)(void *baton, int whole); /* once per wrapped bucket; whole: it was read to its end */
    void *baton;
} icp_tee_t;

/* Takes `bucket` out of its brigade and puts a tee in its place, which is returned. `tee` must outlive it; `pool` must
 * outlive the brigade. */
apr_bucket *icp_tee_wrap(apr_bucket *bucket, const icp_tee_t *tee, apr_pool_t *pool);

#endif
