/* icpadmin: finds the command, opens what it needs, runs it, and ends with the exit status of its answer:
 * 0 done; 1 the answer is no; 2 usage; 3 no such thing; 4 not permitted; 5 register or system fault.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <apr_general.h>

#include "log.h"
#include "options.h"
#include "output.h"

/* With standard streams closed, a database opened next would get their descriptors, and messages would be written into
 * it. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) _exit(ICP_FAULT);
    }
}

static void print_message(icp_log_level_e level, const char *message, void *baton)
{
    const icp_cli_t *cli = baton;
    if (level == ICP_LOG_WARNING)
        icp_warn(cli, "%s", message);
    else
        icp_remark(cli, "%s", message);
}

static icp_error_t *run(icp_cli_t *cli, int argc, const char *const *argv)
{
    ICP_TRY(icp_options_parse(cli, argc, argv));
    if (cli->command->need == ICP_NEED_REGISTER) {
        ICP_TRY(icp_register_open(&cli->reg, cli->register_path, cli->actor, cli->pool));
        cli->reg->dry_run = cli->dry_run;
    }
    ICP_TRY(cli->command->run(cli));
    if (cli->dry_run && cli->command->changes) icp_remark(cli, "dry run: nothing was changed");
    return NULL;
}

int main(int argc, const char *const *argv, const char *const *env)
{
    icp_cli_t cli = {0};
    hold_standard_streams();
    if (apr_app_initialize(&argc, &argv, &env) || apr_pool_create(&cli.pool, NULL)) {
        fputs("icpadmin: cannot initialise APR\n", stderr);
        return ICP_FAULT;
    }
    icp_log_install(print_message, &cli);
    icp_error_t *error = run(&cli, argc, argv);
    int status = error ? (int)error->status : cli.status;
    if (error) icp_print_error(&cli, error);
    if ((error = icp_output_finish(cli.pool))) {
        icp_print_error(&cli, error);
        status = error->status;
    }
    apr_pool_destroy(cli.pool); /* no apr_terminate: giving memory back block by block takes longer than ending does */
    return status;
}
