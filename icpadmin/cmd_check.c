/* `icpadmin check`: looks at live home pages, records what it saw, and with --enforce does what the policy says. With --all it
 * is a sweep (sweep.h). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "enforce.h"
#include "explain.h"
#include "outcome.h"
#include "live.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "overview.h"
#include "record.h"
#include "steady.h"

#define BATCH 512                           /* looks recorded in one change, */
#define BATCH_BYTES 33554432                /* or those that hold so much of failing pages, */
#define BATCH_TIME apr_time_from_sec(2)     /* or those of so long */
#define SHOW_TIME apr_time_from_msec(100)   /* between two lines of progress */

typedef struct check_t {
    icp_cli_t *cli;
    icp_live_t *live;
    icp_measure_t measure;
    icp_sweep_t *sweep;          /* with --all; else NULL */
    apr_array_header_t *sites;   /* const char *: still to be looked at */
    apr_array_header_t *found;   /* icp_outcome_t */
    apr_array_header_t *pending; /* icp_fetched_t *: the last of these, not yet recorded */
    apr_size_t kept;             /* bytes of pages that these hold */
    apr_time_t began, flushed, shown; /* by icp_steady_now() */
    int total, compliant, failing, begun_with; /* begun_with: looks that were on file */
} check_t;

static volatile sig_atomic_t the_signal;

static void note_signal(int number)
{
    the_signal = number;
}

static void catch_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void count(check_t *check, const icp_outcome_t *found)
{
    int fails = icp_verdict_fails(found->verdict);
    check->compliant += found->verdict == ICP_DISPLAYED;
    check->failing += fails;
    if (!check->sweep) return;
    check->sweep->done++;
    check->sweep->compliant += found->verdict == ICP_DISPLAYED;
    check->sweep->failing += fails;
    check->sweep->for_person += found->verdict == ICP_HIDDEN || found->verdict == ICP_UNREADABLE;
}

static icp_error_t *change_record(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    check_t *check = baton;
    const apr_array_header_t *pending = check->pending;
    int first = check->found->nelts - pending->nelts;
    for (int i = 0; i < pending->nelts; i++) {
        const icp_fetched_t *fetched = APR_ARRAY_IDX(pending, i, icp_fetched_t *);
        icp_outcome_t *found = &APR_ARRAY_IDX(check->found, first + i, icp_outcome_t);
        ICP_TRY(icp_record_check(&found->ruling, reg, fetched, &check->measure, fetched->pool));
    }
    return check->sweep ? icp_sweep_save(reg, check->sweep) : NULL;
}

static icp_error_t *flush(check_t *check)
{
    for (int i = 0; i < check->pending->nelts; i++) {
        ICP_TRY(icp_record_prepare(check->cli->reg, APR_ARRAY_IDX(check->pending, i, icp_fetched_t *)));
    }
    if (check->pending->nelts) ICP_TRY(icp_register_change(check->cli->reg, change_record, check, check->cli->pool));
    for (int i = 0; i < check->pending->nelts; i++) {
        apr_pool_destroy(APR_ARRAY_IDX(check->pending, i, icp_fetched_t *)->pool);
    }
    apr_array_clear(check->pending);
    check->kept = 0;
    return NULL;
}

/* "120 of 500 sites, 7 failing, 310/s, 2 s left" */
static void show_progress(check_t *check, apr_time_t now, apr_pool_t *pool)
{
    double seconds = (double)(now - check->began) / APR_USEC_PER_SEC;
    double rate = seconds > 0 ? (check->found->nelts - check->begun_with) / seconds : 0;
    double left = rate > 0 ? (check->total - check->found->nelts) / rate : 0;
    check->shown = now;
    icp_progress(check->cli, apr_psprintf(pool, "%d of %d sites, %d failing, %.0f/s, %s left", check->found->nelts,
                                          check->total, check->failing, rate,
                                          left < 90 ? apr_psprintf(pool, "%.0f s", left)
                                                    : apr_psprintf(pool, "%.0f min", left / 60)));
}

static icp_error_t *take_look(icp_fetched_t *fetched, void *baton)
{
    check_t *check = baton;
    apr_time_t now = icp_steady_now();
    if (!check->pending->nelts) check->flushed = now;
    APR_ARRAY_PUSH(check->pending, icp_fetched_t *) = fetched;
    check->kept += fetched->kept;
    count(check, icp_outcome_look(check->found, check->cli, fetched));
    if (check->total > 1 && now - check->shown >= SHOW_TIME) show_progress(check, now, fetched->pool);
    if (check->total == 1 && !check->cli->json && !fetched->look.fault && fetched->look.inspection->verdict != ICP_DISPLAYED) {
        icp_expectation_t expected = {(const char **)fetched->site->expected->elts, fetched->site->expected->nelts};
        icp_explain(stdout, fetched->look.inspection, &expected, fetched->pool);
        puts("");
    }
    int more = check->pending->nelts < BATCH && check->kept < BATCH_BYTES && now - check->flushed < BATCH_TIME;
    return more ? NULL : flush(check);
}

/* What is on file since the sweep began: not looked at again. */
static icp_error_t *take_looks(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    check_t *check = baton;
    apr_array_header_t *looks, *left = apr_array_make(pool, 64, sizeof(const char *));
    apr_hash_t *known = apr_hash_make(pool);
    ICP_TRY(icp_sweep_looks(&looks, reg, check->sweep->started_at, reg->now, pool));
    for (int i = 0; i < looks->nelts; i++) {
        const icp_seen_t *seen = &APR_ARRAY_IDX(looks, i, icp_seen_t);
        icp_outcome_t *found = icp_outcome_on_file(check->found, check->cli, seen);
        ICP_TRY(icp_streak_ruling(&found->ruling, reg, seen->site, &check->measure, pool));
        count(check, found);
        apr_hash_set(known, seen->site, APR_HASH_KEY_STRING, seen);
    }
    for (int i = 0; i < check->sites->nelts; i++) {
        const char *name = APR_ARRAY_IDX(check->sites, i, const char *);
        if (!apr_hash_get(known, name, APR_HASH_KEY_STRING)) APR_ARRAY_PUSH(left, const char *) = name;
    }
    check->sites = left;
    check->begun_with = check->found->nelts;
    return NULL;
}

static icp_error_t *change_begin(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_sweep_begin(reg, baton);
}

/* The sweep to go on with: one that was interrupted, or with --approve the one that the brake stopped. */
static int goes_on(const icp_cli_t *cli, const icp_sweep_t *sweep)
{
    if (!sweep || icp_option(cli, "fresh")) return 0;
    apr_time_t age = apr_time_now() - sweep->started_at;
    if (age < 0 || age >= ICP_SWEEP_FRESH) return 0; /* below 0: the clock was set back, and its looks cannot be told from older ones */
    return !sweep->ended_at || (icp_option(cli, "approve") && sweep->braked && !sweep->approved_by);
}

static icp_error_t *begin_sweep(check_t *check)
{
    icp_cli_t *cli = check->cli;
    icp_sweep_t *sweep;
    ICP_TRY(icp_sweep_lock(cli->reg, cli->pool));
    ICP_TRY(icp_sweep_newest(&sweep, cli->reg, 0, cli->pool));
    if (!goes_on(cli, sweep)) {
        check->sweep = apr_pcalloc(cli->pool, sizeof *check->sweep);
        check->sweep->enforce = icp_option(cli, "enforce") != NULL;
        check->sweep->total = check->sites->nelts;
        return icp_register_change(cli->reg, change_begin, check->sweep, cli->pool);
    }
    check->sweep = sweep;
    sweep->enforce = icp_option(cli, "enforce") != NULL;
    sweep->done = sweep->compliant = sweep->failing = sweep->for_person = 0;
    ICP_TRY(icp_register_read(cli->reg, take_looks, check, cli->pool));
    sweep->total = check->found->nelts + check->sites->nelts;
    icp_remark(cli, "going on with %s of %s: %d of %d sites have been looked at (--fresh looks at all of them again)",
               icp_sweep_name(sweep, cli->pool), icp_time_text(sweep->started_at, cli->pool), check->begun_with,
               (int)sweep->total);
    return NULL;
}

static icp_error_t *change_end(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_sweep_end(reg, baton, pool);
}

static icp_error_t *choose_sites(check_t *check)
{
    icp_cli_t *cli = check->cli;
    apr_array_header_t *names;
    apr_int64_t approved;
    if (!icp_option(cli, "all") == !cli->arguments->nelts) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help check", "`icpadmin check` needs SITE… or --all");
    }
    if (icp_option(cli, "fresh") && !icp_option(cli, "all")) {
        return icp_error(cli->pool, ICP_USAGE, NULL, "--fresh belongs to --all");
    }
    if (icp_option(cli, "approve") && !icp_option(cli, "enforce")) {
        return icp_error(cli->pool, ICP_USAGE, NULL, "--approve belongs to --enforce");
    }
    ICP_TRY(icp_option_number(&approved, cli, "approve", 0, APR_INT32_MAX));
    if (cli->arguments->nelts) {
        ICP_TRY(icp_names_read(&names, cli));
        ICP_TRY(icp_live_sites(&check->sites, cli, names));
    }
    else
        ICP_TRY(icp_overview_names(&check->sites, cli->reg, 0, cli->pool));
    int asks = icp_option(cli, "enforce") && check->sites->nelts > 1 && !cli->yes && !cli->dry_run && !icp_option(cli, "approve");
    if (!asks || isatty(STDIN_FILENO)) return NULL;
    return icp_error(cli->pool, ICP_USAGE, "add --yes, or see first with --dry-run what it does",
                     "--enforce may suspend %d sites, and there is no terminal to ask on", check->sites->nelts);
}

static icp_error_t *read_policy(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_measure_read(baton, reg, pool);
}

static icp_error_t *look(check_t *check)
{
    catch_signals(note_signal);
    icp_live_stop(check->live, &the_signal);
    check->began = icp_steady_now();
    icp_error_t *error = icp_live_look(check->live, check->sites, take_look, check);
    icp_progress(check->cli, NULL);
    if (!error) error = flush(check);
    catch_signals(SIG_DFL);
    return error;
}

/* As the signal would have ended it, but with everything said. */
static icp_error_t *end_by_signal(const check_t *check)
{
    icp_cli_t *cli = check->cli;
    icp_remark(cli, "interrupted: %d of %d sites have been looked at, and that is on file%s", check->found->nelts,
               check->total, check->sweep ? "; icpadmin check --all goes on from there" : "");
    fflush(NULL);
    raise(the_signal);
    return icp_error(cli->pool, ICP_FAULT, NULL, "interrupted"); /* the signal is blocked */
}

static icp_error_t *run_check(icp_cli_t *cli)
{
    check_t check = {.cli = cli};
    int enforce = icp_option(cli, "enforce") != NULL;
    check.found = apr_array_make(cli->pool, 64, sizeof(icp_outcome_t));
    check.pending = apr_array_make(cli->pool, BATCH, sizeof(icp_fetched_t *));
    ICP_TRY(icp_live_prepare(&check.live, cli));
    ICP_TRY(choose_sites(&check));
    ICP_TRY(icp_register_read(cli->reg, read_policy, &check.measure, cli->pool));
    if (icp_option(cli, "all")) ICP_TRY(begin_sweep(&check));
    check.total = check.found->nelts + check.sites->nelts;
    ICP_TRY(look(&check));
    if (the_signal && check.found->nelts < check.total) return end_by_signal(&check);

    icp_error_t *error = NULL;
    if (enforce)
        error = icp_enforce(cli, check.live, check.found, check.sweep);
    else if (check.sweep)
        error = icp_register_change(cli->reg, change_end, check.sweep, cli->pool);
    icp_outcome_print(cli, check.found, enforce);
    if (check.compliant < check.found->nelts) cli->status = ICP_REFUSED;
    if (check.found->nelts > 1) icp_remark(cli, "%d sites, %d compliant", check.found->nelts, check.compliant);
    return error;
}

static const icp_option_t options[] = {
    {"all", NULL, 0, "every site on file: a sweep"},
    {"enforce", NULL, 0, "do what the policy says: suspend the sites that have failed long enough"},
    {"approve", "N", 0, "with --enforce: suspend exactly that many sites, though the brake was pulled"},
    {"fresh", NULL, 0, "with --all: begin anew, whatever an earlier sweep has looked at"},
    ICP_LIVE_OPTIONS,
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_check = {
    .noun = "check",
    .arguments = "[SITE…]",
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "look at live home pages, record what they show, suspend by policy",
    .details =
        "Fetches each home page through httpd on this host, with the site's own host name, by http and, if nothing "
        "answers there, by https; follows redirects inside the site; reads pages of suspended sites with a short pass. "
        "Where a network fault keeps the page away it tries again later. For one site that does not comply it explains "
        "what was seen. Exit status 1 if any site is not compliant.\n\n"
        "--all is a sweep. There is one at a time; other commands work meanwhile. Ended by SIGINT or SIGTERM it records "
        "what it has seen, says so, and dies of the signal (a shell sees 130 or 143). Whatever ended it, within six "
        "hours the next one goes on where it stopped; --fresh begins anew.\n\n"
        "--enforce suspends the sites whose verdict is missing, incorrect or invalid once they have failed for as many "
        "looks in a row (policy checks) and as many hours (policy hours) as the policy says. A look that got no page "
        "counts for nothing; any other verdict, and enabling the site, begins the count anew. `hidden` and `unreadable` "
        "are for a person (icpadmin queue), exempt sites wait (icpadmin exemption), and what live traffic saw is never "
        "a ground. With the first failing look the holder is sent a warning (policy warn), whether or not --enforce is "
        "given. --dry-run shows what would happen to each site and records nothing. A site is only suspended on a look that "
        "is a few minutes old: older ones (of an interrupted sweep, before an approval) are made again first. What was "
        "enabled, exempted, edited, removed or looked at since its page was fetched is left.\n\n"
        "The brake: if more sites would be suspended than policy brake-sites or brake-share lets pass, none is, the "
        "command says so and exits with 1, and icpadmin queue keeps it; to a program it is a ruling `suspend` without a case, "
        "`braked` of icpadmin status --json, or the event sweep.braked. Look at some of them; --approve N with their "
        "exact number then suspends those that still fail. Of sites that are named only the number counts. "
        "Else more than one suspension asks first, and without a terminal needs --yes.",
    .json = "an array; each has site, url, status, fault (why there was no page to judge, or null), at, suspended (the "
            "reason, or null) and what `icpadmin inspect` prints: verdict, displayed, hidden, invalid, findings, "
            "charset, reason, detail; with --enforce also policy: ruling (none, person, unreached, suspended, "
            "unlicensed, outdated, overtaken, exempt, wait, suspend), until, note, looks, since, case",
    .example = "icpadmin check shop.example.cn\n"
               "icpadmin check --all --enforce --dry-run\n"
               "icpadmin check --all --enforce --yes\n"
               "icpadmin check --all --enforce --approve 37",
    .options = options,
    .run = run_check,
};
