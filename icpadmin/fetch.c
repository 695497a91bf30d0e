/* One transfer is one site: a libcurl handle that is pointed from URL to URL until there is a page or a reason why
 * there is none. */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "host.h"
#include "pass.h"

#define REDIRECTS 10
#define OTHER_BODY 65536 /* of a body that is not judged, read so that the connection can be used again */

static const char user_agent[] =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

typedef struct transfer_t {
    const icp_fetch_settings_t *settings;
    icp_fetched_t *fetched;
    apr_pool_t *pool;
    CURL *easy;
    struct curl_slist *connect_to, *headers;
    const char *url;
    icp_page_t *page;
    apr_size_t other; /* bytes of a body that is not judged */
    int redirects, full, stopped, may_try_https, tried_https;
    char fault[CURL_ERROR_SIZE];
} transfer_t;

icp_error_t *icp_fetch_connect(apr_array_header_t *connects, const char *text, apr_pool_t *pool)
{
    icp_connect_t connect = {NULL, NULL, 0};
    const char *address = text;
    if (!strncmp(text, "http=", 5)) connect.scheme = "http";
    if (!strncmp(text, "https=", 6)) connect.scheme = "https";
    if (connect.scheme) address = strchr(text, '=') + 1;
    const char *bracket = *address == '[' ? strchr(address, ']') : NULL,
               *colon = strchr(bracket ? bracket : address, ':');
    if (colon) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end || port < 1 || port > 65535) address = "";
        connect.port = (int)port;
    }
    connect.address =
        colon ? apr_pstrndup(pool, address, *address ? (apr_size_t)(colon - address) : 0) : apr_pstrdup(pool, address);
    if (!*connect.address || strchr(connect.address, '=') || (*address == '[' && !bracket)) {
        return icp_error(pool, ICP_USAGE, "write it as 127.0.0.1:8080, http=127.0.0.1:8080 or https=[::1]:8443",
                         "`%s` is no address to connect to", text);
    }
    APR_ARRAY_PUSH(connects, icp_connect_t) = connect;
    return NULL;
}

static const char *address_for(const transfer_t *transfer, const char *url)
{
    const apr_array_header_t *connects = transfer->settings->connects;
    const char *scheme = strncasecmp(url, "https:", 6) ? "http" : "https";
    for (int i = 0; i < connects->nelts; i++) {
        const icp_connect_t *connect = &APR_ARRAY_IDX(connects, i, icp_connect_t);
        if (connect->scheme && strcmp(connect->scheme, scheme)) continue;
        if (!connect->port) return apr_pstrcat(transfer->pool, connect->address, ":", NULL);
        return apr_psprintf(transfer->pool, "%s:%d", connect->address, connect->port);
    }
    return "127.0.0.1:";
}

static apr_status_t drop_transfer(void *data)
{
    transfer_t *transfer = data;
    if (transfer->easy) curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->connect_to);
    curl_slist_free_all(transfer->headers);
    return APR_SUCCESS;
}

static size_t read_header(char *line, size_t size, size_t count, void *baton)
{
    static const char notice[] = ICP_NOTICE_HEADER ":";
    transfer_t *transfer = baton;
    size_t length = size * count;
    if (length > sizeof notice && !strncasecmp(line, notice, sizeof notice - 1)) {
        char *value = apr_pstrndup(transfer->pool, line + sizeof notice - 1, length - (sizeof notice - 1));
        apr_collapse_spaces(value, value);
        transfer->fetched->notice = value;
    }
    return length;
}

static icp_page_t *page_of(transfer_t *transfer)
{
    if (!transfer->page) {
        char *type = NULL;
        curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
        transfer->page =
            icp_page_create(type ? apr_pstrdup(transfer->pool, type) : NULL, transfer->settings->limit, transfer->pool);
    }
    return transfer->page;
}

static size_t read_body(char *data, size_t size, size_t count, void *baton)
{
    transfer_t *transfer = baton;
    size_t length = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 || transfer->fetched->notice) {
        transfer->other += length;
        transfer->stopped = transfer->other > OTHER_BODY;
    }
    else {
        /* The chunk after the last that was wanted is handed over too: it shows that the page is longer. */
        transfer->stopped = transfer->full;
        transfer->full = !icp_page_feed(page_of(transfer), data, length);
    }
    return transfer->stopped ? 0 : length;
}

static void aim(transfer_t *transfer, const char *url)
{
    CURL *easy = transfer->easy;
    transfer->url = url;
    transfer->page = NULL;
    transfer->other = 0;
    transfer->full = transfer->stopped = 0;
    transfer->fetched->notice = NULL;
    *transfer->fault = '\0';
    curl_slist_free_all(transfer->connect_to);
    transfer->connect_to = curl_slist_append(NULL, apr_pstrcat(transfer->pool, "::", address_for(transfer, url), NULL));
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
}

static void set_up(transfer_t *transfer, const char *pass)
{
    CURL *easy = transfer->easy;
    transfer->headers =
        curl_slist_append(NULL, "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    transfer->headers = curl_slist_append(transfer->headers, "Accept-Language: zh-CN,zh;q=0.9,en;q=0.5");
    if (pass) {
        transfer->headers =
            curl_slist_append(transfer->headers, apr_pstrcat(transfer->pool, ICP_PASS_HEADER ": ", pass, NULL));
    }
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->fault);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, read_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 15L);
}

static const char *host_of(const icp_site_t *site, apr_pool_t *pool)
{
    const char *host = site->hosts->nelts ? APR_ARRAY_IDX(site->hosts, 0, const char *) : site->name;
    for (int i = 0; i < site->hosts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(site->hosts, i, const char *), site->name)) return site->name;
    }
    return strncmp(host, "*.", 2) ? host : apr_pstrcat(pool, "www", host + 1, NULL);
}

static const char *first_url(transfer_t *transfer, const char *scheme)
{
    const icp_site_t *site = transfer->fetched->site;
    if (*site->homepage != '/') return site->homepage;
    return apr_pstrcat(transfer->pool, scheme, "://", host_of(site, transfer->pool), site->homepage, NULL);
}

static char *url_part(CURLU *url, CURLUPart part, apr_pool_t *pool)
{
    char *value = NULL, *copy = NULL;
    if (url && !curl_url_get(url, part, &value, CURLU_DEFAULT_PORT)) copy = apr_pstrdup(pool, value);
    curl_free(value);
    return copy;
}

static CURLU *parse_url(const char *text)
{
    CURLU *url = curl_url();
    if (url && curl_url_set(url, CURLUPART_URL, text, 0)) {
        curl_url_cleanup(url);
        url = NULL;
    }
    return url;
}

static int is_host_of(const icp_site_t *site, const char *host, apr_pool_t *pool)
{
    const char *normal;
    if (!host || icp_host_normalise(&normal, host, 0, pool)) return 0;
    for (int i = 0; i < site->hosts->nelts; i++) {
        const char *own = APR_ARRAY_IDX(site->hosts, i, const char *);
        if (!strcmp(own, normal) || (!strncmp(own, "*.", 2) && icp_host_covers(own, normal))) return 1;
    }
    return 0;
}

/* Web servers answer at the usual ports, at that of the registered home page, and where --connect says. */
static int is_web_port(const transfer_t *transfer, const char *port, const char *home_port)
{
    const apr_array_header_t *connects = transfer->settings->connects;
    for (int i = 0; i < connects->nelts; i++) {
        if (APR_ARRAY_IDX(connects, i, icp_connect_t).port == atoi(port)) return 1;
    }
    return !strcmp(port, "80") || !strcmp(port, "443") || (home_port && !strcmp(port, home_port));
}

/* By host and port: the connection goes to this host's loopback whatever the name, and a site must not send staff's
 * requests to other services there. */
static int inside_site(const transfer_t *transfer, const char *text)
{
    const icp_site_t *site = transfer->fetched->site;
    CURLU *url = parse_url(text), *home = *site->homepage == '/' ? NULL : parse_url(site->homepage);
    const char *port = url_part(url, CURLUPART_PORT, transfer->pool);
    const char *home_port = url_part(home, CURLUPART_PORT, transfer->pool);
    int inside = port && is_web_port(transfer, port, home_port) &&
                 is_host_of(site, url_part(url, CURLUPART_HOST, transfer->pool), transfer->pool);
    curl_url_cleanup(url);
    curl_url_cleanup(home);
    return inside;
}

static void judge(transfer_t *transfer, const icp_page_report_t *report)
{
    const icp_site_t *site = transfer->fetched->site;
    icp_expectation_t expected = {(const char **)site->expected->elts, site->expected->nelts};
    icp_look_t *look = &transfer->fetched->look;
    look->site = site->name;
    look->at = apr_time_now();
    look->url = transfer->url;
    look->inspection = icp_verdict_judge(report, &expected, NULL, transfer->pool);
}

static void no_page(transfer_t *transfer, icp_unreadable_e reason, const char *fault)
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

static const char *curl_fault(const transfer_t *transfer, CURLcode result)
{
    return apr_pstrdup(transfer->pool, *transfer->fault ? transfer->fault : curl_easy_strerror(result));
}

static void judge_page(transfer_t *transfer, CURLcode result)
{
    int complete = result == CURLE_OK || transfer->stopped;
    if (result == CURLE_BAD_CONTENT_ENCODING) {
        no_page(transfer, ICP_UNREADABLE_ENCODED, curl_fault(transfer, result));
        return;
    }
    judge(transfer, icp_page_finish(page_of(transfer), complete));
    if (!complete && transfer->fetched->look.inspection->verdict == ICP_UNREADABLE) {
        transfer->fetched->look.fault = curl_fault(transfer, result);
    }
}

/* Nonzero if the transfer goes on to another URL. */
static int go_on(transfer_t *transfer, CURLcode result, long status)
{
    char *target = NULL;
    if (result == CURLE_COULDNT_CONNECT && transfer->may_try_https) {
        transfer->may_try_https = 0;
        transfer->tried_https = 1;
        aim(transfer, first_url(transfer, "https"));
        return 1;
    }
    transfer->may_try_https = 0;
    int redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    if (!redirect || transfer->fetched->notice) return 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &target);
    if (!target) return 0;
    const char *url = apr_pstrdup(transfer->pool, target);
    if (!inside_site(transfer, url)) {
        no_page(transfer, ICP_UNREADABLE_REDIRECT,
                apr_pstrcat(transfer->pool, "redirects to ", url, ", which is not this site's", NULL));
        return 0;
    }
    if (++transfer->redirects > REDIRECTS) {
        no_page(transfer, ICP_UNREADABLE_REDIRECT,
                apr_psprintf(transfer->pool, "more than %d redirects, the last to %s", REDIRECTS, url));
        return 0;
    }
    aim(transfer, url);
    return 1;
}

static void conclude(transfer_t *transfer, CURLcode result, long status)
{
    const char *notice = transfer->fetched->notice;
    transfer->fetched->look.status = (int)status;
    if (transfer->fetched->look.inspection) return;
    if (notice) {
        no_page(transfer, ICP_UNREADABLE_UNREACHED,
                apr_pstrcat(transfer->pool, "the gate answered with its notice (", notice,
                            "), not the site: does httpd have ICPPassKey, and this register?", NULL));
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

static icp_error_t *start(int *started, CURLM *multi, const icp_fetch_settings_t *settings, icp_fetch_next_fn *next,
                          void *baton, apr_pool_t *pool)
{
    apr_pool_t *own;
    icp_fetch_order_t order = {NULL, NULL};
    *started = 0;
    apr_pool_create(&own, pool);
    ICP_TRY(next(&order, baton, own));
    if (!order.site) {
        apr_pool_destroy(own);
        return NULL;
    }
    transfer_t *transfer = apr_pcalloc(own, sizeof *transfer);
    transfer->settings = settings;
    transfer->pool = own;
    transfer->fetched = apr_pcalloc(own, sizeof *transfer->fetched);
    transfer->fetched->site = order.site;
    transfer->fetched->pool = own;
    transfer->may_try_https = *order.site->homepage == '/';
    transfer->easy = curl_easy_init();
    apr_pool_cleanup_register(own, transfer, drop_transfer, apr_pool_cleanup_null);
    if (!transfer->easy) return icp_error(pool, ICP_FAULT, NULL, "libcurl gives no handle");
    set_up(transfer, order.pass);
    aim(transfer, first_url(transfer, "http"));
    curl_multi_add_handle(multi, transfer->easy);
    *started = 1;
    return NULL;
}

/* Takes what is finished out of the multi handle; goes on where there is a redirect to follow. */
static icp_error_t *collect(int *running, CURLM *multi, icp_fetch_done_fn *done, void *baton)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        transfer_t *transfer;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(multi, easy);
        if (go_on(transfer, result, status)) {
            curl_multi_add_handle(multi, easy);
            continue;
        }
        conclude(transfer, result, status);
        curl_easy_cleanup(easy);
        transfer->easy = NULL;
        --*running;
        ICP_TRY(done(transfer->fetched, baton));
    }
    return NULL;
}

static apr_status_t drop_multi(void *multi)
{
    curl_multi_cleanup(multi);
    return APR_SUCCESS;
}

icp_error_t *icp_fetch_all(const icp_fetch_settings_t *settings, icp_fetch_next_fn *next, icp_fetch_done_fn *done,
                           void *baton, apr_pool_t *pool)
{
    int running = 0, more = 1, active;
    apr_pool_t *own;
    apr_pool_create(&own, pool);
    CURLM *multi = curl_global_init(CURL_GLOBAL_DEFAULT) ? NULL : curl_multi_init();
    if (!multi) return icp_error(pool, ICP_FAULT, NULL, "libcurl cannot be initialised");
    apr_pool_cleanup_register(own, multi, drop_multi, apr_pool_cleanup_null);
    while (more || running) {
        while (more && running < settings->parallel) {
            ICP_TRY(start(&more, multi, settings, next, baton, pool));
            running += more;
        }
        CURLMcode code = curl_multi_perform(multi, &active);
        if (!code && active) code = curl_multi_poll(multi, NULL, 0, 1000, NULL);
        if (code) return icp_error(pool, ICP_FAULT, NULL, "cannot fetch: %s", curl_multi_strerror(code));
        ICP_TRY(collect(&running, multi, done, baton));
    }
    apr_pool_destroy(own);
    return NULL;
}
