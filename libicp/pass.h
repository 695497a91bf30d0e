/* A pass lets its bearer through the gate of one suspended site for a short time.
 *
 * Token: "2." kind "." suspension id "." epoch "." expiry (seconds since 1970) "." nonce (8 bytes hex), then for each key
 * that it is signed with "." HMAC-SHA-256 over all before the first of them, hex; so it is URL- and cookie-safe. It is void
 * when the suspension is closed or its epoch raised. Kind o is an owner's, for link and cookie; kind c is the checker's, for the
 * header, and good for one request.
 */
#ifndef ICP_PASS_H
#define ICP_PASS_H

#include <apr_time.h>

#include "pass_key.h"

#define ICP_PASS_NAME "icp-pass"                /* query parameter and cookie */
#define ICP_PASS_NAME_HTTPS "__Host-icp-pass"   /* cookie under HTTPS: no neighbour under the same domain can set it */
#define ICP_PASS_HEADER "ICP-Pass"              /* request header: the checker's; response header: what a pass let through */
#define ICP_NOTICE_HEADER "ICP-Notice" /* response header: the gate answered, not the site; its value is the reason */

#define ICP_PASS_CHECK_SECONDS 60 /* how long the checker's is good: an httpd that was started since it was made does not believe it */

typedef enum icp_pass_kind_e { ICP_PASS_OWNER = 'o', ICP_PASS_CHECK = 'c' } icp_pass_kind_e;

typedef struct icp_pass_t {
    icp_pass_kind_e kind;
    apr_int64_t suspension_id;
    apr_uint32_t epoch;  /* the suspension's pass_epoch */
    apr_time_t expiry;
    apr_uint64_t nonce;  /* icp_pass_make draws one */
} icp_pass_t;

const char *icp_pass_make(const icp_pass_key_t *key, const icp_pass_t *pass, apr_pool_t *pool);

/* Nonzero if `token` (`length` bytes) is a pass of this kind, suspension and epoch that has not expired at `now`; fills in expiry
 * and nonce. Any of the keys will do. Constant-time compare. */
int icp_pass_check(const icp_pass_key_t *key, const char *token, apr_size_t length, icp_pass_t *wanted, apr_time_t now);

#endif
