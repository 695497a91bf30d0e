/* A month told from the log: see report.h. The log is replayed from its beginning to the month's end; what a restore brought in
 * without an event is taken from the tables. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "number.h"
#include "report_replay.h"
#include "workday.h"

static icp_error_t *read_sites(icp_register_t *reg, icp_report_replay_t *replay, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_SITES, "i", (apr_int64_t)apr_time_sec(replay->report->until)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        icp_report_known_t *known = icp_report_site(replay, icp_stmt_text(stmt, 0, pool));
        known->on_file = 1;
        if (!known->site.since) known->site.since = apr_time_from_sec(icp_stmt_int(stmt, 1));
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_LOOKS, "s", replay->report->month));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_report_site_t *site = &icp_report_site(replay, icp_stmt_text(stmt, 0, pool))->site;
        site->looks = icp_stmt_int(stmt, 1);
        site->looked_at = apr_time_from_sec(icp_stmt_int(stmt, 2));
        replay->report->looks += site->looks;
    }
}

static icp_error_t *read_cases(icp_register_t *reg, icp_report_replay_t *replay)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_SUSPENSIONS, "i", (apr_int64_t)apr_time_sec(replay->report->until)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_report_case_t *found = icp_report_case(replay, icp_stmt_int(stmt, 0));
        if (found->site) continue;
        found->site = icp_stmt_text(stmt, 1, replay->pool);
        found->reason = icp_stmt_text(stmt, 2, replay->pool);
        found->opened_at = apr_time_from_sec(icp_stmt_int(stmt, 3));
        found->opened_by = icp_stmt_text(stmt, 4, replay->pool);
        apr_time_t closed_at = apr_time_from_sec(icp_stmt_int(stmt, 5));
        if (!found->closed_at && closed_at && closed_at < replay->report->until) {
            found->closed_at = closed_at;
            found->closed_by = icp_stmt_text(stmt, 6, replay->pool);
        }
    }
}

/* Mails were posted in the change that the event is of. */
static icp_error_t *read_mails(apr_int64_t *count, apr_time_t *told_at, icp_register_t *reg, const icp_report_t *report, const char *event,
                               const char *site, apr_time_t at)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_MAILS, "ssii", site, event, (apr_int64_t)apr_time_sec(at),
                             (apr_int64_t)apr_time_sec(report->until)));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *count = icp_stmt_int(stmt, 0);
    *told_at = apr_time_from_sec(icp_stmt_int(stmt, 1));
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *read_told(icp_register_t *reg, const icp_report_replay_t *replay)
{
    const icp_report_t *report = replay->report;
    for (int i = 0; i < report->warnings->nelts; i++) {
        icp_report_warning_t *warning = &APR_ARRAY_IDX(report->warnings, i, icp_report_warning_t);
        ICP_TRY(read_mails(&warning->on_file, &warning->told_at, reg, report, "site.warned", warning->site, warning->at));
    }
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->cases); at; at = apr_hash_next(at)) {
        icp_report_case_t *found = apr_hash_this_val(at);
        apr_int64_t ignored;
        if (!found->site || (found->closed_at && found->closed_at < report->from)) continue;
        ICP_TRY(read_mails(&ignored, &found->told_at, reg, report, "site.suspended", found->site, found->opened_at));
    }
    return NULL;
}

const char *icp_report_mailed(const icp_report_warning_t *warning)
{
    if (!warning->mails) return "no mail";
    return warning->told_at ? "sent" : warning->on_file ? "not sent" : "mailed";
}

static icp_error_t *read_tables(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    icp_report_replay_t *replay = baton;
    ICP_TRY(read_sites(reg, replay, pool));
    ICP_TRY(read_cases(reg, replay));
    return read_told(reg, replay);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const icp_report_site_t *)left)->name, ((const icp_report_site_t *)right)->name);
}

static int by_number(const void *left, const void *right)
{
    return strcmp(((const icp_report_license_t *)left)->number, ((const icp_report_license_t *)right)->number);
}

static int by_beginning(const void *left, const void *right)
{
    const icp_report_exemption_t *a = left, *b = right;
    return a->from != b->from ? a->from < b->from ? -1 : 1 : a->id < b->id ? -1 : a->id > b->id;
}

static int by_id(const void *left, const void *right)
{
    const icp_report_case_t *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The holders of the numbers' licenses, each once. */
static const char *holders_of(const icp_report_replay_t *replay, const icp_report_site_t *site)
{
    const char *holders = "";
    char *last, *numbers = apr_pstrdup(replay->pool, site->numbers);
    for (char *word = apr_strtok(numbers, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        const icp_number_t *number = icp_number_parse(word, replay->pool);
        const icp_report_license_t *license =
            number->license ? apr_hash_get(replay->licenses, number->license, APR_HASH_KEY_STRING) : NULL;
        if (!license || !*license->holder) continue;
        const char *known = apr_pstrcat(replay->pool, "; ", holders, "; ", NULL);
        if (strstr(known, apr_pstrcat(replay->pool, "; ", license->holder, "; ", NULL))) continue;
        holders = apr_pstrcat(replay->pool, holders, *holders ? "; " : "", license->holder, NULL);
    }
    return holders;
}

static void gather_cases(icp_report_replay_t *replay)
{
    icp_report_t *report = replay->report;
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->cases); at; at = apr_hash_next(at)) {
        const icp_report_case_t *found = apr_hash_this_val(at);
        if (!found->site || (found->closed_at && found->closed_at < report->from)) continue;
        APR_ARRAY_PUSH(report->cases, icp_report_case_t) = *found;
        report->opened += found->opened_at >= report->from;
        report->open_before += found->opened_at < report->from;
        report->closed += found->closed_at != 0;
        report->open_after += found->closed_at == 0;
        report->attested += found->ground && !strcmp(found->ground, "attested");
        icp_report_known_t *known = found->closed_at ? NULL : apr_hash_get(replay->sites, found->site, APR_HASH_KEY_STRING);
        if (known) known->site.suspended = found->id;
    }
    qsort(report->cases->elts, (size_t)report->cases->nelts, sizeof(icp_report_case_t), by_id);
}

static void gather_exemptions(const icp_report_replay_t *replay)
{
    const icp_report_t *report = replay->report;
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->exemptions); at; at = apr_hash_next(at)) {
        const icp_report_exemption_t *exemption = apr_hash_this_val(at);
        apr_time_t end = exemption->removed_at && exemption->removed_at < exemption->until ? exemption->removed_at : exemption->until;
        if (exemption->from >= report->until || end <= report->from) continue;
        APR_ARRAY_PUSH(report->exemptions, icp_report_exemption_t) = *exemption;
    }
    qsort(report->exemptions->elts, (size_t)report->exemptions->nelts, sizeof(icp_report_exemption_t), by_beginning);
}

static void gather(icp_report_replay_t *replay)
{
    icp_report_t *report = replay->report;
    gather_cases(replay);
    gather_exemptions(replay);
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->sites); at; at = apr_hash_next(at)) {
        icp_report_known_t *known = apr_hash_this_val(at);
        if (!known->on_file) continue;
        known->site.holders = holders_of(replay, &known->site);
        APR_ARRAY_PUSH(report->sites, icp_report_site_t) = known->site;
    }
    qsort(report->sites->elts, (size_t)report->sites->nelts, sizeof(icp_report_site_t), by_name);
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->licenses); at; at = apr_hash_next(at)) {
        APR_ARRAY_PUSH(report->licenses, icp_report_license_t) = *(icp_report_license_t *)apr_hash_this_val(at);
    }
    qsort(report->licenses->elts, (size_t)report->licenses->nelts, sizeof(icp_report_license_t), by_number);
}

static icp_error_t *read_month(icp_report_t *report, const char *text, apr_time_t now, apr_pool_t *pool)
{
    icp_day_t first, next;
    ICP_TRY(icp_month_parse(&first, &next, text, pool));
    report->month = text;
    report->from = icp_day_begin(first);
    report->until = icp_day_begin(next);
    report->complete = report->until <= now;
    if (!report->complete) report->until = now + apr_time_from_sec(1);
    if (report->from <= now) return NULL;
    return icp_error(pool, ICP_USAGE, "name a month that has begun", "%s has not begun", text);
}

icp_error_t *icp_report_read(icp_report_t **result, icp_register_t *reg, const char *month, apr_pool_t *pool)
{
    icp_report_t *report = apr_pcalloc(pool, sizeof *report);
    ICP_TRY(read_month(report, month, apr_time_now(), pool));
    report->sites = apr_array_make(pool, 64, sizeof(icp_report_site_t));
    report->turns = apr_array_make(pool, 64, sizeof(icp_report_turn_t));
    report->cases = apr_array_make(pool, 16, sizeof(icp_report_case_t));
    report->warnings = apr_array_make(pool, 16, sizeof(icp_report_warning_t));
    report->reviews = apr_array_make(pool, 16, sizeof(icp_report_review_t));
    report->exemptions = apr_array_make(pool, 16, sizeof(icp_report_exemption_t));
    report->licenses = apr_array_make(pool, 16, sizeof(icp_report_license_t));
    icp_report_replay_t replay = {report, apr_hash_make(pool), apr_hash_make(pool), apr_hash_make(pool), apr_hash_make(pool), pool};
    ICP_TRY(icp_audit_each(reg, NULL, icp_report_replay, &replay, pool));
    ICP_TRY(icp_register_read(reg, read_tables, &replay, pool));
    gather(&replay);
    *result = report;
    return NULL;
}
