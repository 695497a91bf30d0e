#include "apply_page.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <unistr.h>

#include "display.h"
#include "host.h"
#include "icp_apply_pages.h"
#include "template.h"
#include "text.h"

#define HOLIDAY_DAYS 14 /* a long one that begins within these is worth a warning */

/* X(name in C, name): the placeholders; up to CONTACT they are the page's, the rest a piece's. */
#define VALUES(X)                                                                                                                   \
    X(LANG, "lang") X(ZH, "zh") X(EN, "en") X(TITLE, "title") X(PROVIDER, "provider") X(PROVIDER_URL, "provider-url")               \
    X(OTHER_LINK, "other-link") X(OTHER_LANG, "other-lang") X(FAQ, "faq") X(TICKET, "ticket") X(APPLICATION, "application")         \
    X(KIND, "kind") X(KIND_LABEL, "kind-label") X(CONTACT, "contact")                                                               \
    X(WRONG, "wrong") X(HOLIDAY, "holiday") X(HOLIDAY_FIRST, "holiday-first") X(HOLIDAY_LAST, "holiday-last") X(LINK, "link")       \
    X(LABEL, "label") X(PROBLEM, "problem") X(ID, "id") X(ERROR, "error") X(WEBSITES, "count") X(AGAIN, "again")                       \
    X(ONLY_BUSINESS, "only-business") X(ONLY_PERSON, "only-person") X(HINT, "hint") X(DESCRIBED, "described") X(WARNED, "warned")   \
    X(RETURNED, "returned") X(REASON, "reason") X(SUGGESTION, "suggestion")                                                         \
    X(CONFIRMED, "confirmed") X(VALUE, "value") X(MAX, "max") X(AUTOCOMPLETE, "autocomplete") X(INPUTMODE, "inputmode")             \
    X(REQUIRED, "required") X(SELECTED, "selected") X(OPTIONAL, "optional") X(ON_FILE, "on-file") X(INDEX, "index")                 \
    X(NUMBER, "number") X(SEVERAL, "several") X(GOOD, "good") X(BAD, "bad") X(FRESH, "fresh") X(REFERENCE, "reference")             \
    X(SINCE, "since") X(EXPECTED, "expected") X(SITE, "site") X(SNIPPET, "snippet")                                                 \
    X(FIRST, "first") X(WEBSITE, "website") X(ACCESS, "access") X(CHANGE, "change") X(CANCEL_WEBSITE, "cancel-website")             \
    X(CANCEL_LICENSE, "cancel-license") X(CANCEL_ACCESS, "cancel-access")

enum {
#define X(c, name) V_##c,
    VALUES(X)
#undef X
    V_COUNT
};

static const char *const the_names[V_COUNT + 1] = {
#define X(c, name) name,
    VALUES(X)
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

/* --- pieces -------------------------------------------------------------------------------------------- */

typedef struct page_t {
    icp_apply_view_t *view;
    request_rec *r;
    apr_pool_t *pool;
    icp_language_e language;
    const char *values[V_COUNT];
} page_t;

static void forget(page_t *page)
{
    memset(page->values + V_CONTACT + 1, 0, (V_COUNT - V_CONTACT - 1) * sizeof *page->values);
}

static void put(page_t *page, const char *piece)
{
    ap_rputs(icp_template_render(the_pieces, piece, page->values, ICP_ESCAPE_HTML, page->pool), page->r);
}

/* The piece's words alone, to be a value of another. */
static const char *words(page_t *page, const char *piece)
{
    const char *text = icp_template_render(the_pieces, piece, page->values, ICP_ESCAPE_NONE, page->pool);
    apr_size_t length = strlen(text);
    while (length && text[length - 1] == '\n') length--;
    return apr_pstrmemdup(page->pool, text, length);
}

static const char *flag(int is)
{
    return is ? "1" : NULL;
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

/* Where the other language's version of this page is: what was typed is lost on the way, so it is the page's address without it. */
static const char *other_language(const icp_apply_view_t *view)
{
    icp_apply_view_t other = *view;
    other.language = view->language == ICP_LANGUAGE_ZH ? ICP_LANGUAGE_EN : ICP_LANGUAGE_ZH;
    other.language_given = 1;
    const char *query = view->token ? apr_pstrcat(view->r->pool, "application=", view->token, NULL)
                        : view->kind >= 0 ? apr_pstrcat(view->r->pool, "kind=", icp_form_kinds[view->kind].value, NULL) : "";
    return icp_apply_link(&other, query);
}

static void begin(page_t *page, icp_apply_view_t *view, const char *title)
{
    const icp_conf_t *conf = icp_conf(view->r->server);
    int chinese = view->language == ICP_LANGUAGE_ZH;
    *page = (page_t){view, view->r, view->r->pool, view->language, {NULL}};
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
    if (view->kind >= 0) {
        page->values[V_KIND] = icp_form_kinds[view->kind].value;
        page->values[V_KIND_LABEL] = icp_form_kinds[view->kind].label[view->language];
    }
    page->values[V_TITLE] = words(page, title);
    page->values[V_WRONG] = flag((view->issues && view->issues->nelts) || view->problem || view->withdraw_problem);
    set_headers(view->r, view->language);
    put(page, "head");
    forget(page);
}

static void end(page_t *page)
{
    forget(page);
    put(page, "foot");
}

static void put_holiday(page_t *page)
{
    icp_holiday_t holiday;
    int chinese = page->language == ICP_LANGUAGE_ZH;
    icp_day_t today = icp_day_of(page->r->request_time);
    if (!page->view->calendar || !icp_calendar_long_holiday(&holiday, page->view->calendar, today, HOLIDAY_DAYS)) return;
    forget(page);
    page->values[V_HOLIDAY] = chinese ? holiday.zh : holiday.en;
    page->values[V_HOLIDAY_FIRST] = icp_text_date(icp_day_begin(holiday.first), chinese, page->pool);
    page->values[V_HOLIDAY_LAST] = icp_text_date(icp_day_begin(holiday.last), chinese, page->pool);
    put(page, "holiday");
}

/* --- fields -------------------------------------------------------------------------------------------- */

static const icp_form_issue_t *find_issue(const page_t *page, const char *id)
{
    const apr_array_header_t *issues = page->view->issues;
    for (int i = 0; issues && i < issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        if (!strcmp(issue->field, id)) return issue;
    }
    return NULL;
}

static int is_in(const json_t *list, const char *word)
{
    size_t index;
    json_t *entry;
    json_array_foreach((json_t *)list, index, entry) {
        if (json_is_string(entry) && !strcmp(json_string_value(entry), word)) return 1;
    }
    return 0;
}

/* Text to be shown in a field: as it was typed, if that is text. */
static const char *typed_text(page_t *page, const json_t *value)
{
    const char *text = json_string_value(value), *lines = "";
    size_t index;
    json_t *entry;
    json_array_foreach((json_t *)value, index, entry) {
        const char *line = json_string_value(entry);
        if (line) lines = apr_pstrcat(page->pool, lines, *lines ? "\n" : "", icp_host_display(line, page->pool), NULL);
    }
    if (!text) text = lines;
    return u8_check((const uint8_t *)text, strlen(text)) ? icp_text_printable(text, strlen(text), page->pool) : text;
}

/* What staff or the bureau wrote of a field, as long as it is the client's turn; the first of several, all are in the list above. */
static void set_reason(page_t *page, const char *id)
{
    const json_t *state = page->view->state, *reason;
    int chinese = page->language == ICP_LANGUAGE_ZH;
    size_t index;
    if (page->view->fresh || !json_is_true(json_object_get(state, "editable"))) return;
    json_array_foreach(json_object_get(state, "reasons"), index, reason) {
        const char *field = json_string_value(json_object_get(reason, "field"));
        if (page->values[V_REASON] || !field || strcmp(field, id)) continue;
        page->values[V_REASON] = json_string_value(json_object_get(reason, chinese ? "zh" : "en"));
        page->values[V_SUGGESTION] = json_string_value(json_object_get(reason, chinese ? "suggestion_zh" : "suggestion_en"));
        page->values[V_RETURNED] = flag(page->values[V_REASON] != NULL);
    }
}

static const char *add_id(page_t *page, const char *ids, int is_there, const char *id, const char *suffix)
{
    return is_there ? apr_pstrcat(page->pool, ids, *ids ? " " : "", id, suffix, NULL) : ids;
}

/* What label, hint and error have in common for every control. */
static void set_common(page_t *page, const char *id, const char *const *label, const char *const *hint, const char *holder)
{
    const icp_form_issue_t *issue = find_issue(page, id);
    int is_confirmed = is_in(json_object_get(page->view->typed, "confirmed"), id);
    forget(page);
    page->values[V_ID] = id;
    page->values[V_LABEL] = label[page->language];
    page->values[V_HINT] = hint[page->language];
    page->values[V_ERROR] = issue ? issue->message[page->language] : NULL;
    page->values[V_WRONG] = flag(issue && !issue->is_warning);
    page->values[V_WARNED] = flag((issue && issue->is_warning) || (!issue && is_confirmed));
    page->values[V_CONFIRMED] = flag(is_confirmed);
    page->values[V_ONLY_BUSINESS] = flag(holder && !strcmp(holder, "business"));
    page->values[V_ONLY_PERSON] = flag(holder && !strcmp(holder, "person"));
    set_reason(page, id);
    const char *described = add_id(page, "", page->values[V_HINT] != NULL, id, "-hint");
    described = add_id(page, described, page->values[V_RETURNED] != NULL, id, "-reason");
    described = add_id(page, described, issue != NULL, id, "-error");
    page->values[V_DESCRIBED] = described;
}

static void put_choices(page_t *page, const icp_form_field_t *field, const char *chosen)
{
    const char *begin_piece = field->widget == ICP_WIDGET_RADIO ? "radio-begin" : "choice-begin";
    const char *item_piece = field->widget == ICP_WIDGET_RADIO ? "radio-item" : "choice-item";
    const char *label = page->values[V_LABEL];
    put(page, begin_piece);
    for (const icp_choice_t *choice = field->choices; choice->value; choice++) {
        page->values[V_VALUE] = choice->value;
        page->values[V_LABEL] = choice->label[page->language];
        page->values[V_SELECTED] = flag(!strcmp(choice->value, chosen));
        put(page, item_piece);
    }
    page->values[V_LABEL] = label;
    put(page, field->widget == ICP_WIDGET_RADIO ? "radio-end" : "choice-end");
}

static void put_field(page_t *page, const icp_form_field_t *field, const char *id, const json_t *value)
{
    const char *text = typed_text(page, value);
    set_common(page, id, field->label, field->hint, field->holder);
    page->values[V_REQUIRED] = flag((field->required >> page->view->kind & 1) && !field->holder);
    page->values[V_AUTOCOMPLETE] = field->autocomplete;
    page->values[V_INPUTMODE] = field->inputmode;
    page->values[V_MAX] = apr_itoa(page->pool, field->max);
    page->values[V_VALUE] = text;
    if (field->choices) put_choices(page, field, text);
    else put(page, field->widget == ICP_WIDGET_LINES ? "lines" : "text");
}

static void begin_group(page_t *page, const char *group, const char *id, int number, int several)
{
    forget(page);
    page->values[V_NUMBER] = apr_itoa(page->pool, number);
    page->values[V_SEVERAL] = flag(several);
    page->values[V_LABEL] = words(page, apr_pstrcat(page->pool, "group-", group, NULL));
    page->values[V_ID] = id;
    const icp_form_issue_t *issue = find_issue(page, id);
    page->values[V_ERROR] = issue ? issue->message[page->language] : NULL;
    put(page, "group-begin");
}

static int asks_of(const page_t *page, const char *group)
{
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (!strcmp(field->group, group) && icp_form_asks(field, page->view->kind, "")) return 1;
    }
    return 0;
}

static void put_group(page_t *page, const char *group, const char *only)
{
    const json_t *typed = *group ? json_object_get(page->view->typed, group) : page->view->typed;
    const char *name = only ? only : group;
    begin_group(page, name, apr_pstrcat(page->pool, "group-", name, NULL), 0, 0);
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (strcmp(field->group, group) || (only && strcmp(field->name, only)) || !icp_form_asks(field, page->view->kind, "")) continue;
        const char *id = *group ? apr_pstrcat(page->pool, group, ".", field->name, NULL) : field->name;
        put_field(page, field, id, json_object_get(typed, field->name));
    }
    put(page, "group-end");
}

static void put_websites(page_t *page)
{
    const json_t *websites = json_object_get(page->view->typed, "websites");
    int count = (int)json_array_size(websites);
    if (count < 1) count = 1;
    for (int i = 0; i < count; i++) {
        begin_group(page, "websites", apr_psprintf(page->pool, "website-%d", i + 1), i + 1, count > 1);
        for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
            if (strcmp(field->group, "websites") || !icp_form_asks(field, page->view->kind, "")) continue;
            put_field(page, field, apr_psprintf(page->pool, "websites.%d.%s", i, field->name),
                      json_object_get(json_array_get(websites, i), field->name));
        }
        forget(page);
        page->values[V_INDEX] = apr_itoa(page->pool, i);
        page->values[V_NUMBER] = apr_itoa(page->pool, i + 1);
        if (count > 1) put(page, "website-remove");
        put(page, "group-end");
    }
    forget(page);
    if (count < ICP_FORM_WEBSITES_MAX) put(page, "website-add");
}

static void put_documents(page_t *page)
{
    const json_t *on_file = json_object_get(page->view->state, "documents");
    begin_group(page, "documents", "group-documents", 0, 0);
    page->values[V_AGAIN] = flag(page->view->again);
    put(page, "documents-hint");
    for (const icp_form_document_t *document = icp_form_documents; document->kind; document++) {
        if (!icp_form_document_asked(document, page->view->kind, "")) continue;
        int has_it = is_in(on_file, document->kind), required = (document->required >> page->view->kind & 1) && !has_it;
        set_common(page, apr_pstrcat(page->pool, "document.", document->kind, NULL), document->label, document->hint, document->holder);
        page->values[V_ON_FILE] = flag(has_it);
        page->values[V_OPTIONAL] = flag(!required);
        page->values[V_REQUIRED] = flag(required && !document->holder);
        put(page, "file");
    }
    put(page, "group-end");
}

/* --- what is wrong -------------------------------------------------------------------------------------- */

/* The label of a field by its path, "" if there is none such; several websites are told apart. */
static const char *label_of(page_t *page, const char *path)
{
    const json_t *form = page->view->typed ? page->view->typed : json_object_get(page->view->state, "form");
    const char *label = icp_form_label(path, json_array_size(json_object_get(form, "websites")), page->language, page->pool);
    return label ? label : "";
}

static void put_summary(page_t *page)
{
    const apr_array_header_t *issues = page->view->issues;
    if (!page->view->problem && (!issues || !issues->nelts)) return;
    forget(page);
    page->values[V_PROBLEM] = page->view->problem;
    put(page, "summary-begin");
    for (int i = 0; issues && i < issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        forget(page);
        page->values[V_ID] = issue->field;
        page->values[V_LABEL] = label_of(page, issue->field);
        page->values[V_ERROR] = issue->message[page->language];
        put(page, "summary-item");
    }
    put(page, "summary-end");
}

/* --- pages ---------------------------------------------------------------------------------------------- */

static void put_form(page_t *page)
{
    const json_t *websites = json_object_get(page->view->typed, "websites");
    int count = (int)json_array_size(websites);
    forget(page);
    page->values[V_LINK] = icp_apply_link(page->view, "");
    page->values[V_WEBSITES] = apr_itoa(page->pool, count > 0 ? count : 1);
    put(page, "form-begin");
    if (icp_form_asks(icp_form_fields, page->view->kind, "")) put_group(page, "", "license");
    put_group(page, "holder", NULL);
    put_group(page, "contact", NULL);
    if (asks_of(page, "websites")) put_websites(page);
    if (page->view->kind >= ICP_FORM_CHANGE) put_group(page, "", "reason");
    put_documents(page);
    forget(page);
    put(page, "form-end");
}

void icp_apply_show_start(icp_apply_view_t *view)
{
    page_t page;
    begin(&page, view, "title-start");
    put_holiday(&page);
    put(&page, "kinds-begin");
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        forget(&page);
        page.values[V_LINK] = icp_apply_link(view, apr_pstrcat(page.pool, "kind=", icp_form_kinds[kind].value, NULL));
        page.values[V_LABEL] = icp_form_kinds[kind].label[page.language];
        page.values[V_FIRST + kind] = "1";
        put(&page, "kind-item");
    }
    put(&page, "kinds-end");
    end(&page);
}

void icp_apply_show_form(icp_apply_view_t *view)
{
    page_t page;
    begin(&page, view, "title-form");
    put_summary(&page);
    put_holiday(&page);
    put_form(&page);
    end(&page);
}

void icp_apply_show_problem(icp_apply_view_t *view)
{
    page_t page;
    begin(&page, view, "title-other");
    page.values[V_PROBLEM] = view->problem;
    put(&page, "problem");
    page.values[V_LINK] = icp_apply_link(view, "");
    put(&page, "other");
    end(&page);
}

/* The words come with the state, from the table of steps that staff work by. */
static void set_state(page_t *page, const json_t *state)
{
    static const char *const languages[] = {"en", "zh"};
    const char *word = json_string_value(json_object_get(state, "state"));
    int chinese = page->language == ICP_LANGUAGE_ZH;
    json_int_t since = json_integer_value(json_object_get(state, "since")), expected = json_integer_value(json_object_get(state, "expected"));
    forget(page);
    page->values[V_LABEL] = json_string_value(json_object_get(json_object_get(state, "label"), languages[page->language]));
    page->values[V_HINT] = json_string_value(json_object_get(json_object_get(state, "next"), languages[page->language]));
    page->values[V_GOOD] = flag(word && !strcmp(word, "approved"));
    page->values[V_BAD] = flag(word && (!strcmp(word, "returned") || !strcmp(word, "rejected") || !strcmp(word, "expired")));
    page->values[V_FRESH] = flag(page->view->fresh);
    page->values[V_LINK] = page->view->token ? icp_apply_link(page->view, apr_pstrcat(page->pool, "application=", page->view->token, NULL)) : NULL;
    page->values[V_REFERENCE] = json_string_value(json_object_get(state, "reference"));
    page->values[V_NUMBER] = json_string_value(json_object_get(state, "number"));
    if (since) page->values[V_SINCE] = icp_text_date(apr_time_from_sec(since), chinese, page->pool);
    if (expected) page->values[V_EXPECTED] = icp_text_date(apr_time_from_sec(expected), chinese, page->pool);
}

static void put_reasons(page_t *page, const json_t *state)
{
    int chinese = page->language == ICP_LANGUAGE_ZH;
    json_t *reasons = json_object_get(state, "reasons"), *reason;
    size_t index;
    if (!json_array_size(reasons)) return;
    forget(page);
    put(page, "reasons-begin");
    json_array_foreach(reasons, index, reason) {
        const char *field = json_string_value(json_object_get(reason, "field"));
        forget(page);
        page->values[V_ID] = field;
        page->values[V_LABEL] = field ? label_of(page, field) : NULL;
        page->values[V_VALUE] = json_string_value(json_object_get(reason, chinese ? "zh" : "en"));
        page->values[V_HINT] = json_string_value(json_object_get(reason, chinese ? "suggestion_zh" : "suggestion_en"));
        put(page, "reason-item");
    }
    put(page, "reasons-end");
}

/* What each website must display, with the line to paste. */
static void put_numbers(page_t *page, const json_t *state)
{
    json_t *numbers = json_object_get(state, "numbers"), *one;
    size_t index;
    if (!json_array_size(numbers)) return;
    forget(page);
    put(page, "numbers-begin");
    json_array_foreach(numbers, index, one) {
        const char *number = json_string_value(json_object_get(one, "number"));
        forget(page);
        page->values[V_SITE] = json_string_value(json_object_get(one, "site"));
        page->values[V_NUMBER] = number;
        page->values[V_SNIPPET] = icp_display_html(number ? number : "", page->pool);
        put(page, "number-item");
    }
    put(page, "numbers-end");
}

void icp_apply_show_state(icp_apply_view_t *view)
{
    page_t page;
    const json_t *state = view->state;
    int is_open = state && !view->fresh;
    begin(&page, view, "title-state");
    put_summary(&page);
    set_state(&page, state);
    put(&page, "state");
    forget(&page);
    if (is_open) put_reasons(&page, state);
    put_numbers(&page, state);
    if (view->token) put(&page, "keep-link");
    if (is_open && json_is_true(json_object_get(state, "editable")) && view->kind >= 0) {
        put_holiday(&page);
        put_form(&page);
    }
    if (is_open && json_is_true(json_object_get(state, "withdrawable"))) {
        forget(&page);
        page.values[V_LINK] = icp_apply_link(view, "");
        page.values[V_ERROR] = view->withdraw_problem;
        page.values[V_WRONG] = flag(view->withdraw_problem != NULL);
        put(&page, "withdraw");
    }
    end(&page);
}
