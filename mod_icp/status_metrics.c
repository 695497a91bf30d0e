/* The status page as Prometheus reads it (text format 0.0.4). */
#include "shown.h"

#include <http_protocol.h>

#include "config.h"

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
    const apr_array_header_t *list = icp_status_counters(r->pool);
    const char *before = "";
    for (int i = 0; i < list->nelts; i++) {
        const icp_counter_t *counter = &APR_ARRAY_IDX(list, i, icp_counter_t);
        if (strcmp(before, counter->metric)) {
            ap_rprintf(r, "# HELP %s %s\n# TYPE %s counter\n", counter->metric, counter->help, counter->metric);
        }
        before = counter->metric;
        if (counter->label) ap_rprintf(r, "%s{%s=\"%s\"} ", counter->metric, counter->label, counter->value);
        else ap_rprintf(r, "%s ", counter->metric);
        ap_rprintf(r, "%" APR_INT64_T_FMT "\n", counter->count);
    }
}

void icp_status_send_site_metrics(request_rec *r, const icp_shown_t *shown)
{
    if (!shown->suspended->nelts) return;
    ap_rputs("# HELP icp_site_suspended_since_timestamp_seconds Since when a site is suspended; the newest 1000.\n"
             "# TYPE icp_site_suspended_since_timestamp_seconds gauge\n", r);
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        ap_rprintf(r, "icp_site_suspended_since_timestamp_seconds{site=\"%s\",reason=\"%s\"} %" APR_INT64_T_FMT "\n",
                   label_value(site->name, r->pool), label_value(site->reason, r->pool), apr_time_sec(site->since));
    }
}

void icp_status_send_metrics(request_rec *r, const icp_shown_t *shown)
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
    gauge(r, "icp_register_read_timestamp_seconds", "When that revision was read.", apr_time_sec(facts->read_at));
    gauge(r, "icp_register_memory_bytes", "Memory that it takes in the child that answers.", (apr_int64_t)facts->bytes);
    gauge(r, "icp_passes_enabled", "1 if passes open suspended sites for their owners.", icp_main_conf()->has_pass_key);
    if (survey->at) {
        ap_rputs("# HELP icp_checked_sites Sites by the verdict of the newest check.\n# TYPE icp_checked_sites gauge\n", r);
        for (int i = 0; i <= ICP_VERDICT_COUNT; i++) {
            ap_rprintf(r, "icp_checked_sites{verdict=\"%s\"} %" APR_INT64_T_FMT "\n", icp_status_verdict(i), survey->verdicts[i]);
        }
    }
    if (survey->sweep_started) {
        gauge(r, "icp_sweep_start_timestamp_seconds", "When the newest sweep began.", apr_time_sec(survey->sweep_started));
        gauge(r, "icp_sweep_end_timestamp_seconds", "When it ended; 0: it has not.", apr_time_sec(survey->sweep_ended));
        gauge(r, "icp_sweep_braked", "1 if the brake stopped it.", survey->sweep_braked);
        gauge(r, "icp_sweep_sites", "Sites that it looks at.", survey->sweep_total);
        gauge(r, "icp_sweep_failing_sites", "Sites that it found failing.", survey->sweep_failing);
    }
    send_counters(r);
}
