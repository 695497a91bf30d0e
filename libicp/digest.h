/* SHA-256 as lower-case hex, for the audit chain and for backups. */
#ifndef ICP_DIGEST_H
#define ICP_DIGEST_H

#include "error.h"

typedef struct icp_digest_t icp_digest_t;

/* Freed by icp_digest_end, or with `pool`. */
icp_error_t *icp_digest_begin(icp_digest_t **digest, apr_pool_t *pool);
void icp_digest_add(icp_digest_t *digest, const void *bytes, apr_size_t length);
icp_error_t *icp_digest_end(char hex[65], icp_digest_t *digest, apr_pool_t *pool);

#endif
