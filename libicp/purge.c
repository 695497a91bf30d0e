#include "purge.h"

#include <string.h>

#include "application.h"
#include "application_document.h"
#include "audit.h"
#include "intake.h"

typedef struct purging_t {
    apr_int64_t days;
    apr_array_header_t *applications; /* icp_application_t * */
} purging_t;

static icp_error_t *collect(icp_register_t *reg, void *baton, apr_pool_t *unused)
{
    purging_t *purging = baton;
    apr_pool_t *pool = purging->applications->pool;
    apr_array_header_t *ids;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_TO_PURGE, "i",
                             (apr_int64_t)apr_time_sec(reg->now) - purging->days * 86400));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    for (int i = 0; i < ids->nelts; i++) {
        icp_application_t *application;
        ICP_TRY(icp_application_by_id(&application, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), pool));
        APR_ARRAY_PUSH(purging->applications, icp_application_t *) = application;
    }
    return NULL;
}

/* A business's name is no personal data. */
static icp_error_t *purge_one(icp_register_t *reg, const icp_application_t *application, apr_pool_t *pool)
{
    const char *holder = strcmp(icp_form_value(application->form, "holder.kind"), "business") ? "" : application->holder;
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_PURGE, "iis", application->id, (apr_int64_t)apr_time_sec(reg->now),
                             holder));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_PURGE_DOCUMENTS, "i", application->id));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_PURGE_MESSAGES, "s", application->reference));
    ICP_TRY(icp_stmt_run(stmt));
    return icp_audit_event(reg, "application.purge", application->reference, NULL, NULL, NULL, pool);
}

static icp_error_t *change_purge(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const purging_t *purging = baton;
    for (int i = 0; i < purging->applications->nelts; i++)
        ICP_TRY(purge_one(reg, APR_ARRAY_IDX(purging->applications, i, icp_application_t *), pool));
    return NULL;
}

/* The pages go first: once the tokens are gone, nobody could say which they were. */
icp_error_t *icp_purge(icp_purge_t *result, icp_register_t *reg, apr_int64_t days, apr_pool_t *pool)
{
    purging_t purging = {days, apr_array_make(pool, 16, sizeof(icp_application_t *))};
    result->references = apr_array_make(pool, 16, sizeof(const char *));
    ICP_TRY(icp_register_read(reg, collect, &purging, pool));
    for (int i = 0; i < purging.applications->nelts; i++) {
        const icp_application_t *application = APR_ARRAY_IDX(purging.applications, i, icp_application_t *);
        if (!reg->dry_run) ICP_TRY(icp_intake_unpublish(reg->path, application->token, pool));
        APR_ARRAY_PUSH(result->references, const char *) = application->reference;
    }
    if (purging.applications->nelts) ICP_TRY(icp_register_change(reg, change_purge, &purging, pool));
    return icp_document_clean(&result->files, reg, pool);
}
