/* A pass lets its bearer through the gate of one suspended site for a short time.
 *
 * Token: "1." site id "." expiry (seconds since 1970) "." nonce (8 bytes hex) "." HMAC-SHA-256 over all before it, hex;
 * so it is URL- and cookie-safe. The key is 32 random bytes, hex, one line, in pass.key (root 0600).
 */
#ifndef ICP_PASS_H
#define ICP_PASS_H

#include <apr_time.h>

#include "error.h"

#define ICP_PASS_NAME "icp-pass"       /* query parameter and cookie */
#define ICP_PASS_HEADER "ICP-Pass"     /* request header: the checker's */
#define ICP_NOTICE_HEADER "ICP-Notice" /* response header: the gate answered, not the site; its value is the reason */

typedef struct icp_pass_key_t {
    unsigned char bytes[32];
} icp_pass_key_t;

/* Refuses a file that others can read or write, or that holds no key. */
icp_error_t *icp_pass_key_read(icp_pass_key_t *key, const char *file, apr_pool_t *pool);

/* Creates the file, 0600; refuses to replace one. */
icp_error_t *icp_pass_key_create(const char *file, apr_pool_t *pool);

const char *icp_pass_make(const icp_pass_key_t *key, apr_int64_t site_id, apr_time_t expiry, apr_pool_t *pool);

/* Nonzero if `token` (`length` bytes) is a pass for this site that has not expired at `now`; constant-time compare.
 * *expiry may be NULL. */
int icp_pass_check(const icp_pass_key_t *key, const char *token, apr_size_t length, apr_int64_t site_id, apr_time_t now,
                   apr_time_t *expiry);

#endif
