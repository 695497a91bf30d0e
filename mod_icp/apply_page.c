#include "apply_page.h"

#include <apr_strings.h>

#include "apply_fields.h"
#include "display.h"
#include "text.h"
#include "workflow.h"

#define HOLIDAY_DAYS 14 /* a long one that begins within these is worth a warning */

static void put_holiday(icp_apply_page_t *page)
{
    icp_holiday_t holiday;
    int chinese = page->language == ICP_LANGUAGE_ZH;
    icp_day_t today = icp_day_of(page->r->request_time);
    if (!page->view->calendar || !icp_calendar_long_holiday(&holiday, page->view->calendar, today, HOLIDAY_DAYS)) return;
    icp_apply_forget(page);
    page->values[V_HOLIDAY] = chinese ? holiday.zh : holiday.en;
    page->values[V_HOLIDAY_FIRST] = icp_text_date(icp_day_begin(holiday.first), chinese, page->pool);
    page->values[V_HOLIDAY_LAST] = icp_text_date(icp_day_begin(holiday.last), chinese, page->pool);
    icp_apply_put(page, "holiday");
}

/* The label of a field by its path, "" if there is none such; several websites are told apart. */
static const char *label_of(icp_apply_page_t *page, const char *path)
{
    const json_t *form = page->view->typed ? page->view->typed : json_object_get(page->view->state, "form");
    const char *label = icp_form_label(path, json_array_size(json_object_get(form, "websites")), page->language, page->pool);
    return label ? label : "";
}

static void put_summary(icp_apply_page_t *page)
{
    const apr_array_header_t *issues = page->view->issues;
    icp_apply_forget(page);
    page->values[V_PROBLEM] = page->view->problem;
    if (page->view->problem) icp_apply_put(page, "problem");
    if (!issues || !issues->nelts) return;
    icp_apply_put(page, "summary-begin");
    for (int i = 0; i < issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        icp_apply_forget(page);
        page->values[V_ID] = issue->field;
        page->values[V_LABEL] = label_of(page, issue->field);
        page->values[V_ERROR] = issue->message[page->language];
        icp_apply_put(page, "summary-item");
    }
    icp_apply_put(page, "summary-end");
}

/* --- pages ---------------------------------------------------------------------------------------------- */

void icp_apply_show_start(icp_apply_view_t *view)
{
    icp_apply_page_t page;
    icp_apply_begin(&page, view, "title-start", 0);
    put_holiday(&page);
    icp_apply_put(&page, "kinds-begin");
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        icp_apply_forget(&page);
        page.values[V_LINK] = icp_apply_link(view, apr_pstrcat(page.pool, "kind=", icp_form_kinds[kind].value, NULL));
        page.values[V_LABEL] = icp_form_kinds[kind].label[page.language];
        page.values[V_FIRST + kind] = "1";
        icp_apply_put(&page, "kind-item");
    }
    icp_apply_put(&page, "kinds-end");
    icp_apply_end(&page);
}

void icp_apply_show_form(icp_apply_view_t *view)
{
    icp_apply_page_t page;
    icp_apply_begin(&page, view, "title-form", 1);
    put_summary(&page);
    put_holiday(&page);
    icp_apply_put_form(&page);
    icp_apply_end(&page);
}

void icp_apply_show_problem(icp_apply_view_t *view)
{
    icp_apply_page_t page;
    icp_apply_begin(&page, view, "title-other", 0);
    page.values[V_PROBLEM] = view->problem;
    icp_apply_put(&page, "problem");
    page.values[V_LINK] = icp_apply_link(view, "");
    icp_apply_put(&page, "other");
    icp_apply_end(&page);
}

/* The words come with the state, from the table of steps that staff work by. */
static void set_state(icp_apply_page_t *page, const json_t *state)
{
    static const char *const languages[] = {"en", "zh"};
    const char *word = json_string_value(json_object_get(state, "state"));
    int chinese = page->language == ICP_LANGUAGE_ZH;
    json_int_t since = json_integer_value(json_object_get(state, "since")), expected = json_integer_value(json_object_get(state, "expected"));
    icp_apply_forget(page);
    page->values[V_LABEL] = json_string_value(json_object_get(json_object_get(state, "label"), languages[page->language]));
    page->values[V_HINT] = json_string_value(json_object_get(json_object_get(state, "next"), languages[page->language]));
    page->values[V_GOOD] = icp_apply_flag(word && !strcmp(word, "approved"));
    page->values[V_BAD] = icp_apply_flag(word && (!strcmp(word, "returned") || !strcmp(word, "rejected") || !strcmp(word, "expired")));
    page->values[V_FRESH] = icp_apply_flag(page->view->fresh);
    page->values[V_LINK] = page->view->token ? icp_apply_link(page->view, apr_pstrcat(page->pool, "application=", page->view->token, NULL)) : NULL;
    page->values[V_REFERENCE] = json_string_value(json_object_get(state, "reference"));
    page->values[V_NUMBER] = json_string_value(json_object_get(state, "number"));
    if (since) page->values[V_SINCE] = icp_text_date(apr_time_from_sec(since), chinese, page->pool);
    if (expected) page->values[V_EXPECTED] = icp_text_date(apr_time_from_sec(expected), chinese, page->pool);
}

static void put_reasons(icp_apply_page_t *page, const json_t *state)
{
    int chinese = page->language == ICP_LANGUAGE_ZH;
    json_t *reasons = json_object_get(state, "reasons"), *reason;
    size_t index;
    if (!json_array_size(reasons)) return;
    icp_apply_forget(page);
    icp_apply_put(page, "reasons-begin");
    json_array_foreach(reasons, index, reason) {
        const char *field = json_string_value(json_object_get(reason, "field"));
        icp_apply_forget(page);
        page->values[V_ID] = field;
        page->values[V_LABEL] = field ? label_of(page, field) : NULL;
        page->values[V_VALUE] = json_string_value(json_object_get(reason, chinese ? "zh" : "en"));
        page->values[V_HINT] = json_string_value(json_object_get(reason, chinese ? "suggestion_zh" : "suggestion_en"));
        icp_apply_put(page, "reason-item");
    }
    icp_apply_put(page, "reasons-end");
}

/* What each website must display, with the line to paste. */
static void put_numbers(icp_apply_page_t *page, const json_t *state)
{
    json_t *numbers = json_object_get(state, "numbers"), *one;
    size_t index;
    if (!json_array_size(numbers)) return;
    icp_apply_forget(page);
    icp_apply_put(page, "numbers-begin");
    json_array_foreach(numbers, index, one) {
        const char *number = json_string_value(json_object_get(one, "number"));
        icp_apply_forget(page);
        page->values[V_SITE] = json_string_value(json_object_get(one, "site"));
        page->values[V_NUMBER] = number;
        page->values[V_SNIPPET] = icp_display_html(number ? number : "", page->pool);
        icp_apply_put(page, "number-item");
    }
    icp_apply_put(page, "numbers-end");
}

/* Is there more to come by the link? */
static int is_worth_keeping(const icp_apply_view_t *view)
{
    const char *word = json_string_value(json_object_get(view->state, "state"));
    icp_app_state_e state = icp_app_state(word ? word : "");
    return state < ICP_APP_STATE_COUNT ? !icp_app_states[state].final : view->fresh;
}

void icp_apply_show_state(icp_apply_view_t *view)
{
    icp_apply_page_t page;
    const json_t *state = view->state;
    int is_open = state && !view->fresh, is_editable = is_open && json_is_true(json_object_get(state, "editable")) && view->kind >= 0;
    icp_apply_begin(&page, view, "title-state", is_editable);
    put_summary(&page);
    set_state(&page, state);
    icp_apply_put(&page, "state");
    icp_apply_forget(&page);
    if (is_open) put_reasons(&page, state);
    put_numbers(&page, state);
    if (is_worth_keeping(view)) icp_apply_put(&page, "keep-link");
    if (is_editable) {
        put_holiday(&page);
        icp_apply_put_form(&page);
    }
    if (is_open && json_is_true(json_object_get(state, "withdrawable"))) {
        icp_apply_forget(&page);
        page.values[V_LINK] = icp_apply_link(view, "");
        page.values[V_ERROR] = view->withdraw_problem;
        page.values[V_WRONG] = icp_apply_flag(view->withdraw_problem != NULL);
        icp_apply_put(&page, "withdraw");
    }
    icp_apply_end(&page);
}
