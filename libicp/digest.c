/* SHA-256 by libcrypto: see digest.h. */
#include "digest.h"

#include <apr_escape.h>
#include <openssl/evp.h>

struct icp_digest_t {
    EVP_MD_CTX *context;
    apr_pool_t *pool;
};

static apr_status_t release(void *data)
{
    icp_digest_t *digest = data;
    EVP_MD_CTX_free(digest->context);
    return APR_SUCCESS;
}

static icp_error_t *no_sha256(apr_pool_t *pool)
{
    return icp_error(pool, ICP_FAULT, NULL, "libcrypto gives no SHA-256");
}

icp_error_t *icp_digest_begin(icp_digest_t **result, apr_pool_t *pool)
{
    icp_digest_t *digest = apr_palloc(pool, sizeof *digest);
    digest->context = EVP_MD_CTX_new();
    digest->pool = pool;
    apr_pool_cleanup_register(pool, digest, release, apr_pool_cleanup_null);
    *result = digest;
    return digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1 ? NULL : no_sha256(pool);
}

void icp_digest_add(icp_digest_t *digest, const void *bytes, apr_size_t length)
{
    EVP_DigestUpdate(digest->context, bytes, length);
}

icp_error_t *icp_digest_end(char hex[65], icp_digest_t *digest, apr_pool_t *pool)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    int done = EVP_DigestFinal_ex(digest->context, hash, &length);
    apr_pool_cleanup_run(digest->pool, digest, release);
    if (done != 1 || length != 32) return no_sha256(pool);
    apr_escape_hex(hex, hash, length, 0, NULL);
    return NULL;
}
