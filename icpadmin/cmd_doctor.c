/* `icpadmin doctor`: what is wrong with the register's files, and what puts it right. */
#include "doctor.h"

#include "options.h"
#include "output.h"

static json_t *check_json(const icp_check_t *check)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", icp_text_json(check->name));
    json_object_set_new(object, "ok", json_boolean(check->ok));
    json_object_set_new(object, "message", icp_text_json(check->message));
    json_object_set_new(object, "remedy", icp_text_json(check->remedy));
    return object;
}

static icp_error_t *run_doctor(icp_cli_t *cli)
{
    apr_array_header_t *checks;
    int failed = 0;
    ICP_TRY(icp_doctor(&checks, cli->register_path, cli->actor, icp_option(cli, "repair") != NULL, cli->pool));
    icp_list_t *list = icp_list_begin(cli, "CHECK|RESULT|FOUND");
    for (int i = 0; i < checks->nelts; i++) {
        const icp_check_t *check = &APR_ARRAY_IDX(checks, i, icp_check_t);
        failed += !check->ok;
        if (cli->json) {
            icp_list_object(list, check_json(check));
            continue;
        }
        icp_list_row(list, check->name, check->ok ? "good" : "BAD", check->message, NULL);
        if (check->remedy) icp_list_row(list, "", "", check->remedy, NULL);
    }
    icp_list_end(list, NULL);
    if (failed) cli->status = ICP_FAULT;
    if (failed) icp_remark(cli, "%d of %d checks failed", failed, checks->nelts);
    return NULL;
}

static const icp_option_t options[] = {
    {"repair", NULL, 0, "make a missing bell anew"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_doctor = {
    .noun = "doctor",
    .arguments = "",
    .need = ICP_NEED_PATH,
    .summary = "examine the register's files, and say what puts them right",
    .details =
        "Looks at owners and modes, the room on the disk, both databases, the audit log, the key of passes, every page kept as "
        "evidence (each is read and must have the SHA-256 it was kept under), the list of holidays, what a crash left behind, and "
        "who holds a lock. Opening the register completes a change that was interrupted. Exit status 5 if anything is bad.",
    .json = "an array; each has name, ok, message, remedy",
    .example = "icpadmin doctor",
    .options = options,
    .run = run_doctor,
};
