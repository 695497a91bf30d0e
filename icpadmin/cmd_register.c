/* `icpadmin init`: the register is made. */
#include <pwd.h>
#include <unistd.h>

#include <apr_strings.h>

#include "options.h"
#include "output.h"

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
