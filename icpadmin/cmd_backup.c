/* `icpadmin backup` and `icpadmin restore`: the register into one file, and back. */
#include "backup.h"
#include "options.h"
#include "output.h"

static icp_error_t *run_backup(icp_cli_t *cli)
{
    const char *file = APR_ARRAY_IDX(cli->arguments, 0, const char *);
    if (cli->dry_run) return NULL;
    ICP_TRY(icp_backup_write(cli->reg, file, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "backup", icp_text_json(file));
        icp_print_object(object);
    }
    icp_say(cli, "%s written", file);
    return NULL;
}

static icp_error_t *run_restore(icp_cli_t *cli)
{
    icp_restore_t *result;
    const char *file = APR_ARRAY_IDX(cli->arguments, 0, const char *);
    ICP_TRY(icp_backup_restore(&result, cli->register_path, file, cli->actor, cli->dry_run, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "restored", icp_text_json(file));
        json_object_set_new(object, "saved", icp_text_json(result->saved));
        json_object_set_new(object, "stay_suspended", icp_texts_json(result->carried));
        icp_print_object(object);
    }
    icp_say(cli, "%s is as %s has it", cli->register_path, file);
    if (result->saved) icp_say(cli, "the state before is kept in %s", result->saved);
    for (int i = 0; i < result->carried->nelts; i++) {
        icp_say(cli, "%s stays suspended: it is suspended now", APR_ARRAY_IDX(result->carried, i, const char *));
    }
    return NULL;
}

const icp_command_t icp_cmd_backup = {
    .noun = "backup",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "write all of the register into one file",
    .details = "The file holds contacts and the key of passes: only its owner can read it. It is never written over an "
               "existing one.\n\n"
               "The pages kept as evidence are not in it, only the list of them: their files, in evidence/ beside the register, "
               "never change, so that `rsync -a` or any other copy of that folder goes with it.",
    .json = "an object with backup",
    .example = "icpadmin backup /root/icp-$(date +%F).backup",
    .run = run_backup,
};

const icp_command_t icp_cmd_restore = {
    .noun = "restore",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_PATH,
    .changes = 1,
    .summary = "put a backup in place of the register",
    .details = "A site that is suspended now stays suspended, even if the backup has it open: enabling it takes a look "
               "at its page. The state before is kept as a backup of its own beside the register.",
    .json = "an object with restored, saved, stay_suspended (the sites' names)",
    .example = "icpadmin restore /root/icp-2026-11-01.backup --dry-run",
    .run = run_restore,
};
