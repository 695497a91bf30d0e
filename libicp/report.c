/* A month told from the log: see report.h. The log is replayed from its beginning to the month's end; what a restore brought in
 * without an event is taken from the tables. */
#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

#include "audit.h"
#include "number.h"
#include "text.h"

typedef struct known_t {
    icp_report_site_t site;
    int on_file;
} known_t;

typedef struct replay_t {
    icp_report_t *report;
    apr_hash_t *sites;    /* known_t by name */
    apr_hash_t *cases;    /* icp_report_case_t by id */
    apr_hash_t *licenses; /* icp_report_license_t by number */
    apr_pool_t *pool;
} replay_t;

static const char *keep(const replay_t *replay, const char *text)
{
    return text ? apr_pstrdup(replay->pool, text) : NULL;
}

static const char *joined(const replay_t *replay, const json_t *texts)
{
    const char *line = "";
    for (size_t i = 0; i < json_array_size(texts); i++) {
        line = apr_pstrcat(replay->pool, line, i ? " " : "", json_string_value(json_array_get(texts, i)), NULL);
    }
    return line;
}

static known_t *site_of(const replay_t *replay, const char *name)
{
    known_t *known = apr_hash_get(replay->sites, name, APR_HASH_KEY_STRING);
    if (known) return known;
    known = apr_pcalloc(replay->pool, sizeof *known);
    known->site = (icp_report_site_t){.name = keep(replay, name), .hosts = "", .numbers = "", .holders = ""};
    apr_hash_set(replay->sites, known->site.name, APR_HASH_KEY_STRING, known);
    return known;
}

static icp_report_case_t *case_of(const replay_t *replay, apr_int64_t id)
{
    icp_report_case_t *found = apr_hash_get(replay->cases, &id, sizeof id);
    if (found) return found;
    found = apr_pcalloc(replay->pool, sizeof *found);
    found->id = id;
    apr_hash_set(replay->cases, &found->id, sizeof found->id, found);
    return found;
}

static void replay_site(replay_t *replay, const icp_event_t *event, const char *verb, const json_t *after)
{
    known_t *known = site_of(replay, event->subject);
    if (!strcmp(verb, "remove")) {
        known->on_file = 0;
        known->site.verdict = NULL;
        if (event->at >= replay->report->from) replay->report->removed++;
        return;
    }
    if (!strcmp(verb, "add")) known->site.since = event->at;
    known->on_file = 1;
    known->site.hosts = joined(replay, json_object_get(after, "hosts"));
    known->site.numbers = joined(replay, json_object_get(after, "numbers"));
}

static void replay_verdict(replay_t *replay, const icp_event_t *event, const json_t *after)
{
    known_t *known = site_of(replay, event->subject);
    const char *before = known->site.verdict;
    known->site.verdict = keep(replay, json_string_value(json_object_get(after, "verdict")));
    if (event->at < replay->report->from || !known->site.verdict) return;
    icp_report_turn_t turn = {event->at, known->site.name, before, known->site.verdict};
    APR_ARRAY_PUSH(replay->report->turns, icp_report_turn_t) = turn;
}

static void replay_suspend(replay_t *replay, const icp_event_t *event, const json_t *after)
{
    apr_int64_t id = json_integer_value(json_object_get(after, "case"));
    if (!id) return; /* kept over a restore: the table has it, or the event that closes it */
    icp_report_case_t *opened = case_of(replay, id);
    opened->site = keep(replay, event->subject);
    opened->reason = keep(replay, json_string_value(json_object_get(after, "reason")));
    if (!opened->reason) opened->reason = "";
    opened->opened_at = event->at;
    opened->opened_by = keep(replay, event->actor);
    opened->note = keep(replay, event->note);
}

static void replay_enable(replay_t *replay, const icp_event_t *event, const json_t *after)
{
    icp_report_case_t *closed = case_of(replay, json_integer_value(json_object_get(after, "case")));
    if (!closed->site) {
        json_t *before = json_loads(event->before, 0, NULL);
        closed->site = keep(replay, event->subject);
        closed->reason = keep(replay, json_string_value(json_object_get(before, "reason")));
        closed->opened_at = apr_time_from_sec(json_integer_value(json_object_get(before, "since")));
        closed->opened_by = "";
        json_decref(before);
    }
    if (!closed->reason) closed->reason = "";
    closed->closed_at = event->at;
    closed->closed_by = keep(replay, event->actor);
    closed->ground = keep(replay, json_string_value(json_object_get(after, "ground")));
    closed->number = keep(replay, json_string_value(json_object_get(after, "number")));
    closed->closing = keep(replay, event->note);
}

static void replay_license(replay_t *replay, const icp_event_t *event, const json_t *after)
{
    const char *status = json_string_value(json_object_get(after, "status"));
    const char *holder = json_string_value(json_object_get(after, "holder"));
    if (!status) return; /* of an import */
    icp_report_license_t *license = apr_hash_get(replay->licenses, event->subject, APR_HASH_KEY_STRING);
    if (!license) {
        license = apr_pcalloc(replay->pool, sizeof *license);
        license->number = keep(replay, event->subject);
        license->holder = "";
        apr_hash_set(replay->licenses, license->number, APR_HASH_KEY_STRING, license);
    }
    license->status = keep(replay, status);
    license->since = event->at;
    if (holder) license->holder = keep(replay, holder);
}

static void replay_warn(replay_t *replay, const icp_event_t *event, const json_t *after)
{
    if (event->at < replay->report->from) return;
    icp_report_warning_t *warning = apr_array_push(replay->report->warnings);
    *warning = (icp_report_warning_t){.site = keep(replay, event->subject), .at = event->at,
                                      .mails = (int)json_integer_value(json_object_get(after, "mails"))};
}

static icp_error_t *replay_event(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    replay_t *replay = baton;
    const char *dot = strchr(event->action, '.'), *verb = dot ? dot + 1 : "";
    int site = !strncmp(event->action, "site.", 5), license = !strncmp(event->action, "license.", 8);
    if (event->at >= replay->report->until || (!site && !license)) return NULL;
    json_t *after = json_loads(event->after, JSON_DECODE_ANY, NULL);
    if (license)
        replay_license(replay, event, after);
    else if (!strcmp(verb, "add") || !strcmp(verb, "edit") || !strcmp(verb, "remove"))
        replay_site(replay, event, verb, after);
    else if (!strcmp(verb, "verdict"))
        replay_verdict(replay, event, after);
    else if (!strcmp(verb, "suspend"))
        replay_suspend(replay, event, after);
    else if (!strcmp(verb, "enable"))
        replay_enable(replay, event, after);
    else if (!strcmp(verb, "warn"))
        replay_warn(replay, event, after);
    json_decref(after);
    return NULL;
}

static icp_error_t *read_sites(icp_register_t *reg, replay_t *replay, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_SITES, "i", (apr_int64_t)apr_time_sec(replay->report->until)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        known_t *known = site_of(replay, icp_stmt_text(stmt, 0, pool));
        known->on_file = 1;
        if (!known->site.since) known->site.since = apr_time_from_sec(icp_stmt_int(stmt, 1));
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_LOOKS, "s", replay->report->month));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        site_of(replay, icp_stmt_text(stmt, 0, pool))->site.looks = icp_stmt_int(stmt, 1);
        replay->report->looks += icp_stmt_int(stmt, 1);
    }
}

static icp_error_t *read_cases(icp_register_t *reg, replay_t *replay)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_SUSPENSIONS, "i", (apr_int64_t)apr_time_sec(replay->report->until)));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_report_case_t *found = case_of(replay, icp_stmt_int(stmt, 0));
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

/* What became of the mails: they were posted in the change that the event is of. */
static icp_error_t *read_mails(icp_register_t *reg, replay_t *replay)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < replay->report->warnings->nelts; i++) {
        icp_report_warning_t *warning = &APR_ARRAY_IDX(replay->report->warnings, i, icp_report_warning_t);
        int row;
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_REPORT_WARNING_MAILS, "si", warning->site,
                                 (apr_int64_t)apr_time_sec(warning->at)));
        ICP_TRY(icp_stmt_step(&row, stmt));
        warning->on_file = (int)icp_stmt_int(stmt, 0);
        warning->sent_at = apr_time_from_sec(icp_stmt_int(stmt, 1));
        icp_stmt_reset(stmt);
    }
    return NULL;
}

static icp_error_t *read_tables(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    ICP_TRY(read_sites(reg, baton, pool));
    ICP_TRY(read_cases(reg, baton));
    return read_mails(reg, baton);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const icp_report_site_t *)left)->name, ((const icp_report_site_t *)right)->name);
}

static int by_number(const void *left, const void *right)
{
    return strcmp(((const icp_report_license_t *)left)->number, ((const icp_report_license_t *)right)->number);
}

static int by_id(const void *left, const void *right)
{
    const icp_report_case_t *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The holders of the numbers' licenses, each once. */
static const char *holders_of(const replay_t *replay, const icp_report_site_t *site)
{
    const char *holders = "";
    char *last, *numbers = apr_pstrdup(replay->pool, site->numbers);
    for (char *word = apr_strtok(numbers, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        const icp_number_t *number = icp_number_parse(word, replay->pool);
        const icp_report_license_t *license =
            number->license ? apr_hash_get(replay->licenses, number->license, APR_HASH_KEY_STRING) : NULL;
        if (!license || strstr(holders, license->holder)) continue;
        holders = apr_pstrcat(replay->pool, holders, *holders ? "; " : "", license->holder, NULL);
    }
    return holders;
}

static void gather_cases(replay_t *replay)
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
        known_t *known = found->closed_at ? NULL : apr_hash_get(replay->sites, found->site, APR_HASH_KEY_STRING);
        if (known) known->site.suspended = found->id;
    }
    qsort(report->cases->elts, (size_t)report->cases->nelts, sizeof(icp_report_case_t), by_id);
}

static void gather(replay_t *replay)
{
    icp_report_t *report = replay->report;
    gather_cases(replay);
    for (apr_hash_index_t *at = apr_hash_first(replay->pool, replay->sites); at; at = apr_hash_next(at)) {
        known_t *known = apr_hash_this_val(at);
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

/* The first moment of the month, local time. */
static apr_time_t month_begin(int year, int month)
{
    struct tm local = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = 1, .tm_isdst = -1};
    return apr_time_from_sec(mktime(&local));
}

static icp_error_t *read_month(icp_report_t *report, const char *text, apr_time_t now, apr_pool_t *pool)
{
    if (strlen(text) != 7 || strspn(text, "0123456789") != 4 || text[4] != '-' || strspn(text + 5, "0123456789") != 2 ||
        atoi(text + 5) < 1 || atoi(text + 5) > 12 || atoi(text) < 1970) {
        return icp_error(pool, ICP_USAGE, "give it as YYYY-MM, such as 2026-11", "`%s` is no month",
                         icp_text_printable(text, 40, pool));
    }
    report->month = text;
    report->from = month_begin(atoi(text), atoi(text + 5) - 1);
    report->until = month_begin(atoi(text), atoi(text + 5));
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
    report->licenses = apr_array_make(pool, 16, sizeof(icp_report_license_t));
    replay_t replay = {report, apr_hash_make(pool), apr_hash_make(pool), apr_hash_make(pool), pool};
    ICP_TRY(icp_audit_each(reg, NULL, replay_event, &replay, pool));
    ICP_TRY(icp_register_read(reg, read_tables, &replay, pool));
    gather(&replay);
    *result = report;
    return NULL;
}
