/* The queue's sweeps: one that the brake stopped, until somebody approves of it or another one comes through. */
#include <apr_strings.h>

#include "queue.h"
#include "shell_line.h"
#include "sweep.h"

icp_error_t *icp_queue_sweeps(icp_queue_t *queue, const icp_cli_t *cli)
{
    icp_sweep_t *sweep;
    ICP_TRY(icp_sweep_newest(&sweep, cli->reg, 1, cli->pool));
    if (!sweep || !sweep->braked || sweep->approved_by) return NULL;
    icp_queue_add(queue, sweep->ended_at, "sweep", apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, sweep->id),
                  apr_psprintf(cli->pool,
                               "the brake stopped it: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT " sites would be suspended",
                               sweep->to_suspend, sweep->done),
                  icp_shell_line(cli, "check", "--all", "--enforce", "--approve",
                                 apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, sweep->to_suspend), NULL));
    return NULL;
}
