#include "application.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "application_message.h"
#include "audit.h"
#include "json.h"
#include "term.h"
#include "text.h"

#define HOLDER_MAX 300 /* bytes of a name that was not checked */

/* What tells one holder from another. */
static const char *key_of(const json_t *form, apr_pool_t *pool)
{
    const char *text = icp_form_value(form, "holder.uscc");
    if (!*text) text = icp_form_value(form, "holder.id_number");
    if (!*text) text = icp_form_value(form, "holder.name");
    char *key = apr_pstrdup(pool, icp_text_printable(text, HOLDER_MAX, pool));
    for (char *c = key; *c; c++) *c = apr_toupper(*c);
    return key;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

icp_error_t *icp_application_by_id(icp_application_t **result, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_BY_ID, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_application_t *application = apr_pcalloc(pool, sizeof *application);
    application->id = icp_stmt_int(stmt, 0);
    application->reference = apr_psprintf(pool, ICP_APP_FORMAT, application->id);
    const char *kind = icp_stmt_text(stmt, 1, pool), *state = icp_stmt_text(stmt, 2, pool);
    application->holder = icp_stmt_text(stmt, 3, pool);
    application->form = icp_json_keep(json_loads(icp_stmt_text(stmt, 4, pool), 0, NULL), pool);
    application->token = icp_stmt_text(stmt, 5, pool);
    application->email = icp_stmt_text(stmt, 6, pool);
    application->language = icp_stmt_text(stmt, 7, pool);
    application->province = icp_stmt_text(stmt, 8, pool);
    application->reasons = icp_json_keep(json_loads(icp_stmt_text(stmt, 9, pool), 0, NULL), pool);
    application->number = icp_stmt_text(stmt, 10, pool);
    application->created_at = apr_time_from_sec(icp_stmt_int(stmt, 11));
    application->state_at = apr_time_from_sec(icp_stmt_int(stmt, 12));
    application->due_from = apr_time_from_sec(icp_stmt_int(stmt, 13));
    application->untold = icp_stmt_int(stmt, 14);
    application->purged_at = apr_time_from_sec(icp_stmt_int(stmt, 15));
    icp_stmt_reset(stmt);
    if (application->purged_at) application->token = "";
    int known = icp_form_kind(kind);
    application->state = icp_app_state(state);
    if (known < 0 || application->state == ICP_APP_STATE_COUNT) {
        return icp_error(pool, ICP_FAULT, "use the icpadmin that it was made with, or a newer one",
                         "%s is of a kind or in a state that this icpadmin does not know: %s, %s", application->reference,
                         kind, state);
    }
    application->kind = (icp_form_kind_e)known;
    *result = application;
    return NULL;
}

icp_error_t *icp_application_get(icp_application_t **result, icp_register_t *reg, const char *reference, apr_pool_t *pool)
{
    const char *digits = strncasecmp(reference, "APP-", 4) == 0 ? reference + 4 : reference;
    apr_size_t length = strlen(digits);
    *result = NULL;
    if (length && length < 19 && strspn(digits, "0123456789") == length) {
        ICP_TRY(icp_application_by_id(result, reg, apr_atoi64(digits), pool));
    }
    if (*result) return NULL;
    return icp_error(pool, ICP_NOT_FOUND, "icpadmin application list --all shows them", "there is no application %s",
                     icp_text_printable(reference, 60, pool));
}

static icp_error_t *find(icp_application_t **result, icp_register_t *reg, icp_stmt_e which, const char *text, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, which, "s", text));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    apr_int64_t id = icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    return icp_application_by_id(result, reg, id, pool);
}

icp_error_t *icp_application_by_token(icp_application_t **application, icp_register_t *reg, const char *token, apr_pool_t *pool)
{
    return find(application, reg, ICP_STMT_APPLICATION_BY_TOKEN, token, pool);
}

icp_error_t *icp_application_open_of(icp_application_t **application, icp_register_t *reg, const json_t *form, apr_pool_t *pool)
{
    return find(application, reg, ICP_STMT_APPLICATION_OPEN_OF, key_of(form, pool), pool);
}

icp_error_t *icp_application_each(icp_register_t *reg, const icp_application_filter_t *filter, icp_application_fn *fn, void *baton,
                                  apr_pool_t *pool)
{
    const char *state = filter->state < ICP_APP_STATE_COUNT ? icp_app_states[filter->state].name : NULL;
    icp_application_t *application;
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_IDS, "si", state, (apr_int64_t)(filter->finished || state)));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_clear(item_pool);
        ICP_TRY(icp_application_by_id(&application, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (!application || (filter->holder && !strstr(application->holder, filter->holder))) continue;
        ICP_TRY(fn(application, baton, item_pool));
    }
    apr_pool_destroy(item_pool);
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static json_t *event_json(const icp_application_t *application)
{
    json_t *object = json_pack("{s:s}", "state", icp_app_states[application->state].name);
    if (json_array_size(application->reasons)) json_object_set_new(object, "reasons", icp_reasons_brief(application->reasons));
    if (*application->number) json_object_set_new(object, "number", json_string(application->number));
    return object;
}

/* Whose step it was: staff are known by name. */
static const char *actor_of(const icp_register_t *reg, unsigned by)
{
    return by & ICP_BY_CLIENT ? "applicant" : by & ICP_BY_CLOCK ? "clock" : reg->actor;
}

static icp_error_t *record(icp_register_t *reg, const char *step, const icp_application_t *application, icp_app_state_e from,
                           unsigned by, const char *note, apr_pool_t *pool)
{
    const char *actor = reg->actor;
    json_t *before = NULL, *after = event_json(application);
    if (from < ICP_APP_STATE_COUNT)
        before = json_pack("{s:s}", "state", icp_app_states[from].name);
    else
        json_object_set_new(after, "kind", json_string(icp_form_kinds[application->kind].value));
    reg->actor = actor_of(reg, by);
    icp_error_t *error = icp_audit_event(reg, apr_pstrcat(pool, "application.", step, NULL), application->reference, before, after,
                                         note, pool);
    reg->actor = actor;
    json_decref(before);
    json_decref(after);
    return error;
}

static icp_error_t *insert(icp_application_t **result, icp_register_t *reg, const json_t *form, const char *token, apr_time_t at,
                           icp_app_state_e state, const json_t *reasons, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    const char *kind = icp_form_value(form, "kind"), *language = icp_form_value(form, "language");
    ICP_TRY(icp_db_statement(
        &stmt, reg->db, ICP_STMT_APPLICATION_INSERT, "ssssssssssii", icp_form_kind(kind) < 0 ? icp_form_kinds[0].value : kind,
        icp_app_states[state].name, key_of(form, pool),
        icp_text_printable(icp_form_value(form, "holder.name"), HOLDER_MAX, pool), icp_json_text(form, JSON_COMPACT, pool), token,
        icp_form_value(form, "contact.email"), strcmp(language, "en") ? "zh" : "en", icp_form_value(form, "holder.province"),
        icp_json_text(reasons, JSON_COMPACT, pool), (apr_int64_t)apr_time_sec(at), (apr_int64_t)apr_time_sec(at)));
    ICP_TRY(icp_stmt_run(stmt));
    return icp_application_by_id(result, reg, icp_db_last_id(reg->db), pool);
}

static icp_error_t *refuse_open(const icp_application_t *open, apr_pool_t *pool)
{
    return icp_error(pool, ICP_REFUSED,
                     apr_psprintf(pool, "wait for its end, or icpadmin application withdraw %s", open->reference),
                     "%s has an open application, %s: %s", open->holder, open->reference, icp_app_states[open->state].name);
}

icp_error_t *icp_application_add(icp_application_t **result, icp_register_t *reg, const json_t *form, const char *token,
                                 apr_time_t at, unsigned by, apr_pool_t *pool)
{
    icp_application_t *open;
    ICP_TRY(icp_application_open_of(&open, reg, form, pool));
    if (open) return refuse_open(open, pool);
    ICP_TRY(insert(result, reg, form, token, at, ICP_APP_IS_RECEIVED, icp_json_keep(json_array(), pool), pool));
    ICP_TRY(record(reg, "add", *result, ICP_APP_STATE_COUNT, by, NULL, pool));
    return icp_application_message_post(reg, *result, NULL, pool);
}

icp_error_t *icp_application_refuse(icp_application_t **result, icp_register_t *reg, const json_t *form, const char *token,
                                    apr_time_t at, const json_t *reasons, apr_pool_t *pool)
{
    ICP_TRY(insert(result, reg, form, token, at, ICP_APP_IS_REFUSED, reasons, pool));
    ICP_TRY(record(reg, "refuse", *result, ICP_APP_STATE_COUNT, ICP_BY_CLIENT, NULL, pool));
    return icp_application_message_post(reg, *result, NULL, pool);
}

static icp_error_t *impossible(const icp_application_t *application, const icp_application_act_t *act, apr_pool_t *pool)
{
    const char *possible = icp_app_possible(application->kind, application->state, act->by, pool);
    const char *remedy = possible ? apr_psprintf(pool, "now possible: %s", possible)
                         : icp_app_states[application->state].final ? "nothing more happens to it; the holder may apply anew"
                                                                    : "it is in other hands now";
    return icp_error(pool, ICP_REFUSED, remedy, "%s is %s: %s is not possible", application->reference,
                     icp_app_states[application->state].name, icp_app_step_names[act->step]);
}

/* The corrected form in place of the old one. */
static icp_error_t *correct(icp_register_t *reg, icp_application_t *application, const json_t *form, apr_pool_t *pool)
{
    icp_application_t *open;
    icp_stmt_t *stmt;
    if (icp_form_kind(icp_form_value(form, "kind")) != (int)application->kind) {
        return icp_error(pool, ICP_REFUSED, "withdraw it and apply anew for something else", "%s is for %s, the correction for %s",
                         application->reference, icp_form_kinds[application->kind].value,
                         icp_text_printable(icp_form_value(form, "kind"), 30, pool));
    }
    ICP_TRY(icp_application_open_of(&open, reg, form, pool));
    if (open && open->id != application->id) return refuse_open(open, pool);
    const char *language = icp_form_value(form, "language");
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_FORM, "issssss", application->id,
                             icp_json_text(form, JSON_COMPACT, pool), key_of(form, pool), icp_form_value(form, "holder.name"),
                             icp_form_value(form, "contact.email"), strcmp(language, "en") ? "zh" : "en",
                             icp_form_value(form, "holder.province")));
    return icp_stmt_run(stmt);
}

static icp_error_t *needs(const icp_application_t *application, const icp_application_act_t *act, const char *what,
                          apr_pool_t *pool)
{
    return icp_error(pool, ICP_USAGE, NULL, "%s of %s needs %s", icp_app_step_names[act->step], application->reference, what);
}

static icp_error_t *write_state(icp_register_t *reg, const icp_application_t *application, icp_app_state_e state, apr_time_t since,
                                apr_time_t due_from, const json_t *reasons, const char *number, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_STEP, "isiiss", application->id, icp_app_states[state].name,
                             (apr_int64_t)apr_time_sec(since), (apr_int64_t)apr_time_sec(due_from),
                             reasons ? icp_json_text(reasons, JSON_COMPACT, pool) : "[]", number ? number : application->number));
    return icp_stmt_run(stmt);
}

icp_error_t *icp_application_answer(icp_register_t *reg, icp_application_t *application, const json_t *reasons, apr_pool_t *pool)
{
    ICP_TRY(write_state(reg, application, application->state, application->state_at, application->due_from, reasons, NULL, pool));
    application->reasons = reasons;
    return record(reg, "answer", application, application->state, ICP_BY_CLIENT, NULL, pool);
}

icp_error_t *icp_application_step(icp_register_t *reg, icp_application_t *application, const icp_application_act_t *act,
                                  apr_pool_t *pool)
{
    const icp_app_row_t *row = icp_app_row(application->kind, application->state, act->step, act->by);
    icp_application_t *after;
    if (!row) return impossible(application, act, pool);
    if ((row->needs & ICP_NEEDS_REASONS) && !json_array_size(act->reasons)) return needs(application, act, "a reason", pool);
    if ((row->needs & ICP_NEEDS_FORM) && !act->form) return needs(application, act, "a form", pool);
    if ((row->needs & ICP_NEEDS_REGISTER) && !act->number) return needs(application, act, "a number", pool);
    if (act->form) ICP_TRY(correct(reg, application, act->form, pool));

    ICP_TRY(write_state(reg, application, row->to, reg->now, row->needs & ICP_STEP_SAME_TERM ? application->due_from : reg->now,
                        act->reasons, act->number, pool));
    ICP_TRY(icp_application_by_id(&after, reg, application->id, pool));
    ICP_TRY(record(reg, icp_app_step_names[act->step], after, application->state, act->by, act->note, pool));
    *application = *after;
    return icp_application_message_post(reg, application, act, pool);
}

/* Those in `state` whose term is over. */
static icp_error_t *expire(int *count, icp_register_t *reg, const icp_terms_t *terms, icp_app_state_e state,
                           const json_t *reasons, apr_pool_t *pool)
{
    const icp_application_act_t act = {.step = ICP_APP_DO_EXPIRE, .by = ICP_BY_CLOCK, .reasons = reasons};
    icp_application_t *application;
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_IN_STATE_SINCE, "si", icp_app_states[state].name,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_clear(item_pool);
        ICP_TRY(icp_application_by_id(&application, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (!icp_term_due(terms, application, reg->now).overdue) break; /* the oldest come first */
        ICP_TRY(icp_application_step(reg, application, &act, item_pool));
        if (count) ++*count;
    }
    apr_pool_destroy(item_pool);
    return NULL;
}

icp_error_t *icp_application_expire(int *count, icp_register_t *reg, apr_pool_t *pool)
{
    icp_terms_t terms;
    if (count) *count = 0;
    ICP_TRY(icp_terms_load(&terms, reg, pool));
    ICP_TRY(expire(count, reg, &terms, ICP_APP_IS_SMS_PENDING, icp_reasons_of(ICP_REJECTION_SMS_EXPIRED, pool), pool));
    return expire(count, reg, &terms, ICP_APP_IS_REJECTED, NULL, pool);
}
