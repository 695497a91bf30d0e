#include "pass.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define MAC_BYTES 32
#define MAC_HEX (2 * MAC_BYTES)
#define NONCE_HEX 16

/* Hex of the MAC over `length` bytes, NUL-terminated. */
static void sign(char mac_hex[MAC_HEX + 1], const unsigned char *key, const char *text, apr_size_t length)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_length = 0;
    memset(mac, 0, sizeof mac);
    HMAC(EVP_sha256(), key, ICP_PASS_KEY_BYTES, (const unsigned char *)text, length, mac, &mac_length);
    apr_escape_hex(mac_hex, mac, MAC_BYTES, 0, NULL);
}

const char *icp_pass_make(const icp_pass_key_t *key, const icp_pass_t *pass, apr_pool_t *pool)
{
    unsigned char nonce[NONCE_HEX / 2] = {0};
    char nonce_hex[NONCE_HEX + 1], mac_hex[MAC_HEX + 1];
    /* The nonce only tells two passes apart; the MAC alone is what a pass stands on. */
    (void)RAND_bytes(nonce, sizeof nonce);
    apr_escape_hex(nonce_hex, nonce, sizeof nonce, 0, NULL);
    const char *text = apr_psprintf(pool, "2.%c.%" APR_INT64_T_FMT ".%u.%" APR_TIME_T_FMT ".%s", pass->kind, pass->suspension_id,
                                    pass->epoch, apr_time_sec(pass->expiry), nonce_hex);
    apr_size_t signed_length = strlen(text);
    for (int i = 0; i < key->count; i++) {
        sign(mac_hex, key->bytes[i], text, signed_length);
        text = apr_pstrcat(pool, text, ".", mac_hex, NULL);
    }
    return text;
}

/* A decimal number of 1 to `most` digits without leading zero, and the dot after it; advances *at. */
static int take_number(apr_int64_t *value, const char **at, const char *end, int most)
{
    const char *c = *at;
    *value = 0;
    while (c < end && *c >= '0' && *c <= '9' && c - *at < most) *value = *value * 10 + (*c++ - '0');
    if (c == *at || c == end || *c != '.' || (**at == '0' && c - *at > 1)) return 0;
    *at = c + 1;
    return 1;
}

/* 16 digits of hex, lower case as icp_pass_make writes them. */
static int take_nonce(apr_uint64_t *nonce, const char **at, const char *end)
{
    static const char digits[] = "0123456789abcdef";
    *nonce = 0;
    if (end - *at < NONCE_HEX) return 0;
    for (int i = 0; i < NONCE_HEX; i++) {
        const char *digit = memchr(digits, *(*at)++, 16);
        if (!digit) return 0;
        *nonce = *nonce << 4 | (apr_uint64_t)(digit - digits);
    }
    return 1;
}

int icp_pass_check(const icp_pass_key_t *key, const char *token, apr_size_t length, icp_pass_t *wanted, apr_time_t now)
{
    char mac_hex[MAC_HEX + 1];
    const char *end = token + length, *at = token + 4;
    apr_int64_t id, epoch, seconds;
    apr_uint64_t nonce;

    if (length < 4 || memcmp(token, "2.", 2) != 0 || token[2] != (char)wanted->kind || token[3] != '.') return 0;
    if (!take_number(&id, &at, end, 18) || !take_number(&epoch, &at, end, 10) || !take_number(&seconds, &at, end, 12)) return 0;
    if (id != wanted->suspension_id || epoch != wanted->epoch || now >= apr_time_from_sec(seconds)) return 0;
    if (!take_nonce(&nonce, &at, end)) return 0;

    apr_size_t signed_length = (apr_size_t)(at - token), macs = (apr_size_t)(end - at) / (MAC_HEX + 1);
    if (!macs || macs > ICP_PASS_KEYS || (apr_size_t)(end - at) % (MAC_HEX + 1)) return 0;
    int good = 0;
    for (int i = 0; i < key->count; i++) {
        sign(mac_hex, key->bytes[i], token, signed_length);
        for (apr_size_t j = 0; j < macs; j++) {
            const char *mac = at + j * (MAC_HEX + 1);
            good |= *mac == '.' && CRYPTO_memcmp(mac + 1, mac_hex, MAC_HEX) == 0;
        }
    }
    if (!good) return 0;
    wanted->expiry = apr_time_from_sec(seconds);
    wanted->nonce = nonce;
    return 1;
}
