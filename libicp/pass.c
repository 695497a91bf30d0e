#include "pass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define MAC_BYTES 32
#define NONCE_HEX 16
#define TOKEN_MAX 160 /* "1." 19 "." 19 "." 16 "." 64, and room */

icp_error_t *icp_pass_key_read(icp_pass_key_t *key, const char *file, apr_pool_t *pool)
{
    char hex[2 * sizeof key->bytes + 2];
    struct stat info;
    apr_size_t length = 0;
    int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open the pass key %s", file);

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return icp_error(pool, ICP_FAULT, NULL, "the pass key %s is no plain file", file);
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) || (info.st_uid != 0 && info.st_uid != geteuid())) {
        close(fd);
        return icp_error(pool, ICP_FAULT, apr_psprintf(pool, "run 'chown root %s' and 'chmod 600 %s'", file, file),
                         "others than root can read or write the pass key %s", file);
    }
    ssize_t got = read(fd, hex, sizeof hex);
    close(fd);
    int whole = got == 2 * sizeof key->bytes || (got == sizeof hex - 1 && hex[got - 1] == '\n');
    if (!whole || apr_unescape_hex(key->bytes, hex, 2 * sizeof key->bytes, 0, &length) != APR_SUCCESS ||
        length != sizeof key->bytes) {
        OPENSSL_cleanse(hex, sizeof hex);
        return icp_error(pool, ICP_FAULT, "restore it from a backup",
                         "%s holds no pass key: 64 hexadecimal digits are expected", file);
    }
    OPENSSL_cleanse(hex, sizeof hex);
    return NULL;
}

icp_error_t *icp_pass_key_create(const char *file, apr_pool_t *pool)
{
    icp_pass_key_t key;
    char line[2 * sizeof key.bytes + 1];
    if (RAND_bytes(key.bytes, sizeof key.bytes) != 1) {
        return icp_error(pool, ICP_FAULT, NULL, "the system gives no random bytes for the pass key %s", file);
    }
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return icp_error_os(pool, errno, "cannot create the pass key %s", file);

    apr_escape_hex(line, key.bytes, sizeof key.bytes, 0, NULL);
    line[sizeof line - 1] = '\n';
    errno = 0;
    int written = write(fd, line, sizeof line) == (ssize_t)sizeof line && fsync(fd) == 0;
    int saved = errno ? errno : ENOSPC;
    OPENSSL_cleanse(&key, sizeof key);
    OPENSSL_cleanse(line, sizeof line);
    if (close(fd) != 0 || !written) {
        unlink(file);
        return icp_error_os(pool, saved, "cannot write the pass key %s", file);
    }
    return NULL;
}

/* Hex of the MAC over `length` bytes, NUL-terminated. */
static void sign(char mac_hex[2 * MAC_BYTES + 1], const icp_pass_key_t *key, const char *text, apr_size_t length)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_length = 0;
    memset(mac, 0, sizeof mac);
    HMAC(EVP_sha256(), key->bytes, sizeof key->bytes, (const unsigned char *)text, length, mac, &mac_length);
    apr_escape_hex(mac_hex, mac, MAC_BYTES, 0, NULL);
}

const char *icp_pass_make(const icp_pass_key_t *key, apr_int64_t site_id, apr_time_t expiry, apr_pool_t *pool)
{
    unsigned char nonce[NONCE_HEX / 2] = {0};
    char nonce_hex[NONCE_HEX + 1], mac_hex[2 * MAC_BYTES + 1];
    /* The nonce only tells two passes apart; the MAC alone is what a pass stands on. */
    (void)RAND_bytes(nonce, sizeof nonce);
    apr_escape_hex(nonce_hex, nonce, sizeof nonce, 0, NULL);
    const char *text =
        apr_psprintf(pool, "1.%" APR_INT64_T_FMT ".%" APR_TIME_T_FMT ".%s", site_id, apr_time_sec(expiry), nonce_hex);
    sign(mac_hex, key, text, strlen(text));
    return apr_pstrcat(pool, text, ".", mac_hex, NULL);
}

/* A decimal number of 1 to `most` digits without leading zero, and the dot after it; advances *at. */
static int take_number(apr_int64_t *value, const char **at, const char *end, int most)
{
    const char *c = *at;
    *value = 0;
    if (c < end && *c == '0') return 0;
    while (c < end && *c >= '0' && *c <= '9' && c - *at < most) *value = *value * 10 + (*c++ - '0');
    if (c == *at || c == end || *c != '.') return 0;
    *at = c + 1;
    return 1;
}

int icp_pass_check(const icp_pass_key_t *key, const char *token, apr_size_t length, apr_int64_t site_id, apr_time_t now,
                   apr_time_t *expiry)
{
    char mac_hex[2 * MAC_BYTES + 1];
    const char *end = token + length, *at = token + 2;
    apr_int64_t id, seconds;

    if (length > TOKEN_MAX || length < 2 || memcmp(token, "1.", 2) != 0) return 0;
    if (!take_number(&id, &at, end, 18) || !take_number(&seconds, &at, end, 12)) return 0;
    if (end - at != NONCE_HEX + 1 + 2 * MAC_BYTES || at[NONCE_HEX] != '.') return 0;
    at += NONCE_HEX;
    sign(mac_hex, key, token, at - token);
    if (CRYPTO_memcmp(at + 1, mac_hex, 2 * MAC_BYTES) != 0) return 0;
    if (id != site_id || now >= apr_time_from_sec(seconds)) return 0;
    if (expiry) *expiry = apr_time_from_sec(seconds);
    return 1;
}
