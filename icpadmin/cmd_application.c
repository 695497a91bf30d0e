/* `icpadmin application list|show`: where applications stand, and all that staff may know of one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "application.h"
#include "application_document.h"
#include "application_message.h"
#include "audit.h"
#include "options.h"
#include "output.h"

/* --- list ------------------------------------------------------------------------------------------------------------- */

typedef struct entry_t {
    const icp_application_t *application;
    icp_due_t due;
} entry_t;

typedef struct listing_t {
    icp_application_filter_t filter;
    int overdue;
    icp_terms_t terms;
    apr_array_header_t *entries;
} listing_t;

/* What is kept of it for the list: nothing of the form. */
static const icp_application_t *brief(const icp_application_t *application, apr_pool_t *pool)
{
    icp_application_t *copy = apr_pmemdup(pool, application, sizeof *copy);
    copy->reference = apr_pstrdup(pool, application->reference);
    copy->holder = apr_pstrdup(pool, application->holder);
    copy->province = apr_pstrdup(pool, application->province);
    copy->number = apr_pstrdup(pool, application->number);
    copy->form = copy->reasons = NULL;
    copy->token = copy->email = copy->language = "";
    return copy;
}

static icp_error_t *collect(const icp_application_t *application, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    entry_t entry = {application, icp_term_due(&listing->terms, application, apr_time_now())};
    if (listing->overdue && !entry.due.overdue) return NULL;
    entry.application = brief(application, listing->entries->pool);
    APR_ARRAY_PUSH(listing->entries, entry_t) = entry;
    return NULL;
}

static icp_error_t *read_list(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    ICP_TRY(icp_terms_load(&listing->terms, reg, listing->entries->pool));
    return icp_application_each(reg, &listing->filter, collect, listing, pool);
}

/* What is due first comes first; then those for which nothing is due. */
static int by_due(const void *left, const void *right)
{
    const entry_t *a = left, *b = right;
    if (a->due.at != b->due.at) return !b->due.at || (a->due.at && a->due.at < b->due.at) ? -1 : 1;
    return a->application->id < b->application->id ? -1 : 1;
}

static void print_entry(const icp_cli_t *cli, icp_list_t *list, const entry_t *entry)
{
    const icp_application_t *application = entry->application;
    if (cli->json) {
        icp_list_object(list, icp_application_json(application, &entry->due));
        return;
    }
    const char *expected = icp_term_text(application, &entry->due, cli->pool);
    icp_list_row(list, application->reference, icp_form_kinds[application->kind].value, icp_app_states[application->state].name,
                 icp_time_text(application->state_at, cli->pool),
                 icp_app_states[application->state].final ? "-" : apr_itoa(cli->pool, entry->due.waiting),
                 *expected ? apr_pstrcat(cli->pool, expected, entry->due.estimated ? " (about)" : "", NULL) : "-",
                 entry->due.overdue ? "overdue" : "-", *application->number ? application->number : "-",
                 *application->holder ? application->holder : "-", NULL);
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    listing_t listing = {.filter = {ICP_APP_STATE_COUNT, icp_option(cli, "all") != NULL, icp_option(cli, "holder")},
                         .overdue = icp_option(cli, "overdue") != NULL,
                         .entries = apr_array_make(cli->pool, 64, sizeof(entry_t))};
    const char *state = icp_option(cli, "state");
    if (state) ICP_TRY(icp_application_state_option(&listing.filter.state, state, cli->pool));
    ICP_TRY(icp_register_read(cli->reg, read_list, &listing, cli->pool));
    qsort(listing.entries->elts, (size_t)listing.entries->nelts, sizeof(entry_t), by_due);
    icp_list_t *list = icp_list_begin(cli, "APPLICATION|KIND|STATE|SINCE|DAYS|EXPECTED BY|LATE|NUMBER|HOLDER");
    for (int i = 0; i < listing.entries->nelts; i++) print_entry(cli, list, &APR_ARRAY_IDX(listing.entries, i, entry_t));
    icp_list_end(list, "no such application");
    return NULL;
}

/* --- show ------------------------------------------------------------------------------------------------------------- */

typedef struct showing_t {
    const icp_cli_t *cli;
    icp_application_t *application;
    apr_array_header_t *documents; /* icp_application_document_t */
    icp_due_t due;
    const char *link;
    apr_array_header_t *events; /* icp_event_t */
} showing_t;

static icp_error_t *keep_event(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    apr_array_header_t *events = baton;
    icp_event_t copy = {.at = event->at, .actor = apr_pstrdup(events->pool, event->actor),
                        .action = apr_pstrdup(events->pool, event->action), .note = apr_pstrdup(events->pool, event->note)};
    APR_ARRAY_PUSH(events, icp_event_t) = copy;
    return NULL;
}

static icp_error_t *read_all(icp_register_t *reg, void *baton, apr_pool_t *unused)
{
    showing_t *showing = baton;
    apr_pool_t *pool = showing->cli->pool;
    icp_terms_t terms;
    ICP_TRY(icp_application_argument(&showing->application, showing->cli));
    ICP_TRY(icp_application_documents(&showing->documents, reg, showing->application->id, pool));
    ICP_TRY(icp_terms_load(&terms, reg, pool));
    ICP_TRY(icp_application_link(&showing->link, reg, showing->application, pool));
    showing->due = icp_term_due(&terms, showing->application, reg->now);
    return icp_audit_each(reg, showing->application->reference, keep_event, showing->events, pool);
}

static icp_error_t *change_saved(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const showing_t *showing = baton;
    json_t *after = json_pack("{s:i}", "documents", showing->documents->nelts);
    icp_error_t *error = icp_audit_event(reg, "application.save", showing->application->reference, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

/* The event first: whoever has the documents is in the log. */
static icp_error_t *save(showing_t *showing, const char *folder)
{
    const icp_cli_t *cli = showing->cli;
    ICP_TRY(icp_register_change(cli->reg, change_saved, showing, cli->pool));
    if (cli->dry_run) return NULL;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return icp_error_os(cli->pool, errno, "cannot make the folder %s", folder);
    for (int i = 0; i < showing->documents->nelts; i++) {
        const icp_application_document_t *document = &APR_ARRAY_IDX(showing->documents, i, icp_application_document_t);
        const char *file, *name = apr_psprintf(cli->pool, "%s-%s-%d", showing->application->reference, document->kind, i + 1);
        ICP_TRY(icp_document_save(&file, &document->file, cli->reg, folder, name, cli->pool));
        icp_remark(cli, "%s saved", file);
    }
    return NULL;
}

static json_t *show_json(const showing_t *showing)
{
    json_t *object = icp_application_json(showing->application, &showing->due), *documents = json_array(), *history = json_array();
    for (int i = 0; i < showing->documents->nelts; i++) {
        const icp_application_document_t *document = &APR_ARRAY_IDX(showing->documents, i, icp_application_document_t);
        json_array_append_new(documents, json_pack("{s:s, s:s, s:s, s:I, s:s}", "kind", document->kind, "name", document->file.name,
                                                   "type", document->file.type, "bytes", (json_int_t)document->file.bytes, "sha256",
                                                   document->file.sha256));
    }
    for (int i = 0; i < showing->events->nelts; i++) {
        const icp_event_t *event = &APR_ARRAY_IDX(showing->events, i, icp_event_t);
        json_array_append_new(history, json_pack("{s:o, s:s, s:s, s:s}", "at", icp_time_json(event->at), "actor", event->actor, "action",
                                                 event->action, "note", event->note));
    }
    json_object_set_new(object, "form", showing->application->form ? json_deep_copy(showing->application->form) : json_null());
    json_object_set_new(object, "reasons", json_deep_copy(showing->application->reasons));
    json_object_set_new(object, "link", icp_text_json(*showing->link ? showing->link : NULL));
    json_object_set_new(object, "documents", documents);
    json_object_set_new(object, "history", history);
    return object;
}

/* As the form calls it, with the path that `application return --field` takes. */
static const char *label_of(const showing_t *showing, const char *path)
{
    apr_pool_t *pool = showing->cli->pool;
    const char *label = icp_form_label(path, icp_form_websites(showing->application->form), ICP_LANGUAGE_EN, pool);
    return label ? apr_psprintf(pool, "%s (%s)", label, path) : path;
}

static void print_field(const showing_t *showing, icp_list_t *list, const icp_form_field_t *field, apr_size_t website)
{
    apr_pool_t *pool = showing->cli->pool;
    const json_t *form = showing->application->form;
    const json_t *hosts = json_object_get(json_array_get(json_object_get(form, "websites"), website), "hosts");
    const char *path = icp_application_field(field, website, pool), *text = icp_form_value(form, path);
    for (size_t i = 0; !strcmp(field->name, "hosts") && i < json_array_size(hosts); i++)
        text = apr_pstrcat(pool, text, i ? ", " : "", json_string_value(json_array_get(hosts, i)), NULL);
    if (*text) icp_list_row(list, label_of(showing, path), text, NULL);
}

/* Every field that the form has, in the order in which they are asked, website by website. */
static void print_form(const showing_t *showing, icp_list_t *list)
{
    apr_size_t websites = icp_form_websites(showing->application->form);
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (strcmp(field->group, "websites")) print_field(showing, list, field, 0);
    }
    for (apr_size_t i = 0; i < websites; i++) {
        for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
            if (!strcmp(field->group, "websites")) print_field(showing, list, field, i);
        }
    }
}

/* What only looked wrong, and was taken since whoever filled the form in confirmed it. */
static void print_confirmed(const showing_t *showing, icp_list_t *list)
{
    apr_pool_t *pool = showing->cli->pool;
    json_t *form = json_copy((json_t *)showing->application->form), *clean;
    apr_array_header_t *issues;
    if (!form) return;
    json_object_del(form, "confirmed");
    icp_form_check(&clean, &issues, form, pool);
    for (int i = 0; i < issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        if (!issue->is_warning) continue;
        icp_list_row(list, "Confirmed", apr_pstrcat(pool, label_of(showing, issue->field), ": ", issue->message[ICP_LANGUAGE_EN], NULL), NULL);
    }
    json_decref(form);
}

static void print_reasons(const showing_t *showing, icp_list_t *list)
{
    json_t *told = icp_reasons_told(showing->application->reasons), *reason;
    size_t i;
    json_array_foreach(told, i, reason) {
        const char *field = json_string_value(json_object_get(reason, "field"));
        const char *suggestion = json_string_value(json_object_get(reason, "suggestion_en"));
        icp_list_row(list, "Reason",
                     apr_pstrcat(showing->cli->pool, field ? label_of(showing, field) : "", field ? ": " : "",
                                 json_string_value(json_object_get(reason, "en")), suggestion ? " " : "", suggestion ? suggestion : "",
                                 NULL), NULL);
    }
    json_decref(told);
}

static void print_rest(const showing_t *showing, icp_list_t *list)
{
    apr_pool_t *pool = showing->cli->pool;
    print_confirmed(showing, list);
    print_reasons(showing, list);
    for (int i = 0; i < showing->documents->nelts; i++) {
        const icp_application_document_t *document = &APR_ARRAY_IDX(showing->documents, i, icp_application_document_t);
        icp_list_row(list, "Document",
                     apr_psprintf(pool, "%s: %s, %s, %" APR_INT64_T_FMT " bytes", document->kind, document->file.name,
                                  document->file.type, document->file.bytes), NULL);
    }
    for (int i = 0; i < showing->events->nelts; i++) {
        const icp_event_t *event = &APR_ARRAY_IDX(showing->events, i, icp_event_t);
        icp_list_row(list, icp_time_text(event->at, pool),
                     apr_pstrcat(pool, event->action, " by ", event->actor, *event->note ? ": " : "", event->note, NULL), NULL);
    }
}

static void print_all(const showing_t *showing)
{
    const icp_application_t *application = showing->application;
    const icp_cli_t *cli = showing->cli;
    const char *expected = icp_term_text(application, &showing->due, cli->pool);
    const char *possible = icp_app_possible(application->kind, application->state, ICP_BY_STAFF, cli->pool);
    icp_list_t *list = icp_list_begin(cli, NULL);
    icp_list_row(list, "Application", application->reference, NULL);
    icp_list_row(list, "Kind", icp_form_kinds[application->kind].value, NULL);
    icp_list_row(list, "State", icp_app_states[application->state].name, NULL);
    icp_list_row(list, "Since", icp_time_text(application->state_at, cli->pool), NULL);
    icp_list_row(list, "Expected by",
                 *expected ? apr_pstrcat(cli->pool, expected, showing->due.overdue ? " (overdue)" : "", NULL) : "-", NULL);
    icp_list_row(list, "Possible now", possible ? possible : "-", NULL);
    icp_list_row(list, "Number", *application->number ? application->number : "-", NULL);
    icp_list_row(list, "Link", *showing->link ? showing->link : "-", NULL);
    if (application->purged_at) icp_list_row(list, "Purged", icp_time_text(application->purged_at, cli->pool), NULL);
    print_form(showing, list);
    print_rest(showing, list);
    icp_list_end(list, NULL);
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    showing_t showing = {.cli = cli, .events = apr_array_make(cli->pool, 16, sizeof(icp_event_t))};
    ICP_TRY(icp_register_read(cli->reg, read_all, &showing, cli->pool));
    if (icp_option(cli, "save")) ICP_TRY(save(&showing, icp_option(cli, "save")));
    if (cli->json)
        icp_print_object(show_json(&showing));
    else
        print_all(&showing);
    return NULL;
}

static const icp_option_t list_options[] = {
    {"state", "STATE", 0, "only those in this state"},
    {"holder", "TEXT", 0, "only those whose holder's name contains it"},
    {"overdue", NULL, 0, "only those that are past their date"},
    {"all", NULL, 0, "also those to which nothing more happens: approved, withdrawn, expired, refused"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t show_options[] = {
    {"save", "DIR", 0, "write its documents into this folder, which is made if it is not there (mode 0700)"},
    {NULL, NULL, 0, NULL},
};

#define JSON_FIELDS                                                                                                    \
    "application (its reference), kind, state, since, holder, province, number, created_at, days_waiting (working "    \
    "days), expected_by, estimated (the list of holidays does not reach that far), overdue, purged_at"

const icp_command_t icp_cmd_application_list = {
    .noun = "application",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list open applications, what is due first",
    .details = "DAYS are working days in the state; EXPECTED BY is the last day that the policy allows for it (review-days, "
               "filing-days, bureau-days, correct-days, sms-hours), counted in working days by the list of holidays.",
    .json = "an array; each has " JSON_FIELDS,
    .example = "icpadmin application list\nicpadmin application list --overdue",
    .options = list_options,
    .run = run_list,
};

const icp_command_t icp_cmd_application_show = {
    .noun = "application",
    .verb = "show",
    .arguments = "APP",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "show one application: form, documents, history, what is possible now",
    .details = "APP is its reference, APP-000012 or 12. --save writes the documents as APP-000012-KIND-N.pdf and the like, never over "
               "a file that is there; who took them out is in the audit log.",
    .json = "an object with " JSON_FIELDS ", form, reasons, link, documents (kind, name, type, bytes, sha256), history (at, actor, "
            "action, note)",
    .example = "icpadmin application show APP-000012\nicpadmin application show 12 --save /root/app-12",
    .options = show_options,
    .run = run_show,
};
