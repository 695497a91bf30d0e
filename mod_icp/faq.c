#include "faq.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_script.h>

#include "config.h"
#include "display.h"
#include "icp_faq_page.h"
#include "license_number.h"
#include "negotiate.h"
#include "template.h"
#include "text.h"

#define HANDLER "icp-faq"
#define NUMBER_LIMIT 200 /* bytes of what is looked at as a number */
#define EXAMPLE "沪ICP备05012345号-1"

enum {
    V_LANG, V_ZH, V_NUMBER, V_WRONG, V_TYPED, V_SNIPPET, V_SHOWN, V_GUANGDONG, V_NO_SUFFIX,
    V_PROVIDER, V_PROVIDER_URL, V_CONTACT, V_APPLY, V_SWITCH, V_COUNT
};

static const char *const the_names[V_COUNT + 1] = {
    [V_LANG] = "lang", [V_ZH] = "zh", [V_NUMBER] = "number", [V_WRONG] = "wrong", [V_TYPED] = "typed", [V_SNIPPET] = "snippet",
    [V_SHOWN] = "shown", [V_GUANGDONG] = "guangdong", [V_NO_SUFFIX] = "no-suffix", [V_PROVIDER] = "provider",
    [V_PROVIDER_URL] = "provider-url", [V_CONTACT] = "contact", [V_APPLY] = "apply", [V_SWITCH] = "switch", [V_COUNT] = NULL
};

static icp_template_t *the_page; /* lives as long as the configuration */

static apr_status_t forget_page(void *unused)
{
    the_page = NULL;
    return APR_SUCCESS;
}

icp_error_t *icp_faq_prepare(apr_pool_t *pool)
{
    if (the_page) return NULL;
    apr_pool_cleanup_register(pool, NULL, forget_page, apr_pool_cleanup_null);
    return icp_template_parse(&the_page, "faq.html", icp_faq_html, sizeof icp_faq_html - 1, the_names, NULL, pool);
}

static void set_number(const char **values, const char *typed, apr_pool_t *pool)
{
    icp_number_t *number = NULL;
    values[V_SHOWN] = EXAMPLE;
    if (typed && *typed) {
        /* A browser sends a space of a form as '+', which httpd leaves alone; no number has one. */
        char *text = apr_pstrmemdup(pool, typed, strnlen(typed, NUMBER_LIMIT + 1));
        for (char *c = text; *c; c++) *c = *c == '+' ? ' ' : *c;
        values[V_TYPED] = icp_text_printable(text, NUMBER_LIMIT, pool);
        if (strlen(text) > NUMBER_LIMIT || icp_license_parse(&number, text, pool) || (number->marks & ICP_MARK_SERVICE))
            values[V_WRONG] = values[V_TYPED];
    }
    if (number && !values[V_WRONG]) {
        int by_license = icp_display_by_license(number);
        values[V_NUMBER] = values[V_SHOWN] = icp_display_number(number->text, pool);
        values[V_GUANGDONG] = by_license ? "1" : NULL;
        values[V_NO_SUFFIX] = number->kind == ICP_NUMBER_FILING && !by_license && !number->suffix ? "1" : NULL;
    }
    values[V_SNIPPET] = icp_display_html(values[V_SHOWN], pool);
}

/* The same page in the other language. */
static const char *switch_link(int chinese, const char *number, apr_pool_t *pool)
{
    const char *link = chinese ? "?lang=en" : "?lang=zh";
    return number ? apr_pstrcat(pool, link, "&number=", apr_pescape_urlencoded(pool, number), NULL) : link;
}

static int wants_chinese(const request_rec *r, const char *lang)
{
    if (lang && !strcmp(lang, "zh")) return 1;
    if (lang && !strcmp(lang, "en")) return 0;
    return icp_negotiate_chinese(apr_table_get(r->headers_in, "Accept-Language"), r->pool);
}

static const char *render(request_rec *r, int *chinese)
{
    const icp_conf_t *conf = icp_conf(r->server);
    const char *values[V_COUNT] = {NULL};
    apr_table_t *arguments;
    ap_args_to_table(r, &arguments);
    *chinese = wants_chinese(r, apr_table_get(arguments, "lang"));
    set_number(values, apr_table_get(arguments, "number"), r->pool);
    values[V_LANG] = *chinese ? "zh-CN" : "en";
    values[V_ZH] = *chinese ? "1" : NULL;
    values[V_SWITCH] = switch_link(*chinese, values[V_NUMBER], r->pool);
    values[V_PROVIDER] = conf->provider_name;
    values[V_PROVIDER_URL] = conf->provider_url;
    values[V_CONTACT] = conf->contact;
    values[V_APPLY] = conf->apply;
    return icp_template_render(the_page, NULL, values, ICP_ESCAPE_HTML, r->pool);
}

int icp_faq_handler(request_rec *r)
{
    int chinese;
    if (!r->handler || strcmp(r->handler, HANDLER)) return DECLINED;
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
    if (!the_page) return HTTP_SERVICE_UNAVAILABLE;

    const char *page = render(r, &chinese);
    apr_table_t *headers = r->headers_out;
    apr_table_setn(headers, "Cache-Control", "public, max-age=3600");
    apr_table_mergen(headers, "Vary", "Accept-Language");
    apr_table_setn(headers, "Content-Language", chinese ? "zh-CN" : "en");
    apr_table_setn(headers, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                                                       "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Referrer-Policy", "no-referrer");
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)strlen(page));
    ap_rputs(page, r);
    return OK;
}
