/* The queue's messages: those that were given up, and mail or events that do not leave at all. */
#include <apr_strings.h>

#include "outbox.h"
#include "queue.h"
#include "shell_line.h"

#define PATIENCE apr_time_from_sec(3600)

static icp_error_t *add_stalled(icp_queue_t *queue, const icp_cli_t *cli, const char *way, const char *subject)
{
    apr_time_t since;
    const char *fault;
    ICP_TRY(icp_outbox_stalled(&since, &fault, cli->reg, way, apr_time_now() - PATIENCE, cli->pool));
    if (!since) return NULL;
    const char *why = *fault ? apr_psprintf(cli->pool, "nothing leaves: %s", fault)
                             : "nothing leaves, nor was it tried: is icp-outbox.timer enabled?";
    icp_queue_flag(queue, since, "message", "stalled", subject, why,
                   icp_shell_line(cli, "outbox", "send", NULL));
    return NULL;
}

icp_error_t *icp_queue_messages(icp_queue_t *queue, const icp_cli_t *cli)
{
    apr_array_header_t *messages;
    ICP_TRY(add_stalled(queue, cli, "mail", "mail"));
    ICP_TRY(add_stalled(queue, cli, "event", "event command"));
    ICP_TRY(icp_outbox_given_up(&messages, cli->reg, cli->pool));
    for (int i = 0; i < messages->nelts; i++) {
        const icp_message_t *message = APR_ARRAY_IDX(messages, i, const icp_message_t *);
        const char *to = *message->recipient ? apr_pstrcat(cli->pool, " to ", message->recipient, NULL) : "";
        icp_queue_flag(queue, message->state_at, "message", "given-up", message->subject,
                      apr_psprintf(cli->pool, "%s %s%s was given up: %s", message->way, message->event, to, message->fault),
                      icp_shell_line(cli, "outbox", "retry", apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, message->id), NULL));
    }
    return NULL;
}
