/* `icpadmin check`: looks at live home pages, records what it saw, and with --enforce suspends the sites that fail. */
#include <string.h>

#include <apr_strings.h>
#include <unistd.h>

#include "explain.h"
#include "live.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "overview.h"
#include "record.h"
#include "suspend.h"

#define BATCH 64 /* looks recorded in one change */

typedef struct sweep_t {
    icp_cli_t *cli;
    icp_list_t *list;
    apr_array_header_t *pending; /* icp_fetched_t *: not yet recorded */
    apr_array_header_t *failing; /* icp_suspend_t: open sites that fail */
    apr_array_header_t *objects; /* json_t *: held back until what --enforce did is known */
    int total, done, compliant, enforce;
} sweep_t;

static icp_error_t *change_record(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *pending = baton;
    for (int i = 0; i < pending->nelts; i++) {
        icp_error_t *error = icp_record_look(reg, APR_ARRAY_IDX(pending, i, icp_fetched_t *), NULL, pool);
        if (error && error->status != ICP_NOT_FOUND) return error; /* not found: removed while its page was fetched */
    }
    return NULL;
}

static const char *findings_text(const icp_inspection_t *inspection, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < ICP_FINDING_COUNT; i++) {
        if (inspection->findings & (1u << i)) APR_ARRAY_PUSH(names, const char *) = icp_finding_name((icp_finding_e)i);
    }
    return icp_join(names, pool);
}

static void print_look(sweep_t *sweep, const icp_fetched_t *fetched)
{
    const icp_inspection_t *inspection = fetched->look.inspection;
    const icp_suspension_t *suspension = fetched->site->suspension;
    if (sweep->cli->json) {
        json_t *object = icp_live_json(fetched);
        if (sweep->enforce)
            APR_ARRAY_PUSH(sweep->objects, json_t *) = object;
        else
            icp_list_object(sweep->list, object);
        return;
    }
    const char *reason = fetched->look.fault;
    if (!reason && inspection->verdict == ICP_UNREADABLE) {
        reason = inspection->seen->detail ? inspection->seen->detail : icp_unreadable_name(inspection->unreadable);
    }
    icp_list_row(sweep->list, fetched->site->name, icp_verdict_name(inspection->verdict),
                 suspension ? suspension->reason : "-", icp_join(inspection->displayed, fetched->pool),
                 findings_text(inspection, fetched->pool), reason ? reason : "-", NULL);
}

static icp_error_t *flush(sweep_t *sweep)
{
    for (int i = 0; i < sweep->pending->nelts; i++) {
        ICP_TRY(icp_record_prepare(sweep->cli->reg, APR_ARRAY_IDX(sweep->pending, i, icp_fetched_t *)));
    }
    if (sweep->pending->nelts)
        ICP_TRY(icp_register_change(sweep->cli->reg, change_record, sweep->pending, sweep->cli->pool));
    for (int i = 0; i < sweep->pending->nelts; i++) {
        icp_fetched_t *fetched = APR_ARRAY_IDX(sweep->pending, i, icp_fetched_t *);
        const icp_inspection_t *inspection = fetched->look.inspection;
        print_look(sweep, fetched);
        if (inspection->verdict == ICP_DISPLAYED) sweep->compliant++;
        if (icp_verdict_fails(inspection->verdict) && !fetched->site->suspension) {
            icp_suspend_t failing = {.site = apr_pstrdup(sweep->cli->pool, fetched->site->name),
                                     .reason = icp_verdict_name(inspection->verdict)};
            APR_ARRAY_PUSH(sweep->failing, icp_suspend_t) = failing;
        }
        if (sweep->total == 1 && !sweep->cli->json && inspection->verdict != ICP_DISPLAYED && !fetched->look.fault) {
            icp_expectation_t expected = {(const char **)fetched->site->expected->elts, fetched->site->expected->nelts};
            icp_list_end(sweep->list, NULL);
            puts("");
            icp_explain(stdout, inspection, &expected, fetched->pool);
            sweep->list = NULL;
        }
        apr_pool_destroy(fetched->pool);
    }
    apr_array_clear(sweep->pending);
    return NULL;
}

static icp_error_t *take_look(icp_fetched_t *fetched, void *baton)
{
    sweep_t *sweep = baton;
    APR_ARRAY_PUSH(sweep->pending, icp_fetched_t *) = fetched;
    sweep->done++;
    if (sweep->total > 1) {
        icp_progress(sweep->cli, apr_psprintf(fetched->pool, "%d of %d sites", sweep->done, sweep->total));
    }
    return sweep->pending->nelts < BATCH ? NULL : flush(sweep);
}

static icp_error_t *choose_sites(apr_array_header_t **sites, icp_cli_t *cli)
{
    apr_array_header_t *names;
    if (!icp_option(cli, "all") == !cli->arguments->nelts) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help check", "`icpadmin check` needs SITE… or --all");
    }
    if (cli->arguments->nelts) {
        ICP_TRY(icp_names_read(&names, cli));
        return icp_live_sites(sites, cli, names);
    }
    return icp_overview_names(sites, cli->reg, 0, cli->pool);
}

static icp_error_t *enforce(sweep_t *sweep)
{
    icp_cli_t *cli = sweep->cli;
    icp_suspend_t *failing = (icp_suspend_t *)sweep->failing->elts;
    apr_array_header_t *names = apr_array_make(cli->pool, 16, sizeof(const char *));
    for (int i = 0; i < sweep->failing->nelts; i++) {
        APR_ARRAY_PUSH(names, const char *) = apr_psprintf(cli->pool, "%s: %s", failing[i].site, failing[i].reason);
    }
    ICP_TRY(icp_names_confirm(cli, "suspend", "sites", names));
    if (names->nelts) ICP_TRY(icp_suspend_all(cli, failing, names->nelts, "found by icpadmin check --enforce"));
    for (int i = 0; i < names->nelts; i++) {
        if (failing[i].suspension) {
            icp_say(cli, "%s suspended: %s, case " ICP_CASE_FORMAT, failing[i].site, failing[i].reason,
                    failing[i].suspension->id);
        }
    }
    for (int i = 0, k = 0; i < sweep->objects->nelts; i++) {
        json_t *object = APR_ARRAY_IDX(sweep->objects, i, json_t *);
        const char *site = json_string_value(json_object_get(object, "site"));
        if (k < names->nelts && !strcmp(site, failing[k].site)) {
            if (failing[k].suspension) json_object_set_new(object, "suspended", json_string(failing[k].reason));
            k++;
        }
        icp_list_object(sweep->list, object);
    }
    return NULL;
}

static icp_error_t *run_check(icp_cli_t *cli)
{
    icp_live_t *live;
    apr_array_header_t *sites;
    ICP_TRY(icp_live_prepare(&live, cli));
    ICP_TRY(choose_sites(&sites, cli));
    sweep_t sweep = {.cli = cli,
                     .list = icp_list_begin(cli, "SITE|VERDICT|SUSPENDED|NUMBERS|FINDINGS|REMARKS"),
                     .pending = apr_array_make(cli->pool, BATCH, sizeof(icp_fetched_t *)),
                     .failing = apr_array_make(cli->pool, 16, sizeof(icp_suspend_t)),
                     .objects = apr_array_make(cli->pool, 16, sizeof(json_t *)),
                     .total = sites->nelts,
                     .enforce = icp_option(cli, "enforce") != NULL};
    if (sweep.enforce && sweep.total > 1 && !cli->yes && !cli->dry_run && !isatty(STDIN_FILENO)) {
        return icp_error(cli->pool, ICP_USAGE, "add --yes, or see first with --dry-run what it does",
                         "--enforce may suspend %d sites, and there is no terminal to ask on", sweep.total);
    }
    icp_error_t *error = icp_live_look(live, sites, take_look, &sweep);
    icp_progress(cli, NULL);
    if (!error) error = flush(&sweep);
    if (error) return error;
    if (!cli->json && sweep.list) {
        icp_list_sort(sweep.list);
        icp_list_end(sweep.list, "no site on file");
    }
    if (sweep.compliant < sweep.done) cli->status = ICP_REFUSED;
    if (sweep.enforce) error = enforce(&sweep);
    if (cli->json) icp_list_end(sweep.list, NULL);
    if (sweep.done > 1) icp_remark(cli, "%d sites, %d compliant", sweep.done, sweep.compliant);
    return error;
}

static const icp_option_t options[] = {
    {"all", NULL, 0, "every site on file"},
    {"enforce", NULL, 0, "suspend the open sites whose verdict is missing, incorrect or invalid"},
    ICP_LIVE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_check = {
    .noun = "check",
    .arguments = "[SITE…]",
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "look at live home pages and record what they show",
    .details =
        "Fetches each home page through httpd on this host, with the site's own host name, by http and, if nothing "
        "answers there, by https; follows redirects inside the site; reads pages of suspended sites with a short pass. "
        "For one site that does not comply it explains what was seen.\n\n"
        "Exit status 1 if any site is not compliant. `hidden` and `unreadable` are for a person (icpadmin queue) and "
        "never suspended by --enforce. With --enforce the sites that fail are suspended in one change after the last "
        "look; more than one asks first, and without a terminal needs --yes.",
    .json = "an array; each has site, url, status, fault (why there was no page to judge, or null), at, suspended (the "
            "reason, or null) and what `icpadmin inspect` prints: verdict, displayed, hidden, invalid, findings, "
            "charset, reason, detail",
    .example = "icpadmin check shop.example.cn\nicpadmin check --all --enforce --yes",
    .options = options,
    .run = run_check,
};
