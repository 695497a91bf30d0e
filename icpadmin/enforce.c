/* See enforce.h. */
#include "enforce.h"

#include <apr_strings.h>

#include "brake.h"
#include "message.h"
#include "names.h"
#include "options.h"

#define EXAMPLES 5 /* sites named per verdict when the brake is pulled */

typedef struct enforcing_t {
    icp_cli_t *cli;
    apr_array_header_t *found;
    icp_sweep_t *sweep;
    const icp_measure_t *measure;
    icp_brake_t brake;
    apr_int64_t due, approved; /* approved -1: not asked for */
    const char *bound, *command;
} enforcing_t;

static int is_due(const icp_outcome_t *found)
{
    return found->ruling.kind == ICP_RULING_SUSPEND;
}

static const char *note_for(const enforcing_t *enforcing, const icp_outcome_t *found, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s: %s, %" APR_INT64_T_FMT " failing %s since %s",
                        enforcing->sweep ? icp_sweep_name(enforcing->sweep, pool) : "icpadmin check",
                        icp_verdict_name(found->verdict), found->ruling.looks, found->ruling.looks == 1 ? "look" : "looks",
                        icp_time_text(found->ruling.since, pool));
}

/* By what is on file at this moment: what was enabled, exempted or removed since its look is left out. */
static icp_error_t *change_suspend(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    enforcing_t *enforcing = baton;
    apr_int64_t suspended = 0;
    for (int i = 0; i < enforcing->found->nelts; i++) {
        icp_outcome_t *found = &APR_ARRAY_IDX(enforcing->found, i, icp_outcome_t);
        icp_suspension_t *suspension;
        icp_ruling_t ruling;
        found->case_id = 0;
        if (!is_due(found)) continue;
        icp_error_t *error = icp_streak_ruling(&ruling, reg, found->site, enforcing->measure, pool);
        if (error && error->status == ICP_NOT_FOUND) continue;
        if (error) return error;
        if (ruling.kind != ICP_RULING_SUSPEND) continue;
        ICP_TRY(icp_suspension_open(&suspension, reg, found->site, icp_verdict_name(found->verdict),
                                    note_for(enforcing, found, pool), pool));
        found->case_id = suspension->id;
        suspended++;
    }
    if (!enforcing->sweep) return NULL;
    enforcing->sweep->to_suspend = enforcing->due;
    enforcing->sweep->suspended = suspended;
    if (enforcing->approved >= 0) enforcing->sweep->approved_by = enforcing->cli->actor;
    return icp_sweep_end(reg, enforcing->sweep, pool);
}

static icp_error_t *change_brake(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const enforcing_t *enforcing = baton;
    icp_sweep_t *sweep = enforcing->sweep;
    sweep->to_suspend = enforcing->due;
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
        for (int i = 0; i < enforcing->found->nelts; i++) {
            const icp_outcome_t *found = &APR_ARRAY_IDX(enforcing->found, i, icp_outcome_t);
            if (!is_due(found) || (int)found->verdict != verdict) continue;
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
        enforcing->due
            ? apr_psprintf(cli->pool, "%slook at some of them; if they are right: %s", examples(enforcing, cli->pool),
                           enforcing->command)
            : "no site is to be suspended; no approval is needed";
    return icp_error(cli->pool, ICP_REFUSED, remedy, "nothing is suspended: %" APR_INT64_T_FMT "%s sites would be, %s",
                     enforcing->due, of, why);
}

static icp_error_t *confirm(const enforcing_t *enforcing)
{
    icp_cli_t *cli = enforcing->cli;
    apr_array_header_t *names = apr_array_make(cli->pool, 16, sizeof(const char *));
    for (int i = 0; i < enforcing->found->nelts; i++) {
        const icp_outcome_t *found = &APR_ARRAY_IDX(enforcing->found, i, icp_outcome_t);
        if (!is_due(found)) continue;
        APR_ARRAY_PUSH(names, const char *) =
            apr_psprintf(cli->pool, "%s: %s", found->site, icp_verdict_name(found->verdict));
    }
    return icp_names_confirm(cli, "suspend", "sites", names);
}

static icp_error_t *read_brake(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_brake_read(&((enforcing_t *)baton)->brake, reg, pool);
}

icp_error_t *icp_enforce(icp_cli_t *cli, apr_array_header_t *found, icp_sweep_t *sweep, const icp_measure_t *measure)
{
    enforcing_t enforcing = {.cli = cli, .found = found, .sweep = sweep, .measure = measure, .approved = -1};
    ICP_TRY(icp_option_number(&enforcing.approved, cli, "approve", 0, APR_INT32_MAX));
    ICP_TRY(icp_register_read(cli->reg, read_brake, &enforcing, cli->pool));
    for (int i = 0; i < found->nelts; i++) enforcing.due += is_due(&APR_ARRAY_IDX(found, i, icp_outcome_t));
    enforcing.command = apr_psprintf(cli->pool, "icpadmin check %s --enforce --approve %" APR_INT64_T_FMT,
                                     sweep ? "--all" : "SITE…", enforcing.due);
    enforcing.bound = icp_brake_pulled(&enforcing.brake, enforcing.due, sweep ? sweep->done : 0, cli->pool);
    if (enforcing.approved >= 0 ? enforcing.approved != enforcing.due : enforcing.bound != NULL) return stop(&enforcing);
    if (enforcing.approved < 0) ICP_TRY(confirm(&enforcing));
    if (cli->dry_run || (!enforcing.due && !sweep)) return NULL; /* a dry run has nothing on file to decide by */
    return icp_register_change(cli->reg, change_suspend, &enforcing, cli->pool);
}
