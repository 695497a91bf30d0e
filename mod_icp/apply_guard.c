#include "apply_guard.h"

#include <stdatomic.h>

#include <apr_encode.h>
#include <apr_escape.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_core.h>
#include <http_protocol.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <util_cookies.h>

#include "intake.h"

#define COOKIE "icp-apply"
#define SECRET_KEY "icp-apply-secret"
#define SECRET_BYTES 32
#define MAC_BYTES 32
#define NONCE_TEXT 22 /* base64url of 16 bytes */
#define MAC_TEXT 43   /* of 32 */
#define TICKET_AGE apr_time_from_sec(86400)

/* --- secret, cookie, ticket ---------------------------------------------------------------------------- */

static const unsigned char *the_secret;

static const char *random_text(apr_pool_t *pool)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return NULL;
    return apr_pencode_base64_binary(pool, bytes, sizeof bytes, APR_ENCODE_BASE64URL, NULL);
}

/* Over `use` and `text`; the use is without a NUL, which parts them. */
static void sign(unsigned char mac[MAC_BYTES], const char *use, const char *text, apr_pool_t *pool)
{
    unsigned char full[EVP_MAX_MD_SIZE] = {0};
    apr_size_t head = strlen(use) + 1, tail = strlen(text);
    char *all = apr_palloc(pool, head + tail);
    memcpy(all, use, head);
    memcpy(all + head, text, tail);
    HMAC(EVP_sha256(), the_secret, SECRET_BYTES, (unsigned char *)all, head + tail, full, NULL);
    memcpy(mac, full, MAC_BYTES);
}

static int is_random_text(const char *text)
{
    static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return strlen(text) == NONCE_TEXT && strspn(text, base64url) == NONCE_TEXT;
}

const char *icp_apply_cookie(request_rec *r)
{
    const char *value = NULL;
    ap_cookie_read(r, COOKIE, &value, 0);
    if (value && is_random_text(value)) return value;
    value = random_text(r->pool);
    if (!value) return "";
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, COOKIE "=", value, "; Path=/; HttpOnly; SameSite=Lax",
                               strcmp(ap_http_scheme(r), "https") ? "" : "; Secure", NULL));
    return value;
}

static const char *ticket_mac(request_rec *r, const char *cookie, const char *head)
{
    unsigned char mac[MAC_BYTES];
    sign(mac, "form", apr_pstrcat(r->pool, cookie, " ", head, NULL), r->pool);
    return apr_pencode_base64_binary(r->pool, mac, sizeof mac, APR_ENCODE_BASE64URL, NULL);
}

const char *icp_apply_ticket(request_rec *r, const char *cookie)
{
    const char *nonce = random_text(r->pool);
    if (!nonce) return "";
    const char *head = apr_psprintf(r->pool, "%" APR_TIME_T_FMT ".%s", apr_time_sec(r->request_time), nonce);
    return apr_pstrcat(r->pool, head, ".", ticket_mac(r, cookie, head), NULL);
}

int icp_apply_ticket_fits(request_rec *r, const char *cookie, const char *ticket)
{
    apr_size_t length = strlen(ticket), head = length > MAC_TEXT + 1 ? length - MAC_TEXT - 1 : 0;
    if (!head || length > 100 || ticket[head] != '.' || strspn(ticket, "0123456789") != head - NONCE_TEXT - 1) return 0;
    const char *mac = ticket_mac(r, cookie, apr_pstrmemdup(r->pool, ticket, head));
    if (CRYPTO_memcmp(mac, ticket + head + 1, MAC_TEXT)) return 0;
    apr_time_t age = r->request_time - apr_time_from_sec(apr_atoi64(ticket));
    return age > -APR_USEC_PER_SEC * 60 && age < TICKET_AGE;
}

const char *icp_apply_submission_id(request_rec *r, const char *ticket)
{
    unsigned char mac[MAC_BYTES];
    sign(mac, "submission", ticket, r->pool);
    return apr_pescape_hex(r->pool, mac, 16, 0);
}

const char *icp_apply_token(request_rec *r, const char *ticket)
{
    unsigned char mac[MAC_BYTES];
    sign(mac, "link", ticket, r->pool);
    return apr_pencode_base64_binary(r->pool, mac, ICP_TOKEN_LENGTH / 4 * 3, APR_ENCODE_BASE64URL, NULL);
}

/* Sec-Fetch-Site is the browser's own word and cannot be set by a page. Under the referrer policy that keeps the link's token from
 * leaking, browsers send "Origin: null" with our own form. */
int icp_apply_is_foreign(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site"), *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host");
    apr_uri_t uri;
    if (site) return strcmp(site, "same-origin") && strcmp(site, "none");
    if (!origin || !strcmp(origin, "null")) return 0;
    return !host || apr_uri_parse(r->pool, origin, &uri) || !uri.hostinfo || strcasecmp(uri.hostinfo, host);
}

/* --- how often an address comes ----------------------------------------------------------------------- */

/* A slot holds a tag of address and kind, the hour, and the count, in one word that is exchanged as a whole. Where a set of slots is full
 * the least busy one gives way, so that many addresses cost others nothing but exactness. */
#define SETS 2048
#define WAYS 8

typedef struct table_t {
    _Atomic apr_uint64_t slots[SETS * WAYS];
} table_t;

static table_t *the_table;

static const char *address_of(request_rec *r)
{
    const apr_sockaddr_t *from = r->useragent_addr;
    if (from->family == APR_INET6 && !IN6_IS_ADDR_V4MAPPED(&from->sa.sin6.sin6_addr)) {
        return apr_pescape_hex(r->pool, &from->sa.sin6.sin6_addr, 8, 0);
    }
    return r->useragent_ip;
}

apr_uint32_t icp_apply_address(request_rec *r)
{
    unsigned char mac[MAC_BYTES];
    apr_uint32_t address;
    sign(mac, "address", address_of(r), r->pool);
    memcpy(&address, mac, sizeof address);
    return address ? address : 1;
}

int icp_apply_is_over(request_rec *r, icp_apply_count_e what, int limit)
{
    unsigned char mac[MAC_BYTES];
    if (!limit) return 0;
    sign(mac, what == ICP_APPLY_ATTEMPTS ? "attempts" : "submissions", address_of(r), r->pool);
    apr_uint64_t tag = (apr_uint64_t)(mac[0] | mac[1] << 8 | mac[2] << 16 | (apr_uint32_t)mac[3] << 24) << 32;
    apr_uint64_t hour = (apr_uint64_t)(apr_time_sec(r->request_time) / 3600 & 0xffff) << 16;
    _Atomic apr_uint64_t *set = the_table->slots + (mac[4] | mac[5] << 8) % SETS * WAYS;
    for (;;) {
        int victim = 0;
        apr_uint64_t victim_value = 0, least = ~(apr_uint64_t)0;
        for (int way = 0; way < WAYS; way++) {
            apr_uint64_t value = atomic_load_explicit(set + way, memory_order_relaxed);
            int is_old = (value & 0xffff0000) != hour, is_ours = value >> 32 << 32 == tag && !is_old;
            apr_uint64_t worth = is_ours ? 0 : is_old ? 1 : 2 + (value & 0xffff);
            if (worth < least) {
                least = worth;
                victim = way;
                victim_value = value;
            }
        }
        apr_uint64_t count = least ? 1 : (victim_value & 0xffff) + 1;
        if (count > 0xffff) count = 0xffff;
        if (atomic_compare_exchange_weak(set + victim, &victim_value, tag | hour | count)) return count > (apr_uint64_t)limit;
    }
}

icp_error_t *icp_apply_guard_start(apr_pool_t *pconf, server_rec *server)
{
    void *kept = NULL;
    apr_shm_t *shared;
    apr_pool_t *forever = server->process->pool;
    apr_pool_userdata_get(&kept, SECRET_KEY, forever);
    if (!kept) {
        kept = apr_palloc(forever, SECRET_BYTES);
        if (RAND_bytes(kept, SECRET_BYTES) != 1) return icp_error(pconf, ICP_FAULT, NULL, "the system gives no random bytes");
        apr_pool_userdata_set(kept, SECRET_KEY, NULL, forever); /* which copies the key: this module goes with the configuration */
    }
    the_secret = kept;
    apr_status_t rv = apr_shm_create(&shared, sizeof(table_t), NULL, pconf);
    if (rv) return icp_error_os(pconf, rv, "cannot share memory between httpd's children");
    the_table = apr_shm_baseaddr_get(shared);
    memset(the_table, 0, sizeof *the_table);
    return NULL;
}
