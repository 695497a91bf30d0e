/* `icpadmin site`: hosted websites on file. Import is in cmd_import.c, discover in cmd_discover.c. */
#include "site.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "host.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "overview.h"
#include "show_evidence.h"

static json_t *suspension_json(const icp_suspension_t *suspension)
{
    json_t *object = json_object();
    json_object_set_new(object, "case", json_integer(suspension->id));
    json_object_set_new(object, "reason", icp_text_json(suspension->reason));
    json_object_set_new(object, "opened_at", icp_time_json(suspension->opened_at));
    json_object_set_new(object, "opened_by", icp_text_json(suspension->opened_by));
    json_object_set_new(object, "closed_at", icp_time_json(suspension->closed_at));
    json_object_set_new(object, "closed_by", icp_text_json(suspension->closed_by));
    return object;
}

static json_t *site_json(const icp_site_t *site)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", icp_text_json(site->name));
    json_object_set_new(object, "hosts", icp_texts_json(site->hosts));
    json_object_set_new(object, "numbers", icp_texts_json(site->numbers));
    json_object_set_new(object, "expected", icp_texts_json(site->expected));
    json_object_set_new(object, "homepage", icp_text_json(site->homepage));
    json_object_set_new(object, "serve_unlicensed", json_boolean(site->serve_unlicensed));
    json_object_set_new(object, "suspension", site->suspension ? suspension_json(site->suspension) : json_null());
    json_object_set_new(object, "verdict", site->verdict && *site->verdict ? json_string(site->verdict) : json_null());
    json_object_set_new(object, "checked_at", icp_time_json(site->checked_at));
    json_object_set_new(object, "created_at", icp_time_json(site->created_at));
    return object;
}

static const char *state_of(const icp_site_t *site, apr_pool_t *pool)
{
    return site->suspension ? apr_pstrcat(pool, "suspended: ", site->suspension->reason, NULL) : "open";
}

typedef struct addition_t {
    icp_site_t given, site;
} addition_t;

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    addition_t *addition = baton;
    addition->site = addition->given;
    return icp_site_add(reg, &addition->site, pool);
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    addition_t addition = {.given = {.name = APR_ARRAY_IDX(cli->arguments, 0, const char *),
                                     .hosts = icp_option_all(cli, "host"),
                                     .numbers = icp_option_all(cli, "license"),
                                     .homepage = icp_option(cli, "homepage"),
                                     .serve_unlicensed = icp_option(cli, "serve-unlicensed") != NULL}};
    if (!addition.given.homepage) addition.given.homepage = "/";
    ICP_TRY(icp_register_change(cli->reg, change_add, &addition, cli->pool));
    const icp_site_t *site = &addition.site;
    if (cli->json) {
        icp_site_t *stored = &addition.site;
        if (!cli->dry_run) ICP_TRY(icp_site_get(&stored, cli->reg, site->name, cli->pool));
        icp_print_object(site_json(stored));
    }
    icp_say(cli, "%s added, %s", site->name, state_of(site, cli->pool));
    if (site->suspension) {
        icp_remark(cli,
                   "It is not served without an active license. Put one on file (icpadmin license add), give it to the "
                   "site (icpadmin site edit %s --license NUMBER), then: icpadmin enable %s",
                   site->name, site->name);
    }
    return NULL;
}

typedef struct listing_t {
    const icp_cli_t *cli;
    icp_list_t *list;
    icp_site_filter_e filter;
} listing_t;

static icp_error_t *list_site(const icp_site_t *site, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (listing->cli->json)
        icp_list_object(listing->list, site_json(site));
    else {
        icp_list_row(listing->list, site->name, state_of(site, pool),
                     site->verdict && *site->verdict ? site->verdict : "-", icp_time_text(site->checked_at, pool),
                     icp_join(site->numbers, pool), icp_join(site->hosts, pool), NULL);
    }
    return NULL;
}

static icp_error_t *read_sites(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    return icp_site_each(reg, listing->filter, list_site, listing, pool);
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    int suspended = icp_option(cli, "suspended") != NULL, open = icp_option(cli, "open") != NULL;
    listing_t listing = {
        .cli = cli,
        .list = icp_list_begin(cli, "SITE|STATE|VERDICT|CHECKED|NUMBERS|HOSTS"),
        .filter = suspended == open ? ICP_SITES_ALL
                  : suspended       ? ICP_SITES_SUSPENDED
                                    : ICP_SITES_OPEN,
    };
    ICP_TRY(icp_register_read(cli->reg, read_sites, &listing, cli->pool));
    icp_list_end(listing.list, "no such site on file");
    return NULL;
}

static const char *readable_hosts(const icp_site_t *site, apr_pool_t *pool)
{
    apr_array_header_t *hosts = apr_array_make(pool, site->hosts->nelts + 1, sizeof(const char *));
    for (int i = 0; i < site->hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(site->hosts, i, const char *), *shown = icp_host_display(host, pool);
        APR_ARRAY_PUSH(hosts, const char *) = strcmp(host, shown) ? apr_psprintf(pool, "%s (%s)", shown, host) : host;
    }
    return icp_join(hosts, pool);
}

static const char *history_line(const icp_suspension_t *suspension, apr_pool_t *pool)
{
    const char *opened = apr_psprintf(pool, ICP_CASE_FORMAT ", %s, from %s by %s", suspension->id, suspension->reason,
                                      icp_time_text(suspension->opened_at, pool), suspension->opened_by);
    if (!suspension->closed_at) return apr_pstrcat(pool, opened, ", open", NULL);
    return apr_psprintf(pool, "%s to %s by %s", opened, icp_time_text(suspension->closed_at, pool),
                        suspension->closed_by);
}

static void show_site(const icp_cli_t *cli, const icp_site_t *site, const apr_array_header_t *history)
{
    icp_list_t *list = icp_list_begin(cli, NULL);
    icp_list_row(list, "Site", site->name, NULL);
    icp_list_row(list, "State", state_of(site, cli->pool), NULL);
    icp_list_row(list, "Hosts", readable_hosts(site, cli->pool), NULL);
    icp_list_row(list, "Numbers", icp_join(site->numbers, cli->pool), NULL);
    icp_list_row(list, "Must show", icp_join(site->expected, cli->pool), NULL);
    icp_list_row(list, "Home page", site->homepage, NULL);
    if (site->serve_unlicensed) icp_list_row(list, "Unlicensed", "served all the same, as decided by staff", NULL);
    icp_list_row(list, "Verdict", site->verdict && *site->verdict ? site->verdict : "never looked at", NULL);
    icp_list_row(list, "Checked", icp_time_text(site->checked_at, cli->pool), NULL);
    icp_list_row(list, "Registered", icp_time_text(site->created_at, cli->pool), NULL);
    for (int i = 0; i < history->nelts; i++) {
        icp_list_row(list, i ? "" : "Suspensions",
                     history_line(&APR_ARRAY_IDX(history, i, icp_suspension_t), cli->pool), NULL);
    }
    icp_list_end(list, NULL);
}

/* A client quotes the case reference of the notice. */
static icp_error_t *find_site(icp_site_t **site, const icp_cli_t *cli, const char *text)
{
    const char *name = NULL, *digits = text + sizeof ICP_CASE_PREFIX - 1;
    if (!strncasecmp(text, ICP_CASE_PREFIX, sizeof ICP_CASE_PREFIX - 1) && !digits[strspn(digits, "0123456789")]) {
        ICP_TRY(icp_overview_case(&name, cli->reg, apr_atoi64(digits), cli->pool));
    }
    return icp_site_get(site, cli->reg, name ? name : text, cli->pool);
}

/* Evidence outlives its site. */
static icp_error_t *show_removed(icp_cli_t *cli, const char *name, icp_error_t *not_found)
{
    apr_array_header_t *evidence;
    ICP_TRY(icp_evidence_list(&evidence, cli->reg, name, cli->pool));
    if (!evidence->nelts) return not_found;
    if (icp_option(cli, "save")) ICP_TRY(icp_show_evidence_save(cli, evidence, icp_option(cli, "save")));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "name", icp_text_json(name));
        json_object_set_new(object, "evidence", icp_show_evidence_json(evidence));
        icp_print_object(object);
    }
    else {
        icp_remark(cli, "%s is no longer on file", name);
        icp_show_evidence_table(cli, evidence);
    }
    return NULL;
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    icp_site_t *site;
    apr_array_header_t *history, *evidence = NULL;
    const char *name = APR_ARRAY_IDX(cli->arguments, 0, const char *), *save = icp_option(cli, "save");
    int with_evidence = save || icp_option(cli, "evidence");
    icp_error_t *error = find_site(&site, cli, name);
    if (error && error->status == ICP_NOT_FOUND && with_evidence) return show_removed(cli, name, error);
    if (error) return error;
    ICP_TRY(icp_suspension_history(&history, cli->reg, site->name, cli->pool));
    if (with_evidence) ICP_TRY(icp_evidence_list(&evidence, cli->reg, site->name, cli->pool));
    if (save) ICP_TRY(icp_show_evidence_save(cli, evidence, save));
    if (!cli->json) {
        show_site(cli, site, history);
        if (evidence) {
            icp_say(cli, "%s", "");
            icp_show_evidence_table(cli, evidence);
        }
        return NULL;
    }
    json_t *object = site_json(site), *past = json_array();
    for (int i = 0; i < history->nelts; i++) {
        json_array_append_new(past, suspension_json(&APR_ARRAY_IDX(history, i, icp_suspension_t)));
    }
    json_object_set_new(object, "suspensions", past);
    if (evidence) json_object_set_new(object, "evidence", icp_show_evidence_json(evidence));
    icp_print_object(object);
    return NULL;
}

static icp_error_t *change_edit(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_site_edit(reg, baton, pool);
}

static icp_error_t *run_edit(icp_cli_t *cli)
{
    icp_site_t *before, *after;
    int serve = icp_option(cli, "serve-unlicensed") != NULL, refuse = icp_option(cli, "no-serve-unlicensed") != NULL;
    ICP_TRY(icp_site_get(&before, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    icp_site_edit_t edit = {.name = before->name,
                            .add_hosts = icp_option_all(cli, "host"),
                            .remove_hosts = icp_option_all(cli, "remove-host"),
                            .add_numbers = icp_option_all(cli, "license"),
                            .remove_numbers = icp_option_all(cli, "remove-license"),
                            .homepage = icp_option(cli, "homepage"),
                            .serve_unlicensed = serve == refuse ? -1 : serve};
    if (serve && refuse) {
        return icp_error(cli->pool, ICP_USAGE, NULL, "--serve-unlicensed and --no-serve-unlicensed are given both");
    }
    if (!cli->options->nelts || (!edit.add_hosts->nelts && !edit.remove_hosts->nelts && !edit.add_numbers->nelts &&
                                 !edit.remove_numbers->nelts && !edit.homepage && edit.serve_unlicensed < 0)) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help site edit", "nothing to change is given");
    }
    ICP_TRY(icp_register_change(cli->reg, change_edit, &edit, cli->pool));
    ICP_TRY(icp_site_get(&after, cli->reg, before->name, cli->pool));
    if (cli->json) icp_print_object(site_json(after));
    icp_say(cli, "%s changed", after->name);
    if (after->suspension && !before->suspension)
        icp_say(cli, "%s suspended: %s", after->name, after->suspension->reason);
    return NULL;
}

typedef struct removal_t {
    const apr_array_header_t *names;
    const char *note;
} removal_t;

static icp_error_t *change_remove(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    removal_t *removal = baton;
    for (int i = 0; i < removal->names->nelts; i++) {
        ICP_TRY(icp_site_remove(reg, APR_ARRAY_IDX(removal->names, i, const char *), removal->note, pool));
    }
    return NULL;
}

static icp_error_t *run_remove(icp_cli_t *cli)
{
    removal_t removal = {NULL, icp_option(cli, "note")};
    apr_array_header_t *names;
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, "remove", "sites", names));
    removal.names = names;
    ICP_TRY(icp_register_change(cli->reg, change_remove, &removal, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "removed", icp_texts_json(names));
        icp_print_object(object);
    }
    for (int i = 0; i < names->nelts; i++) {
        icp_say(cli, "%s removed", APR_ARRAY_IDX(names, i, const char *));
    }
    return NULL;
}

static const icp_option_t add_options[] = {
    {"host", "HOST", ICP_OPTION_MANY,
     "a host name of it, or *. and a name for all below that; a SITE with a dot is one itself"},
    {"license", "NUMBER", ICP_OPTION_MANY, "a license or website number it may show; its license must be on file"},
    {"homepage", "PATH|URL", 0, "its home page (default: /)"},
    {"serve-unlicensed", NULL, 0, "serve it though it has no active license"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t list_options[] = {
    {"suspended", NULL, 0, "only suspended ones"},
    {"open", NULL, 0, "only open ones"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t show_options[] = {
    {"evidence", NULL, 0, "and what is kept of its pages that failed, oldest first"},
    {"save", "DIR", 0, "write these pages into DIR, each with its headers and facts; nothing is written over"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t edit_options[] = {
    {"host", "HOST", ICP_OPTION_MANY, "a host name to add"},
    {"remove-host", "HOST", ICP_OPTION_MANY, "a host name to take away"},
    {"license", "NUMBER", ICP_OPTION_MANY, "a number to add; its license must be on file"},
    {"remove-license", "NUMBER", ICP_OPTION_MANY, "a number to take away"},
    {"homepage", "PATH|URL", 0, "its home page"},
    {"serve-unlicensed", NULL, 0, "serve it though it has no active license"},
    {"no-serve-unlicensed", NULL, 0, "the contrary: without an active license it is suspended"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t remove_options[] = {
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_site_add = {
    .noun = "site",
    .verb = "add",
    .arguments = "SITE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put a website on file",
    .details =
        "A site without an active license is not served: it is suspended as `unlicensed` from the start, unless "
        "--serve-unlicensed says otherwise. Names in Chinese and other scripts are kept in their A-label form (xn--…).",
    .json = "an object with name, hosts, numbers, expected (numbers of active licenses), homepage, serve_unlicensed, "
            "suspension (case, reason, opened_at, opened_by, closed_at, closed_by; null while the site is open), "
            "verdict, checked_at, created_at",
    .example = "icpadmin site add shop.example.cn --host www.shop.example.cn --license 沪ICP备05012345号-3",
    .options = add_options,
    .run = run_add,
};

const icp_command_t icp_cmd_site_list = {
    .noun = "site",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list the sites",
    .json = "an array; each has name, hosts, numbers, expected (numbers of active licenses), homepage, "
            "serve_unlicensed, suspension (case, reason, opened_at, opened_by, closed_at, closed_by; null while the "
            "site is open), verdict, checked_at, created_at",
    .example = "icpadmin site list --suspended",
    .options = list_options,
    .run = run_list,
};

const icp_command_t icp_cmd_site_show = {
    .noun = "site",
    .verb = "show",
    .arguments = "SITE|HOST|CASE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "show one site with its suspensions",
    .details = "CASE is the reference on the notice that a client quotes.\n\n"
               "Evidence is of icpadmin's own looks. BYTES and SHA-256 are of the page as it was judged: compression undone, "
               "charset as it came. --save writes a page as SHA256.page, which no browser opens by itself, and for each look "
               "SITE-ID.headers and SITE-ID.json; the audit log says who did. A stored page whose content no longer has its "
               "SHA-256 is not written: exit status 5.",
    .json = "an object with name, hosts, numbers, expected (numbers of active licenses), homepage, serve_unlicensed, "
            "suspension (case, reason, opened_at, opened_by, closed_at, closed_by; null while the site is open), "
            "verdict, checked_at, created_at, suspensions (all of them, oldest first); with --evidence "
            "evidence: an array; each has id, site, at, url, address, status, verdict, inspection, sha256, bytes (of the page "
            "as judged), kept (bytes that are kept), kept_sha256 (of these; null: none)",
    .example = "icpadmin site show www.shop.example.cn\nicpadmin site show ICP-000012\n"
               "icpadmin site show shop.example.cn --save /root/shop-dispute",
    .options = show_options,
    .run = run_show,
};

const icp_command_t icp_cmd_site_edit = {
    .noun = "site",
    .verb = "edit",
    .arguments = "SITE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "change a site's host names, numbers or home page",
    .details =
        "What is not given stays as it is. A site left without an active license is suspended; a new license does not "
        "enable a suspended site by itself: that takes `icpadmin enable`, which looks at the live page. While a site is "
        "suspended for what its home page shows, no other page can be put in that one's place.",
    .json = "an object with name, hosts, numbers, expected (numbers of active licenses), homepage, serve_unlicensed, "
            "suspension (case, reason, opened_at, opened_by, closed_at, closed_by; null while the site is open), "
            "verdict, checked_at, created_at",
    .example = "icpadmin site edit shop.example.cn --license 沪ICP备05012345号-3 --remove-host old.example.cn",
    .options = edit_options,
    .run = run_edit,
};

const icp_command_t icp_cmd_site_remove = {
    .noun = "site",
    .verb = "remove",
    .arguments = "SITE…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "take sites off file",
    .details = "A suspended site is not removed, since its host names would be served again. Several sites are one "
               "change: all of them or none. `-` reads names from standard input.",
    .json = "an object with removed (the sites' names)",
    .example = "icpadmin site remove shop.example.cn --note 'moved to another provider'",
    .options = remove_options,
    .run = run_remove,
};
