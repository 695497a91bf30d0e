/* See exemption.h. Who is exempt and why is in the audit log: exemption.add and exemption.remove. */
#include "exemption.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "audit.h"
#include "site.h"
#include "text.h"
#include "verdict.h"

static icp_exemption_t *read_row(icp_stmt_t *stmt, apr_pool_t *pool)
{
    icp_exemption_t *exemption = apr_pcalloc(pool, sizeof *exemption);
    *exemption = (icp_exemption_t){.id = icp_stmt_int(stmt, 0),
                                   .site = icp_stmt_text(stmt, 1, pool),
                                   .verdict = icp_stmt_text(stmt, 2, pool),
                                   .from = apr_time_from_sec(icp_stmt_int(stmt, 3)),
                                   .until = apr_time_from_sec(icp_stmt_int(stmt, 4)),
                                   .note = icp_stmt_text(stmt, 5, pool),
                                   .created_at = apr_time_from_sec(icp_stmt_int(stmt, 6)),
                                   .created_by = icp_stmt_text(stmt, 7, pool)};
    return exemption;
}

static json_t *as_json(const icp_exemption_t *exemption)
{
    return json_pack("{s:I, s:s?, s:I, s:I}", "exemption", (json_int_t)exemption->id, "verdict", exemption->verdict, "from",
                     (json_int_t)apr_time_sec(exemption->from), "until", (json_int_t)apr_time_sec(exemption->until));
}

icp_error_t *icp_exemption_add(icp_register_t *reg, icp_exemption_t *exemption, apr_pool_t *pool)
{
    icp_site_t *site = NULL;
    icp_stmt_t *stmt;
    if (exemption->verdict && !icp_verdict_fails(icp_verdict_parse(exemption->verdict))) {
        return icp_error(pool, ICP_USAGE, "say missing, incorrect or invalid, or leave it out for all of them",
                         "no site is suspended by policy for `%s`", icp_text_printable(exemption->verdict, 60, pool));
    }
    if (!*icp_text_trim(exemption->note, pool)) return icp_error(pool, ICP_USAGE, "say in one line why", "an exemption needs a note");
    if (!icp_text_plain(exemption->note)) {
        return icp_error(pool, ICP_USAGE, "say it without line breaks and control characters", "the note of an exemption is one line");
    }
    if (apr_time_sec(exemption->until) <= apr_time_sec(exemption->from) || exemption->until <= reg->now) {
        return icp_error(pool, ICP_USAGE, "let it end after its beginning, and in the future",
                         "an exemption from %s until %s is none", icp_text_time(exemption->from, pool),
                         icp_text_time(exemption->until, pool));
    }
    if (exemption->site) {
        ICP_TRY(icp_site_get(&site, reg, exemption->site, pool));
        exemption->site = site->name;
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EXEMPTION_ADD, "siisisi",
                             exemption->verdict, (apr_int64_t)apr_time_sec(exemption->from),
                             (apr_int64_t)apr_time_sec(exemption->until), exemption->note,
                             (apr_int64_t)apr_time_sec(reg->now), reg->actor, site ? site->id : (apr_int64_t)0));
    ICP_TRY(icp_stmt_run(stmt));
    exemption->id = icp_db_last_id(reg->db);
    exemption->created_at = reg->now;
    exemption->created_by = reg->actor;
    json_t *after = as_json(exemption);
    icp_error_t *error = icp_audit_event(reg, "exemption.add", site ? site->name : ICP_EXEMPTION_EVERY_SITE, NULL, after,
                                         exemption->note, pool);
    json_decref(after);
    return error;
}

icp_error_t *icp_exemption_grant(icp_register_t *reg, const char *site, const char *verdict, apr_int64_t days,
                                 const char *note, apr_pool_t *pool)
{
    if (!days) return NULL;
    apr_time_t from = apr_time_from_sec(apr_time_sec(reg->now));
    icp_exemption_t exemption = {
        .site = site, .verdict = verdict, .from = from, .until = from + apr_time_from_sec(days * 86400), .note = note};
    return icp_exemption_add(reg, &exemption, pool);
}

icp_error_t *icp_exemption_remove(icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EXEMPTION_LIST, "isi", (apr_int64_t)0, (const char *)NULL, id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) {
        return icp_error(pool, ICP_NOT_FOUND, "icpadmin exemption list shows those on file",
                         "there is no exemption %" APR_INT64_T_FMT, id);
    }
    icp_exemption_t *exemption = read_row(stmt, pool);
    icp_stmt_reset(stmt);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EXEMPTION_REMOVE, "i", id));
    ICP_TRY(icp_stmt_run(stmt));
    json_t *before = as_json(exemption);
    icp_error_t *error = icp_audit_event(reg, "exemption.remove", exemption->site ? exemption->site : ICP_EXEMPTION_EVERY_SITE, before,
                                         NULL, NULL, pool);
    json_decref(before);
    return error;
}

icp_error_t *icp_exemption_in_force(icp_exemption_t **exemption, icp_register_t *reg, apr_int64_t site_id,
                                    const char *verdict, apr_time_t at, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *exemption = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EXEMPTION_IN_FORCE, "isi", site_id, verdict,
                             (apr_int64_t)apr_time_sec(at)));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row) *exemption = read_row(stmt, pool);
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_exemption_list(apr_array_header_t **list, icp_register_t *reg, const char *site, apr_time_t since,
                                apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *list = apr_array_make(pool, 8, sizeof(icp_exemption_t));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_EXEMPTION_LIST, "is", (apr_int64_t)apr_time_sec(since), site));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        APR_ARRAY_PUSH(*list, icp_exemption_t) = *read_row(stmt, pool);
    }
}
