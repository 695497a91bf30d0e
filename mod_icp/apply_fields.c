/* The form: every field with what was typed, what is wrong with it and what staff wrote of it. See apply_fields.h. */
#include "apply_fields.h"

#include <apr_strings.h>
#include <unistr.h>

#include "host.h"
#include "text.h"

static const icp_form_issue_t *find_issue(const icp_apply_page_t *page, const char *id)
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
static const char *typed_text(icp_apply_page_t *page, const json_t *value)
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
static void set_reason(icp_apply_page_t *page, const char *id)
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
        page->values[V_RETURNED] = icp_apply_flag(page->values[V_REASON] != NULL);
    }
}

static const char *add_id(icp_apply_page_t *page, const char *ids, int is_there, const char *id, const char *suffix)
{
    return is_there ? apr_pstrcat(page->pool, ids, *ids ? " " : "", id, suffix, NULL) : ids;
}

/* What label, hint and error have in common for every control. */
static void set_common(icp_apply_page_t *page, const char *id, const char *const *label, const char *const *hint, const char *holder)
{
    const icp_form_issue_t *issue = find_issue(page, id);
    int is_confirmed = is_in(json_object_get(page->view->typed, "confirmed"), id);
    icp_apply_forget(page);
    page->values[V_ID] = id;
    page->values[V_LABEL] = label[page->language];
    page->values[V_HINT] = hint[page->language];
    page->values[V_ERROR] = issue ? issue->message[page->language] : NULL;
    page->values[V_WRONG] = icp_apply_flag(issue && !issue->is_warning);
    page->values[V_WARNED] = icp_apply_flag((issue && issue->is_warning) || (!issue && is_confirmed));
    page->values[V_CONFIRMED] = icp_apply_flag(is_confirmed);
    page->values[V_ONLY_BUSINESS] = icp_apply_flag(holder && !strcmp(holder, "business"));
    page->values[V_ONLY_PERSON] = icp_apply_flag(holder && !strcmp(holder, "person"));
    set_reason(page, id);
    const char *described = add_id(page, "", page->values[V_HINT] != NULL, id, "-hint");
    described = add_id(page, described, page->values[V_RETURNED] != NULL, id, "-reason");
    described = add_id(page, described, issue != NULL, id, "-error");
    page->values[V_DESCRIBED] = described;
}

static void put_choices(icp_apply_page_t *page, const icp_form_field_t *field, const char *chosen)
{
    const char *begin_piece = field->widget == ICP_WIDGET_RADIO ? "radio-begin" : "choice-begin";
    const char *item_piece = field->widget == ICP_WIDGET_RADIO ? "radio-item" : "choice-item";
    const char *label = page->values[V_LABEL];
    icp_apply_put(page, begin_piece);
    for (const icp_choice_t *choice = field->choices; choice->value; choice++) {
        page->values[V_VALUE] = choice->value;
        page->values[V_LABEL] = choice->label[page->language];
        page->values[V_SELECTED] = icp_apply_flag(!strcmp(choice->value, chosen));
        icp_apply_put(page, item_piece);
    }
    page->values[V_LABEL] = label;
    icp_apply_put(page, field->widget == ICP_WIDGET_RADIO ? "radio-end" : "choice-end");
}

static void put_field(icp_apply_page_t *page, const icp_form_field_t *field, const char *id, const json_t *value)
{
    const char *text = typed_text(page, value);
    set_common(page, id, field->label, field->hint, field->holder);
    page->values[V_REQUIRED] = icp_apply_flag((field->required >> page->view->kind & 1) && !field->holder);
    page->values[V_OPTIONAL] = icp_apply_flag(!(field->required >> page->view->kind & 1));
    page->values[V_AUTOCOMPLETE] = field->autocomplete;
    page->values[V_INPUTMODE] = field->inputmode;
    page->values[V_MAX] = apr_itoa(page->pool, field->max);
    page->values[V_VALUE] = text;
    if (field->choices) put_choices(page, field, text);
    else icp_apply_put(page, field->widget == ICP_WIDGET_LINES ? "lines" : "text");
}

static void begin_group(icp_apply_page_t *page, const char *group, const char *id, int number, int several)
{
    icp_apply_forget(page);
    page->values[V_NUMBER] = apr_itoa(page->pool, number);
    page->values[V_SEVERAL] = icp_apply_flag(several);
    page->values[V_LABEL] = icp_apply_words(page, apr_pstrcat(page->pool, "group-", group, NULL));
    page->values[V_ID] = id;
    const icp_form_issue_t *issue = find_issue(page, id);
    page->values[V_ERROR] = issue ? issue->message[page->language] : NULL;
    icp_apply_put(page, "group-begin");
}

static int asks_of(const icp_apply_page_t *page, const char *group)
{
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (!strcmp(field->group, group) && icp_form_asks(field, page->view->kind, "")) return 1;
    }
    return 0;
}

static void put_group(icp_apply_page_t *page, const char *group, const char *only)
{
    const json_t *typed = *group ? json_object_get(page->view->typed, group) : page->view->typed;
    const char *name = only ? only : group;
    begin_group(page, name, apr_pstrcat(page->pool, "group-", name, NULL), 0, 0);
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (strcmp(field->group, group) || (only && strcmp(field->name, only)) || !icp_form_asks(field, page->view->kind, "")) continue;
        const char *id = *group ? apr_pstrcat(page->pool, group, ".", field->name, NULL) : field->name;
        put_field(page, field, id, json_object_get(typed, field->name));
    }
    icp_apply_put(page, "group-end");
}

static void put_websites(icp_apply_page_t *page)
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
        icp_apply_forget(page);
        page->values[V_INDEX] = apr_itoa(page->pool, i);
        page->values[V_NUMBER] = apr_itoa(page->pool, i + 1);
        if (count > 1) icp_apply_put(page, "website-remove");
        icp_apply_put(page, "group-end");
    }
    icp_apply_forget(page);
    if (count < ICP_FORM_WEBSITES_MAX) icp_apply_put(page, "website-add");
}

static void put_documents(icp_apply_page_t *page)
{
    const json_t *on_file = json_object_get(page->view->state, "documents");
    begin_group(page, "documents", "group-documents", 0, 0);
    page->values[V_AGAIN] = icp_apply_flag(page->view->again);
    icp_apply_put(page, "documents-hint");
    for (const icp_form_document_t *document = icp_form_documents; document->kind; document++) {
        if (!icp_form_document_asked(document, page->view->kind, "")) continue;
        int has_it = is_in(on_file, document->kind), required = (document->required >> page->view->kind & 1) && !has_it;
        set_common(page, apr_pstrcat(page->pool, "document.", document->kind, NULL), document->label, document->hint, document->holder);
        page->values[V_ON_FILE] = icp_apply_flag(has_it);
        page->values[V_OPTIONAL] = icp_apply_flag(!required);
        page->values[V_REQUIRED] = icp_apply_flag(required && !document->holder);
        icp_apply_put(page, "file");
    }
    icp_apply_put(page, "group-end");
}

void icp_apply_put_form(icp_apply_page_t *page)
{
    const json_t *websites = json_object_get(page->view->typed, "websites");
    int count = (int)json_array_size(websites);
    icp_apply_forget(page);
    page->values[V_LINK] = icp_apply_link(page->view, "");
    page->values[V_WEBSITES] = apr_itoa(page->pool, count > 0 ? count : 1);
    page->values[V_WRONG] = icp_apply_flag(page->view->issues && page->view->issues->nelts);
    icp_apply_put(page, "form-begin");
    if (icp_form_asks(icp_form_fields, page->view->kind, "")) put_group(page, "", "license");
    put_group(page, "holder", NULL);
    put_group(page, "contact", NULL);
    if (asks_of(page, "websites")) put_websites(page);
    if (page->view->kind >= ICP_FORM_CHANGE) put_group(page, "", "reason");
    put_documents(page);
    icp_apply_forget(page);
    icp_apply_put(page, "form-end");
}
