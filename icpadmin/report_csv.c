/* The report for a spreadsheet: see report_write.h. */
#include <string.h>

#include <apr_strings.h>

#include "report_write.h"
#include "suspension.h"

/* Beijing time with its offset: "2026-11-24T10:17:00+08:00"; "" for 0. */
static const char *time_text(apr_time_t at, apr_pool_t *pool)
{
    apr_time_exp_t t;
    if (!at || apr_time_exp_tz(&t, at, ICP_REPORT_ZONE)) return "";
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d+%02d:00", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                        t.tm_sec, ICP_REPORT_ZONE / 3600);
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

/* A line; what a kind of record does not say is left out, and its cell empty. */
typedef struct record_t {
    const char *record, *site, *case_id, *hosts, *numbers, *holder, *at, *by, *what, *told, *until, *until_by, *ground, *note, *count;
} record_t;

static void write_record(FILE *out, const record_t *record)
{
    const char *const *cell = (const char *const *)record;
    for (size_t i = 0; i < sizeof *record / sizeof *cell; i++) {
        if (i) putc(',', out);
        if (cell[i]) write_cell(out, cell[i]);
    }
    fputs("\r\n", out);
}
#define RECORD(...) write_record(out, &(record_t){__VA_ARGS__})

static const char *count_text(apr_int64_t count, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, count);
}

static const char *case_text(apr_int64_t id, apr_pool_t *pool)
{
    return id ? apr_psprintf(pool, ICP_CASE_FORMAT, id) : NULL;
}

static void write_totals(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    const struct {
        const char *what;
        apr_int64_t count;
    } totals[] = {{"sites on file", report->sites->nelts},
                  {"sites removed", report->removed},
                  {"licenses on file", report->licenses->nelts},
                  {"looks", report->looks},
                  {"warnings", report->warnings->nelts},
                  {"reviews", report->reviews->nelts},
                  {"exemptions", report->exemptions->nelts},
                  {"suspended at the beginning", report->open_before},
                  {"suspensions opened", report->opened},
                  {"suspensions closed", report->closed},
                  {"closed by attestation", report->attested},
                  {"suspended at the end", report->open_after}};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        RECORD(.record = "total", .what = totals[i].what, .count = count_text(totals[i].count, pool));
    }
}

static void write_sites(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    for (int i = 0; i < report->licenses->nelts; i++) {
        const icp_report_license_t *license = &APR_ARRAY_IDX(report->licenses, i, icp_report_license_t);
        RECORD(.record = "license", .numbers = license->number, .holder = license->holder, .at = time_text(license->since, pool),
               .what = license->status);
    }
    for (int i = 0; i < report->sites->nelts; i++) {
        const icp_report_site_t *site = &APR_ARRAY_IDX(report->sites, i, icp_report_site_t);
        RECORD(.record = "site", .site = site->name, .case_id = case_text(site->suspended, pool), .hosts = site->hosts, .numbers = site->numbers,
               .holder = site->holders, .at = time_text(site->since, pool), .what = site->verdict ? site->verdict : "never looked at",
               .until = time_text(site->looked_at, pool), .note = site->suspended ? "suspended" : "open",
               .count = count_text(site->looks, pool));
    }
}

static void write_judgements(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    for (int i = 0; i < report->turns->nelts; i++) {
        const icp_report_turn_t *turn = &APR_ARRAY_IDX(report->turns, i, icp_report_turn_t);
        RECORD(.record = "verdict", .site = turn->site, .at = time_text(turn->at, pool), .what = turn->verdict,
               .note = turn->before ? apr_pstrcat(pool, "before: ", turn->before, NULL) : NULL);
    }
    for (int i = 0; i < report->warnings->nelts; i++) {
        const icp_report_warning_t *warning = &APR_ARRAY_IDX(report->warnings, i, icp_report_warning_t);
        RECORD(.record = "warning", .site = warning->site, .at = time_text(warning->at, pool), .what = warning->verdict,
               .told = time_text(warning->told_at, pool), .ground = icp_report_mailed(warning), .until = time_text(warning->deadline, pool),
               .count = count_text(warning->mails, pool));
    }
    for (int i = 0; i < report->reviews->nelts; i++) {
        const icp_report_review_t *review = &APR_ARRAY_IDX(report->reviews, i, icp_report_review_t);
        RECORD(.record = "review", .site = review->site, .at = time_text(review->at, pool), .by = review->by, .what = review->verdict,
               .ground = review->sighting ? apr_pstrcat(pool, "visitors got: ", review->sighting, NULL) : NULL, .note = review->note);
    }
    for (int i = 0; i < report->exemptions->nelts; i++) {
        const icp_report_exemption_t *exemption = &APR_ARRAY_IDX(report->exemptions, i, icp_report_exemption_t);
        RECORD(.record = "exemption", .site = exemption->site ? exemption->site : "every site", .at = time_text(exemption->from, pool),
               .by = exemption->by, .what = exemption->verdict ? exemption->verdict : "whatever is found",
               .until = time_text(exemption->removed_at ? exemption->removed_at : exemption->until, pool),
               .until_by = exemption->removed_by, .note = exemption->note);
    }
}

static void write_cases(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    for (int i = 0; i < report->cases->nelts; i++) {
        const icp_report_case_t *found = &APR_ARRAY_IDX(report->cases, i, icp_report_case_t);
        const char *closing = found->closing && *found->closing ? apr_pstrcat(pool, "; closed: ", found->closing, NULL) : "";
        RECORD(.record = "suspension", .site = found->site, .case_id = case_text(found->id, pool), .numbers = found->number,
               .at = time_text(found->opened_at, pool), .by = found->opened_by, .what = found->reason,
               .told = time_text(found->told_at, pool), .until = time_text(found->closed_at, pool), .until_by = found->closed_by,
               .ground = found->ground,
               .note = apr_pstrcat(pool, "lasted ", icp_report_duration(found, report, pool), " h", found->note && *found->note ? "; " : "",
                                   found->note ? found->note : "", closing, NULL));
    }
}

void icp_report_csv(FILE *out, const icp_report_t *report, apr_pool_t *pool)
{
    fputs("\xEF\xBB\xBF", out);
    RECORD("record", "site", "case", "hosts", "numbers", "holder", "at", "by", "what", "told", "until", "until_by", "ground", "note", "count");
    RECORD(.record = "month", .at = time_text(report->from, pool), .what = report->complete ? "complete" : "under way",
           .until = time_text(report->until, pool), .note = report->month);
    write_totals(out, report, pool);
    write_sites(out, report, pool);
    write_judgements(out, report, pool);
    write_cases(out, report, pool);
}
