/* `icpadmin outbox`: looks at messages, and what staff decide about them. cmd_outbox_send.c sends them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "deliver.h"
#include "options.h"
#include "output.h"

static const char *id_text(const icp_message_t *message, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, message->id);
}

static json_t *message_json(const icp_message_t *message)
{
    int waiting = !strcmp(message->state, "waiting");
    json_t *object = json_object(), *facts = json_loads(message->facts, 0, NULL);
    json_object_set_new(object, "id", json_integer(message->id));
    json_object_set_new(object, "posted_at", icp_time_json(message->posted_at));
    json_object_set_new(object, "way", icp_text_json(message->way));
    json_object_set_new(object, "event", icp_text_json(message->event));
    json_object_set_new(object, "subject", icp_text_json(message->subject));
    json_object_set_new(object, "recipient", icp_text_json(message->recipient));
    json_object_set_new(object, "facts", facts ? facts : json_object());
    json_object_set_new(object, "state", icp_text_json(message->state));
    json_object_set_new(object, "state_at", icp_time_json(message->state_at));
    json_object_set_new(object, "attempts", json_integer(message->attempts));
    json_object_set_new(object, "next_at", waiting ? icp_time_json(message->next_at) : json_null());
    json_object_set_new(object, "fault", icp_text_json(message->fault));
    return object;
}

/* "waiting, 3 attempts, next 2026-11-24 10:17" */
static const char *state_text(const icp_message_t *message, apr_pool_t *pool)
{
    if (strcmp(message->state, "waiting")) return apr_pstrcat(pool, message->state, " ", icp_time_text(message->state_at, pool), NULL);
    if (!message->attempts) return "waiting";
    return apr_psprintf(pool, "waiting, %" APR_INT64_T_FMT " attempt%s, next %s", message->attempts, message->attempts == 1 ? "" : "s",
                        icp_time_text(message->next_at, pool));
}

static icp_error_t *parse_id(apr_int64_t *id, const char *text, apr_pool_t *pool)
{
    char *end;
    errno = 0;
    *id = apr_strtoi64(text, &end, 10);
    if (*text >= '1' && *text <= '9' && !*end && !errno) return NULL;
    return icp_error(pool, ICP_USAGE, "icpadmin outbox list shows the numbers of messages", "`%s` is no message's number",
                     icp_printable(text, pool));
}

/* --- list ---------------------------------------------------------------------------------------------------------- */

typedef struct listing_t {
    const icp_cli_t *cli;
    icp_list_t *list;
} listing_t;

static icp_error_t *read_list(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    const icp_cli_t *cli = listing->cli;
    apr_array_header_t *ids;
    ICP_TRY(icp_outbox_ids(&ids, reg, icp_option(cli, "all") != NULL, icp_option(cli, "subject"), pool));
    for (int i = 0; i < ids->nelts; i++) {
        icp_message_t *message;
        ICP_TRY(icp_outbox_get(&message, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), pool));
        if (cli->json) {
            icp_list_object(listing->list, message_json(message));
            continue;
        }
        icp_list_row(listing->list, id_text(message, pool), icp_time_text(message->posted_at, pool), message->event, message->subject,
                     *message->recipient ? message->recipient : "-", state_text(message, pool), *message->fault ? message->fault : "-", NULL);
    }
    return NULL;
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    listing_t listing = {cli, icp_list_begin(cli, "ID|POSTED|EVENT|SUBJECT|TO|STATE|FAULT")};
    ICP_TRY(icp_register_read(cli->reg, read_list, &listing, cli->pool));
    icp_list_end(listing.list, icp_option(cli, "all") ? "no message" : "no message is waiting, and none was given up");
    return NULL;
}

static const icp_option_t list_options[] = {
    {"all", NULL, 0, "also those that were sent or dropped"},
    {"subject", "NAME", 0, "only those about this site, application or domain"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_outbox_list = {
    .noun = "outbox",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list the messages that wait or were given up, oldest first",
    .details = "Without --subject and --all this is what has not left yet. FAULT is how the newest attempt ended.",
    .json = "an array; each has id, posted_at, way (mail, event), event, subject, recipient, facts (an object), state (waiting, sent, "
            "given-up, dropped), state_at, attempts, next_at (null unless waiting), fault",
    .example = "icpadmin outbox list\nicpadmin outbox list --all --subject shop.example.cn",
    .options = list_options,
    .run = run_list,
};

/* --- show ---------------------------------------------------------------------------------------------------------- */

static icp_error_t *run_show(icp_cli_t *cli)
{
    apr_int64_t id;
    icp_message_t *message;
    icp_deliver_t *deliver;
    const char *text, *subject, *body;
    ICP_TRY(parse_id(&id, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    ICP_TRY(icp_outbox_get(&message, cli->reg, id, cli->pool));
    ICP_TRY(icp_deliver_open(&deliver, cli->reg, cli->pool));
    ICP_TRY(icp_deliver_text(&text, &subject, &body, deliver, message, cli->pool));
    if (cli->json) {
        json_t *object = message_json(message);
        json_object_set_new(object, "mail_subject", icp_text_json(subject));
        json_object_set_new(object, "mail_text", icp_text_json(body));
        icp_print_object(object);
        return NULL;
    }
    const char *fault = *message->fault ? apr_pstrcat(cli->pool, ": ", message->fault, NULL) : "";
    icp_remark(cli, "message %" APR_INT64_T_FMT ": %s%s", id, state_text(message, cli->pool), fault);
    if (icp_option(cli, "raw") || !body) {
        icp_print_text(text, cli->pool);
        return NULL;
    }
    icp_say(cli, "To: %s", message->recipient);
    icp_say(cli, "Subject: %s", subject);
    icp_say(cli, "%s", "");
    icp_print_text(body, cli->pool);
    return NULL;
}

static const icp_option_t show_options[] = {
    {"raw", NULL, 0, "as it leaves: header fields, and the text encoded"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_outbox_show = {
    .noun = "outbox",
    .verb = "show",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "show a message as it would leave now",
    .details = "A mail is made from its facts and the template of its event whenever it is sent or shown, so a corrected template is used "
               "for those that wait as well.",
    .json = "an object as in `icpadmin outbox list`, and mail_subject, mail_text (null for an event)",
    .example = "icpadmin outbox show 12\nicpadmin outbox show 12 --raw",
    .options = show_options,
    .run = run_show,
};

/* --- retry, drop, prune --------------------------------------------------------------------------------------------- */

typedef struct deciding_t {
    apr_array_header_t *ids; /* apr_int64_t */
    const char *to, *note;
    int drop;
} deciding_t;

static icp_error_t *change_decided(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const deciding_t *deciding = baton;
    for (int i = 0; i < deciding->ids->nelts; i++) {
        apr_int64_t id = APR_ARRAY_IDX(deciding->ids, i, apr_int64_t);
        if (deciding->drop) ICP_TRY(icp_outbox_drop(reg, id, deciding->note, pool));
        else ICP_TRY(icp_outbox_retry(reg, id, deciding->to, pool));
    }
    return NULL;
}

static icp_error_t *decide(icp_cli_t *cli, int drop)
{
    deciding_t deciding = {apr_array_make(cli->pool, cli->arguments->nelts, sizeof(apr_int64_t)), icp_option(cli, "to"), icp_option(cli, "note"),
                           drop};
    if (deciding.to && cli->arguments->nelts > 1) return icp_error(cli->pool, ICP_USAGE, "one at a time", "--to is for one message");
    for (int i = 0; i < cli->arguments->nelts; i++) {
        ICP_TRY(parse_id(apr_array_push(deciding.ids), APR_ARRAY_IDX(cli->arguments, i, const char *), cli->pool));
    }
    ICP_TRY(icp_register_change(cli->reg, change_decided, &deciding, cli->pool));
    icp_list_t *list = cli->json ? icp_list_begin(cli, NULL) : NULL;
    for (int i = 0; i < deciding.ids->nelts; i++) {
        icp_message_t *message;
        ICP_TRY(icp_outbox_get(&message, cli->reg, APR_ARRAY_IDX(deciding.ids, i, apr_int64_t), cli->pool));
        if (list) icp_list_object(list, message_json(message));
        icp_say(cli, "message %s %s", id_text(message, cli->pool), drop ? "is dropped" : "leaves with the next icpadmin outbox send");
    }
    if (list) icp_list_end(list, NULL);
    return NULL;
}

static icp_error_t *run_retry(icp_cli_t *cli)
{
    return decide(cli, 0);
}

static icp_error_t *run_drop(icp_cli_t *cli)
{
    return decide(cli, 1);
}

static const icp_option_t retry_options[] = {
    {"to", "ADDRESS", 0, "to this address instead, where the one on file was wrong"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_outbox_retry = {
    .noun = "outbox",
    .verb = "retry",
    .arguments = "ID…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "send messages again that were given up, dropped or wait",
    .details = "They are due at once, and have all their time again (policy message-hours). What was sent already is refused: all or none.",
    .json = "an array as `icpadmin outbox list` prints it",
    .example = "icpadmin outbox retry 12 13\nicpadmin outbox retry 12 --to new@shop.example.cn",
    .options = retry_options,
    .run = run_retry,
};

static const icp_option_t drop_options[] = {
    {"note", "TEXT", ICP_OPTION_REQUIRED, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_outbox_drop = {
    .noun = "outbox",
    .verb = "drop",
    .arguments = "ID…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "do not send messages that wait or were given up",
    .details = "They stay on record until `icpadmin outbox prune`. What was sent already is refused: all or none.",
    .json = "an array as `icpadmin outbox list` prints it",
    .example = "icpadmin outbox drop 12 --note 'told by phone'",
    .options = drop_options,
    .run = run_drop,
};

typedef struct pruning_t {
    apr_int64_t days; /* -1: the policy's */
    int count;
} pruning_t;

static icp_error_t *change_prune(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    pruning_t *pruning = baton;
    apr_int64_t days = pruning->days;
    if (days < 0) ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_MESSAGE_DAYS, pool));
    return icp_outbox_prune(&pruning->count, reg, days, pool);
}

static icp_error_t *run_prune(icp_cli_t *cli)
{
    pruning_t pruning = {-1, 0};
    ICP_TRY(icp_option_number(&pruning.days, cli, "days", 0, 36500));
    ICP_TRY(icp_register_change(cli->reg, change_prune, &pruning, cli->pool));
    icp_say(cli, "%d message%s removed", pruning.count, pruning.count == 1 ? "" : "s");
    if (cli->json) icp_print_object(json_pack("{s:i}", "removed", pruning.count));
    return NULL;
}

static const icp_option_t prune_options[] = {
    {"days", "COUNT", 0, "keep those of so many days (default: policy message-days)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_outbox_prune = {
    .noun = "outbox",
    .verb = "prune",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "remove messages that were sent or dropped long ago",
    .details = "What waits or was given up is never removed.",
    .json = "an object with removed (how many)",
    .example = "icpadmin outbox prune\nicpadmin outbox prune --days 30",
    .options = prune_options,
    .run = run_prune,
};
