/* `icpadmin enable`: turns suspended sites on again, each on the ground of a look at its live page made now. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "explain.h"
#include "live.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "record.h"

typedef struct enabling_t {
    icp_cli_t *cli;
    const char *attested, *note;  /* number and note of --attest; NULL */
    icp_fetched_t *fetched;       /* the one under way */
    apr_array_header_t *answers;  /* answer_t */
    apr_array_header_t *enabled;  /* const char *: to be asked for as the public */
} enabling_t;

/* What became of one site. */
typedef struct answer_t {
    const char *site;
    json_t *object;                                 /* with --json */
    apr_array_header_t *served, *noticed, *nothing; /* const char *: of its addresses, as a visitor finds them; NULL: not enabled */
} answer_t;

static icp_error_t *change_enable(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enabling_t *enabling = baton;
    const icp_look_t *look = &enabling->fetched->look;
    ICP_TRY(icp_record_look(reg, enabling->fetched, NULL, pool));
    if (enabling->attested)
        return icp_suspension_attest(reg, look->site, look, enabling->attested, enabling->note, pool);
    return icp_suspension_close(reg, look->site, look, pool);
}

static icp_error_t *change_record(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enabling_t *enabling = baton;
    return icp_record_look(reg, enabling->fetched, NULL, pool);
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

static void add_answer(enabling_t *enabling, const icp_fetched_t *fetched, const icp_error_t *error)
{
    icp_cli_t *cli = enabling->cli;
    answer_t *answer = apr_array_push(enabling->answers);
    *answer = (answer_t){.site = apr_pstrdup(cli->pool, fetched->site->name)};
    if (!error && !cli->dry_run) {
        APR_ARRAY_PUSH(enabling->enabled, const char *) = answer->site;
        answer->served = apr_array_make(cli->pool, 2, sizeof(const char *));
        answer->noticed = apr_array_make(cli->pool, 2, sizeof(const char *));
        answer->nothing = apr_array_make(cli->pool, 2, sizeof(const char *));
    }
    if (!cli->json) return;
    answer->object = icp_live_json(fetched);
    json_object_set_new(answer->object, "enabled", json_boolean(!error));
    json_object_set_new(answer->object, "error", icp_text_json(error ? error->message : NULL));
}

static icp_error_t *settle(icp_fetched_t *fetched, void *baton)
{
    enabling_t *enabling = baton;
    icp_cli_t *cli = enabling->cli;
    enabling->fetched = fetched;
    ICP_TRY(icp_record_prepare(cli->reg, fetched));
    icp_error_t *error = icp_register_change(cli->reg, change_enable, enabling, cli->pool);
    if (error && error->status != ICP_REFUSED && error->status != ICP_USAGE) return error;
    if (error) {
        ICP_TRY(icp_register_change(cli->reg, change_record, enabling, cli->pool));
        if (!cli->json) explain(cli, fetched);
        icp_print_error(cli, error);
        if ((int)error->status > cli->status) cli->status = error->status;
    }
    else if (enabling->attested)
        icp_say(cli, "%s enabled: %s attests %s", fetched->site->name, cli->actor, enabling->attested);
    else {
        const char *matched = fetched->look.inspection->matched;
        icp_say(cli, "%s enabled: %s shows %s", fetched->site->name, fetched->look.url,
                matched ? matched : "its number");
    }
    add_answer(enabling, fetched, error);
    apr_pool_destroy(fetched->pool);
    return NULL;
}

/* What the next visitor gets. */
static icp_error_t *verify(icp_fetched_t *fetched, void *baton)
{
    enabling_t *enabling = baton;
    apr_pool_t *pool = enabling->cli->pool;
    const icp_look_t *look = &fetched->look;
    answer_t *answer = (answer_t *)enabling->answers->elts;
    while (strcmp(answer->site, fetched->site->name)) answer++;
    if (fetched->notice)
        APR_ARRAY_PUSH(answer->noticed, const char *) = apr_pstrdup(pool, look->url);
    else if (look->status)
        APR_ARRAY_PUSH(answer->served, const char *) = apr_psprintf(pool, "%s (%d)", look->url, look->status);
    else
        APR_ARRAY_PUSH(answer->nothing, const char *) = apr_pstrdup(pool, look->url);
    apr_pool_destroy(fetched->pool);
    return NULL;
}

static void report(icp_cli_t *cli, const answer_t *answer)
{
    if (answer->object) {
        json_object_set_new(answer->object, "served", icp_texts_json(answer->served));
        json_object_set_new(answer->object, "noticed", icp_texts_json(answer->noticed));
        json_object_set_new(answer->object, "unanswered", icp_texts_json(answer->nothing));
    }
    if (!answer->served) return;
    if (answer->served->nelts) {
        icp_say(cli, "%s is served to the public again: %s", answer->site, icp_join(answer->served, cli->pool));
        if (answer->nothing->nelts) icp_say(cli, "  nothing answers at %s", icp_join(answer->nothing, cli->pool));
    }
    if (answer->noticed->nelts) {
        icp_warn(cli, "%s is enabled, but visitors of %s still get the notice: does httpd read %s? See: icpadmin doctor",
                 answer->site, icp_join(answer->noticed, cli->pool), cli->register_path);
    }
    else if (!answer->served->nelts) {
        icp_warn(cli, "%s is enabled, but nothing answers at %s: what visitors get could not be verified", answer->site,
                 icp_join(answer->nothing, cli->pool));
    }
    if (answer->noticed->nelts || !answer->served->nelts) cli->status = ICP_FAULT;
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
                           .answers = apr_array_make(cli->pool, 8, sizeof(answer_t)),
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
    ICP_TRY(icp_live_look(live, sites, settle, &enabling));
    ICP_TRY(icp_live_visit(live, enabling.enabled, verify, &enabling));
    icp_list_t *list = cli->json ? icp_list_begin(cli, NULL) : NULL;
    for (int i = 0; i < enabling.answers->nelts; i++) {
        const answer_t *answer = &APR_ARRAY_IDX(enabling.answers, i, answer_t);
        report(cli, answer);
        if (list) icp_list_object(list, answer->object);
    }
    if (list) icp_list_end(list, NULL);
    return NULL;
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
        "Each of several sites is a change of its own. At the end each home page is asked for as a visitor would, at each "
        "host name by http and by https, and the command says who gets the site. Exit status 5 if a visitor still gets "
        "the notice, or if nothing answers.",
    .json = "an array; each has what `icpadmin check` prints, enabled, error (why not, or null), and of the visits "
            "afterwards served, noticed (still by the notice) and unanswered: the addresses",
    .example = "icpadmin enable shop.example.cn\n"
               "icpadmin enable shop.example.cn --attest 沪ICP备05012345号-3 --note 'in the footer image, seen in the "
               "browser'",
    .options = options,
    .run = run_enable,
};
