#include "inspection.h"

#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "json.h"
#include "text.h"

/* What is kept of a look: the inspection as icpadmin inspect prints it, and where the page was found. */
static json_t *look_json(const icp_look_t *look)
{
    json_t *detail = icp_inspection_json(look->inspection);
    if (look->url) json_object_set_new(detail, "url", json_string(look->url));
    json_object_set_new(detail, "status", json_integer(look->status));
    if (look->fault) json_object_set_new(detail, "fault", json_string(look->fault));
    return detail;
}

static icp_error_t *record_change(icp_register_t *reg, const char *site, const char *before_verdict, json_t *detail,
                                  apr_pool_t *pool)
{
    json_t *before = before_verdict ? json_pack("{s:s}", "verdict", before_verdict) : NULL;
    icp_error_t *error = icp_audit_event(reg, "site.verdict", site, before, detail, NULL, pool);
    json_decref(before);
    return error;
}

/* The newest look on file counts, unless the clock was ahead when it was made. */
static int is_overtaken(const icp_register_t *reg, const icp_look_t *look, apr_int64_t site, apr_int64_t newest, apr_int64_t enabled)
{
    if (look->site_id != site || look->enabled != enabled) return 1;
    return apr_time_sec(look->at) < newest && newest <= apr_time_sec(reg->now);
}

static icp_error_t *record(icp_register_t *reg, const icp_look_t *look, json_t *detail, icp_recorded_e *how, apr_pool_t *pool)
{
    const icp_inspection_t *inspection = look->inspection;
    const char *verdict = icp_verdict_name(inspection->verdict);
    const char *reason = inspection->verdict == ICP_UNREADABLE ? icp_unreadable_name(inspection->unreadable) : "";
    const char *text = icp_json_text(detail, JSON_COMPACT, pool), *before = NULL;
    apr_int64_t at = apr_time_sec(look->at), run = 0;
    const char *before_reason = NULL, *unreached = icp_unreadable_name(ICP_UNREADABLE_UNREACHED);
    icp_stmt_t *stmt;
    int row;

    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_INSPECTION_OF_SITE, "s", look->site));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) {
        return icp_error(pool, ICP_NOT_FOUND, "icpadmin site list shows those on file", "no site is on file as %s",
                         icp_text_printable(look->site, ICP_TEXT_NAME_MAX, pool));
    }
    apr_int64_t site = icp_stmt_int(stmt, 0), newest = icp_stmt_int(stmt, 4), enabled = icp_stmt_int(stmt, 5);
    if (!icp_stmt_null(stmt, 1)) {
        run = icp_stmt_int(stmt, 1);
        before = icp_stmt_text(stmt, 2, pool);
        before_reason = icp_stmt_text(stmt, 3, pool);
    }
    icp_stmt_reset(stmt);
    *how = ICP_RECORDED_OVERTAKEN;
    if (is_overtaken(reg, look, site, newest, enabled)) return NULL;

    /* A page that did not come is another thing than one that cannot be judged. */
    int changes = !before || strcmp(before, verdict) != 0 || !strcmp(before_reason, unreached) != !strcmp(reason, unreached);
    *how = changes ? ICP_RECORDED_CHANGE : ICP_RECORDED_SAME;
    if (changes) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_INSPECTION_INSERT, "isssi", site, verdict, reason, text, at));
        ICP_TRY(icp_stmt_run(stmt));
        return record_change(reg, look->site, before, detail, pool);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_INSPECTION_AGAIN, "issi", run, reason, text, at));
    return icp_stmt_run(stmt);
}

static icp_error_t *count_look(icp_register_t *reg, const icp_look_t *look)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_COUNT_LOOK, "si", look->site, (apr_int64_t)apr_time_sec(look->at)));
    return icp_stmt_run(stmt);
}

icp_error_t *icp_inspection_record(icp_register_t *reg, const icp_look_t *look, icp_recorded_e *how, apr_pool_t *pool)
{
    icp_recorded_e ignored;
    json_t *detail = look_json(look);
    icp_error_t *error = record(reg, look, detail, how ? how : &ignored, pool);
    if (!error) error = count_look(reg, look);
    json_decref(detail);
    return error;
}

icp_error_t *icp_inspection_newest(icp_run_t **result, icp_register_t *reg, apr_int64_t site_id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_INSPECTION_NEWEST, "i", site_id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_run_t *run = apr_pcalloc(pool, sizeof *run);
    run->verdict = icp_stmt_text(stmt, 1, pool);
    run->reason = icp_stmt_text(stmt, 2, pool);
    run->detail = icp_stmt_text(stmt, 3, pool);
    run->first_at = apr_time_from_sec(icp_stmt_int(stmt, 4));
    run->last_at = apr_time_from_sec(icp_stmt_int(stmt, 5));
    run->looks = icp_stmt_int(stmt, 6);
    icp_stmt_reset(stmt);
    *result = run;
    return NULL;
}
