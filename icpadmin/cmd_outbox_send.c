/* `icpadmin outbox send` and `outbox test`: the two commands by which messages leave. All others only post them, so none of them ever
 * waits for a mail server. */
#include <signal.h>
#include <string.h>

#include <apr_strings.h>

#include "deliver.h"
#include "options.h"
#include "output.h"
#include "steady.h"

#define BATCH 50 /* messages that a crash sends twice at most */
#define BATCH_TIME apr_time_from_sec(5)

static volatile sig_atomic_t the_end; /* asked to stop: what was sent is marked first */

static void ask_to_end(int signal_number)
{
    the_end = 1;
}

typedef struct sending_t {
    icp_cli_t *cli;
    icp_deliver_t *deliver;
    int mails, events; /* such are still tried */
    int sent, failed, gave_up;
    apr_array_header_t *due;      /* icp_message_t *: read for the batch under way */
    apr_array_header_t *outcomes; /* icp_outcome_t: of the batch under way */
} sending_t;

static icp_error_t *read_due(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    sending_t *sending = baton;
    return icp_outbox_due(&sending->due, reg, reg->now, sending->mails, sending->events, BATCH, pool);
}

static icp_error_t *change_mark(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    sending_t *sending = baton;
    int gave_up;
    ICP_TRY(icp_outbox_mark(&gave_up, reg, sending->outcomes, pool));
    sending->gave_up += gave_up;
    return NULL;
}

static void send_one(sending_t *sending, const icp_message_t *message, apr_pool_t *pool)
{
    icp_cli_t *cli = sending->cli;
    int *wanted = strcmp(message->way, "mail") ? &sending->events : &sending->mails;
    if (!*wanted) return;
    icp_delivery_t delivery = icp_deliver_message(sending->deliver, message, pool);
    int sent = delivery.end == ICP_DELIVERED;
    icp_outcome_t outcome = {message->id, sent, delivery.end == ICP_NEVER, sent ? NULL : delivery.answer};
    APR_ARRAY_PUSH(sending->outcomes, icp_outcome_t) = outcome;
    if (sent) {
        sending->sent++;
        return;
    }
    sending->failed++;
    const char *to = *message->recipient ? apr_pstrcat(pool, " to ", message->recipient, NULL) : "";
    icp_warn(cli, "message %" APR_INT64_T_FMT ", %s about %s%s: %s", message->id, message->event, message->subject, to, delivery.answer);
    if (delivery.end != ICP_NOTHING) return;
    *wanted = 0;
    icp_remark(cli, "no other %s is tried in this run", message->way);
}

/* *more: there may be more that are due. */
static icp_error_t *send_batch(int *more, sending_t *sending, apr_pool_t *pool)
{
    icp_cli_t *cli = sending->cli;
    apr_time_t start = icp_steady_now();
    int i;
    ICP_TRY(icp_register_read(cli->reg, read_due, sending, pool));
    sending->outcomes = apr_array_make(pool, BATCH, sizeof(icp_outcome_t));
    for (i = 0; i < sending->due->nelts && !the_end && icp_steady_now() - start < BATCH_TIME; i++) {
        send_one(sending, APR_ARRAY_IDX(sending->due, i, const icp_message_t *), pool);
        icp_progress(cli, apr_psprintf(pool, "%d sent, %d failed", sending->sent, sending->failed));
    }
    *more = sending->due->nelts && !the_end && (sending->mails || sending->events);
    return sending->outcomes->nelts ? icp_register_change(cli->reg, change_mark, sending, pool) : NULL;
}

static icp_error_t *send_all(sending_t *sending)
{
    apr_pool_t *batch;
    int more = 1;
    apr_pool_create(&batch, sending->cli->pool);
    while (more && (sending->mails || sending->events)) {
        ICP_TRY(send_batch(&more, sending, batch));
        apr_pool_clear(batch);
    }
    icp_progress(sending->cli, NULL);
    return NULL;
}

/* What would be tried; nothing leaves. */
static icp_error_t *show_due(icp_cli_t *cli)
{
    apr_array_header_t *due;
    ICP_TRY(icp_outbox_due(&due, cli->reg, apr_time_now(), 1, 1, -1, cli->pool));
    for (int i = 0; i < due->nelts; i++) {
        const icp_message_t *message = APR_ARRAY_IDX(due, i, const icp_message_t *);
        icp_say(cli, "message %" APR_INT64_T_FMT ": %s %s about %s %s", message->id, message->way, message->event, message->subject,
                message->recipient);
    }
    icp_say(cli, "%d would be sent", due->nelts);
    if (cli->json) icp_print_object(json_pack("{s:i, s:i, s:i, s:i}", "sent", 0, "failed", 0, "given_up", 0, "waiting", due->nelts));
    return NULL;
}

/* Why a way is closed matters only where something waits for it. */
static icp_error_t *check_way(int *ready, const sending_t *sending, const char *way)
{
    icp_error_t *why;
    apr_array_header_t *due;
    int mail = !strcmp(way, "mail");
    *ready = icp_deliver_ready(sending->deliver, way, &why);
    if (*ready) return NULL;
    ICP_TRY(icp_outbox_due(&due, sending->cli->reg, apr_time_now(), mail, !mail, 1, sending->cli->pool));
    if (due->nelts) {
        icp_print_error(sending->cli, why);
        sending->cli->status = ICP_REFUSED;
    }
    return NULL;
}

static icp_error_t *count_waiting(int *count, icp_cli_t *cli)
{
    apr_array_header_t *ids;
    ICP_TRY(icp_outbox_ids(&ids, cli->reg, 0, NULL, cli->pool));
    *count = ids->nelts;
    return NULL;
}

static icp_error_t *run_send(icp_cli_t *cli)
{
    sending_t sending = {.cli = cli};
    struct sigaction end = {.sa_handler = ask_to_end};
    int locked, left = 0;
    if (cli->dry_run) return show_due(cli);
    ICP_TRY(icp_outbox_lock(&locked, cli->reg, cli->pool));
    if (!locked) return icp_error(cli->pool, ICP_REFUSED, "let it finish", "another icpadmin outbox send is at it");
    ICP_TRY(icp_deliver_open(&sending.deliver, cli->reg, cli->pool));
    ICP_TRY(check_way(&sending.mails, &sending, "mail"));
    ICP_TRY(check_way(&sending.events, &sending, "event"));
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    ICP_TRY(send_all(&sending));
    if (sending.failed) cli->status = ICP_REFUSED;
    ICP_TRY(count_waiting(&left, cli));
    if (cli->json) {
        icp_print_object(json_pack("{s:i, s:i, s:i, s:i}", "sent", sending.sent, "failed", sending.failed, "given_up", sending.gave_up,
                                   "waiting", left));
    }
    else if (sending.sent || sending.failed)
        icp_say(cli, "%d sent, %d failed, %d of them given up", sending.sent, sending.failed, sending.gave_up);
    else
        icp_remark(cli, "nothing is due");
    return NULL;
}

const icp_command_t icp_cmd_outbox_send = {
    .noun = "outbox",
    .verb = "send",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "send the messages that are due",
    .details =
        "Other commands only post messages; this one, called every minute by icp-outbox.timer, sends them: mail as the policy mail says, and "
        "events by the policy on-event, whose command is called as COMMAND EVENT SUBJECT with the facts as one JSON object on its standard "
        "input.\n\n"
        "What does not leave is tried again after a minute, two, four … at most an hour, until the policy message-hours is over; what the "
        "server refuses for good (5xx to the recipient or the text) is given up at once. `icpadmin queue` lists what was given up. A server "
        "or command that does not answer is left alone until the next run, whatever else is due.\n\n"
        "A message is marked as sent after it was taken: killed in between, the command sends it again, with the same Message-ID. SIGTERM "
        "ends it after the message under way, and nothing is sent twice. The exit status is 1 if something did not leave.",
    .json = "an object with sent, failed (of them:) given_up, waiting (given up ones included)",
    .example = "icpadmin outbox send\nicpadmin outbox send --dry-run",
    .run = run_send,
};

static icp_error_t *run_test(icp_cli_t *cli)
{
    icp_deliver_t *deliver;
    icp_error_t *why;
    int mail = cli->arguments->nelts > 0;
    icp_message_t message = {.posted_at = apr_time_now(), .way = mail ? "mail" : "event", .event = "outbox.test", .subject = "test", .facts = "{}",
                             .recipient = mail ? APR_ARRAY_IDX(cli->arguments, 0, const char *) : ""};
    ICP_TRY(icp_deliver_open(&deliver, cli->reg, cli->pool));
    if (!icp_deliver_ready(deliver, message.way, &why)) return why;
    if (cli->dry_run) return NULL;
    icp_delivery_t delivery = icp_deliver_message(deliver, &message, cli->pool);
    if (cli->json) {
        json_t *object = json_pack("{s:b}", "sent", delivery.end == ICP_DELIVERED);
        json_object_set_new(object, "answer", icp_text_json(delivery.answer));
        icp_print_object(object);
    }
    if (delivery.end == ICP_DELIVERED) {
        icp_say(cli, "sent: %s", delivery.answer);
        return NULL;
    }
    return icp_error(cli->pool, ICP_REFUSED, "see docs/operations.md, \"Mail\"", "%s", delivery.answer);
}

const icp_command_t icp_cmd_outbox_test = {
    .noun = "outbox",
    .verb = "test",
    .arguments = "[ADDRESS]",
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "send a test mail at once, or call the event command, and say what was answered",
    .details = "With ADDRESS a mail, by the policies now in force; without, the event command is called as COMMAND outbox.test test. Nothing is "
               "posted, and nothing tried again. The exit status is 1 if it was not taken.",
    .json = "an object with sent, answer (of the mail server or command)",
    .example = "icpadmin outbox test me@example.cn\nicpadmin outbox test",
    .run = run_test,
};
