/* `icpadmin pass`: lets the owner of a suspended site in to put it right; what was given, revoked; the key of it all. */
#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "pass.h"
#include "pass_grant.h"
#include "register_files.h"

#define LONGEST apr_time_from_sec(7 * 86400)

/* --- giving ------------------------------------------------------------------------------------------------------- */

typedef struct passing_t {
    const apr_array_header_t *names;
    apr_time_t until;
    const char *note;
    icp_site_t **sites;
    apr_int64_t *counts; /* of passes that were revoked */
} passing_t;

static icp_error_t *change_give(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    passing_t *passing = baton;
    for (int i = 0; i < passing->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(passing->names, i, const char *);
        ICP_TRY(icp_pass_give(&passing->sites[i], reg, name, passing->until, passing->note, pool));
    }
    return NULL;
}

/* The scheme that the site is known to be served by: that of its home page, where it is on file as a URL. */
static const char *origin_of(const icp_site_t *site, const char *scheme, apr_pool_t *pool)
{
    const char *host = APR_ARRAY_IDX(site->hosts, 0, const char *);
    const char *path = strstr(site->homepage, "://");
    if (path && !scheme) return apr_pstrmemdup(pool, site->homepage, (apr_size_t)(path + 3 + strcspn(path + 3, "/?#") - site->homepage));
    for (int i = 0; i < site->hosts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(site->hosts, i, const char *), site->name)) host = site->name;
    }
    if (!strncmp(host, "*.", 2)) host = apr_pstrcat(pool, "www", host + 1, NULL);
    return apr_pstrcat(pool, scheme ? scheme : "http", "://", strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "", NULL);
}

/* `url` is a path, a URL or NULL: the home page. The token goes before a fragment, which stays in the browser. */
static const char *make_link(const icp_site_t *site, const char *url, const char *scheme, const char *token, apr_pool_t *pool)
{
    if (!url) url = site->homepage;
    if (*url == '/') url = apr_pstrcat(pool, origin_of(site, scheme, pool), url, NULL);
    apr_size_t length = strcspn(url, "#");
    return apr_psprintf(pool, "%.*s%s" ICP_PASS_NAME "=%s%s", (int)length, url, memchr(url, '?', length) ? "&" : "?", token, url + length);
}

static icp_error_t *check_url(const char *url, const icp_cli_t *cli)
{
    if (!url || (url[0] == '/' && url[1] != '/' && !url[strcspn(url, " \t\r\n\\\"<>")])) return NULL;
    return icp_error(cli->pool, ICP_USAGE, "write it as --url /wp-login.php", "--url takes a path on the site, which begins with a slash");
}

static icp_error_t *run_give(icp_cli_t *cli, const apr_array_header_t *names)
{
    apr_interval_time_t duration;
    icp_pass_key_t key;
    const char *url = icp_option(cli, "url"), *scheme = icp_option(cli, "https") ? "https" : NULL;
    ICP_TRY(icp_option_duration(&duration, icp_option(cli, "for"), LONGEST, cli->pool));
    ICP_TRY(check_url(url, cli));
    ICP_TRY(icp_names_confirm(cli, "give a pass to", "sites", names));
    ICP_TRY(icp_pass_key_read(&key, icp_register_companion(cli->register_path, "pass.key", cli->pool), cli->pool));
    passing_t passing = {.names = names, .until = apr_time_now() + duration, .note = icp_option(cli, "note"),
                         .sites = apr_pcalloc(cli->pool, (apr_size_t)names->nelts * sizeof(icp_site_t *))};
    ICP_TRY(icp_register_change(cli->reg, change_give, &passing, cli->pool));
    if (cli->dry_run) return NULL;
    icp_list_t *list = icp_list_begin(cli, "SITE|UNTIL|LINK");
    for (int i = 0; i < names->nelts; i++) {
        const icp_site_t *site = passing.sites[i];
        icp_pass_t pass = {ICP_PASS_OWNER, site->suspension->id, site->suspension->pass_epoch, passing.until, 0};
        const char *token = icp_pass_make(&key, &pass, cli->pool), *link = make_link(site, url, scheme, token, cli->pool);
        if (!cli->json)
            icp_list_row(list, site->name, icp_time_text(passing.until, cli->pool), link, NULL);
        else
            icp_list_object(list, json_pack("{s:o, s:o, s:s, s:o}", "site", icp_text_json(site->name), "link", icp_text_json(link),
                                            "token", token, "expires_at", icp_time_json(passing.until)));
    }
    icp_list_end(list, NULL);
    return NULL;
}

/* --- revoking ----------------------------------------------------------------------------------------------------- */

static icp_error_t *change_revoke(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    passing_t *passing = baton;
    for (int i = 0; i < passing->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(passing->names, i, const char *);
        ICP_TRY(icp_pass_revoke(&passing->counts[i], reg, name, passing->note, pool));
    }
    return NULL;
}

static icp_error_t *run_revoke(icp_cli_t *cli, const apr_array_header_t *names)
{
    ICP_TRY(icp_names_confirm(cli, "revoke the passes of", "sites", names));
    passing_t passing = {.names = names, .note = icp_option(cli, "note"),
                         .counts = apr_pcalloc(cli->pool, (apr_size_t)names->nelts * sizeof(apr_int64_t))};
    ICP_TRY(icp_register_change(cli->reg, change_revoke, &passing, cli->pool));
    icp_list_t *list = icp_list_begin(cli, "SITE|REVOKED");
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        if (!cli->json)
            icp_list_row(list, name, apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, passing.counts[i]), NULL);
        else
            icp_list_object(list, json_pack("{s:o, s:I}", "site", icp_text_json(name), "revoked", (json_int_t)passing.counts[i]));
    }
    icp_list_end(list, NULL);
    return NULL;
}

/* --- listing ------------------------------------------------------------------------------------------------------ */

typedef struct listing_t {
    const apr_array_header_t *names; /* none: every site's */
    icp_list_t *list;
    int json;
} listing_t;

static icp_error_t *add_grant(const icp_grant_t *grant, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (listing->json) {
        json_t *object = json_pack("{s:o, s:I, s:o, s:o, s:o, s:o}", "site", icp_text_json(grant->site), "case",
                                   (json_int_t)grant->suspension_id, "given_at", icp_time_json(grant->given_at), "expires_at",
                                   icp_time_json(grant->until), "by", icp_text_json(grant->given_by), "note", icp_text_json(grant->note));
        icp_list_object(listing->list, object);
        return NULL;
    }
    icp_list_row(listing->list, grant->site, icp_time_text(grant->given_at, pool), icp_time_text(grant->until, pool), grant->given_by,
                 *grant->note ? grant->note : "-", NULL);
    return NULL;
}

static icp_error_t *read_grants(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (!listing->names->nelts) return icp_pass_each(reg, 0, add_grant, listing, pool);
    for (int i = 0; i < listing->names->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, reg, APR_ARRAY_IDX(listing->names, i, const char *), pool));
        ICP_TRY(icp_pass_each(reg, site->id, add_grant, listing, pool));
    }
    return NULL;
}

static icp_error_t *run_list(icp_cli_t *cli, const apr_array_header_t *names)
{
    listing_t listing = {names, icp_list_begin(cli, "SITE|GIVEN|UNTIL|BY|NOTE"), cli->json};
    ICP_TRY(icp_register_read(cli->reg, read_grants, &listing, cli->pool));
    icp_list_end(listing.list, "no pass is good at this moment");
    return NULL;
}

/* --- the key ------------------------------------------------------------------------------------------------------ */

static icp_error_t *change_key(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const passing_t *passing = baton;
    return icp_audit_event(reg, "pass.rotate-key", "pass.key", NULL, NULL, passing->note, pool);
}

static icp_error_t *run_rotate(icp_cli_t *cli)
{
    passing_t passing = {.note = icp_option(cli, "note")};
    const char *file = icp_register_companion(cli->register_path, "pass.key", cli->pool);
    const char *next = apr_pstrcat(cli->pool, file, ".next", NULL);
    int at_once = icp_option(cli, "now") != NULL;
    icp_pass_key_t key;
    if (!at_once) ICP_TRY(icp_pass_key_read(&key, file, cli->pool));
    if (!cli->dry_run) ICP_TRY(icp_pass_key_prepare(file, next, at_once, cli->pool));
    icp_error_t *error = icp_register_change(cli->reg, change_key, &passing, cli->pool);
    if (cli->dry_run) return error;
    if (!error) error = icp_file_rename(next, file, cli->pool);
    if (error) {
        icp_file_remove(next, cli->pool);
        return error;
    }
    if (cli->json) icp_print_object(json_pack("{s:s, s:b}", "file", file, "previous_kept", !at_once));
    icp_say(cli, "%s holds a new key%s", file, at_once ? "" : " and the one before");
    if (at_once) {
        icp_say(cli, "Reload httpd now (apachectl graceful): until then the old key opens suspended sites, and what the new one signs "
                     "opens none. Every link given before is void from the reload on: give new ones.");
    }
    else {
        icp_say(cli, "httpd reads it at its next reload (apachectl graceful). Links given before and from now on are good before and after "
                     "it; the old key goes at the next rotation.");
    }
    return NULL;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static icp_error_t *usage(const icp_cli_t *cli, const char *remedy, const char *message)
{
    return icp_error(cli->pool, ICP_USAGE, remedy, "%s", message);
}

static icp_error_t *run_pass(icp_cli_t *cli)
{
    static const char *const ways[] = {"for", "revoke", "list", "rotate-key"};
    apr_array_header_t *names = cli->arguments;
    int given = 0;
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) given += icp_option(cli, ways[i]) != NULL;
    if (given != 1) return usage(cli, "see 'icpadmin help pass'", "say one of --for TIME, --revoke, --list and --rotate-key");
    if (!icp_option(cli, "for") && (icp_option(cli, "url") || icp_option(cli, "https"))) {
        return usage(cli, "leave them out", "--url and --https are for a link, which only --for makes");
    }
    if (!icp_option(cli, "rotate-key") && icp_option(cli, "now")) {
        return usage(cli, "a pass that is revoked is void at once anyway", "--now belongs to --rotate-key");
    }
    if (names->nelts) ICP_TRY(icp_names_read(&names, cli));
    if (icp_option(cli, "list")) return run_list(cli, names);
    if (icp_option(cli, "rotate-key")) {
        return names->nelts ? usage(cli, "leave the names out", "--rotate-key is for all sites at once") : run_rotate(cli);
    }
    if (!names->nelts) return usage(cli, "name them, as in icpadmin pass shop.example.cn --for 2h", "which sites?");
    return icp_option(cli, "for") ? run_give(cli, names) : run_revoke(cli, names);
}

static const icp_option_t pass_options[] = {
    {"for", "TIME", 0, "give one, for so long: 90s, 30m, 2h, up to 7d"},
    {"url", "PATH", 0, "with --for: the page that the link opens (default: the home page)"},
    {"https", NULL, 0, "with --for: the link begins with https://"},
    {"revoke", NULL, 0, "end all passes given so far, for the very next request"},
    {"list", NULL, 0, "those that are good now, of the sites named or of all"},
    {"rotate-key", NULL, 0, "put a new key in pass.key, and keep the one before beside it"},
    {"now", NULL, 0, "with --rotate-key: do not keep it; for a key that has leaked"},
    {"note", "TEXT", 0, "for whom or why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_pass = {
    .noun = "pass",
    .arguments = "[SITE…]",
    .least = 0,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "make a link by which its owner gets at a suspended site; revoke it; renew the key",
    .details =
        "With --for, the link works for one site until it expires: it sets a cookie, and with it everything works, logging in and "
        "uploading too; it opens nothing to anybody who does not have it. The cookie is of the host in the link only: for another host "
        "of the site, replace the host in the link. The link begins with https:// if the site's home page is on file so, or with "
        "--https: use that for a site that sends visitors there. Passes given are in the audit log, their links are not. It needs ICPPassKey in the "
        "server's configuration.\n\n"
        "A pass is of the suspension that it was given for: when the site is enabled and suspended again, it opens nothing. --revoke "
        "ends it before; from the moment the command returns no request gets through by it.\n\n"
        "--rotate-key renews the key, once a year say. httpd reads it when it is reloaded; links given before and after the rotation work all the while. "
        "With --now, the old key is dropped: links given before are void once httpd was reloaded, and links given from then on work only from "
        "there on.",
    .json = "with --for an array; each has site, link, token, expires_at. --revoke: an array; each has site, revoked. --list: an array; each has "
            "site, case, given_at, expires_at, by, note. --rotate-key: an object with file, previous_kept",
    .example = "icpadmin pass shop.example.cn --for 2h --url /wp-login.php\n"
               "icpadmin pass shop.example.cn --revoke --note 'sent to the wrong address'\n"
               "icpadmin pass --list\n"
               "icpadmin pass --rotate-key",
    .options = pass_options,
    .run = run_pass,
};
