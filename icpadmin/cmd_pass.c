/* `icpadmin pass`: lets the owner of a suspended site in to put it right. */
#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "pass.h"
#include "site.h"

typedef struct passing_t {
    const icp_cli_t *cli;
    const apr_array_header_t *names;
    apr_time_t expiry;
    const char *note;
    icp_site_t **sites;
} passing_t;

static icp_error_t *change_pass(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    passing_t *passing = baton;
    for (int i = 0; i < passing->names->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, reg, APR_ARRAY_IDX(passing->names, i, const char *), pool));
        if (!site->suspension) {
            return icp_error(pool, ICP_REFUSED, "everybody gets in; no pass is needed", "%s is not suspended",
                             site->name);
        }
        json_t *after = json_object();
        json_object_set_new(after, "expires_at", icp_time_json(passing->expiry));
        icp_error_t *error = icp_audit_event(reg, "site.pass", site->name, NULL, after, passing->note, pool);
        json_decref(after);
        if (error) return error;
        passing->sites[i] = site;
    }
    return NULL;
}

/* Its home page, with the token as a query parameter. */
static const char *pass_link(const icp_site_t *site, const char *token, apr_pool_t *pool)
{
    const char *host = APR_ARRAY_IDX(site->hosts, 0, const char *), *page = site->homepage;
    if (!strncmp(host, "*.", 2)) host = apr_pstrcat(pool, "www", host + 1, NULL);
    const char *url = *page == '/' ? apr_pstrcat(pool, "http://", host, page, NULL) : page;
    return apr_pstrcat(pool, url, strchr(url, '?') ? "&" : "?", ICP_PASS_NAME "=", token, NULL);
}

static icp_error_t *run_pass(icp_cli_t *cli)
{
    apr_array_header_t *names;
    apr_interval_time_t duration;
    icp_pass_key_t key;
    const apr_interval_time_t most = apr_time_from_sec(7 * 86400);
    ICP_TRY(icp_option_duration(&duration, icp_option(cli, "for"), most, cli->pool));
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, "give a pass to", "sites", names));
    ICP_TRY(icp_pass_key_read(&key, icp_register_companion(cli->register_path, "pass.key", cli->pool), cli->pool));
    passing_t passing = {cli, names, apr_time_now() + duration, icp_option(cli, "note"),
                         apr_pcalloc(cli->pool, (apr_size_t)names->nelts * sizeof(icp_site_t *))};
    ICP_TRY(icp_register_change(cli->reg, change_pass, &passing, cli->pool));
    if (cli->dry_run) return NULL;
    icp_list_t *list = icp_list_begin(cli, "SITE|UNTIL|LINK");
    for (int i = 0; i < names->nelts; i++) {
        const icp_site_t *site = passing.sites[i];
        const char *token = icp_pass_make(&key, site->id, passing.expiry, cli->pool);
        const char *link = pass_link(site, token, cli->pool);
        if (!cli->json)
            icp_list_row(list, site->name, icp_time_text(passing.expiry, cli->pool), link, NULL);
        else {
            json_t *object = json_object();
            json_object_set_new(object, "site", icp_text_json(site->name));
            json_object_set_new(object, "link", icp_text_json(link));
            json_object_set_new(object, "token", icp_text_json(token));
            json_object_set_new(object, "expires_at", icp_time_json(passing.expiry));
            icp_list_object(list, object);
        }
    }
    icp_list_end(list, NULL);
    return NULL;
}

static const icp_option_t pass_options[] = {
    {"for", "TIME", ICP_OPTION_REQUIRED, "how long: 90s, 30m, 2h, up to 7d"},
    {"note", "TEXT", 0, "for whom, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_pass = {
    .noun = "pass",
    .arguments = "SITE…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "make a link by which its owner sees a suspended site",
    .details =
        "The link works for one site until it expires; it opens nothing to anybody who does not have it. It needs "
        "ICPPassKey in the server's configuration. Passes given are in the audit log, their links are not.",
    .json = "an array; each has site, link, token, expires_at",
    .example = "icpadmin pass shop.example.cn --for 2h",
    .options = pass_options,
    .run = run_pass,
};
