/* `icpadmin init`, `status`, `backup`, `restore`: the register as a whole. */
#include <pwd.h>
#include <unistd.h>

#include <apr_strings.h>

#include "options.h"
#include "output.h"
#include "overview.h"

#define WORKER "www-data"

static icp_error_t *run_init(icp_cli_t *cli)
{
    const char *worker = icp_option(cli, "worker");
    if (worker && !getpwnam(worker)) {
        return icp_error(cli->pool, ICP_NOT_FOUND, "give the name that httpd's User directive has",
                         "there is no user `%s`", worker);
    }
    if (!worker && !geteuid() && getpwnam(WORKER)) worker = WORKER;
    if (cli->dry_run) {
        icp_say(cli, "would create %s and what belongs to it, readable by httpd's worker user %s", cli->register_path,
                worker ? worker : "(owners unchanged)");
        return NULL;
    }
    ICP_TRY(icp_register_create(cli->register_path, worker, cli->actor, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "register", icp_text_json(cli->register_path));
        json_object_set_new(object, "worker", icp_text_json(worker));
        icp_print_object(object);
    }
    icp_say(cli, "%s created", cli->register_path);
    icp_remark(cli, "Next: icpadmin license add NUMBER --holder NAME; icpadmin site discover");
    return NULL;
}

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

static icp_error_t *run_status(icp_cli_t *cli)
{
    icp_overview_t *overview;
    ICP_TRY(icp_overview_read(&overview, cli->reg, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "register", icp_text_json(cli->register_path));
        json_object_set_new(object, "holders", json_integer(overview->holders));
        json_object_set_new(object, "licenses", counts_json(overview->licenses));
        json_object_set_new(object, "sites", json_integer(overview->sites));
        json_object_set_new(object, "hosts", json_integer(overview->hosts));
        json_object_set_new(object, "suspended", counts_json(overview->suspended));
        json_object_set_new(object, "verdicts", counts_json(overview->verdicts));
        json_object_set_new(object, "newest_look_at", icp_time_json(overview->newest_look));
        json_object_set_new(object, "events", json_integer(overview->events));
        icp_print_object(object);
    }
    else {
        icp_list_t *list = icp_list_begin(cli, NULL);
        icp_list_row(list, "Register", cli->register_path, NULL);
        icp_list_row(list, "Holders", number_text(overview->holders, cli->pool), NULL);
        icp_list_row(list, "Licenses", counts_text(overview->licenses, cli->pool), NULL);
        icp_list_row(list, "Sites", number_text(overview->sites, cli->pool), NULL);
        icp_list_row(list, "Hosts", number_text(overview->hosts, cli->pool), NULL);
        icp_list_row(list, "Suspended", counts_text(overview->suspended, cli->pool), NULL);
        icp_list_row(list, "Verdicts", counts_text(overview->verdicts, cli->pool), NULL);
        icp_list_row(list, "Newest look", icp_time_text(overview->newest_look, cli->pool), NULL);
        icp_list_row(list, "Events", number_text(overview->events, cli->pool), NULL);
        icp_list_end(list, NULL);
    }
    return NULL;
}

static const icp_option_t init_options[] = {
    {"worker", "USER", 0,
     "httpd's User, who gets the folder of sightings (default: " WORKER ", if root runs it and there is one)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_init = {
    .noun = "init",
    .arguments = "",
    .need = ICP_NEED_PATH,
    .changes = 1,
    .summary = "create the register",
    .details =
        "Creates the register's folder, register.db (which httpd's workers read), private.db (staff only), the key of "
        "passes and the folder of sightings, each with its owner and mode. Refuses where there is one already.",
    .json = "an object with register, worker",
    .example = "sudo icpadmin init",
    .options = init_options,
    .run = run_init,
};

const icp_command_t icp_cmd_status = {
    .noun = "status",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "say what is on file and whether the register is well",
    .details = "Licenses by status, suspended sites by reason, sites by the verdict of the newest look at them.",
    .json = "an object with register, holders, licenses (how many by status), sites, hosts, suspended (by reason), "
            "verdicts (by verdict; never for sites not looked at), newest_look_at, events",
    .example = "icpadmin status",
    .run = run_status,
};
