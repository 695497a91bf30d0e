#include "takeover.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "application.h"
#include "application_document.h"
#include "audit.h"
#include "form.h"
#include "intake.h"
#include "json.h"
#include "progress.h"

typedef struct taking_t {
    const icp_submission_t *submission;
    json_t *form;                  /* as icp_form_check left it; NULL for a withdrawal */
    apr_array_header_t *issues;    /* icp_form_issue_t */
    apr_array_header_t *documents; /* icp_application_document_t */
    icp_takeover_t counts;         /* of this one submission */
    int known;                     /* it was taken before, and only its removal is missing */
    int kept;                      /* its documents are in documents/ */
    apr_hash_t *corrected;         /* the links of applications that a correction of this takeover went into */
} taking_t;

/* --- documents -------------------------------------------------------------------------------------------------------- */

/* As the client sent them; their files are not written yet. */
static apr_array_header_t *sent_documents(const icp_submission_t *submission, apr_pool_t *pool)
{
    apr_array_header_t *documents = apr_array_make(pool, 4, sizeof(icp_application_document_t));
    for (int i = 0; submission->documents && i < submission->documents->nelts; i++) {
        const icp_intake_document_t *sent = &APR_ARRAY_IDX(submission->documents, i, icp_intake_document_t);
        APR_ARRAY_PUSH(documents, icp_application_document_t) = (icp_application_document_t){
            .kind = sent->kind,
            .file = {.name = sent->name, .type = sent->type, .bytes = (apr_int64_t)sent->length, .data = sent->bytes}};
    }
    return documents;
}

static icp_error_t *keep_documents(const taking_t *taking, icp_register_t *reg, apr_pool_t *pool)
{
    for (int i = 0; i < taking->documents->nelts; i++)
        ICP_TRY(icp_document_keep(&APR_ARRAY_IDX(taking->documents, i, icp_application_document_t).file, reg, pool));
    return NULL;
}

/* --- one submission --------------------------------------------------------------------------------------------------- */

static json_t *reasons_of(const apr_array_header_t *issues, apr_pool_t *pool)
{
    json_t *reasons = icp_json_keep(json_array(), pool);
    for (int i = 0; i < issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        json_array_append_new(reasons, json_pack("{s:s, s:s, s:s}", "field", issue->field, "en", issue->message[ICP_LANGUAGE_EN],
                                                 "zh", issue->message[ICP_LANGUAGE_ZH]));
    }
    return reasons;
}

static icp_error_t *is_known(int *known, icp_register_t *reg, const char *id)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SUBMISSION_FIND, "s", id));
    ICP_TRY(icp_stmt_step(known, stmt));
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *mark(icp_register_t *reg, const char *id, const icp_application_t *application)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SUBMISSION_INSERT, "sii", id, application ? application->id : (apr_int64_t)0,
                             (apr_int64_t)apr_time_sec(reg->now)));
    return icp_stmt_run(stmt);
}

static icp_error_t *drop(taking_t *taking, icp_register_t *reg, const icp_application_t *application, const char *why,
                         apr_pool_t *pool)
{
    const icp_submission_t *submission = taking->submission;
    json_t *after = json_pack("{s:s, s:s, s:s}", "submission", submission->id, "asked", icp_intake_actions[submission->action], "why", why);
    icp_error_t *error = icp_audit_event(reg, "application.drop", application ? application->reference : submission->id, NULL, after,
                                         NULL, pool);
    json_decref(after);
    taking->counts.dropped = 1;
    return error;
}

static icp_error_t *refer(const taking_t *taking, icp_register_t *reg, const icp_application_t *application, apr_pool_t *pool)
{
    return taking->kept ? icp_application_documents_add(reg, application->id, taking->documents, pool) : NULL;
}

static icp_error_t *submit(icp_application_t **application, taking_t *taking, icp_register_t *reg, apr_pool_t *pool)
{
    const icp_submission_t *submission = taking->submission;
    icp_application_t *open;
    json_t *reasons = NULL;
    if (*application) return drop(taking, reg, *application, "it was sent before", pool);
    ICP_TRY(icp_application_documents_missing(taking->issues, reg, taking->form, taking->documents, 0, pool));
    ICP_TRY(icp_application_open_of(&open, reg, taking->form, pool));
    if (taking->issues->nelts)
        reasons = reasons_of(taking->issues, pool);
    else if (open)
        reasons = icp_reasons_of(ICP_REJECTION_OPEN_ALREADY, pool);
    if (reasons) {
        taking->counts.refused = 1;
        return icp_application_refuse(application, reg, taking->form, submission->token, submission->at, reasons, pool);
    }
    taking->counts.added = 1;
    ICP_TRY(icp_application_add(application, reg, taking->form, submission->token, submission->at, ICP_BY_CLIENT, pool));
    return refer(taking, reg, *application, pool);
}

static icp_error_t *correct(icp_application_t *application, taking_t *taking, icp_register_t *reg, apr_pool_t *pool)
{
    const char *token = taking->submission->token;
    unsigned crossing = apr_hash_get(taking->corrected, token, APR_HASH_KEY_STRING) ? ICP_BY_CROSSING : 0; /* in two windows, say */
    const icp_application_act_t act = {.step = ICP_APP_DO_CORRECT, .by = ICP_BY_CLIENT | crossing, .form = taking->form};
    icp_application_t *open;
    if (!application) return drop(taking, reg, NULL, "its link is of no application", pool);
    if (!icp_app_row(application->kind, application->state, act.step, act.by))
        return drop(taking, reg, application, "it cannot be corrected where it stands", pool);
    if (icp_form_kind(icp_form_value(taking->form, "kind")) != (int)application->kind)
        return drop(taking, reg, application, "it is of another kind", pool);
    ICP_TRY(icp_application_documents_missing(taking->issues, reg, taking->form, taking->documents, application->id, pool));
    ICP_TRY(icp_application_open_of(&open, reg, taking->form, pool));
    if (taking->issues->nelts || (open && open->id != application->id)) {
        taking->counts.refused = 1;
        return icp_application_answer(reg, application,
                                      taking->issues->nelts ? reasons_of(taking->issues, pool)
                                                            : icp_reasons_of(ICP_REJECTION_OPEN_ALREADY, pool),
                                      pool);
    }
    taking->counts.corrected = 1;
    apr_hash_set(taking->corrected, apr_pstrdup(apr_hash_pool_get(taking->corrected), token), APR_HASH_KEY_STRING, "");
    ICP_TRY(icp_application_step(reg, application, &act, pool));
    return refer(taking, reg, application, pool);
}

static icp_error_t *withdraw(icp_application_t *application, taking_t *taking, icp_register_t *reg, apr_pool_t *pool)
{
    const icp_application_act_t act = {.step = ICP_APP_DO_WITHDRAW, .by = ICP_BY_CLIENT};
    if (!application) return drop(taking, reg, NULL, "its link is of no application", pool);
    if (!icp_app_row(application->kind, application->state, act.step, act.by))
        return drop(taking, reg, application, "it cannot be withdrawn where it stands", pool);
    taking->counts.withdrawn = 1;
    return icp_application_step(reg, application, &act, pool);
}

static icp_error_t *take_one(taking_t *taking, icp_register_t *reg, apr_pool_t *pool)
{
    const icp_submission_t *submission = taking->submission;
    icp_application_t *application;
    int issues = taking->issues->nelts;
    icp_error_t *error = NULL;
    taking->counts = (icp_takeover_t){0};
    ICP_TRY(is_known(&taking->known, reg, submission->id));
    if (taking->known) return NULL;
    ICP_TRY(icp_application_by_token(&application, reg, submission->token, pool));
    switch (submission->action) {
    case ICP_INTAKE_SUBMIT: error = submit(&application, taking, reg, pool); break;
    case ICP_INTAKE_CORRECT: error = correct(application, taking, reg, pool); break;
    default: error = withdraw(application, taking, reg, pool); break;
    }
    taking->issues->nelts = issues; /* the change may run again */
    return error ? error : mark(reg, submission->id, application);
}

static icp_error_t *change_take(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *takings = baton;
    for (int i = 0; i < takings->nelts; i++) ICP_TRY(take_one(APR_ARRAY_IDX(takings, i, taking_t *), reg, pool));
    return NULL;
}

typedef struct takeover_t {
    icp_register_t *reg;
    icp_takeover_t *result;
    apr_hash_t *corrected;
} takeover_t;

/* Files are written before the change that refers to them, and none for what is refused: that is found out by trying. */
static icp_error_t *keep_files(const apr_array_header_t *takings, icp_register_t *reg, apr_pool_t *pool)
{
    int documents = 0;
    for (int i = 0; i < takings->nelts; i++) documents += APR_ARRAY_IDX(takings, i, taking_t *)->documents->nelts;
    if (!documents || reg->dry_run) return NULL;
    reg->dry_run = 1;
    icp_error_t *error = icp_register_change(reg, change_take, (void *)takings, pool);
    reg->dry_run = 0;
    for (int i = 0; !error && i < takings->nelts; i++) {
        taking_t *taking = APR_ARRAY_IDX(takings, i, taking_t *);
        taking->kept = taking->counts.added || taking->counts.corrected;
        if (taking->kept) error = keep_documents(taking, reg, pool);
    }
    return error;
}

static icp_error_t *take_over(const apr_array_header_t *takings, const takeover_t *takeover, apr_pool_t *pool)
{
    icp_takeover_t *result = takeover->result;
    ICP_TRY(keep_files(takings, takeover->reg, pool));
    ICP_TRY(icp_register_change(takeover->reg, change_take, (void *)takings, pool));
    for (int i = 0; i < takings->nelts; i++) {
        const icp_takeover_t *counts = &APR_ARRAY_IDX(takings, i, taking_t *)->counts;
        result->added += counts->added;
        result->corrected += counts->corrected;
        result->withdrawn += counts->withdrawn;
        result->refused += counts->refused;
        result->dropped += counts->dropped;
    }
    return NULL;
}

static taking_t *new_taking(const icp_submission_t *submission, const takeover_t *takeover, apr_pool_t *pool)
{
    taking_t *taking = apr_pcalloc(pool, sizeof *taking);
    taking->submission = submission;
    taking->corrected = takeover->corrected;
    taking->documents = sent_documents(submission, pool);
    taking->issues = apr_array_make(pool, 4, sizeof(icp_form_issue_t));
    if (submission->form) icp_form_check(&taking->form, &taking->issues, submission->form, pool);
    return taking;
}

/* One change is made durable at the cost of many. Where it fails, each is taken by itself, up to the one that cannot be. */
static icp_error_t *take(int *taken, const apr_array_header_t *submissions, void *baton, apr_pool_t *pool)
{
    const takeover_t *takeover = baton;
    apr_array_header_t *takings = apr_array_make(pool, submissions->nelts, sizeof(taking_t *)), *one;
    for (int i = 0; i < submissions->nelts; i++)
        APR_ARRAY_PUSH(takings, taking_t *) = new_taking(&APR_ARRAY_IDX(submissions, i, icp_submission_t), takeover, pool);
    icp_error_t *error = take_over(takings, takeover, pool);
    for (int i = 0; error && takings->nelts > 1 && i < takings->nelts; i++) {
        one = apr_array_make(pool, 1, sizeof(taking_t *));
        APR_ARRAY_PUSH(one, taking_t *) = APR_ARRAY_IDX(takings, i, taking_t *);
        ICP_TRY(take_over(one, takeover, pool));
    }
    if (error && takings->nelts == 1) return error;
    *taken = !takeover->reg->dry_run;
    return NULL;
}

static icp_error_t *change_expire(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_application_expire(baton, reg, pool);
}

icp_error_t *icp_takeover(icp_takeover_t *result, icp_register_t *reg, apr_pool_t *pool)
{
    takeover_t takeover = {reg, result, apr_hash_make(pool)};
    icp_intake_round_t round;
    apr_pool_t *round_pool;
    *result = (icp_takeover_t){.unreadable = apr_array_make(pool, 4, sizeof(const char *))};
    apr_pool_create(&round_pool, pool);
    do {
        apr_pool_clear(round_pool);
        ICP_TRY(icp_intake_each(&round, reg->path, take, &takeover, round_pool));
        for (int i = 0; i < round.refused->nelts; i++)
            APR_ARRAY_PUSH(result->unreadable, const char *) = apr_pstrdup(pool, APR_ARRAY_IDX(round.refused, i, const char *));
        ICP_TRY(icp_progress_publish(NULL, reg, round_pool));
    } while (round.more && (round.taken || round.refused->nelts));
    apr_pool_destroy(round_pool);
    ICP_TRY(icp_register_change(reg, change_expire, &result->expired, pool));
    return icp_progress_publish(NULL, reg, pool);
}
