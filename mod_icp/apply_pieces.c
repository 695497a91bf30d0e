/* See apply_pieces.h; and, of apply_page.h, what all pages share. */
#include "apply_pieces.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "icp_apply_pages.h"
#include "template.h"

static const char *const the_names[V_COUNT + 1] = {
#define X(c, name) name,
    ICP_APPLY_VALUES(X)
#undef X
    NULL};

static icp_template_t *the_pieces;

static apr_status_t forget_pieces(void *unused)
{
    the_pieces = NULL;
    return APR_SUCCESS;
}

icp_error_t *icp_apply_page_prepare(apr_pool_t *pool)
{
    if (the_pieces) return NULL;
    apr_pool_cleanup_register(pool, NULL, forget_pieces, apr_pool_cleanup_null);
    return icp_template_parse(&the_pieces, "apply.html", icp_apply_html, sizeof icp_apply_html - 1, the_names, NULL, pool);
}

void icp_apply_forget(icp_apply_page_t *page)
{
    memset(page->values + V_CONTACT + 1, 0, (V_COUNT - V_CONTACT - 1) * sizeof *page->values);
}

void icp_apply_put(icp_apply_page_t *page, const char *piece)
{
    apr_brigade_puts(page->view->answer, NULL, NULL, icp_template_render(the_pieces, piece, page->values, ICP_ESCAPE_HTML, page->pool));
}

const char *icp_apply_words(icp_apply_page_t *page, const char *piece)
{
    const char *text = icp_template_render(the_pieces, piece, page->values, ICP_ESCAPE_NONE, page->pool);
    apr_size_t length = strlen(text);
    while (length && text[length - 1] == '\n') length--;
    return apr_pstrmemdup(page->pool, text, length);
}

const char *icp_apply_link(const icp_apply_view_t *view, const char *query)
{
    static const char *const words_of[] = {"en", "zh"};
    apr_pool_t *pool = view->r->pool;
    const char *path = ap_os_escape_path(pool, view->r->uri, 1), *lang = view->language_given ? words_of[view->language] : NULL;
    return apr_pstrcat(pool, path, *query || lang ? "?" : "", query, *query && lang ? "&" : "", lang ? "lang=" : "", lang ? lang : "", NULL);
}

static void set_headers(request_rec *r, icp_language_e language)
{
    apr_table_t *headers = r->headers_out;
    ap_set_content_type(r, "text/html; charset=utf-8");
    apr_table_setn(headers, "Cache-Control", "no-store");
    apr_table_setn(headers, "Vary", "Accept-Language");
    apr_table_setn(headers, "X-Robots-Tag", "noindex");
    apr_table_setn(headers, "Content-Language", language == ICP_LANGUAGE_ZH ? "zh-CN" : "en");
    apr_table_setn(headers, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Referrer-Policy", "no-referrer");
}

/* Where the other language's version of this page is, if there is no form on it. */
static const char *other_language(const icp_apply_view_t *view)
{
    icp_apply_view_t other = *view;
    other.language = view->language == ICP_LANGUAGE_ZH ? ICP_LANGUAGE_EN : ICP_LANGUAGE_ZH;
    other.language_given = 1;
    const char *query = view->token ? apr_pstrcat(view->r->pool, "application=", view->token, NULL)
                        : view->kind >= 0 ? apr_pstrcat(view->r->pool, "kind=", icp_form_kinds[view->kind].value, NULL) : "";
    return icp_apply_link(&other, query);
}

void icp_apply_begin(icp_apply_page_t *page, icp_apply_view_t *view, const char *title, int has_form)
{
    const icp_conf_t *conf = icp_conf(view->r->server);
    int chinese = view->language == ICP_LANGUAGE_ZH;
    *page = (icp_apply_page_t){view, view->r, view->r->pool, view->language, {NULL}};
    page->values[V_LANG] = chinese ? "zh-CN" : "en";
    page->values[chinese ? V_ZH : V_EN] = "1";
    page->values[V_PROVIDER] = conf->provider_name;
    page->values[V_PROVIDER_URL] = conf->provider_url;
    page->values[V_CONTACT] = conf->contact;
    page->values[V_FAQ] = conf->faq;
    page->values[V_OTHER_LANG] = chinese ? "en" : "zh-CN";
    page->values[V_OTHER_LINK] = other_language(view);
    page->values[V_TICKET] = view->ticket;
    page->values[V_APPLICATION] = view->token;
    page->values[V_FORM] = icp_apply_flag(has_form);
    if (view->kind >= 0) {
        page->values[V_KIND] = icp_form_kinds[view->kind].value;
        page->values[V_KIND_LABEL] = icp_form_kinds[view->kind].label[view->language];
    }
    page->values[V_TITLE] = icp_apply_words(page, title);
    page->values[V_WRONG] = icp_apply_flag((view->issues && view->issues->nelts) || view->problem || view->withdraw_problem);
    set_headers(view->r, view->language);
    icp_apply_put(page, "head");
    icp_apply_forget(page);
}

void icp_apply_end(icp_apply_page_t *page)
{
    icp_apply_forget(page);
    icp_apply_put(page, "foot");
}
