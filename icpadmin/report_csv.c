/* The report for a spreadsheet: see report_write.h. */
#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "report_write.h"
#include "suspension.h"

const char *icp_report_time(apr_time_t at, apr_pool_t *pool)
{
    apr_time_exp_t local;
    if (!at || apr_time_exp_lt(&local, at)) return "";
    int minutes = local.tm_gmtoff / 60, size = minutes < 0 ? -minutes : minutes;
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                        local.tm_hour, local.tm_min, local.tm_sec, minutes < 0 ? '-' : '+', size / 60, size % 60);
}

const char *icp_report_duration(const icp_report_case_t *found, const icp_report_t *report, apr_pool_t *pool)
{
    apr_int64_t minutes = apr_time_sec((found->closed_at ? found->closed_at : report->until) - found->opened_at) / 60;
    if (minutes < 0) minutes = 0;
    return apr_psprintf(pool, "%" APR_INT64_T_FMT ":%02d", minutes / 60, (int)(minutes % 60));
}

/* Would a spreadsheet take it for a formula? Full-width forms as well: some do in Chinese. */
static int is_formula(const char *cell)
{
    static const char *const wide[] = {"＝", "＋", "－", "＠"};
    if (*cell && strchr("=+-@\t\r", *cell)) return 1;
    for (int i = 0; i < 4; i++) {
        if (!strncmp(cell, wide[i], strlen(wide[i]))) return 1;
    }
    return 0;
}

static void write_cell(FILE *out, const char *cell)
{
    int formula = is_formula(cell);
    if (!formula && !strpbrk(cell, ",\"\r\n")) {
        fputs(cell, out);
        return;
    }
    fputs(formula ? "\"'" : "\"", out);
    for (; *cell; cell++) {
        if (*cell == '"') putc('"', out);
        putc(*cell, out);
    }
    putc('"', out);
}

#define COLUMNS 14

/* COLUMNS cells (const char *, NULL is empty). */
static void write_record(FILE *out, ...)
{
    va_list cells;
    va_start(cells, out);
    for (int i = 0; i < COLUMNS; i++) {
        const char *cell = va_arg(cells, const char *);
        if (i) putc(',', out);
        if (cell) write_cell(out, cell);
    }
    va_end(cells);
    fputs("\r\n", out);
}

static void write_total(FILE *out, const char *what, apr_int64_t count, apr_pool_t *pool)
{
    write_record(out, "total", NULL, NULL, NULL, NULL, NULL, NULL, NULL, what, NULL, NULL, NULL, NULL,
                 apr_psprintf(pool, "%" APR_INT64_T_FMT, count));
}

static const char *case_text(apr_int64_t id, apr_pool_t *pool)
{
    return id ? apr_psprintf(pool, ICP_CASE_FORMAT, id) : NULL;
}

static const char *warning_state(const icp_report_warning_t *warning)
{
    if (!warning->mails) return "no mail";
    return warning->sent_at ? "sent" : warning->on_file ? "not sent" : "mailed";
}

void icp_report_csv(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    fputs("\xEF\xBB\xBF", out);
    write_record(out, "record", "site", "case", "hosts", "numbers", "holder", "at", "by", "what", "until", "until_by", "ground", "note",
                 "count");
    write_record(out, "month", NULL, NULL, NULL, NULL, NULL, icp_report_time(report->from, pool), NULL,
                 report->complete ? "complete" : "under way", icp_report_time(report->until, pool), NULL, NULL, report->month, NULL);
    write_total(out, "sites on file", report->sites->nelts, pool);
    write_total(out, "sites removed", report->removed, pool);
    write_total(out, "licenses on file", report->licenses->nelts, pool);
    write_total(out, "looks", report->looks, pool);
    write_total(out, "warnings", report->warnings->nelts, pool);
    write_total(out, "suspended at the beginning", report->open_before, pool);
    write_total(out, "suspensions opened", report->opened, pool);
    write_total(out, "suspensions closed", report->closed, pool);
    write_total(out, "closed by attestation", report->attested, pool);
    write_total(out, "suspended at the end", report->open_after, pool);
    for (int i = 0; i < report->licenses->nelts; i++) {
        const icp_report_license_t *license = &APR_ARRAY_IDX(report->licenses, i, icp_report_license_t);
        write_record(out, "license", NULL, NULL, NULL, license->number, license->holder, icp_report_time(license->since, pool), NULL,
                     license->status, NULL, NULL, NULL, NULL, NULL);
    }
    for (int i = 0; i < report->sites->nelts; i++) {
        const icp_report_site_t *site = &APR_ARRAY_IDX(report->sites, i, icp_report_site_t);
        write_record(out, "site", site->name, case_text(site->suspended, pool), site->hosts, site->numbers, site->holders,
                     icp_report_time(site->since, pool), NULL, site->verdict ? site->verdict : "never looked at", NULL, NULL, NULL,
                     site->suspended ? "suspended" : "open", apr_psprintf(pool, "%" APR_INT64_T_FMT, site->looks));
    }
    for (int i = 0; i < report->turns->nelts; i++) {
        const icp_report_turn_t *turn = &APR_ARRAY_IDX(report->turns, i, icp_report_turn_t);
        write_record(out, "verdict", turn->site, NULL, NULL, NULL, NULL, icp_report_time(turn->at, pool), NULL, turn->verdict, NULL,
                     NULL, NULL, turn->before ? apr_pstrcat(pool, "before: ", turn->before, NULL) : NULL, NULL);
    }
    for (int i = 0; i < report->warnings->nelts; i++) {
        const icp_report_warning_t *warning = &APR_ARRAY_IDX(report->warnings, i, icp_report_warning_t);
        write_record(out, "warning", warning->site, NULL, NULL, NULL, NULL, icp_report_time(warning->at, pool), NULL,
                     warning_state(warning), icp_report_time(warning->sent_at, pool), NULL, NULL, NULL, NULL);
    }
    for (int i = 0; i < report->cases->nelts; i++) {
        const icp_report_case_t *found = &APR_ARRAY_IDX(report->cases, i, icp_report_case_t);
        const char *closing = found->closing && *found->closing ? apr_pstrcat(pool, "; closed: ", found->closing, NULL) : "";
        write_record(out, "suspension", found->site, case_text(found->id, pool), NULL, found->number, NULL,
                     icp_report_time(found->opened_at, pool), found->opened_by, found->reason, icp_report_time(found->closed_at, pool),
                     found->closed_by, found->ground,
                     apr_pstrcat(pool, "lasted ", icp_report_duration(found, report, pool), " h",
                                 found->note && *found->note ? "; " : "", found->note ? found->note : "", closing, NULL),
                     NULL);
    }
}
