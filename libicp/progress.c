#include "progress.h"

#include <string.h>

#include "application_document.h"
#include "application_number.h"
#include "intake.h"
#include "json.h"
#include "log.h"
#include "term.h"

#define BATCH 200 /* published with one commit */

static json_t *kinds_json(const apr_array_header_t *documents)
{
    json_t *kinds = json_array();
    for (int i = 0; i < documents->nelts; i++)
        json_array_append_new(kinds, json_string(APR_ARRAY_IDX(documents, i, icp_application_document_t).kind));
    return kinds;
}

static json_t *numbers_json(const apr_array_header_t *numbers)
{
    json_t *list = json_array();
    for (int i = 0; i < numbers->nelts; i++) {
        const icp_application_number_t *one = &APR_ARRAY_IDX(numbers, i, icp_application_number_t);
        json_array_append_new(list, json_pack("{s:s, s:s}", "site", one->site, "number", one->number));
    }
    return list;
}

static void set_words(json_t *object, const char *name, const char *const *words)
{
    json_object_set_new(object, name, json_pack("{s:s, s:s}", "en", words[ICP_LANGUAGE_EN], "zh", words[ICP_LANGUAGE_ZH]));
}

static json_t *progress_json(const icp_application_t *application, const apr_array_header_t *documents,
                             const apr_array_header_t *numbers, const icp_due_t *due)
{
    const icp_app_state_t *state = &icp_app_states[application->state];
    int editable = icp_app_row(application->kind, application->state, ICP_APP_DO_CORRECT, ICP_BY_CLIENT) != NULL;
    int withdrawable = icp_app_row(application->kind, application->state, ICP_APP_DO_WITHDRAW, ICP_BY_CLIENT) != NULL;
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:b, s:b, s:o, s:o}", "reference", application->reference, "kind",
                               icp_form_kinds[application->kind].value, "state", state->name, "since",
                               (json_int_t)apr_time_sec(application->state_at), "language", application->language, "reasons",
                               icp_reasons_told(application->reasons), "editable", editable, "withdrawable", withdrawable,
                               "documents", kinds_json(documents), "numbers", numbers_json(numbers));
    set_words(object, "label", state->label);
    set_words(object, "next", icp_app_next(application->kind, application->state));
    if (due->at) json_object_set_new(object, "expected", json_integer(apr_time_sec(due->at)));
    if (*application->number) json_object_set_new(object, "number", json_string(application->number));
    if (editable && application->form) json_object_set_new(object, "form", json_deep_copy(application->form));
    return object;
}

typedef struct round_t {
    icp_terms_t terms;
    apr_array_header_t *waiting; /* told_t */
} round_t;

typedef struct told_t {
    apr_int64_t id, untold;
    const char *token;
    json_t *progress;
} told_t;

static icp_error_t *collect(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    round_t *round = baton;
    apr_pool_t *keep = round->waiting->pool;
    apr_array_header_t *ids;
    icp_stmt_t *stmt;
    ICP_TRY(icp_terms_load(&round->terms, reg, keep));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_UNTOLD, "i", (apr_int64_t)BATCH));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    for (int i = 0; i < ids->nelts; i++) {
        icp_application_t *application;
        apr_array_header_t *documents, *numbers;
        ICP_TRY(icp_application_by_id(&application, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), keep));
        ICP_TRY(icp_application_documents(&documents, reg, application->id, keep));
        ICP_TRY(icp_application_numbers(&numbers, reg, application, keep));
        icp_due_t due = icp_term_due(&round->terms, application, reg->now);
        APR_ARRAY_PUSH(round->waiting, told_t) =
            (told_t){application->id, application->untold, application->token,
                     icp_json_keep(progress_json(application, documents, numbers, &due), keep)};
    }
    return NULL;
}

static icp_error_t *mark_told(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *told = baton;
    icp_stmt_t *stmt;
    for (int i = 0; i < told->nelts; i++) {
        const told_t *one = &APR_ARRAY_IDX(told, i, told_t);
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_TOLD, "ii", one->id, one->untold));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

/* One batch; *more: there may be others. */
static icp_error_t *publish_batch(int *count, int *more, icp_register_t *reg, apr_pool_t *pool)
{
    round_t round = {.waiting = apr_array_make(pool, 16, sizeof(told_t))};
    apr_array_header_t *told = apr_array_make(pool, 16, sizeof(told_t));
    icp_error_t *fault = NULL;
    ICP_TRY(icp_register_read(reg, collect, &round, pool));
    for (int i = 0; i < round.waiting->nelts && !fault; i++) {
        const told_t *one = &APR_ARRAY_IDX(round.waiting, i, told_t);
        fault = icp_intake_publish(reg->path, one->token, one->progress, pool);
        if (!fault) APR_ARRAY_PUSH(told, told_t) = *one;
    }
    if (fault) icp_log(ICP_LOG_WARNING, "clients cannot see how their applications stand: %s", fault->message);
    *count += told->nelts;
    *more = !fault && told->nelts == BATCH;
    return told->nelts ? icp_register_change(reg, mark_told, told, pool) : NULL;
}

icp_error_t *icp_progress_publish(int *count, icp_register_t *reg, apr_pool_t *pool)
{
    apr_pool_t *batch_pool;
    int published = 0, more = !reg->dry_run;
    apr_pool_create(&batch_pool, pool);
    while (more) {
        apr_pool_clear(batch_pool);
        ICP_TRY(publish_batch(&published, &more, reg, batch_pool));
    }
    apr_pool_destroy(batch_pool);
    if (count) *count = published;
    return NULL;
}
