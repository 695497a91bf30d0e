/* `icpadmin enable`: turns suspended sites on again, each on the ground of a look at its live page made now. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "explain.h"
#include "live.h"
#include "names.h"
#include "options.h"
#include "output.h"

typedef struct enabling_t {
    icp_cli_t *cli;
    icp_list_t *list;             /* with --json */
    const char *attested, *note;  /* number and note of --attest; NULL */
    const icp_fetched_t *fetched; /* the one under way */
    apr_array_header_t *enabled;  /* const char *: to be looked at as the public */
    icp_error_t *refusal;         /* of the newest look */
} enabling_t;

static icp_error_t *change_enable(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enabling_t *enabling = baton;
    const icp_look_t *look = &enabling->fetched->look;
    ICP_TRY(icp_inspection_record(reg, look, NULL, pool));
    if (enabling->attested)
        return icp_suspension_attest(reg, look->site, look, enabling->attested, enabling->note, pool);
    return icp_suspension_close(reg, look->site, look, pool);
}

static icp_error_t *change_record(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enabling_t *enabling = baton;
    return icp_inspection_record(reg, &enabling->fetched->look, NULL, pool);
}

static void explain(const icp_cli_t *cli, const icp_fetched_t *fetched)
{
    const icp_look_t *look = &fetched->look;
    icp_expectation_t expected = {(const char **)fetched->site->expected->elts, fetched->site->expected->nelts};
    icp_say(cli, "%s", look->url);
    if (look->fault)
        icp_say(cli, "%s", look->fault);
    else
        icp_explain(stdout, look->inspection, &expected, fetched->pool);
}

static icp_error_t *settle(icp_fetched_t *fetched, void *baton)
{
    enabling_t *enabling = baton;
    icp_cli_t *cli = enabling->cli;
    enabling->fetched = fetched;
    icp_error_t *error = icp_register_change(cli->reg, change_enable, enabling, cli->pool);
    if (error && error->status != ICP_REFUSED && error->status != ICP_USAGE) return error;
    if (error) {
        ICP_TRY(icp_register_change(cli->reg, change_record, enabling, cli->pool));
        if (!cli->json) explain(cli, fetched);
        icp_print_error(cli, error);
        if ((int)error->status > cli->status) cli->status = error->status;
    }
    else {
        const char *name = apr_pstrdup(cli->pool, fetched->site->name);
        const char *matched = fetched->look.inspection->matched;
        APR_ARRAY_PUSH(enabling->enabled, const char *) = name;
        if (enabling->attested)
            icp_say(cli, "%s enabled: %s attests %s", name, cli->actor, enabling->attested);
        else
            icp_say(cli, "%s enabled: %s shows %s", name, fetched->look.url, matched ? matched : "its number");
    }
    if (cli->json) {
        json_t *object = icp_live_json(fetched);
        json_object_set_new(object, "enabled", json_boolean(!error));
        json_object_set_new(object, "error", icp_text_json(error ? error->message : NULL));
        icp_list_object(enabling->list, object);
    }
    apr_pool_destroy(fetched->pool);
    return NULL;
}

/* What the next visitor gets. */
static icp_error_t *verify(icp_fetched_t *fetched, void *baton)
{
    enabling_t *enabling = baton;
    icp_cli_t *cli = enabling->cli;
    if (fetched->notice) {
        icp_warn(cli, "%s is enabled, but visitors still get the notice: does httpd read %s? See: icpadmin doctor",
                 fetched->site->name, cli->register_path);
        cli->status = ICP_FAULT;
    }
    else if (fetched->look.status)
        icp_say(cli, "%s is served to the public again", fetched->site->name);
    apr_pool_destroy(fetched->pool);
    return NULL;
}

static icp_error_t *only_suspended(icp_cli_t *cli, const apr_array_header_t *sites)
{
    for (int i = 0; i < sites->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, cli->reg, APR_ARRAY_IDX(sites, i, const char *), cli->pool));
        if (!site->suspension)
            return icp_error(cli->pool, ICP_REFUSED, "there is nothing to do", "%s is not suspended", site->name);
    }
    return NULL;
}

static icp_error_t *run_enable(icp_cli_t *cli)
{
    icp_live_t *live;
    apr_array_header_t *names, *sites;
    enabling_t enabling = {.cli = cli,
                           .attested = icp_option(cli, "attest"),
                           .note = icp_option(cli, "note"),
                           .enabled = apr_array_make(cli->pool, 8, sizeof(const char *))};
    ICP_TRY(icp_names_read(&names, cli));
    if (!enabling.attested != !enabling.note) {
        return icp_error(cli->pool, ICP_USAGE, "add --attest NUMBER --note 'where you saw it'",
                         "--attest and --note belong together");
    }
    if (enabling.attested && names->nelts > 1) {
        return icp_error(cli->pool, ICP_USAGE, "attest them one by one", "--attest speaks for one site");
    }
    ICP_TRY(icp_live_sites(&sites, cli, names));
    ICP_TRY(only_suspended(cli, sites));
    ICP_TRY(icp_names_confirm(cli, "enable", "sites", sites));
    ICP_TRY(icp_live_prepare(&live, cli));
    if (cli->json) enabling.list = icp_list_begin(cli, NULL);
    ICP_TRY(icp_live_look(live, sites, 0, settle, &enabling));
    if (cli->json) icp_list_end(enabling.list, NULL);
    if (cli->dry_run || !enabling.enabled->nelts) return NULL;
    return icp_live_look(live, enabling.enabled, 1, verify, &enabling);
}

static const icp_option_t options[] = {
    {"attest", "NUMBER", 0, "the number you saw with your own eyes, where the page cannot be read by machine"},
    {"note", "TEXT", 0, "with --attest: where you saw it"},
    ICP_LIVE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_enable = {
    .noun = "enable",
    .arguments = "SITE…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "turn suspended sites on again, after a look at their live page",
    .details =
        "Fetches the live home page through the gate. If it displays a number that is active on file and belongs to "
        "the site, the suspension is closed; if not, the command says what was seen and what is still wrong, and exits "
        "with 1. There is no way around the look.\n\n"
        "Where the machine cannot see the number but a person does (an image, a page drawn by script: the verdict is "
        "unreadable, hidden or missing), --attest NUMBER --note TEXT closes it in the name of who says so.\n\n"
        "Each of several sites is a change of its own. At the end each is asked for once more as a visitor would.",
    .json = "an array; each has what `icpadmin check` prints, enabled, error (why not, or null)",
    .example = "icpadmin enable shop.example.cn\n"
               "icpadmin enable shop.example.cn --attest 沪ICP备05012345号-3 --note 'in the footer image, seen in the "
               "browser'",
    .options = options,
    .run = run_enable,
};
