/* The status page. What the gate has in memory is each child's own; the counters are those of all children. */
#include "status.h"

#include <unistd.h>

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <jansson.h>
#include <mod_status.h>

#include "gate.h"
#include "host.h"
#include "shared.h"
#include "survey.h"

APLOG_USE_MODULE(icp);

#define HANDLER "icp-status"
#define REMEDY "add a Require to the section that has the handler, as in 'Require ip 192.0.2.0/24'"

/* Does a Require stand beside the directive that the list begins with? A container's name begins with '<'. */
static int has_require(const ap_directive_t *list)
{
    for (; list; list = list->next) {
        const char *name = list->directive + (*list->directive == '<');
        if (!ap_cstr_casecmp(name, "Require") || !ap_cstr_casecmp(name, "RequireAll") || !ap_cstr_casecmp(name, "RequireAny")) {
            return 1;
        }
    }
    return 0;
}

static const ap_directive_t *find_unprotected(const ap_directive_t *section, apr_pool_t *pool)
{
    for (const ap_directive_t *at = section; at; at = at->next) {
        const char *args = at->args ? at->args : "";
        if ((!ap_cstr_casecmp(at->directive, "SetHandler") || !ap_cstr_casecmp(at->directive, "AddHandler"))
            && !strcmp(ap_getword_conf(pool, &args), HANDLER) && !has_require(section)) {
            return at;
        }
        const ap_directive_t *inside = find_unprotected(at->first_child, pool);
        if (inside) return inside;
    }
    return NULL;
}

icp_error_t *icp_status_check(apr_pool_t *pool)
{
    const ap_directive_t *found = find_unprotected(ap_conftree, pool);
    if (!found) return NULL;
    return icp_error(pool, ICP_USAGE, REMEDY, "%s line %d: %s " HANDLER " would show the status page to everybody",
                     found->filename, found->line_num, found->directive);
}

#define SHOWN 50          /* suspensions on the page and in its JSON */
#define METRICS_SITES 1000 /* series of sites, where they are asked for */

/* What is shown, in whichever form. */
typedef struct shown_t {
    icp_gate_health_t health;
    icp_survey_t survey;
    const apr_array_header_t *suspended; /* icp_snapshot_site_t, newest first */
} shown_t;

/* One list of the counters, for every form. */
typedef struct counter_t {
    const char *metric, *label, *value, *help; /* of one metric one after the other; `label` NULL: it has none */
    apr_int64_t count;
} counter_t;

static apr_int64_t load(const atomic_uint_fast64_t *counter)
{
    return (apr_int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static apr_array_header_t *counters(apr_pool_t *pool)
{
    const icp_counts_t *counts = &icp_shared->counts;
    apr_array_header_t *list = apr_array_make(pool, 32, sizeof(counter_t));
#define COUNTER(...) APR_ARRAY_PUSH(list, counter_t) = (counter_t){__VA_ARGS__}
    for (int i = 0; i <= ICP_REASON_COUNT; i++) {
        COUNTER("icp_notices_total", "reason", i < ICP_REASON_COUNT ? icp_reason_names[i] : "unregistered", "Requests that got the notice.",
                load(&counts->notices[i]));
    }
    COUNTER("icp_exempt_requests_total", NULL, NULL, "Requests for exempt paths of suspended sites.", load(&counts->exempt));
    COUNTER("icp_observed_requests_total", NULL, NULL, "Requests that ICPEngine Observe let through.", load(&counts->observed));
    COUNTER("icp_passes_used_total", "kind", "owner", "Requests that a pass let through.", load(&counts->owner_passes));
    COUNTER("icp_passes_used_total", "kind", "checker", "", load(&counts->check_passes));
    COUNTER("icp_passes_refused_total", NULL, NULL, "Requests with passes none of which was good.", load(&counts->refused_passes));
    for (int i = 0; i < ICP_VERDICT_COUNT; i++) {
        COUNTER("icp_inspections_total", "verdict", icp_verdict_name((icp_verdict_e)i), "Home pages read in full as they left.",
                load(&counts->inspections[i]));
    }
    COUNTER("icp_register_faults_total", NULL, NULL, "Times that a process could not read the register.", load(&counts->faults));
#undef COUNTER
    return list;
}

static const char *verdict_word(int verdict)
{
    return verdict < ICP_VERDICT_COUNT ? icp_verdict_name((icp_verdict_e)verdict) : "never";
}

static apr_int64_t seconds(apr_time_t time)
{
    return apr_time_sec(time);
}

static json_t *time_json(apr_time_t time)
{
    return time ? json_integer(seconds(time)) : json_null();
}

static json_t *survey_json(const shown_t *shown, apr_pool_t *pool)
{
    const icp_survey_t *survey = &shown->survey;
    json_t *verdicts = json_object(), *suspensions = json_array(), *sightings = json_array(), *counts = json_object();
    for (int i = 0; i <= ICP_VERDICT_COUNT; i++) json_object_set_new(verdicts, verdict_word(i), json_integer(survey->verdicts[i]));
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        json_array_append_new(suspensions, json_pack("{s:s, s:I, s:s, s:o}", "site", site->name, "case", (json_int_t)site->case_id, "reason",
                                                     site->reason, "since", time_json(site->since)));
    }
    for (int i = 0; i < survey->sighting_count; i++) {
        const icp_survey_sighting_t *sighting = &survey->sightings[i];
        json_array_append_new(sightings, json_pack("{s:s, s:s, s:o}", "site", sighting->site, "verdict", sighting->verdict, "at",
                                                   time_json(sighting->at)));
    }
    const apr_array_header_t *list = counters(pool);
    for (int i = 0; i < list->nelts; i++) {
        const counter_t *counter = &APR_ARRAY_IDX(list, i, counter_t);
        const char *name = counter->label ? apr_pstrcat(pool, counter->metric, ".", counter->value, NULL) : counter->metric;
        json_object_set_new(counts, name, json_integer(counter->count));
    }
    json_t *sweep = json_null();
    if (survey->sweep_started) {
        sweep = json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "started_at", time_json(survey->sweep_started),
                          "ended_at", time_json(survey->sweep_ended), "enforce", survey->sweep_enforces, "total",
                          (json_int_t)survey->sweep_total, "done", (json_int_t)survey->sweep_done, "compliant",
                          (json_int_t)survey->sweep_compliant, "failing", (json_int_t)survey->sweep_failing, "for_person",
                          (json_int_t)survey->sweep_for_person, "to_suspend", (json_int_t)survey->sweep_to_suspend, "suspended",
                          (json_int_t)survey->sweep_suspended, "braked", survey->sweep_braked);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?}", "verdicts", verdicts, "suspensions", suspensions, "sweep", sweep,
                     "sightings", sightings, "counters", counts, "counted_since", time_json(icp_shared->since), "surveyed_at",
                     time_json(survey->at), "survey_fault", *survey->fault ? survey->fault : NULL, "sightings_fault",
                     *survey->sightings_fault ? survey->sightings_fault : NULL);
}

static void send_json(request_rec *r, const shown_t *shown)
{
    const icp_gate_health_t *health = &shown->health;
    const icp_snapshot_facts_t *facts = &health->facts;
    json_t *reasons = json_object();
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        json_object_set_new(reasons, icp_reason_names[i], json_integer(facts->by_reason[i]));
    }
    json_t *object = json_pack("{s:i, s:b, s:{s:s, s:b, s:s?, s:o, s:I, s:I, s:I}, s:I, s:I, s:I, s:o}",
                               "pid", (int)getpid(), "passes", icp_main_conf()->has_pass_key,
                               "register", "path", icp_main_conf()->register_path, "current", !health->fault,
                               "fault", health->fault,
                               "fault_since", health->fault ? json_integer(seconds(health->fault_since)) : json_null(),
                               "revision", (json_int_t)facts->revision, "read_at", (json_int_t)seconds(facts->read_at),
                               "bytes", (json_int_t)facts->bytes,
                               "sites", (json_int_t)facts->sites, "hosts", (json_int_t)facts->hosts,
                               "suspended", (json_int_t)facts->suspended, "by_reason", reasons);
    json_t *survey = survey_json(shown, r->pool);
    json_object_update(object, survey);
    json_decref(survey);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    ap_set_content_type(r, "application/json");
    ap_rputs(text ? text : "{}", r);
    ap_rputs("\n", r);
    free(text);
    json_decref(object);
}

static void gauge(request_rec *r, const char *name, const char *help, apr_int64_t value)
{
    ap_rprintf(r, "# HELP %s %s\n# TYPE %s gauge\n%s %" APR_INT64_T_FMT "\n", name, help, name, name, value);
}

/* A label's value may hold anything, but a backslash, a quote and a line end are escaped. */
static const char *label_value(const char *text, apr_pool_t *pool)
{
    char *escaped = apr_palloc(pool, 2 * strlen(text) + 1), *to = escaped;
    for (; *text; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n') *to++ = '\\';
        *to++ = *text;
        if (*text == '\n') to[-1] = 'n';
    }
    *to = '\0';
    return escaped;
}

static void send_counters(request_rec *r)
{
    const apr_array_header_t *list = counters(r->pool);
    const char *before = "";
    for (int i = 0; i < list->nelts; i++) {
        const counter_t *counter = &APR_ARRAY_IDX(list, i, counter_t);
        if (strcmp(before, counter->metric)) {
            ap_rprintf(r, "# HELP %s %s\n# TYPE %s counter\n", counter->metric, counter->help, counter->metric);
        }
        before = counter->metric;
        if (counter->label) ap_rprintf(r, "%s{%s=\"%s\"} ", counter->metric, counter->label, counter->value);
        else ap_rprintf(r, "%s ", counter->metric);
        ap_rprintf(r, "%" APR_INT64_T_FMT "\n", counter->count);
    }
}

static void send_site_metrics(request_rec *r, const shown_t *shown)
{
    if (!shown->suspended->nelts) return;
    ap_rputs("# HELP icp_site_suspended_since_timestamp_seconds Since when a site is suspended; the newest 1000.\n"
             "# TYPE icp_site_suspended_since_timestamp_seconds gauge\n", r);
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        ap_rprintf(r, "icp_site_suspended_since_timestamp_seconds{site=\"%s\",reason=\"%s\"} %" APR_INT64_T_FMT "\n",
                   label_value(site->name, r->pool), label_value(site->reason, r->pool), seconds(site->since));
    }
}

static void send_metrics(request_rec *r, const shown_t *shown)
{
    const icp_gate_health_t *health = &shown->health;
    const icp_survey_t *survey = &shown->survey;
    const icp_snapshot_facts_t *facts = &health->facts;
    ap_set_content_type(r, "text/plain; version=0.0.4; charset=utf-8");
    gauge(r, "icp_sites", "Sites in the register.", facts->sites);
    gauge(r, "icp_hosts", "Host names of those sites.", facts->hosts);
    ap_rputs("# HELP icp_suspended_sites Suspended sites, by reason.\n# TYPE icp_suspended_sites gauge\n", r);
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        ap_rprintf(r, "icp_suspended_sites{reason=\"%s\"} %" APR_INT64_T_FMT "\n", icp_reason_names[i], facts->by_reason[i]);
    }
    gauge(r, "icp_register_current", "1 if the newest state of the register is in force, 0 if it could not be read.",
          !health->fault);
    gauge(r, "icp_register_revision", "The register's revision that is in force.", facts->revision);
    gauge(r, "icp_register_read_timestamp_seconds", "When that revision was read.", seconds(facts->read_at));
    gauge(r, "icp_register_memory_bytes", "Memory that it takes in the child that answers.", (apr_int64_t)facts->bytes);
    gauge(r, "icp_passes_enabled", "1 if passes open suspended sites for their owners.", icp_main_conf()->has_pass_key);
    if (survey->at) {
        ap_rputs("# HELP icp_checked_sites Sites by the verdict of the newest check.\n# TYPE icp_checked_sites gauge\n", r);
        for (int i = 0; i <= ICP_VERDICT_COUNT; i++) {
            ap_rprintf(r, "icp_checked_sites{verdict=\"%s\"} %" APR_INT64_T_FMT "\n", verdict_word(i), survey->verdicts[i]);
        }
    }
    if (survey->sweep_started) {
        gauge(r, "icp_sweep_start_timestamp_seconds", "When the newest sweep began.", seconds(survey->sweep_started));
        gauge(r, "icp_sweep_end_timestamp_seconds", "When it ended; 0: it has not.", seconds(survey->sweep_ended));
        gauge(r, "icp_sweep_braked", "1 if the brake stopped it.", survey->sweep_braked);
        gauge(r, "icp_sweep_sites", "Sites that it looks at.", survey->sweep_total);
        gauge(r, "icp_sweep_failing_sites", "Sites that it found failing.", survey->sweep_failing);
    }
    send_counters(r);
}

static const char *when(const request_rec *r, apr_time_t time)
{
    apr_time_exp_t t;
    if (!time || apr_time_exp_lt(&t, time) != APR_SUCCESS) return "never";
    return apr_psprintf(r->pool, "%04d-%02d-%02d %02d:%02d:%02d, %" APR_TIME_T_FMT " s ago", t.tm_year + 1900, t.tm_mon + 1,
                        t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, apr_time_sec(r->request_time - time));
}

static void row(request_rec *r, const char *label, const char *value)
{
    ap_rprintf(r, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", label, ap_escape_html(r->pool, value));
}

static void row_of_number(request_rec *r, const char *label, apr_int64_t value)
{
    row(r, label, apr_psprintf(r->pool, "%" APR_INT64_T_FMT, value));
}

/* Its name, and for an IDN also as people read it. */
static const char *site_text(const char *name, apr_pool_t *pool)
{
    const char *text = icp_host_display(name, pool);
    return strcmp(text, name) ? apr_pstrcat(pool, text, " (", name, ")", NULL) : name;
}

static void send_survey(request_rec *r, const shown_t *shown)
{
    const icp_survey_t *survey = &shown->survey;
    apr_pool_t *pool = r->pool;
    apr_int64_t more = shown->health.facts.suspended - shown->suspended->nelts;
    ap_rputs("<h2>Newest suspensions</h2>\n<table>\n", r);
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        row(r, ap_escape_html(pool, site_text(site->name, pool)), apr_pstrcat(pool, site->reason, ", ", when(r, site->since), NULL));
    }
    if (!shown->suspended->nelts) row(r, "None", "");
    if (more > 0) row(r, apr_psprintf(pool, "And %" APR_INT64_T_FMT " more", more), "");
    ap_rputs("</table>\n<h2>Checks</h2>\n<table>\n", r);
    if (*survey->fault) row(r, "Not up to date", survey->fault);
    for (int i = 0; i <= ICP_VERDICT_COUNT; i++) {
        if (survey->verdicts[i]) row_of_number(r, i < ICP_VERDICT_COUNT ? verdict_word(i) : "never checked", survey->verdicts[i]);
    }
    row(r, "Last sweep began", when(r, survey->sweep_started));
    if (survey->sweep_started) {
        row(r, "It ended", survey->sweep_ended ? when(r, survey->sweep_ended) : "not yet");
        row(r, "It found", apr_psprintf(pool, "%" APR_INT64_T_FMT " of %" APR_INT64_T_FMT " looked at: %" APR_INT64_T_FMT " compliant, %"
                                        APR_INT64_T_FMT " failing, %" APR_INT64_T_FMT " for a person", survey->sweep_done,
                                        survey->sweep_total, survey->sweep_compliant, survey->sweep_failing, survey->sweep_for_person));
        if (survey->sweep_enforces) {
            row(r, "It suspended", apr_psprintf(pool, "%" APR_INT64_T_FMT " of %" APR_INT64_T_FMT "%s", survey->sweep_suspended,
                                                survey->sweep_to_suspend, survey->sweep_braked ? ": the brake stopped it" : ""));
        }
    }
    ap_rputs("</table>\n<h2>Newest sightings</h2>\n<table>\n", r);
    if (*survey->sightings_fault) row(r, "Cannot be read", survey->sightings_fault);
    for (int i = 0; i < survey->sighting_count; i++) {
        const icp_survey_sighting_t *sighting = &survey->sightings[i];
        row(r, ap_escape_html(pool, site_text(sighting->site, pool)), apr_pstrcat(pool, sighting->verdict, ", ", when(r, sighting->at), NULL));
    }
    if (!survey->sighting_count && !*survey->sightings_fault) row(r, "None", "");
    ap_rprintf(r, "</table>\n<h2>Counted since %s</h2>\n<table>\n", when(r, icp_shared->since));
    const apr_array_header_t *list = counters(pool);
    for (int i = 0; i < list->nelts; i++) {
        const counter_t *counter = &APR_ARRAY_IDX(list, i, counter_t);
        if (!counter->count) continue;
        row_of_number(r, counter->label ? apr_pstrcat(pool, counter->metric, ", ", counter->value, NULL) : counter->metric, counter->count);
    }
    ap_rputs("</table>\n", r);
}

static void send_html(request_rec *r, const shown_t *shown)
{
    const icp_gate_health_t *health = &shown->health;
    static const char head[] =
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>ICP status</title>\n<style>\n"
        ":root { color-scheme: light dark }\n"
        "body { font: 1rem/1.5 system-ui, \"PingFang SC\", \"Microsoft YaHei\", sans-serif; max-width: 44rem; margin: 0 auto;\n"
        "  padding: 1rem }\n"
        "h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 1.5rem 0 .5rem }\n"
        "table { width: 100%; border-collapse: collapse }\n"
        "th, td { padding: .4rem .5rem; border-bottom: 1px solid #8886; text-align: left; vertical-align: top;\n"
        "  overflow-wrap: anywhere }\n"
        "th { width: 45%; font-weight: normal }\n"
        "[role=alert], [role=status] { padding: .75rem 1rem; border-left: .4rem solid #2e7d32; background: #2e7d3218 }\n"
        "[role=alert] { border-color: #c62828; background: #c6282818 }\n"
        "</style>\n</head>\n<body>\n<main>\n<h1>ICP status</h1>\n";
    const icp_snapshot_facts_t *facts = &health->facts;
    apr_pool_t *pool = r->pool;
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rputs(head, r);
    if (health->fault) {
        ap_rprintf(r, "<p role=\"alert\"><strong>The newest state of the register is not in force</strong> (since %s): %s.</p>\n",
                   when(r, health->fault_since), ap_escape_html(pool, health->fault));
    }
    else {
        ap_rputs("<p role=\"status\">The newest state of the register is in force.</p>\n", r);
    }
    ap_rputs("<h2>Sites</h2>\n<table>\n", r);
    row_of_number(r, "Sites", facts->sites);
    row_of_number(r, "Host names", facts->hosts);
    row_of_number(r, "Suspended", facts->suspended);
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        if (facts->by_reason[i]) row_of_number(r, apr_pstrcat(pool, "– ", icp_reason_names[i], NULL), facts->by_reason[i]);
    }
    ap_rputs("</table>\n", r);
    send_survey(r, shown);
    ap_rputs("<h2>Register</h2>\n<table>\n", r);
    row(r, "File", icp_main_conf()->register_path);
    row_of_number(r, "Revision", facts->revision);
    row(r, "Read", when(r, facts->read_at));
    row(r, "Memory", apr_psprintf(pool, "%" APR_SIZE_T_FMT " KB", (facts->bytes + 1023) / 1024));
    row(r, "Passes", icp_main_conf()->has_pass_key ? "on" : "off");
    row_of_number(r, "This child's process id", getpid());
    ap_rputs("</table>\n<p><a href=\"?json\">JSON</a> · <a href=\"?metrics\">Metrics</a></p>\n</main>\n</body>\n</html>\n", r);
}

int icp_status_handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER)) return DECLINED;
    if (!ap_some_auth_required(r)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, HANDLER " does not answer at %s, where anybody could ask: " REMEDY, r->uri);
        return HTTP_FORBIDDEN;
    }
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
    if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;

    const char *args = r->args ? r->args : "";
    int is_json = !strcmp(args, "json"), names_sites = !strcmp(args, "metrics&sites"), is_metrics = names_sites || !strcmp(args, "metrics");
    shown_t shown = {.health = {.fault = "ICPEngine is Off everywhere", .fault_since = r->request_time}};
    shown.suspended = apr_array_make(r->pool, 1, sizeof(icp_snapshot_site_t));
    if (icp_main_conf()->any_engine) {
        icp_gate_health(&shown.health, r->pool);
        icp_survey_read(&shown.survey, r->pool);
        if (!is_metrics || names_sites) shown.suspended = icp_gate_suspended(is_metrics ? METRICS_SITES : SHOWN, r->pool);
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    if (is_json) send_json(r, &shown);
    else if (is_metrics) {
        send_metrics(r, &shown);
        if (names_sites) send_site_metrics(r, &shown);
    }
    else send_html(r, &shown);
    return OK;
}

/* --- mod_status ------------------------------------------------------------------------------------- */

static int status_line(request_rec *r, int flags)
{
    icp_gate_health_t health;
    if (!icp_main_conf()->any_engine) return DECLINED;
    icp_gate_health(&health, r->pool);
    const icp_snapshot_facts_t *facts = &health.facts;
    if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "ICPSites: %" APR_INT64_T_FMT "\nICPSuspended: %" APR_INT64_T_FMT "\nICPRegisterCurrent: %d\n", facts->sites,
                   facts->suspended, !health.fault);
        return OK;
    }
    ap_rprintf(r, "<hr />\n<h2>ICP</h2>\n<p>%" APR_INT64_T_FMT " sites, %" APR_INT64_T_FMT " suspended; the register is %s.</p>\n", facts->sites,
               facts->suspended, health.fault ? "<strong>not up to date</strong>" : "up to date");
    return OK;
}

void icp_status_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, status_line, NULL, NULL, APR_HOOK_MIDDLE);
}
