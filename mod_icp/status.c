/* The status page. What the gate has in memory is each child's own; the counters are those of all children. */
#include "status.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>

#include "shown.h"

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
    icp_shown_t shown = {.health = {.fault = "ICPEngine is Off everywhere", .fault_since = r->request_time}};
    shown.suspended = apr_array_make(r->pool, 1, sizeof(icp_snapshot_site_t));
    if (icp_main_conf()->any_engine) {
        icp_gate_health(&shown.health, r->pool);
        icp_survey_read(&shown.survey, r->pool);
        if (!is_metrics || names_sites) shown.suspended = icp_gate_suspended(is_metrics ? METRICS_SITES : SHOWN, r->pool);
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    if (is_json) icp_status_send_json(r, &shown);
    else if (is_metrics) {
        icp_status_send_metrics(r, &shown);
        if (names_sites) icp_status_send_site_metrics(r, &shown);
    }
    else icp_status_send_html(r, &shown);
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
