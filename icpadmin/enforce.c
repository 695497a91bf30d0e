/* See enforce.h. */
#include "enforce.h"

#include <string.h>

#include <apr_strings.h>

#include "brake.h"
#include "message.h"
#include "names.h"
#include "options.h"
#include "record.h"
#include "shell_line.h"

#define LOOK_AGAIN apr_time_from_sec(300) /* older looks are made again before a site is suspended, */
#define TOO_OLD apr_time_from_sec(600)    /* and on one that is so old by then none is */
#define EXAMPLES 5 /* sites named per verdict when the brake is pulled */

typedef struct enforcing_t {
    icp_cli_t *cli;
    icp_live_t *live;
    apr_array_header_t *due; /* icp_outcome_t *, by name: whose ruling was to suspend them */
    icp_sweep_t *sweep;
    icp_measure_t measure;
    icp_brake_t brake;
    apr_int64_t approved; /* -1: not asked for */
    int outdated;         /* left, since the newest look at them is too old */
    const char *bound, *command;
} enforcing_t;

static icp_outcome_t *due_at(const enforcing_t *enforcing, int position)
{
    return APR_ARRAY_IDX(enforcing->due, position, icp_outcome_t *);
}

/* A look from the future was made when the clock was wrong. */
static int is_younger(apr_time_t look, apr_time_t age, apr_time_t now)
{
    return look <= now && now - look <= age;
}

static const char *note_for(const enforcing_t *enforcing, const icp_outcome_t *found, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s: %s, %" APR_INT64_T_FMT " failing %s since %s",
                        enforcing->sweep ? icp_sweep_name(enforcing->sweep, pool) : "icpadmin check",
                        icp_verdict_name(found->verdict), found->ruling.looks, found->ruling.looks == 1 ? "look" : "looks",
                        icp_time_text(found->ruling.since, pool));
}

/* By what is on file at this moment, policy included: what was enabled, exempted, removed or found in order since its look is
 * left, and so is a look that is no longer young. */
static icp_error_t *suspend_due(const enforcing_t *enforcing, icp_outcome_t *found, int *outdated, icp_register_t *reg,
                                apr_pool_t *pool)
{
    icp_suspension_t *suspension;
    icp_error_t *error = icp_streak_ruling(&found->ruling, reg, found->site, &enforcing->measure, pool);
    found->case_id = 0;
    if (error && error->status == ICP_NOT_FOUND) {
        found->ruling.kind = ICP_RULING_OVERTAKEN;
        return NULL;
    }
    if (error || found->ruling.kind != ICP_RULING_SUSPEND) return error;
    if (!is_younger(found->ruling.at, TOO_OLD, reg->now)) {
        ++*outdated;
        return NULL;
    }
    found->verdict = found->ruling.verdict;
    ICP_TRY(icp_suspension_open(&suspension, reg, found->site, icp_verdict_name(found->verdict),
                                note_for(enforcing, found, pool), pool));
    found->case_id = suspension->id;
    return NULL;
}

static icp_error_t *change_suspend(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    enforcing_t *enforcing = baton;
    apr_int64_t suspended = 0;
    enforcing->outdated = 0;
    ICP_TRY(icp_measure_read(&enforcing->measure, reg, pool));
    for (int i = 0; i < enforcing->due->nelts; i++) {
        icp_outcome_t *found = due_at(enforcing, i);
        ICP_TRY(suspend_due(enforcing, found, &enforcing->outdated, reg, pool));
        suspended += found->case_id != 0;
    }
    if (!enforcing->sweep) return NULL;
    enforcing->sweep->to_suspend = enforcing->due->nelts;
    enforcing->sweep->suspended = suspended;
    if (enforcing->approved >= 0) enforcing->sweep->approved_by = enforcing->cli->actor;
    return icp_sweep_end(reg, enforcing->sweep, pool);
}

static icp_error_t *change_brake(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enforcing_t *enforcing = baton;
    icp_sweep_t *sweep = enforcing->sweep;
    sweep->to_suspend = enforcing->due->nelts;
    sweep->braked = 1;
    ICP_TRY(icp_sweep_end(reg, sweep, pool));
    json_t *facts = json_object();
    json_object_set_new(facts, "to-suspend", json_string(apr_psprintf(pool, "%" APR_INT64_T_FMT, sweep->to_suspend)));
    json_object_set_new(facts, "looked-at", json_string(apr_psprintf(pool, "%" APR_INT64_T_FMT, sweep->done)));
    json_object_set_new(facts, "command", json_string(enforcing->command));
    icp_error_t *error = icp_message_post(reg, "sweep.braked", icp_sweep_name(sweep, pool), NULL, facts, pool);
    json_decref(facts);
    return error;
}

/* "30 missing: a.example, b.example and 28 more; 7 incorrect: ..." */
static const char *examples(const enforcing_t *enforcing, apr_pool_t *pool)
{
    const char *text = "";
    for (int verdict = 0; verdict < ICP_VERDICT_COUNT; verdict++) {
        const char *names = "";
        int count = 0;
        for (int i = 0; i < enforcing->due->nelts; i++) {
            const icp_outcome_t *found = due_at(enforcing, i);
            if ((int)found->verdict != verdict) continue;
            if (count++ < EXAMPLES) names = apr_pstrcat(pool, names, *names ? ", " : "", found->site, NULL);
        }
        if (!count) continue;
        const char *more = count > EXAMPLES ? apr_psprintf(pool, " and %d more", count - EXAMPLES) : "";
        text = apr_psprintf(pool, "%s%d %s: %s%s; ", text, count, icp_verdict_name((icp_verdict_e)verdict), names, more);
    }
    return text;
}

static icp_error_t *stop(enforcing_t *enforcing)
{
    icp_cli_t *cli = enforcing->cli;
    const char *of = enforcing->sweep ? apr_psprintf(cli->pool, " of %" APR_INT64_T_FMT, enforcing->sweep->done) : "";
    const char *why = enforcing->approved >= 0
                          ? apr_psprintf(cli->pool, "not the %" APR_INT64_T_FMT " approved", enforcing->approved)
                          : enforcing->bound;
    if (enforcing->sweep && !enforcing->sweep->ended_at) {
        ICP_TRY(icp_register_change(cli->reg, change_brake, enforcing, cli->pool));
    }
    const char *remedy =
        enforcing->due->nelts
            ? apr_psprintf(cli->pool, "%slook at some of them; if they are right: %s", examples(enforcing, cli->pool),
                           enforcing->command)
            : "no site is to be suspended; no approval is needed";
    return icp_error(cli->pool, ICP_REFUSED, remedy, "nothing is suspended: %d%s sites would be, %s", enforcing->due->nelts,
                     of, why);
}

static icp_error_t *confirm(const enforcing_t *enforcing)
{
    icp_cli_t *cli = enforcing->cli;
    apr_array_header_t *names = apr_array_make(cli->pool, 16, sizeof(const char *));
    for (int i = 0; i < enforcing->due->nelts; i++) {
        const icp_outcome_t *found = due_at(enforcing, i);
        APR_ARRAY_PUSH(names, const char *) =
            apr_psprintf(cli->pool, "%s: %s", found->site, icp_verdict_name(found->verdict));
    }
    return icp_names_confirm(cli, "suspend", "sites", names);
}

typedef struct again_t {
    const enforcing_t *enforcing;
    icp_fetched_t *fetched;
    icp_outcome_t *found;
} again_t;

static icp_error_t *change_record(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    again_t *again = baton;
    return icp_record_check(&again->found->ruling, reg, again->fetched, &again->enforcing->measure, pool);
}

static icp_error_t *take_again(icp_fetched_t *fetched, void *baton)
{
    const enforcing_t *enforcing = baton;
    icp_cli_t *cli = enforcing->cli;
    again_t again = {enforcing, fetched, icp_outcome_look(apr_array_make(cli->pool, 1, sizeof(icp_outcome_t)), cli, fetched)};
    ICP_TRY(icp_record_prepare(cli->reg, fetched));
    ICP_TRY(icp_register_change(cli->reg, change_record, &again, cli->pool));
    for (int i = 0; i < enforcing->due->nelts; i++) {
        if (!strcmp(due_at(enforcing, i)->site, again.found->site)) *due_at(enforcing, i) = *again.found;
    }
    apr_pool_destroy(fetched->pool);
    return NULL;
}

/* After an approval, an interruption, a question that waited for its answer. */
static icp_error_t *look_again(enforcing_t *enforcing)
{
    icp_cli_t *cli = enforcing->cli;
    apr_array_header_t *names = apr_array_make(cli->pool, 16, sizeof(const char *));
    apr_time_t now = apr_time_now();
    for (int i = 0; i < enforcing->due->nelts; i++) {
        const icp_outcome_t *found = due_at(enforcing, i);
        if (!is_younger(found->ruling.at, LOOK_AGAIN, now)) APR_ARRAY_PUSH(names, const char *) = found->site;
    }
    if (!names->nelts) return NULL;
    icp_remark(cli, "looking again at %d of the %d before they are suspended", names->nelts,
               enforcing->due->nelts);
    return icp_live_look(enforcing->live, names, take_again, enforcing);
}

static void remark_left(const enforcing_t *enforcing)
{
    int left = 0;
    for (int i = 0; i < enforcing->due->nelts; i++) left += !due_at(enforcing, i)->case_id;
    left -= enforcing->outdated;
    if (left) {
        icp_remark(enforcing->cli, "%d of the %d are not suspended: they were found in order, changed or exempted since", left,
                   enforcing->due->nelts);
    }
    if (enforcing->outdated) {
        icp_warn(enforcing->cli, "%d of the %d are not suspended: by now the looks at them are too old; the next sweep sees to it",
                 enforcing->outdated, enforcing->due->nelts);
    }
}

static icp_error_t *read_policy(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    enforcing_t *enforcing = baton;
    ICP_TRY(icp_measure_read(&enforcing->measure, reg, pool));
    return icp_brake_read(&enforcing->brake, reg, pool);
}

/* The command that was given, with --approve. */
static const char *approval(const enforcing_t *enforcing)
{
    const icp_cli_t *cli = enforcing->cli;
    const char *line = icp_shell_line(cli, "check", enforcing->sweep ? "--all" : NULL, NULL);
    for (int i = 0; i < cli->arguments->nelts; i++) {
        line = apr_pstrcat(cli->pool, line, " ", icp_shell_word(APR_ARRAY_IDX(cli->arguments, i, const char *), cli->pool), NULL);
    }
    return apr_psprintf(cli->pool, "%s --enforce --approve %d", line, enforcing->due->nelts);
}

static void find_due(enforcing_t *enforcing, apr_array_header_t *found)
{
    icp_outcome_sort(found);
    enforcing->due = apr_array_make(enforcing->cli->pool, 16, sizeof(icp_outcome_t *));
    for (int i = 0; i < found->nelts; i++) {
        icp_outcome_t *one = &APR_ARRAY_IDX(found, i, icp_outcome_t);
        if (one->ruling.kind == ICP_RULING_SUSPEND) APR_ARRAY_PUSH(enforcing->due, icp_outcome_t *) = one;
    }
}

icp_error_t *icp_enforce(icp_cli_t *cli, icp_live_t *live, apr_array_header_t *found, icp_sweep_t *sweep)
{
    enforcing_t enforcing = {.cli = cli, .live = live, .sweep = sweep, .approved = -1};
    ICP_TRY(icp_option_number(&enforcing.approved, cli, "approve", 0, APR_INT32_MAX));
    ICP_TRY(icp_register_read(cli->reg, read_policy, &enforcing, cli->pool));
    find_due(&enforcing, found);
    int due = enforcing.due->nelts;
    enforcing.command = approval(&enforcing);
    enforcing.bound = icp_brake_pulled(&enforcing.brake, due, sweep ? sweep->done : 0, cli->pool);
    if (enforcing.approved >= 0 ? enforcing.approved != due : enforcing.bound != NULL) return stop(&enforcing);
    if (enforcing.approved < 0) ICP_TRY(confirm(&enforcing));
    if (cli->dry_run || (!due && !sweep)) return NULL; /* a dry run has nothing on file to decide by */
    ICP_TRY(look_again(&enforcing));
    ICP_TRY(icp_register_change(cli->reg, change_suspend, &enforcing, cli->pool));
    remark_left(&enforcing);
    return NULL;
}
