/* Sends the notice: fills the placeholders, chooses form and language, writes the response. The words are in
 * conf/notice. Of the request nothing is shown but its host name, and nothing of it decides what the page says. */
#include "notice.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <jansson.h>
#include <unistr.h>

#include "display.h"
#include "faq_link.h"
#include "host.h"
#include "icp_notice_pages.h"
#include "json.h"
#include "negotiate.h"
#include "pass.h"
#include "suspension.h"
#include "template.h"
#include "text.h"

#define RETRY_AFTER "3600" /* seconds; for 503 */
#define DISCARD_LIMIT (16 * 1024 * 1024) /* bytes of a request's body */

/* The placeholders of docs/notice.md. Those from V_MISSING on are flags: "1" or empty. */
enum {
    V_SITE, V_HOST, V_ALIAS, V_NAME, V_REASON, V_SINCE, V_SINCE_ZH, V_SINCE_EN, V_EXPECTED, V_SNIPPET_ZH, V_SNIPPET_EN, V_CASE,
    V_PROVIDER, V_PROVIDER_URL, V_CONTACT, V_FAQ, V_FAQ_ZH, V_FAQ_EN, V_APPLY, V_STATUS, V_LANG,
    V_MISSING, V_INCORRECT, V_INVALID, V_HIDDEN, V_UNLICENSED, V_CANCELLED, V_ORDER, V_UNREGISTERED, V_OTHER,
    V_SUSPENDED, V_REPAIR, V_FILING, V_ZH_FIRST, V_COUNT
};

static const char *const the_names[V_COUNT + 1] = {
    [V_SITE] = "site", [V_HOST] = "host", [V_ALIAS] = "alias", [V_NAME] = "name", [V_REASON] = "reason", [V_SINCE] = "since",
    [V_SINCE_ZH] = "since-zh", [V_SINCE_EN] = "since-en", [V_EXPECTED] = "expected", [V_SNIPPET_ZH] = "snippet-zh",
    [V_SNIPPET_EN] = "snippet-en", [V_CASE] = "case", [V_PROVIDER] = "provider", [V_PROVIDER_URL] = "provider-url",
    [V_CONTACT] = "contact", [V_FAQ] = "faq", [V_FAQ_ZH] = "faq-zh", [V_FAQ_EN] = "faq-en",
    [V_APPLY] = "apply", [V_STATUS] = "status", [V_LANG] = "lang",
    [V_MISSING] = "missing", [V_INCORRECT] = "incorrect", [V_INVALID] = "invalid", [V_HIDDEN] = "hidden",
    [V_UNLICENSED] = "unlicensed", [V_CANCELLED] = "cancelled", [V_ORDER] = "order",
    [V_UNREGISTERED] = "unregistered", [V_OTHER] = "other", [V_SUSPENDED] = "suspended", [V_REPAIR] = "repair",
    [V_FILING] = "filing", [V_ZH_FIRST] = "zh-first", [V_COUNT] = NULL
};

/* The built-in pages; they live as long as the configuration. */
static icp_template_t *the_words, *the_page, *the_text;

static apr_status_t forget_pages(void *unused)
{
    the_words = the_page = the_text = NULL;
    return APR_SUCCESS;
}

icp_error_t *icp_notice_prepare(apr_pool_t *pool)
{
    if (the_text) return NULL;
    apr_pool_cleanup_register(pool, NULL, forget_pages, apr_pool_cleanup_null);
    ICP_TRY(icp_template_parse(&the_words, "words.txt", icp_words_txt, sizeof icp_words_txt - 1, the_names, NULL, pool));
    ICP_TRY(icp_template_parse(&the_page, "notice.html", icp_notice_html, sizeof icp_notice_html - 1, the_names,
                               the_words, pool));
    return icp_template_parse(&the_text, "notice.txt", icp_notice_txt, sizeof icp_notice_txt - 1, the_names, the_words,
                              pool);
}

icp_error_t *icp_notice_load(icp_template_t **page, const char *file, apr_pool_t *pool)
{
    return icp_template_load(page, file, the_names, the_words, pool);
}

/* Valid UTF-8 without control characters, whatever it was; "" for NULL. */
static const char *printable(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text ? text : "");
    for (uint8_t *at = (uint8_t *)copy; (at = (uint8_t *)u8_check(at, strlen((char *)at))) != NULL; at++) *at = '?';
    for (char *at = copy; *at; at++) {
        if (apr_iscntrl(*at)) *at = ' ';
    }
    return copy;
}

/* Those that the site must display, as it must display them. */
static apr_array_header_t *expected_numbers(const icp_notice_case_t *notice_case, apr_pool_t *pool)
{
    return icp_display_numbers((const char *const *)notice_case->expected, notice_case->expected_count, pool);
}

static const char *join(const apr_array_header_t *texts, apr_pool_t *pool)
{
    const char *joined = "";
    for (int i = 0; i < texts->nelts; i++) joined = apr_pstrcat(pool, joined, i ? " / " : "", APR_ARRAY_IDX(texts, i, const char *), NULL);
    return joined;
}

/* China has one time, UTC+8 all the year. */
static void set_since(const char **values, apr_time_t since, apr_pool_t *pool)
{
    apr_time_exp_t t;
    if (!since || apr_time_exp_tz(&t, since, 8 * 3600) != APR_SUCCESS) return;
    int year = t.tm_year + 1900, month = t.tm_mon + 1;
    values[V_SINCE] = apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d+08:00", year, month, t.tm_mday, t.tm_hour,
                                   t.tm_min, t.tm_sec);
    values[V_SINCE_ZH] = icp_text_date(since, 1, pool);
    values[V_SINCE_EN] = icp_text_date(since, 0, pool);
}

static void set_flags(const char **values, const char *reason)
{
    int known = V_OTHER;
    for (int flag = V_MISSING; flag < V_OTHER; flag++) {
        if (!strcmp(the_names[flag], reason)) known = flag;
    }
    values[known] = "1";
    int filing = known == V_UNLICENSED || known == V_CANCELLED || known == V_UNREGISTERED;
    values[V_FILING] = filing ? "1" : "";
    values[V_REPAIR] = filing || known == V_ORDER ? "" : "1";
    values[V_SUSPENDED] = known == V_UNLICENSED || known == V_UNREGISTERED ? "" : "1";
}

static const char **make_values(request_rec *r, const icp_conf_t *conf, const icp_notice_case_t *notice_case, int chinese)
{
    apr_pool_t *pool = r->pool;
    const char **values = apr_pcalloc(pool, V_COUNT * sizeof *values);
    const apr_array_header_t *expected = expected_numbers(notice_case, pool);
    const char *number = expected->nelts ? APR_ARRAY_IDX(expected, 0, const char *) : NULL;
    values[V_SITE] = notice_case->site ? icp_host_display(notice_case->site, pool) : NULL;
    values[V_HOST] = r->hostname ? icp_host_display(printable(r->hostname, pool), pool) : NULL;
    values[V_ALIAS] = values[V_HOST] && (!values[V_SITE] || strcmp(values[V_HOST], values[V_SITE])) ? values[V_HOST] : NULL;
    values[V_NAME] = values[V_HOST] ? values[V_HOST] : values[V_SITE];
    values[V_REASON] = notice_case->reason;
    values[V_EXPECTED] = join(expected, pool);
    values[V_SNIPPET_ZH] = icp_display_html(number ? number : "您的备案号", pool);
    values[V_SNIPPET_EN] = icp_display_html(number ? number : "your ICP number", pool);
    values[V_CASE] = notice_case->case_id ? apr_psprintf(pool, ICP_CASE_FORMAT, notice_case->case_id) : NULL;
    values[V_PROVIDER] = conf->provider_name;
    values[V_PROVIDER_URL] = conf->provider_url;
    values[V_CONTACT] = conf->contact;
    values[V_FAQ] = conf->faq;
    values[V_APPLY] = conf->apply;
    values[V_STATUS] = apr_itoa(pool, conf->notice_status);
    values[V_LANG] = chinese ? "zh-CN" : "en";
    values[V_ZH_FIRST] = chinese ? "1" : "";
    set_since(values, notice_case->since, pool);
    set_flags(values, notice_case->reason);
    const char *question = values[V_OTHER] ? "off" : notice_case->reason;
    values[V_FAQ_ZH] = icp_faq_link(conf->faq, 1, number, question, pool);
    values[V_FAQ_EN] = icp_faq_link(conf->faq, 0, number, question, pool);
    for (int i = 0; i < V_COUNT; i++) values[i] = printable(values[i], pool);
    return values;
}

static void set_member(json_t *object, const char *name, const char *value)
{
    if (*value) json_object_set_new(object, name, json_string(value));
}

/* RFC 9457, with members of our own after its five. */
static const char *problem_details(const icp_conf_t *conf, const icp_notice_case_t *notice_case, const char **values,
                                   int chinese, apr_pool_t *pool)
{
    json_t *object = json_object(), *expected = json_array();
    const apr_array_header_t *numbers = expected_numbers(notice_case, pool);
    const char *title = chinese ? "title-zh" : "title-en", *detail = chinese ? "problem-zh" : "problem-en";
    set_member(object, "type", apr_pstrcat(pool, "urn:problem-type:icp:", values[V_REASON], NULL));
    set_member(object, "title", icp_template_render(the_words, title, values, ICP_ESCAPE_NONE, pool));
    json_object_set_new(object, "status", json_integer(conf->notice_status));
    set_member(object, "detail", icp_template_render(the_words, detail, values, ICP_ESCAPE_NONE, pool));
    if (*values[V_CASE]) set_member(object, "instance", apr_pstrcat(pool, "urn:problem-instance:icp:", values[V_CASE], NULL));
    set_member(object, "site", values[V_SITE]);
    set_member(object, "host", values[V_HOST]);
    set_member(object, "reason", values[V_REASON]);
    set_member(object, "since", values[V_SINCE]);
    for (int i = 0; i < numbers->nelts; i++) {
        json_array_append_new(expected, json_string(printable(APR_ARRAY_IDX(numbers, i, const char *), pool)));
    }
    json_object_set_new(object, "expected", expected);
    set_member(object, "case", values[V_CASE]);
    set_member(object, "provider", values[V_PROVIDER]);
    set_member(object, "contact", values[V_CONTACT]);
    set_member(object, "faq", values[V_FAQ]);
    set_member(object, "apply", values[V_APPLY]);

    const char *text = icp_json_text(object, JSON_INDENT(2), pool);
    json_decref(object);
    return apr_pstrcat(pool, text ? text : "{}", "\n", NULL);
}

static void set_headers(request_rec *r, const icp_conf_t *conf, const char **values, const char *languages)
{
    apr_table_t *headers = r->headers_out;
    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "Vary", "Accept, Accept-Language");
    apr_table_setn(headers, "X-Robots-Tag", "noindex");
    apr_table_setn(headers, "Content-Language", languages);
    apr_table_setn(headers, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Referrer-Policy", "no-referrer");
    apr_table_setn(headers, ICP_NOTICE_HEADER, values[V_REASON]);
    if (conf->notice_status == HTTP_UNAVAILABLE_FOR_LEGAL_REASONS && *values[V_PROVIDER_URL]) {
        apr_table_setn(headers, "Link", apr_pstrcat(r->pool, "<", values[V_PROVIDER_URL], ">; rel=\"blocked-by\"", NULL));
    }
    if (conf->notice_status == HTTP_SERVICE_UNAVAILABLE) apr_table_setn(headers, "Retry-After", RETRY_AFTER);
}

/* Takes in what the client sends, so that it gets to read the answer: over HTTP/2, where ap_discard_request_body() does
 * nothing, a stream that is answered early is reset, and some clients then drop the answer. What is left past the limit
 * httpd discards after the answer. */
static void discard_body(request_rec *r)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t taken = 0, length;
    int at_end = 0;
    while (!at_end && taken < DISCARD_LIMIT) {
        if (ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN) != APR_SUCCESS
            || apr_brigade_length(brigade, 1, &length) != APR_SUCCESS) {
            r->connection->keepalive = AP_CONN_CLOSE;
            break;
        }
        at_end = APR_BRIGADE_EMPTY(brigade) || APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
        taken += length;
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
}

/* The status is set before the body is read, so that a client that waits for 100 Continue gets the answer instead. */
static void respond(request_rec *r, int status, const char *type, const char *body)
{
    r->status = status;
    discard_body(r);
    ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
    ap_set_content_type(r, type);
    ap_set_content_length(r, strlen(body));
    ap_rputs(body, r);
}

int icp_notice_send(request_rec *r, const icp_conf_t *conf, const icp_notice_case_t *notice_case)
{
    int chinese = icp_negotiate_chinese(apr_table_get(r->headers_in, "Accept-Language"), r->pool);
    const char **values = make_values(r, conf, notice_case, chinese);
    const icp_template_t *page = conf->notice ? conf->notice : the_page;
    const char *languages = chinese ? "zh-CN, en" : "en, zh-CN", *type, *body;

    switch (icp_negotiate_form(apr_table_get(r->headers_in, "Accept"), r->pool)) {
    case ICP_FORM_JSON:
        type = "application/problem+json";
        body = problem_details(conf, notice_case, values, chinese, r->pool);
        languages = values[V_LANG];
        break;
    case ICP_FORM_TEXT:
        type = "text/plain; charset=utf-8";
        body = icp_template_render(the_text, NULL, values, ICP_ESCAPE_NONE, r->pool);
        break;
    default:
        type = "text/html; charset=utf-8";
        body = icp_template_render(page, NULL, values, ICP_ESCAPE_HTML, r->pool);
        break;
    }
    set_headers(r, conf, values, languages);
    respond(r, conf->notice_status, type, body);
    return OK;
}
