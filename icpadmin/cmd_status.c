/* `icpadmin status`: what is on file, what is under way, and whether anything needs looking into. Cheap enough for monitoring
 * to ask every minute; what takes reading all of the files is doctor's. */
#include <apr_strings.h>

#include "evidence.h"
#include "lock.h"
#include "metrics.h"
#include "options.h"
#include "output.h"
#include "outbox.h"
#include "overview.h"
#include "register.h"
#include "room.h"
#include "sweep.h"

#define OUTBOX_PATIENCE apr_time_from_sec(3600)

typedef struct state_t {
    icp_cli_t *cli;
    icp_overview_t *overview;
    icp_evidence_totals_t evidence;
    icp_sweep_t *sweep, *enforcing; /* the newest; NULL */
    const char *sweeping;           /* who has the lock of sweeps; NULL */
    apr_array_header_t *problems;   /* const char * */
} state_t;

static json_t *counts_json(const apr_array_header_t *counts)
{
    json_t *object = json_object();
    for (int i = 0; i < counts->nelts; i++) {
        const icp_count_t *count = &APR_ARRAY_IDX(counts, i, icp_count_t);
        json_object_set_new(object, count->word, json_integer(count->count));
    }
    return object;
}

static const char *counts_text(const apr_array_header_t *counts, apr_pool_t *pool)
{
    apr_array_header_t *texts = apr_array_make(pool, 8, sizeof(const char *));
    for (int i = 0; i < counts->nelts; i++) {
        const icp_count_t *count = &APR_ARRAY_IDX(counts, i, icp_count_t);
        APR_ARRAY_PUSH(texts, const char *) = apr_psprintf(pool, "%s %" APR_INT64_T_FMT, count->word, count->count);
    }
    return icp_join(texts, pool);
}

static const char *number_text(apr_int64_t number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

static void problem(state_t *state, const char *text)
{
    APR_ARRAY_PUSH(state->problems, const char *) = text;
}

static void judge_sweeps(state_t *state)
{
    apr_pool_t *pool = state->cli->pool;
    const icp_sweep_t *sweep = state->sweep, *enforcing = state->enforcing;
    apr_time_t now = apr_time_now(), ended = sweep ? sweep->ended_at : 0;
    if (enforcing && enforcing->braked && !enforcing->approved_by) {
        problem(state, apr_psprintf(pool, "the brake stopped %s: see icpadmin queue", icp_sweep_name(enforcing, pool)));
    }
    if (state->sweeping) return;
    if (sweep && !ended) {
        problem(state, apr_psprintf(pool, "%s was interrupted; the next one goes on with it", icp_sweep_name(sweep, pool)));
    }
    else if (state->overview->oldest_site && (ended ? ended : state->overview->oldest_site) < now - ICP_SWEEP_DUE) {
        problem(state, ended ? apr_psprintf(pool, "the last sweep ended on %s: is icp-sweep.timer enabled?", icp_time_text(ended, pool))
                             : "there was no sweep yet: is icp-sweep.timer enabled?");
    }
}

static void judge_disk(state_t *state)
{
    icp_error_t *error = icp_room_check(icp_register_companion(state->cli->reg->path, "", state->cli->pool), 0, state->cli->pool);
    if (error) problem(state, apr_psprintf(state->cli->pool, "%s%s%s", error->message, error->remedy ? ": " : "", error->remedy ? error->remedy : ""));
}

static icp_error_t *judge_outbox(state_t *state)
{
    static const char *const ways[] = {"mail", "event"};
    apr_pool_t *pool = state->cli->pool;
    apr_array_header_t *given_up;
    for (int i = 0; i < 2; i++) {
        apr_time_t since;
        const char *fault;
        ICP_TRY(icp_outbox_stalled(&since, &fault, state->cli->reg, ways[i], apr_time_now() - OUTBOX_PATIENCE, pool));
        if (!since) continue;
        problem(state, apr_psprintf(pool, "no %s has left since %s: %s", ways[i], icp_time_text(since, pool),
                                    *fault ? fault : "is icp-outbox.timer enabled?"));
    }
    ICP_TRY(icp_outbox_given_up(&given_up, state->cli->reg, pool));
    if (given_up->nelts) problem(state, apr_psprintf(pool, "%d messages were given up: see icpadmin queue", given_up->nelts));
    return NULL;
}

static icp_error_t *read_state(state_t *state)
{
    icp_register_t *reg = state->cli->reg;
    apr_pool_t *pool = state->cli->pool;
    ICP_TRY(icp_overview_read(&state->overview, reg, pool));
    ICP_TRY(icp_evidence_totals(&state->evidence, reg, pool));
    ICP_TRY(icp_sweep_newest(&state->sweep, reg, 0, pool));
    ICP_TRY(icp_sweep_newest(&state->enforcing, reg, 1, pool));
    state->sweeping = icp_lock_holders(apr_pstrcat(pool, reg->path, ".sweep", NULL), pool);
    judge_sweeps(state);
    judge_disk(state);
    return judge_outbox(state);
}

static json_t *sweep_json(const state_t *state)
{
    const icp_sweep_t *sweep = state->sweep;
    if (!sweep) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "id", json_integer(sweep->id));
    json_object_set_new(object, "started_at", icp_time_json(sweep->started_at));
    json_object_set_new(object, "ended_at", icp_time_json(sweep->ended_at));
    json_object_set_new(object, "under_way", json_boolean(!sweep->ended_at && state->sweeping));
    json_object_set_new(object, "enforce", json_boolean(sweep->enforce));
    json_object_set_new(object, "total", json_integer(sweep->total));
    json_object_set_new(object, "done", json_integer(sweep->done));
    json_object_set_new(object, "compliant", json_integer(sweep->compliant));
    json_object_set_new(object, "failing", json_integer(sweep->failing));
    json_object_set_new(object, "for_person", json_integer(sweep->for_person));
    json_object_set_new(object, "suspended", json_integer(sweep->suspended));
    json_object_set_new(object, "braked", json_boolean(sweep->braked));
    return object;
}

static void print_json(const state_t *state)
{
    const icp_overview_t *overview = state->overview;
    json_t *object = json_object(), *evidence = json_object();
    json_object_set_new(evidence, "looks", json_integer(state->evidence.looks));
    json_object_set_new(evidence, "pages", json_integer(state->evidence.pages));
    json_object_set_new(evidence, "without_page", json_integer(state->evidence.without_page));
    json_object_set_new(evidence, "oldest_at", icp_time_json(state->evidence.oldest));
    json_object_set_new(object, "register", icp_text_json(state->cli->register_path));
    json_object_set_new(object, "well", json_boolean(!state->problems->nelts));
    json_object_set_new(object, "problems", icp_texts_json(state->problems));
    json_object_set_new(object, "holders", json_integer(overview->holders));
    json_object_set_new(object, "licenses", counts_json(overview->licenses));
    json_object_set_new(object, "sites", json_integer(overview->sites));
    json_object_set_new(object, "hosts", json_integer(overview->hosts));
    json_object_set_new(object, "suspended", counts_json(overview->suspended));
    json_object_set_new(object, "verdicts", counts_json(overview->verdicts));
    json_object_set_new(object, "newest_look_at", icp_time_json(overview->newest_look));
    json_object_set_new(object, "sweep", sweep_json(state));
    json_object_set_new(object, "outbox", counts_json(overview->outbox));
    json_object_set_new(object, "applications", counts_json(overview->applications));
    json_object_set_new(object, "evidence", evidence);
    json_object_set_new(object, "events", json_integer(overview->events));
    icp_print_object(object);
}

static const char *sweep_text(const state_t *state)
{
    apr_pool_t *pool = state->cli->pool;
    const icp_sweep_t *sweep = state->sweep;
    if (!sweep) return "never";
    const char *when = sweep->ended_at  ? icp_time_text(sweep->ended_at, pool)
                       : state->sweeping ? apr_pstrcat(pool, "under way by ", state->sweeping, NULL)
                                         : "interrupted";
    return apr_psprintf(pool, "%s: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT " sites, %" APR_INT64_T_FMT " compliant, %" APR_INT64_T_FMT
                        " failing, %" APR_INT64_T_FMT " for a person, %" APR_INT64_T_FMT " suspended%s",
                        when, sweep->done, sweep->total, sweep->compliant, sweep->failing, sweep->for_person, sweep->suspended,
                        sweep->braked && !sweep->approved_by ? ", stopped by the brake" : "");
}

static void print_table(const state_t *state)
{
    const icp_overview_t *overview = state->overview;
    apr_pool_t *pool = state->cli->pool;
    icp_list_t *list = icp_list_begin(state->cli, NULL);
    icp_list_row(list, "Register", state->cli->register_path, NULL);
    icp_list_row(list, "Health", state->problems->nelts ? "see below" : "well", NULL);
    icp_list_row(list, "Holders", number_text(overview->holders, pool), NULL);
    icp_list_row(list, "Licenses", counts_text(overview->licenses, pool), NULL);
    icp_list_row(list, "Sites", number_text(overview->sites, pool), NULL);
    icp_list_row(list, "Hosts", number_text(overview->hosts, pool), NULL);
    icp_list_row(list, "Suspended", counts_text(overview->suspended, pool), NULL);
    icp_list_row(list, "Verdicts", counts_text(overview->verdicts, pool), NULL);
    icp_list_row(list, "Newest look", icp_time_text(overview->newest_look, pool), NULL);
    icp_list_row(list, "Last sweep", sweep_text(state), NULL);
    icp_list_row(list, "Outbox", counts_text(overview->outbox, pool), NULL);
    icp_list_row(list, "Applications", counts_text(overview->applications, pool), NULL);
    icp_list_row(list, "Evidence",
                 apr_psprintf(pool, "%" APR_INT64_T_FMT " looks, %" APR_INT64_T_FMT " pages", state->evidence.looks,
                              state->evidence.pages),
                 NULL);
    icp_list_row(list, "Events", number_text(overview->events, pool), NULL);
    icp_list_end(list, NULL);
}

static icp_error_t *run_status(icp_cli_t *cli)
{
    state_t state = {.cli = cli, .problems = apr_array_make(cli->pool, 4, sizeof(const char *))};
    ICP_TRY(read_state(&state));
    if (icp_option(cli, "metrics")) return icp_metrics_print(cli, state.overview, state.problems->nelts);
    if (cli->json)
        print_json(&state);
    else
        print_table(&state);
    for (int i = 0; i < state.problems->nelts; i++) icp_warn(cli, "%s", APR_ARRAY_IDX(state.problems, i, const char *));
    if (state.problems->nelts) cli->status = ICP_REFUSED;
    return NULL;
}

static const icp_option_t options[] = {
    {"metrics", NULL, 0, "print what Prometheus reads instead, for the textfile collector of its node exporter"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_status = {
    .noun = "status",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "say what is on file, what is under way and whether all is well",
    .details =
        "Licenses by status, suspended sites by reason, sites by the verdict of the newest look at them, the last sweep, messages "
        "that wait or were given up, open applications by state, evidence that is kept.\n\n"
        "Exit status 0 if all is well; 1 if something is wrong, each named on standard error: no sweep for two days, one that was "
        "interrupted or that the brake stopped, mail or events that have not left for an hour, messages that were given up, a disk "
        "that is nearly full or read-only; 5 if the register cannot be read. It is cheap; `icpadmin doctor` looks into the files.\n\n"
        "With --metrics: how much is in the queue and the outbox and since when, open applications, and how many things are wrong. "
        "The exit status is 0 then, whatever they are. Counts of sites, sweeps and traffic are in icp-status?metrics of httpd, whose "
        "workers do not see these.",
    .json = "an object with register, well, problems (texts), holders, licenses (how many by status), sites, hosts, suspended (by "
            "reason), verdicts (by verdict; never for sites not looked at), newest_look_at, sweep (the newest, or null: id, started_at, "
            "ended_at, under_way, enforce, total, done, compliant, failing, for_person, suspended, braked), outbox (waiting, given-up), "
            "applications (open ones by state), evidence (looks, pages, without_page, oldest_at), events",
    .example = "icpadmin status\nicpadmin status --json --quiet\nicpadmin status --metrics",
    .options = options,
    .run = run_status,
};
