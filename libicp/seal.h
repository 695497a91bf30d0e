/* Sealing: what workers write and only staff can read, and what only the bearer of a link can read.
 *
 * To staff: CMS (RFC 5652, 5083) with AES-256-GCM to the P-256 key of a certificate of its own, so that `openssl cms -decrypt` opens
 * it as well. intake.key (root 0600) and intake.crt (0644, for the workers) lie beside the register.
 * To a link: AES-256-GCM under HKDF-SHA256 of the link's token: "ICP1", 12 bytes nonce, text, 16 bytes tag; the associated
 * data is the file's name, so that one file cannot stand in another's place.
 */
#ifndef ICP_SEAL_H
#define ICP_SEAL_H

#include "error.h"

#define ICP_SEAL_KEY "intake.key"
#define ICP_SEAL_CERTIFICATE "intake.crt"

typedef struct icp_seal_t icp_seal_t; /* a certificate to seal to */
typedef struct icp_unseal_t icp_unseal_t; /* its key */

/* Makes both files where there is none; where only the key is there, or the certificate is another key's, the certificate from it.
 * A key that is there stays. */
icp_error_t *icp_seal_create(const char *key_file, const char *certificate_file, apr_pool_t *pool);

/* Freed with `pool`. The certificate may be used by several threads. */
icp_error_t *icp_seal_load(icp_seal_t **seal, const char *certificate_file, apr_pool_t *pool);
/* Refuses a key that others can read or write, or that is no key. */
icp_error_t *icp_unseal_load(icp_unseal_t **unseal, const char *key_file, const char *certificate_file, apr_pool_t *pool);

/* The sealed bytes, in `pool`. */
icp_error_t *icp_seal(const void **sealed, apr_size_t *sealed_length, const icp_seal_t *seal, const void *bytes, apr_size_t length,
                      apr_pool_t *pool);
/* ICP_REFUSED: not sealed to this key, or changed since. */
icp_error_t *icp_unseal(const void **bytes, apr_size_t *length, const icp_unseal_t *unseal, const void *sealed,
                        apr_size_t sealed_length, apr_pool_t *pool);

/* The same by a token. `name`: of the file. */
icp_error_t *icp_seal_to_token(const void **sealed, apr_size_t *sealed_length, const char *token, const char *name, const void *bytes,
                               apr_size_t length, apr_pool_t *pool);
icp_error_t *icp_unseal_by_token(const void **bytes, apr_size_t *length, const char *token, const char *name, const void *sealed,
                                 apr_size_t sealed_length, apr_pool_t *pool);

#endif
