#include "pass_grant.h"

#include "audit.h"

static icp_error_t *get_suspended(icp_site_t **site, icp_register_t *reg, const char *name, const char *remedy, apr_pool_t *pool)
{
    ICP_TRY(icp_site_get(site, reg, name, pool));
    if ((*site)->suspension) return NULL;
    return icp_error(pool, ICP_REFUSED, remedy, "%s is not suspended", (*site)->name);
}

icp_error_t *icp_pass_give(icp_site_t **site, icp_register_t *reg, const char *name, apr_time_t until, const char *note,
                           apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    apr_int64_t now = apr_time_sec(reg->now), end = apr_time_sec(until);
    ICP_TRY(get_suspended(site, reg, name, "everybody gets in; no pass is needed", pool));
    const icp_suspension_t *suspension = (*site)->suspension;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_EXPIRE, "i", now));
    ICP_TRY(icp_stmt_run(stmt));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_INSERT, "iiisis", suspension->id, (apr_int64_t)suspension->pass_epoch,
                             now, reg->actor, end, note ? note : ""));
    ICP_TRY(icp_stmt_run(stmt));

    json_t *after = json_pack("{s:I, s:I}", "case", (json_int_t)suspension->id, "expires_at", (json_int_t)end);
    icp_error_t *error = icp_audit_event(reg, "site.pass", (*site)->name, NULL, after, note, pool);
    json_decref(after);
    return error;
}

icp_error_t *icp_pass_revoke(apr_int64_t *count, icp_register_t *reg, const char *name, const char *note, apr_pool_t *pool)
{
    icp_site_t *site;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(get_suspended(&site, reg, name, "no pass of it is good now, nor will one be when it is suspended again", pool));
    const icp_suspension_t *suspension = site->suspension;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_COUNT, "iii", suspension->id, (apr_int64_t)suspension->pass_epoch,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *count = icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_REVOKE, "i", suspension->id));
    ICP_TRY(icp_stmt_run(stmt));

    json_t *before = json_pack("{s:I, s:I}", "case", (json_int_t)suspension->id, "passes", (json_int_t)*count);
    icp_error_t *error = icp_audit_event(reg, "site.pass-revoke", site->name, before, NULL, note, pool);
    json_decref(before);
    return error;
}

icp_error_t *icp_pass_each(icp_register_t *reg, apr_int64_t site_id, icp_grant_fn *fn, void *baton, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    if (site_id)
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_LIST, "ii", (apr_int64_t)apr_time_sec(reg->now), site_id));
    else
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_PASS_LIST, "i", (apr_int64_t)apr_time_sec(reg->now)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_grant_t grant = {.site = icp_stmt_text(stmt, 0, pool),
                             .suspension_id = icp_stmt_int(stmt, 1),
                             .given_at = apr_time_from_sec(icp_stmt_int(stmt, 2)),
                             .given_by = icp_stmt_text(stmt, 3, pool),
                             .until = apr_time_from_sec(icp_stmt_int(stmt, 4)),
                             .note = icp_stmt_text(stmt, 5, pool)};
        icp_error_t *error = fn(&grant, baton, pool);
        if (error) {
            icp_stmt_reset(stmt);
            return error;
        }
    }
}
