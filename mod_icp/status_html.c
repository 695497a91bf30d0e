/* The status page for people. */
#include "shown.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "config.h"
#include "host.h"
#include "shared.h"

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

static void send_survey(request_rec *r, const icp_shown_t *shown)
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
        if (survey->verdicts[i]) row_of_number(r, i < ICP_VERDICT_COUNT ? icp_status_verdict(i) : "never checked", survey->verdicts[i]);
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
    const apr_array_header_t *list = icp_status_counters(pool);
    for (int i = 0; i < list->nelts; i++) {
        const icp_counter_t *counter = &APR_ARRAY_IDX(list, i, icp_counter_t);
        if (!counter->count) continue;
        row_of_number(r, counter->label ? apr_pstrcat(pool, counter->metric, ", ", counter->value, NULL) : counter->metric, counter->count);
    }
    ap_rputs("</table>\n", r);
}

void icp_status_send_html(request_rec *r, const icp_shown_t *shown)
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
