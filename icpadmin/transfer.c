/* See transfer.h. What is kept of a page is collected in buffers of the handle, and copied only where the verdict fails. */
#include "transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "digest.h"
#include "pass.h"
#include "site_url.h"
#include "steady.h"

#define REDIRECTS 10
#define HEADERS_KEPT 32768  /* bytes */
#define CONNECT_SECONDS 5
#define LONGEST_PAUSE 60    /* seconds between two tries */

static const char user_agent[] =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

typedef struct buffer_t {
    char *bytes;
    apr_size_t length, size;
} buffer_t;

struct icp_client_t {
    CURL *easy;
    struct curl_slist *accept; /* the headers of every request */
    buffer_t headers, body;
    apr_pool_t *scratch; /* the page's, cleared before each request */
    char fault[CURL_ERROR_SIZE];
};

struct icp_transfer_t {
    const icp_fetch_settings_t *settings;
    icp_fetched_t *fetched;
    apr_pool_t *pool;
    icp_client_t *client; /* while a request is under way */
    const char *asked, *url;
    struct curl_slist connect_to, pass; /* lists of one: the second goes on with the client's */
    icp_page_t *page;
    icp_digest_t *digest; /* of a body that is longer than what is kept */
    icp_error_t *error;
    apr_time_t deadline; /* by icp_steady_now() */
    int redirects, full, stopped, tried_https;
};

static void append(buffer_t *buffer, const char *data, apr_size_t length)
{
    if (!length) return;
    if (buffer->length + length > buffer->size) {
        buffer->size = (buffer->length + length) * 2;
        buffer->bytes = realloc(buffer->bytes, buffer->size);
        if (!buffer->bytes) abort();
    }
    memcpy(buffer->bytes + buffer->length, data, length);
    buffer->length += length;
}

static const icp_connect_t *connect_for(const icp_transfer_t *transfer)
{
    const apr_array_header_t *connects = transfer->settings->connects;
    const char *scheme = strncasecmp(transfer->url, "https:", 6) ? "http" : "https";
    for (int i = 0; i < connects->nelts; i++) {
        const icp_connect_t *connect = &APR_ARRAY_IDX(connects, i, icp_connect_t);
        if (!connect->scheme || !strcmp(connect->scheme, scheme)) return connect;
    }
    static const icp_connect_t loopback = {NULL, "127.0.0.1", 0};
    return &loopback;
}

const char *icp_transfer_address(const icp_transfer_t *transfer)
{
    return connect_for(transfer)->address;
}

static size_t read_header(char *line, size_t size, size_t count, void *baton)
{
    static const char notice[] = ICP_NOTICE_HEADER ":";
    icp_transfer_t *transfer = baton;
    buffer_t *headers = &transfer->client->headers;
    size_t length = size * count;
    if (length > 5 && !memcmp(line, "HTTP/", 5)) headers->length = 0; /* what came before was no final answer */
    if (headers->length + length <= HEADERS_KEPT) append(headers, line, length);
    if (length > sizeof notice && !strncasecmp(line, notice, sizeof notice - 1)) {
        char *value = apr_pstrndup(transfer->pool, line + sizeof notice - 1, length - (sizeof notice - 1));
        apr_collapse_spaces(value, value);
        transfer->fetched->notice = value;
    }
    return length;
}

static icp_page_t *page_of(icp_transfer_t *transfer)
{
    if (!transfer->page) {
        char *type = NULL;
        curl_easy_getinfo(transfer->client->easy, CURLINFO_CONTENT_TYPE, &type);
        apr_pool_t *scratch = transfer->client->scratch;
        transfer->page = icp_page_create(type ? apr_pstrdup(scratch, type) : NULL, transfer->settings->limit, scratch);
    }
    return transfer->page;
}

/* Of what is judged: the first bytes for evidence, and the hash of all of it. */
static void keep(icp_transfer_t *transfer, const char *data, apr_size_t length)
{
    buffer_t *body = &transfer->client->body;
    apr_size_t left = transfer->settings->limit - transfer->fetched->bytes;
    if (length > left) length = left;
    transfer->fetched->bytes += length;
    if (!transfer->settings->evidence) return;
    apr_size_t room = transfer->settings->keep - body->length, kept = length < room ? length : room;
    if (!transfer->digest && length > room && !transfer->error) {
        transfer->error = icp_digest_begin(&transfer->digest, transfer->pool);
        if (!transfer->error) icp_digest_add(transfer->digest, body->bytes, body->length);
    }
    append(body, data, kept);
    if (transfer->digest) icp_digest_add(transfer->digest, data, length);
}

static size_t read_body(char *data, size_t size, size_t count, void *baton)
{
    icp_transfer_t *transfer = baton;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->client->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || transfer->fetched->notice)
        transfer->stopped = 1; /* it is not judged */
    else {
        /* The chunk after the last that was wanted is handed over too: it shows that the page is longer. */
        transfer->stopped = transfer->full;
        transfer->full = !icp_page_feed(page_of(transfer), data, length);
        keep(transfer, data, length);
    }
    return transfer->stopped ? 0 : length;
}

/* What this process or machine has run out of says nothing of the site: it ends the sweep, which goes on where it stopped. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    icp_transfer_t *transfer = baton;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) && !transfer->error) {
        transfer->error = icp_error_os(transfer->pool, errno, "cannot connect to %s", transfer->url);
        if (errno == EMFILE) transfer->error->remedy = "raise the limit of open files (ulimit -n, LimitNOFILE=), or lower the policy parallel";
    }
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static apr_status_t drop_client(void *data)
{
    icp_client_t *client = data;
    if (client->easy) curl_easy_cleanup(client->easy);
    curl_slist_free_all(client->accept);
    free(client->headers.bytes);
    free(client->body.bytes);
    return APR_SUCCESS;
}

icp_client_t *icp_client_create(apr_pool_t *pool)
{
    icp_client_t *client = apr_pcalloc(pool, sizeof *client);
    CURL *easy = client->easy = curl_easy_init();
    apr_pool_cleanup_register(pool, client, drop_client, apr_pool_cleanup_null);
    if (!easy) return NULL;
    apr_pool_create(&client->scratch, pool);
    client->accept = curl_slist_append(
        curl_slist_append(NULL, "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        "Accept-Language: zh-CN,zh;q=0.9,en;q=0.5");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->fault);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, read_body);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    return client;
}

static const char *first_url(const icp_transfer_t *transfer, const char *scheme)
{
    return transfer->asked ? transfer->asked : icp_site_page(transfer->fetched->site, scheme, transfer->pool);
}

icp_transfer_t *icp_transfer_create(const icp_fetch_settings_t *settings, const icp_fetch_order_t *order)
{
    icp_transfer_t *transfer = apr_pcalloc(order->pool, sizeof *transfer);
    transfer->settings = settings;
    transfer->pool = order->pool;
    transfer->fetched = apr_pcalloc(order->pool, sizeof *transfer->fetched);
    transfer->fetched->site = order->site;
    transfer->fetched->pool = order->pool;
    transfer->asked = order->url;
    transfer->url = first_url(transfer, "http");
    return transfer;
}

static void set_headers(icp_transfer_t *transfer)
{
    const icp_fetch_settings_t *settings = transfer->settings;
    const char *token =
        settings->pass ? settings->pass(transfer->fetched->site, settings->pass_baton, transfer->pool) : NULL;
    transfer->pass.data = token ? apr_pstrcat(transfer->pool, ICP_PASS_HEADER ": ", token, NULL) : NULL;
    transfer->pass.next = transfer->client->accept;
    curl_easy_setopt(transfer->client->easy, CURLOPT_HTTPHEADER, token ? &transfer->pass : transfer->client->accept);
}

CURL *icp_transfer_begin(icp_transfer_t *transfer, icp_client_t *client)
{
    const icp_connect_t *connect = connect_for(transfer);
    CURL *easy = client->easy;
    apr_time_t now = icp_steady_now();
    transfer->client = client;
    if (!transfer->deadline) {
        transfer->deadline = now + apr_time_from_sec(transfer->settings->timeout);
        transfer->fetched->tries++;
        curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL"); /* forgotten: they were another site's */
    }
    transfer->page = NULL;
    transfer->digest = NULL;
    transfer->full = transfer->stopped = 0;
    transfer->fetched->notice = NULL;
    transfer->fetched->bytes = 0;
    client->headers.length = client->body.length = 0;
    apr_pool_clear(client->scratch);
    *client->fault = '\0';
    transfer->connect_to.data = connect->port ? apr_psprintf(transfer->pool, "::%s:%d", connect->address, connect->port)
                                              : apr_pstrcat(transfer->pool, "::", connect->address, ":", NULL);
    long left = transfer->deadline > now ? (long)((transfer->deadline - now) / 1000) : 0;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left ? left : 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &transfer->connect_to);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    set_headers(transfer);
    return easy;
}

icp_transfer_t *icp_transfer_of(CURL *easy)
{
    icp_transfer_t *transfer;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    return transfer;
}

static void judge(icp_transfer_t *transfer, const icp_page_report_t *report)
{
    const icp_site_t *site = transfer->fetched->site;
    icp_expectation_t expected = {(const char **)site->expected->elts, site->expected->nelts};
    icp_look_t *look = &transfer->fetched->look;
    look->site = site->name;
    look->site_id = site->id;
    look->enabled = site->enabled;
    look->case_id = site->suspension ? site->suspension->id : 0;
    look->at = apr_time_now();
    look->url = transfer->url;
    look->inspection = icp_verdict_judge(report, &expected, &transfer->settings->policy, transfer->pool);
}

static void no_page(icp_transfer_t *transfer, icp_unreadable_e reason, const char *fault)
{
    icp_page_report_t *report = apr_pcalloc(transfer->pool, sizeof *report);
    report->charset = "utf-8";
    report->mentions = apr_array_make(transfer->pool, 1, sizeof(icp_mention_t));
    report->unreadable = reason;
    report->cut = 1;
    report->detail = fault;
    transfer->fetched->look.fault = fault;
    judge(transfer, report);
}

static const char *curl_fault(const icp_transfer_t *transfer, CURLcode result)
{
    const char *fault = transfer->client->fault;
    return apr_pstrdup(transfer->pool, *fault ? fault : curl_easy_strerror(result));
}

/* Browsers refuse such an answer; libcurl takes the last. */
static int lengths_differ(CURL *easy)
{
    struct curl_header *header;
    const char *first = NULL;
    for (size_t i = 0; curl_easy_header(easy, "Content-Length", i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
        if (!first) first = header->value;
        if (strcmp(header->value, first)) return 1;
    }
    return 0;
}

static void judge_page(icp_transfer_t *transfer, CURLcode result)
{
    int complete = result == CURLE_OK || transfer->stopped;
    if (result == CURLE_BAD_CONTENT_ENCODING) {
        no_page(transfer, ICP_UNREADABLE_ENCODED, curl_fault(transfer, result));
        return;
    }
    if (lengths_differ(transfer->client->easy)) complete = 0;
    judge(transfer, icp_page_report_copy(icp_page_finish(page_of(transfer), complete), transfer->pool));
    if (!complete && transfer->fetched->look.inspection->verdict == ICP_UNREADABLE) {
        transfer->fetched->look.fault = result ? curl_fault(transfer, result) : "two answers to how long it is";
    }
}

/* Nonzero if there is another URL to ask. */
static int go_on(icp_transfer_t *transfer, CURLcode result, long status)
{
    struct curl_header *location;
    const icp_site_t *site = transfer->fetched->site;
    if (result == CURLE_COULDNT_CONNECT && !transfer->tried_https && !transfer->redirects && !transfer->asked &&
        *site->homepage == '/') {
        transfer->tried_https = 1;
        transfer->url = first_url(transfer, "https");
        return 1;
    }
    int redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    if (!redirect || transfer->fetched->notice) return 0;
    if (curl_easy_header(transfer->client->easy, "Location", 0, CURLH_HEADER, -1, &location) != CURLHE_OK) return 0;
    const char *url = icp_site_url_resolve(transfer->url, location->value, transfer->pool);
    if (!icp_site_url_inside(site, url, transfer->settings->connects, transfer->pool)) {
        no_page(transfer, ICP_UNREADABLE_REDIRECT,
                apr_pstrcat(transfer->pool, "redirects to ", url, ", which is not this site's", NULL));
        return 0;
    }
    if (++transfer->redirects > REDIRECTS) {
        no_page(transfer, ICP_UNREADABLE_REDIRECT,
                apr_psprintf(transfer->pool, "more than %d redirects, the last to %s", REDIRECTS, url));
        return 0;
    }
    transfer->url = url;
    return 1;
}

static void conclude(icp_transfer_t *transfer, CURLcode result, long status)
{
    const char *notice = transfer->fetched->notice;
    transfer->fetched->look.status = (int)status;
    if (transfer->fetched->look.inspection) return;
    if (notice) {
        no_page(transfer, ICP_UNREADABLE_UNREACHED,
                apr_pstrcat(transfer->pool, "the gate answered with its notice (", notice,
                            transfer->fetched->site->suspension
                                ? "), not the site: does httpd have ICPPassKey, and this register?"
                                : "), although the site is not suspended: httpd reads another register, or the site's own code sends the "
                                  "header " ICP_NOTICE_HEADER " to keep its page from being judged",
                            NULL));
    }
    else if (!status) {
        no_page(transfer, ICP_UNREADABLE_UNREACHED,
                apr_pstrcat(transfer->pool, transfer->tried_https ? "no answer by http or https: " : "no answer: ",
                            curl_fault(transfer, result), NULL));
    }
    else if (status != 200)
        no_page(transfer, ICP_UNREADABLE_STATUS, apr_psprintf(transfer->pool, "HTTP status %ld", status));
    else
        judge_page(transfer, result);
}

static void note_address(icp_transfer_t *transfer)
{
    CURL *easy = transfer->client->easy;
    char *ip = NULL;
    long port = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    if (!ip || !*ip || !transfer->fetched->look.status) return;
    transfer->fetched->look.address = apr_psprintf(transfer->pool, strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
}

static icp_error_t *keep_evidence(icp_transfer_t *transfer)
{
    const icp_client_t *client = transfer->client;
    icp_fetched_t *fetched = transfer->fetched;
    char *hash = apr_palloc(transfer->pool, 65);
    if (!transfer->digest) {
        ICP_TRY(icp_digest_begin(&transfer->digest, transfer->pool));
        icp_digest_add(transfer->digest, client->body.bytes, client->body.length);
    }
    ICP_TRY(icp_digest_end(hash, transfer->digest, transfer->pool));
    fetched->sha256 = hash;
    fetched->headers = apr_pstrmemdup(transfer->pool, client->headers.bytes, client->headers.length);
    fetched->body = apr_pmemdup(transfer->pool, client->body.bytes, client->body.length);
    fetched->kept = client->body.length;
    return NULL;
}

/* Something between here and the page, which may be well in a moment; never what a page shows. */
static int is_network_fault(const icp_transfer_t *transfer, CURLcode result, long status)
{
    const icp_look_t *look = &transfer->fetched->look;
    if (look->inspection->verdict != ICP_UNREADABLE || transfer->fetched->notice) return 0;
    if (status == 502 || status == 503 || status == 504) return 1;
    return result != CURLE_OK && !transfer->stopped && look->inspection->unreadable != ICP_UNREADABLE_ENCODED;
}

/* From one second on, four times as long each time; a quarter more or less, so that a server that had to stop is not
 * asked for everything at once. */
static apr_interval_time_t pause_after(int tries)
{
    unsigned char noise = 128;
    apr_interval_time_t seconds = 1;
    for (int i = 1; i < tries && seconds < LONGEST_PAUSE; i++) seconds *= 4;
    if (seconds > LONGEST_PAUSE) seconds = LONGEST_PAUSE;
    apr_generate_random_bytes(&noise, 1);
    return apr_time_from_sec(seconds) * (384 + noise) / 512;
}

static void begin_again(icp_transfer_t *transfer)
{
    memset(&transfer->fetched->look, 0, sizeof transfer->fetched->look);
    transfer->redirects = transfer->tried_https = 0;
    transfer->deadline = 0;
    transfer->url = first_url(transfer, "http");
}

icp_error_t *icp_transfer_end(icp_transfer_next_e *next, apr_interval_time_t *pause, icp_client_t **client,
                              icp_transfer_t *transfer, CURLcode result)
{
    long status = 0;
    icp_error_t *error = transfer->error;
    curl_easy_getinfo(transfer->client->easy, CURLINFO_RESPONSE_CODE, &status);
    *client = transfer->client;
    if (error) return error;
    *next = ICP_TRANSFER_GO_ON;
    if (!go_on(transfer, result, status)) {
        conclude(transfer, result, status);
        *next = ICP_TRANSFER_DONE;
        if (is_network_fault(transfer, result, status) && transfer->fetched->tries <= transfer->settings->retries) {
            *next = ICP_TRANSFER_WAIT;
            *pause = pause_after(transfer->fetched->tries);
            begin_again(transfer);
        }
        else {
            note_address(transfer);
            int fails = icp_verdict_fails(transfer->fetched->look.inspection->verdict);
            if (fails && transfer->settings->evidence) error = keep_evidence(transfer);
        }
    }
    if (transfer->digest && !transfer->fetched->sha256) {
        char unused[65];
        icp_error_t *ended = icp_digest_end(unused, transfer->digest, transfer->pool);
        if (!error) error = ended;
    }
    transfer->digest = NULL;
    transfer->client = NULL;
    return error;
}

icp_fetched_t *icp_transfer_fetched(icp_transfer_t *transfer)
{
    return transfer->fetched;
}
