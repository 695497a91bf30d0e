/* The status page for people: what is wrong comes first, then how many, then which. Its head is conf/status/head.html. */
#include "shown.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include "config.h"
#include "host.h"
#include "icp_status_pages.h"
#include "shared.h"
#include "suspension.h"
#include "sweep.h"

#define NONE "<tr><td>None</td></tr>\n"

static const char *age(const request_rec *r, apr_time_t time)
{
    static const struct {
        const char *unit;
        apr_int64_t seconds;
    } units[] = {{"days", 86400}, {"h", 3600}, {"min", 60}};
    apr_int64_t seconds = r->request_time > time ? apr_time_sec(r->request_time - time) : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= 2 * units[i].seconds) return apr_psprintf(r->pool, "%" APR_INT64_T_FMT " %s ago", seconds / units[i].seconds, units[i].unit);
    }
    return apr_psprintf(r->pool, "%" APR_INT64_T_FMT " s ago", seconds);
}

/* HTML. */
static const char *when(const request_rec *r, apr_time_t time)
{
    apr_time_exp_t t;
    if (!time || apr_time_exp_lt(&t, time) != APR_SUCCESS) return "never";
    return apr_psprintf(r->pool, "<time>%04d-%02d-%02d %02d:%02d</time>, %s", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, age(r, time));
}

static const char *count_text(apr_int64_t count, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, count);
}

/* As HTML, with places where a long name or path may go on in the next line. */
static const char *breakable(const char *text, apr_pool_t *pool)
{
    const char *escaped = ap_escape_html(pool, text);
    char *result = apr_palloc(pool, 6 * strlen(escaped) + 1), *to = result;
    for (; *escaped; escaped++) {
        *to++ = *escaped;
        if (strchr(".-/_", *escaped)) to = (char *)memcpy(to, "<wbr>", 5) + 5;
    }
    *to = '\0';
    return result;
}

/* Its name, and for an IDN also as people read it. */
static const char *site_html(const char *name, apr_pool_t *pool)
{
    const char *text = icp_host_display(name, pool);
    return breakable(strcmp(text, name) ? apr_pstrcat(pool, text, " (", name, ")", NULL) : name, pool);
}

/* `what` is HTML, `why` text. */
static void alert(request_rec *r, const char *what, const char *why)
{
    ap_rprintf(r, "<p role=\"alert\"><strong>%s</strong>%s%s</p>\n", what, *why ? ": " : "", ap_escape_html(r->pool, why));
}

/* Both are HTML. */
static void fact(request_rec *r, const char *label, const char *value)
{
    ap_rprintf(r, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", label, value);
}

static void count(request_rec *r, const char *label, apr_int64_t value)
{
    ap_rprintf(r, "<tr><th scope=\"row\">%s</th><td class=\"number\">%" APR_INT64_T_FMT "</td></tr>\n", ap_escape_html(r->pool, label), value);
}

static void figure(request_rec *r, const char *label, const char *value)
{
    ap_rprintf(r, "<div><dt>%s</dt><dd>%s</dd></div>\n", label, value);
}

/* --- the parts, from above ------------------------------------------------------------------------------ */

static void send_alerts(request_rec *r, const icp_shown_t *shown)
{
    const icp_gate_health_t *health = &shown->health;
    const icp_survey_t *survey = &shown->survey;
    apr_pool_t *pool = r->pool;
    if (health->fault) {
        alert(r, apr_pstrcat(pool, "The newest state of the register is not in force, since ", when(r, health->fault_since), NULL), health->fault);
    }
    else ap_rputs("<p role=\"status\">The newest state of the register is in force.</p>\n", r);
    if (*survey->fault) alert(r, apr_pstrcat(pool, "The figures of checks and sweeps are those of ", when(r, survey->at), NULL), survey->fault);
    if (survey->brake_holds) {
        alert(r, apr_psprintf(pool, "The brake stopped a sweep that would suspend %" APR_INT64_T_FMT " sites", survey->brake_holds),
              "icpadmin queue says what to do");
    }
    if (survey->sweep_started && survey->sweep_ended && r->request_time - survey->sweep_ended > ICP_SWEEP_DUE) {
        alert(r, apr_pstrcat(pool, "The last sweep ended ", age(r, survey->sweep_ended), NULL), "is icp-sweep.timer enabled?");
    }
    if (*survey->sightings_fault) alert(r, "Sightings cannot be read", survey->sightings_fault);
}

static void send_figures(request_rec *r, const icp_shown_t *shown)
{
    const icp_snapshot_facts_t *facts = &shown->health.facts;
    const icp_survey_t *survey = &shown->survey;
    apr_int64_t failing = 0, for_person = 0;
    for (int i = 0; i < ICP_VERDICT_COUNT; i++) {
        if (icp_verdict_fails((icp_verdict_e)i)) failing += survey->verdicts[i];
        else if (i != ICP_DISPLAYED) for_person += survey->verdicts[i];
    }
    ap_rputs("<dl>\n", r);
    figure(r, "Sites", count_text(facts->sites, r->pool));
    figure(r, "Host names", count_text(facts->hosts, r->pool));
    figure(r, "Suspended", count_text(facts->suspended, r->pool));
    figure(r, "Failing", count_text(failing, r->pool));
    figure(r, "For a person", count_text(for_person, r->pool));
    figure(r, "Last sweep", survey->sweep_started ? survey->sweep_ended ? age(r, survey->sweep_ended) : "not at its end" : "never");
    ap_rputs("</dl>\n", r);
}

static void send_reasons(request_rec *r, const icp_snapshot_facts_t *facts)
{
    ap_rputs("<section>\n<h2>Suspended, by reason</h2>\n<table class=\"facts\">\n", r);
    if (!facts->suspended) ap_rputs(NONE, r);
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        if (facts->by_reason[i]) count(r, icp_reason_names[i], facts->by_reason[i]);
    }
    ap_rputs("</table>\n</section>\n", r);
}

static void send_verdicts(request_rec *r, const icp_survey_t *survey)
{
    int shown = 0;
    ap_rputs("<section>\n<h2>Newest checks, by verdict</h2>\n<table class=\"facts\">\n", r);
    for (int i = 0; i <= ICP_VERDICT_COUNT; i++) {
        if (!survey->verdicts[i]) continue;
        count(r, i < ICP_VERDICT_COUNT ? icp_status_verdict(i) : "never checked", survey->verdicts[i]);
        shown++;
    }
    if (!shown) ap_rputs(NONE, r);
    ap_rputs("</table>\n</section>\n", r);
}

static void send_sweep(request_rec *r, const icp_survey_t *survey)
{
    ap_rputs("<section>\n<h2>Newest sweep</h2>\n<table class=\"facts\">\n", r);
    fact(r, "Began", when(r, survey->sweep_started));
    if (survey->sweep_started) {
        fact(r, "Ended", survey->sweep_ended ? when(r, survey->sweep_ended) : "not yet");
        fact(r, "Looked at", apr_psprintf(r->pool, "%" APR_INT64_T_FMT " of %" APR_INT64_T_FMT " sites", survey->sweep_done, survey->sweep_total));
        count(r, "Compliant", survey->sweep_compliant);
        count(r, "Failing", survey->sweep_failing);
        count(r, "For a person", survey->sweep_for_person);
    }
    if (survey->sweep_enforces) {
        fact(r, "Suspended", apr_psprintf(r->pool, "%" APR_INT64_T_FMT " of %" APR_INT64_T_FMT, survey->sweep_suspended, survey->sweep_to_suspend));
    }
    ap_rputs("</table>\n</section>\n", r);
}

static void send_register(request_rec *r, const icp_snapshot_facts_t *facts)
{
    ap_rputs("<section>\n<h2>Register</h2>\n<table class=\"facts\">\n", r);
    fact(r, "File", breakable(icp_main_conf()->register_path, r->pool));
    fact(r, "Revision", count_text(facts->revision, r->pool));
    fact(r, "Read", when(r, facts->read_at));
    fact(r, "Memory", apr_psprintf(r->pool, "%" APR_SIZE_T_FMT " KB", (facts->bytes + 1023) / 1024));
    fact(r, "Passes", icp_main_conf()->has_pass_key ? "on" : "off");
    fact(r, "Answered by process", count_text(getpid(), r->pool));
    ap_rputs("</table>\n</section>\n", r);
}

/* Traffic, in the words of the metrics' help without its full stop. */
static void send_counters(request_rec *r)
{
    apr_pool_t *pool = r->pool;
    const apr_array_header_t *list = icp_status_counters(pool);
    int shown = 0;
    ap_rprintf(r, "<section>\n<h2>Traffic</h2>\n<p>Counted over all children since %s.</p>\n<table class=\"facts\">\n", when(r, icp_shared->since));
    for (int i = 0; i < list->nelts; i++) {
        const icp_counter_t *counter = &APR_ARRAY_IDX(list, i, icp_counter_t);
        if (!counter->count) continue;
        const char *label = apr_pstrmemdup(pool, counter->help, strlen(counter->help) - 1);
        count(r, counter->label ? apr_pstrcat(pool, label, ": ", counter->value, NULL) : label, counter->count);
        shown++;
    }
    if (!shown) ap_rputs(NONE, r);
    ap_rputs("</table>\n</section>\n", r);
}

static void send_suspensions(request_rec *r, const icp_shown_t *shown)
{
    apr_pool_t *pool = r->pool;
    apr_int64_t more = shown->health.facts.suspended - shown->suspended->nelts;
    ap_rputs("<h2>Newest suspensions</h2>\n", r);
    if (!shown->suspended->nelts) {
        ap_rputs("<p>None.</p>\n", r);
        return;
    }
    ap_rputs("<table class=\"list\">\n<thead><tr><th scope=\"col\">Site</th><th scope=\"col\">Reason</th><th scope=\"col\">Case</th>"
             "<th scope=\"col\">Since</th></tr></thead>\n<tbody>\n", r);
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        ap_rprintf(r, "<tr><th scope=\"row\">%s</th><td>%s</td><td>" ICP_CASE_FORMAT "</td><td>%s</td></tr>\n", site_html(site->name, pool),
                   ap_escape_html(pool, site->reason), site->case_id, when(r, site->since));
    }
    ap_rputs("</tbody>\n</table>\n", r);
    if (more > 0) ap_rprintf(r, "<p>And %" APR_INT64_T_FMT " more: <code>icpadmin site list --suspended</code></p>\n", more);
}

static void send_sightings(request_rec *r, const icp_survey_t *survey)
{
    ap_rputs("<h2>Newest sightings of live traffic</h2>\n", r);
    if (!survey->sighting_count) {
        ap_rputs("<p>None.</p>\n", r);
        return;
    }
    ap_rputs("<table class=\"list\">\n<thead><tr><th scope=\"col\">Site</th><th scope=\"col\">Verdict</th><th scope=\"col\">Seen</th></tr></thead>\n"
             "<tbody>\n", r);
    for (int i = 0; i < survey->sighting_count; i++) {
        const icp_survey_sighting_t *sighting = &survey->sightings[i];
        ap_rprintf(r, "<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td></tr>\n", site_html(sighting->site, r->pool),
                   ap_escape_html(r->pool, sighting->verdict), when(r, sighting->at));
    }
    ap_rputs("</tbody>\n</table>\n", r);
}

void icp_status_send_html(request_rec *r, const icp_shown_t *shown)
{
    const icp_snapshot_facts_t *facts = &shown->health.facts;
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rputs(icp_head_html, r);
    send_alerts(r, shown);
    send_figures(r, shown);
    ap_rputs("<div class=\"sides\">\n", r);
    send_reasons(r, facts);
    send_verdicts(r, &shown->survey);
    send_sweep(r, &shown->survey);
    ap_rputs("</div>\n", r);
    send_suspensions(r, shown);
    send_sightings(r, &shown->survey);
    ap_rputs("<div class=\"sides\">\n", r);
    send_counters(r);
    send_register(r, facts);
    ap_rputs("</div>\n<p><a href=\"?json\">JSON</a> · <a href=\"?metrics\">Metrics</a></p>\n</main>\n</body>\n</html>\n", r);
}
