/* `icpadmin evidence prune`: what is kept of failing pages, no longer than the policy says. */
#include "evidence.h"

#include "options.h"
#include "output.h"

static icp_error_t *run_prune(icp_cli_t *cli)
{
    icp_pruned_t pruned;
    ICP_TRY(icp_evidence_prune(&pruned, cli->reg, icp_option(cli, "lost") != NULL, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "looks", json_integer(pruned.looks));
        json_object_set_new(object, "files", json_integer(pruned.files));
        json_object_set_new(object, "lost", json_integer(pruned.lost));
        icp_print_object(object);
    }
    icp_say(cli, "%d looks were too old, %d files went", pruned.looks, pruned.files);
    if (pruned.lost) icp_say(cli, "%d lost pages are no longer missed", pruned.lost);
    return NULL;
}

static const icp_option_t options[] = {
    {"lost", NULL, 0, "pages that are gone from the folder are no longer missed; their SHA-256 stays on file"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_evidence_prune = {
    .noun = "evidence",
    .verb = "prune",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "remove what was kept of failing pages longer than policy evidence-days",
    .details = "The newest failing look before a suspension stays as long as that suspension is open: it is its ground. Files that "
               "no look refers to go when they are a week old.\n\n"
               "`icpadmin site show SITE --evidence` lists what is kept of a site; `--save DIR` writes it out.",
    .json = "an object with looks, files, lost: how many of each",
    .example = "icpadmin evidence prune --dry-run",
    .options = options,
    .run = run_prune,
};
