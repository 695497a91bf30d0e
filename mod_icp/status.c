/* The status page. It shows what the gate has in memory and reads nothing else; each child answers for itself. */
#include "status.h"

#include <unistd.h>

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <jansson.h>

#include "gate.h"

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

static apr_int64_t seconds(apr_time_t time)
{
    return apr_time_sec(time);
}

static void send_json(request_rec *r, const icp_gate_health_t *health)
{
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

static void send_metrics(request_rec *r, const icp_gate_health_t *health)
{
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

static void send_html(request_rec *r, const icp_gate_health_t *health)
{
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
    ap_rputs("</table>\n<h2>Register</h2>\n<table>\n", r);
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

    icp_gate_health_t health = {.fault = "ICPEngine is Off everywhere", .fault_since = r->request_time};
    if (icp_main_conf()->any_engine) icp_gate_health(&health, r->pool);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    if (r->args && !strcmp(r->args, "json")) send_json(r, &health);
    else if (r->args && !strcmp(r->args, "metrics")) send_metrics(r, &health);
    else send_html(r, &health);
    return OK;
}
