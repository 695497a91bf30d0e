/* Sealing by libcrypto: see seal.h. */
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define KEY_FILE_MAX 16384
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define MAGIC "ICP1"
#define MAGIC_BYTES 4

struct icp_seal_t {
    X509 *certificate;
};

struct icp_unseal_t {
    EVP_PKEY *key;
    X509 *certificate;
};

static icp_error_t *no_crypto(apr_pool_t *pool, const char *doing)
{
    char text[200] = "no reason given";
    unsigned long code = ERR_peek_last_error();
    if (code) ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return icp_error(pool, ICP_FAULT, NULL, "libcrypto cannot %s: %s", doing, text);
}

/* --- the two files ---------------------------------------------------------------------------------- */

static icp_error_t *write_file(const char *file, mode_t mode, BIO *content, apr_pool_t *pool)
{
    char *bytes;
    long length = BIO_get_mem_data(content, &bytes);
    const char *part = apr_pstrcat(pool, file, ".new", NULL);
    unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return icp_error_os(pool, errno, "cannot create %s", file);
    ssize_t put = write(fd, bytes, length);
    int fault = put == length ? 0 : put < 0 ? errno : ENOSPC;
    if (!fault && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) fault = errno;
    close(fd);
    if (!fault && rename(part, file) != 0) fault = errno;
    if (fault) unlink(part);
    return fault ? icp_error_os(pool, fault, "cannot write %s", file) : NULL;
}

/* A file that only its owner can write, and `forbid` nobody else touch; as a BIO in memory, NULL if it is not there. */
static icp_error_t *read_file(BIO **content, const char *file, mode_t forbid, apr_pool_t *pool)
{
    struct stat info;
    *content = NULL;
    int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? NULL : icp_error_os(pool, errno, "cannot open %s", file);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > KEY_FILE_MAX) {
        close(fd);
        return icp_error(pool, ICP_FAULT, "restore it from a backup", "%s is no file of a key", file);
    }
    if ((info.st_mode & forbid) || (info.st_uid != 0 && info.st_uid != geteuid())) {
        close(fd);
        return icp_error(pool, ICP_DENIED,
                         apr_psprintf(pool, "run 'chown root %s' and 'chmod %04o %s'", file, (unsigned)(0644 & ~forbid), file),
                         "others than root can %s %s", forbid & 0044 ? "read or write" : "write", file);
    }
    char *bytes = apr_palloc(pool, KEY_FILE_MAX);
    ssize_t got = read(fd, bytes, KEY_FILE_MAX);
    int fault = errno;
    close(fd);
    if (got < 0) return icp_error_os(pool, fault, "cannot read %s", file);
    *content = BIO_new(BIO_s_mem());
    int kept = *content && BIO_write(*content, bytes, (int)got) == got;
    OPENSSL_cleanse(bytes, KEY_FILE_MAX);
    return kept ? NULL : no_crypto(pool, "read a key");
}

/* Signed by itself; valid for ever, as far as the form goes: nobody asks but who has the key. */
static X509 *certify(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_NAME_new();
    ASN1_TIME *end = ASN1_TIME_new();
    unsigned char serial[8];
    BIGNUM *number = NULL;
    int done = certificate && name && end && RAND_bytes(serial, sizeof serial) == 1;
    if (done) {
        serial[0] &= 0x7f;
        number = BN_bin2bn(serial, sizeof serial, NULL);
    }
    done = done && number && X509_set_version(certificate, X509_VERSION_3) && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))
           && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"mod_icp intake", -1, -1, 0)
           && X509_set_subject_name(certificate, name) && X509_set_issuer_name(certificate, name)
           && X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) && ASN1_TIME_set_string_X509(end, "99991231235959Z")
           && X509_set1_notAfter(certificate, end) && X509_set_pubkey(certificate, key) && X509_sign(certificate, key, EVP_sha256());
    BN_free(number);
    ASN1_TIME_free(end);
    X509_NAME_free(name);
    if (done) return certificate;
    X509_free(certificate);
    return NULL;
}

static icp_error_t *read_key(EVP_PKEY **key, const char *file, apr_pool_t *pool)
{
    BIO *content;
    *key = NULL;
    ICP_TRY(read_file(&content, file, 0077, pool));
    if (!content) return NULL;
    *key = PEM_read_bio_PrivateKey(content, NULL, NULL, (void *)"");
    BIO_free(content);
    ERR_clear_error();
    return *key ? NULL : icp_error(pool, ICP_FAULT, "restore it from a backup", "%s holds no key", file);
}

static icp_error_t *write_key(EVP_PKEY **key, const char *file, apr_pool_t *pool)
{
    BIO *content = BIO_new(BIO_s_secmem());
    *key = EVP_EC_gen("P-256");
    icp_error_t *error = *key && content && PEM_write_bio_PrivateKey(content, *key, NULL, NULL, 0, NULL, NULL)
                             ? write_file(file, 0600, content, pool) : no_crypto(pool, "make a key");
    BIO_free(content);
    if (!error) return NULL;
    EVP_PKEY_free(*key);
    *key = NULL;
    return error;
}

static icp_error_t *read_certificate(X509 **certificate, const char *file, apr_pool_t *pool)
{
    BIO *content;
    *certificate = NULL;
    ICP_TRY(read_file(&content, file, 0022, pool));
    if (!content) return NULL;
    *certificate = PEM_read_bio_X509(content, NULL, NULL, NULL);
    BIO_free(content);
    ERR_clear_error();
    return *certificate ? NULL : icp_error(pool, ICP_FAULT, "move it away; icpadmin doctor --repair makes it anew from the key",
                                           "%s holds no certificate", file);
}

static icp_error_t *write_certificate(EVP_PKEY *key, const char *file, apr_pool_t *pool)
{
    X509 *certificate = certify(key);
    BIO *content = BIO_new(BIO_s_mem());
    icp_error_t *error = certificate && content && PEM_write_bio_X509(content, certificate) ? write_file(file, 0644, content, pool)
                                                                                            : no_crypto(pool, "make a certificate");
    BIO_free(content);
    X509_free(certificate);
    return error;
}

icp_error_t *icp_seal_create(const char *key_file, const char *certificate_file, apr_pool_t *pool)
{
    EVP_PKEY *key;
    X509 *certificate = NULL;
    icp_error_t *error = read_key(&key, key_file, pool);
    if (!error) error = read_certificate(&certificate, certificate_file, pool);
    if (!error && !key) error = write_key(&key, key_file, pool);
    /* Of a key that is gone: what is sealed to it nobody could open. */
    int fits = !error && certificate && X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    if (!error && !fits) error = write_certificate(key, certificate_file, pool);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return error;
}

static apr_status_t free_certificate(void *certificate)
{
    X509_free(certificate);
    return APR_SUCCESS;
}

static apr_status_t free_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static icp_error_t *load_certificate(X509 **certificate, const char *file, apr_pool_t *pool)
{
    ICP_TRY(read_certificate(certificate, file, pool));
    if (!*certificate) {
        return icp_error(pool, ICP_NOT_FOUND, "run 'icpadmin doctor --repair' as root", "there is no certificate %s to seal applications to", file);
    }
    apr_pool_cleanup_register(pool, *certificate, free_certificate, apr_pool_cleanup_null);
    return NULL;
}

icp_error_t *icp_seal_load(icp_seal_t **seal, const char *certificate_file, apr_pool_t *pool)
{
    *seal = apr_pcalloc(pool, sizeof **seal);
    return load_certificate(&(*seal)->certificate, certificate_file, pool);
}

icp_error_t *icp_unseal_load(icp_unseal_t **unseal, const char *key_file, const char *certificate_file, apr_pool_t *pool)
{
    *unseal = apr_pcalloc(pool, sizeof **unseal);
    ICP_TRY(read_key(&(*unseal)->key, key_file, pool));
    if (!(*unseal)->key) {
        return icp_error(pool, ICP_NOT_FOUND, "restore it from a backup; 'icpadmin doctor --repair' makes a new one, which opens only what "
                         "is sealed from then on", "there is no key %s to open applications with", key_file);
    }
    apr_pool_cleanup_register(pool, (*unseal)->key, free_key, apr_pool_cleanup_null);
    ICP_TRY(load_certificate(&(*unseal)->certificate, certificate_file, pool));
    if (X509_check_private_key((*unseal)->certificate, (*unseal)->key) == 1) return NULL;
    ERR_clear_error();
    return icp_error(pool, ICP_FAULT, apr_psprintf(pool, "move %s away and run 'icpadmin doctor --repair'", certificate_file),
                     "%s is not the certificate of %s", certificate_file, key_file);
}

/* --- to staff -------------------------------------------------------------------------------------------- */

static icp_error_t *take_bio(const void **bytes, apr_size_t *length, BIO *bio, apr_pool_t *pool)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    *length = size;
    *bytes = apr_pmemdup(pool, data, size);
    return NULL;
}

icp_error_t *icp_seal(const void **sealed, apr_size_t *sealed_length, const icp_seal_t *seal, const void *bytes, apr_size_t length,
                      apr_pool_t *pool)
{
    STACK_OF(X509) *to = sk_X509_new_null();
    BIO *in = length <= INT_MAX ? BIO_new_mem_buf(bytes, (int)length) : NULL, *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = in && out && to && sk_X509_push(to, seal->certificate) ? CMS_encrypt(to, in, EVP_aes_256_gcm(), CMS_BINARY) : NULL;
    icp_error_t *error = cms && i2d_CMS_bio(out, cms) ? take_bio(sealed, sealed_length, out, pool) : no_crypto(pool, "seal an application");
    CMS_ContentInfo_free(cms);
    sk_X509_free(to);
    BIO_free(in);
    BIO_free(out);
    return error;
}

icp_error_t *icp_unseal(const void **bytes, apr_size_t *length, const icp_unseal_t *unseal, const void *sealed,
                        apr_size_t sealed_length, apr_pool_t *pool)
{
    BIO *in = sealed_length <= INT_MAX ? BIO_new_mem_buf(sealed, (int)sealed_length) : NULL, *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = in ? d2i_CMS_bio(in, NULL) : NULL;
    int type = cms ? OBJ_obj2nid(CMS_get0_type(cms)) : NID_undef;
    /* Authenticated or not at all: plain EnvelopedData could be altered on its way. */
    int open = out && type == NID_id_smime_ct_authEnvelopedData
               && CMS_decrypt(cms, unseal->key, unseal->certificate, NULL, out, CMS_BINARY) == 1;
    if (open) take_bio(bytes, length, out, pool);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    ERR_clear_error();
    return open ? NULL : icp_error(pool, ICP_REFUSED, NULL, "it is not sealed to this register's key, or was changed since");
}

/* --- to a link ----------------------------------------------------------------------------------------- */

static int derive(unsigned char key[32], const char *token)
{
    static const char use[] = "mod_icp progress";
    size_t length = 32;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    int done = context && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1
               && EVP_PKEY_CTX_set1_hkdf_key(context, (const unsigned char *)token, (int)strlen(token)) == 1
               && EVP_PKEY_CTX_add1_hkdf_info(context, (const unsigned char *)use, sizeof use - 1) == 1
               && EVP_PKEY_derive(context, key, &length) == 1 && length == 32;
    EVP_PKEY_CTX_free(context);
    return done;
}

static EVP_CIPHER_CTX *begin(int encrypt, const char *token, const unsigned char *nonce, const char *name)
{
    unsigned char key[32];
    int used;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = context && derive(key, token) && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1
               && EVP_CipherUpdate(context, NULL, &used, (const unsigned char *)name, (int)strlen(name)) == 1;
    OPENSSL_cleanse(key, sizeof key);
    if (done) return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

icp_error_t *icp_seal_to_token(const void **sealed, apr_size_t *sealed_length, const char *token, const char *name, const void *bytes,
                               apr_size_t length, apr_pool_t *pool)
{
    int used = 0, last = 0;
    unsigned char *out = apr_palloc(pool, MAGIC_BYTES + NONCE_BYTES + length + TAG_BYTES), *nonce = out + MAGIC_BYTES, *text = nonce + NONCE_BYTES;
    memcpy(out, MAGIC, MAGIC_BYTES);
    EVP_CIPHER_CTX *context = length <= INT_MAX && RAND_bytes(nonce, NONCE_BYTES) == 1 ? begin(1, token, nonce, name) : NULL;
    int done = context && EVP_EncryptUpdate(context, text, &used, bytes, (int)length) == 1
               && EVP_EncryptFinal_ex(context, text + used, &last) == 1
               && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, text + length) == 1;
    EVP_CIPHER_CTX_free(context);
    *sealed = out;
    *sealed_length = MAGIC_BYTES + NONCE_BYTES + length + TAG_BYTES;
    return done ? NULL : no_crypto(pool, "seal an application's state");
}

icp_error_t *icp_unseal_by_token(const void **bytes, apr_size_t *length, const char *token, const char *name, const void *sealed,
                                 apr_size_t sealed_length, apr_pool_t *pool)
{
    const unsigned char *in = sealed, *text = in + MAGIC_BYTES + NONCE_BYTES;
    apr_size_t around = MAGIC_BYTES + NONCE_BYTES + TAG_BYTES;
    int used = 0, last = 0, done = 0;
    if (sealed_length >= around && sealed_length <= INT_MAX && !memcmp(in, MAGIC, MAGIC_BYTES)) {
        apr_size_t size = sealed_length - around;
        unsigned char *out = apr_palloc(pool, size + 1);
        EVP_CIPHER_CTX *context = begin(0, token, in + MAGIC_BYTES, name);
        done = context && EVP_DecryptUpdate(context, out, &used, text, (int)size) == 1
               && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, (void *)(text + size)) == 1
               && EVP_DecryptFinal_ex(context, out + used, &last) == 1;
        EVP_CIPHER_CTX_free(context);
        *bytes = out;
        *length = size;
    }
    ERR_clear_error();
    return done ? NULL : icp_error(pool, ICP_REFUSED, NULL, "it is not sealed to this link, or was changed since");
}
