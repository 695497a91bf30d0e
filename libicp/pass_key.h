/* The key that passes are signed with: pass.key beside the register, root 0600.
 *
 * One line, 32 random bytes in hex; after a rotation a second one, the key before. icpadmin signs with every key in the file
 * and httpd takes a pass that is signed with any it has read, so that a pass is good before and after httpd reads the new key.
 */
#ifndef ICP_PASS_KEY_H
#define ICP_PASS_KEY_H

#include "error.h"

#define ICP_PASS_KEY_BYTES 32
#define ICP_PASS_KEYS 2
#define ICP_PASS_KEY_FILE_MOST (ICP_PASS_KEYS * (2 * ICP_PASS_KEY_BYTES + 1)) /* bytes of the longest key file */

typedef struct icp_pass_key_t {
    unsigned char bytes[ICP_PASS_KEYS][ICP_PASS_KEY_BYTES]; /* newest first */
    int count;                                              /* 1 or 2 */
} icp_pass_key_t;

/* Refuses a file that others can read or write, or that holds no key. */
icp_error_t *icp_pass_key_read(icp_pass_key_t *key, const char *file, apr_pool_t *pool);

/* Creates the file, 0600; refuses to replace one. */
icp_error_t *icp_pass_key_create(const char *file, apr_pool_t *pool);

/* Writes `next` as `file` is to be: a new key, and after it the newest of `file` unless `alone`. A rename of `next` over `file` is
 * then the rotation. With `alone`, `file` need not be readable. A `next` left by a crash is replaced. */
icp_error_t *icp_pass_key_prepare(const char *file, const char *next, int alone, apr_pool_t *pool);

#endif
