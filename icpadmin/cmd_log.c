/* `icpadmin log`: the audit log, and whether it is whole. */
#include "audit.h"

#include <string.h>

#include <apr_strings.h>

#include "json.h"
#include "options.h"
#include "output.h"
#include "site.h"
#include "text.h"

typedef struct reading_t {
    const icp_cli_t *cli;
    icp_list_t *list;
    apr_int64_t skip; /* events before the first that is wanted */
} reading_t;

static json_t *parsed(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return value ? value : json_null();
}

static json_t *event_json(const icp_event_t *event)
{
    json_t *object = json_object();
    json_object_set_new(object, "id", json_integer(event->id));
    json_object_set_new(object, "at", icp_time_json(event->at));
    json_object_set_new(object, "actor", icp_text_json(event->actor));
    json_object_set_new(object, "action", icp_text_json(event->action));
    json_object_set_new(object, "subject", icp_text_json(event->subject));
    json_object_set_new(object, "before", parsed(event->before));
    json_object_set_new(object, "after", parsed(event->after));
    json_object_set_new(object, "note", icp_text_json(event->note));
    json_object_set_new(object, "hash", icp_text_json(event->hash));
    return object;
}

/* With blanks, at which a narrow terminal's lines end. */
static const char *spaced(const char *text, apr_pool_t *pool)
{
    json_t *value = icp_json_keep(parsed(text), pool);
    return json_is_null(value) ? "-" : icp_json_text(value, JSON_ENCODE_ANY, pool);
}

static icp_error_t *print_event(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    reading_t *reading = baton;
    if (reading->skip-- > 0) return NULL;
    if (reading->cli->json)
        icp_list_object(reading->list, event_json(event));
    else {
        icp_list_row(reading->list, apr_psprintf(pool, "%" APR_INT64_T_FMT, event->id), icp_time_text(event->at, pool),
                     event->actor, event->action, event->subject, event->note && *event->note ? event->note : "-",
                     spaced(event->after, pool), NULL);
    }
    return NULL;
}

static icp_error_t *count_event(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    ++*(apr_int64_t *)baton;
    return NULL;
}

static icp_error_t *verify(icp_cli_t *cli)
{
    icp_chain_t chain;
    const char *noted = icp_option(cli, "noted");
    if (noted && (strlen(noted) != 64 || strspn(noted, "0123456789abcdefABCDEF") != 64)) {
        return icp_error(cli->pool, ICP_USAGE, "copy the 64 digits that --verify printed then", "`%s` is no hash of an event",
                         icp_text_printable(noted, 80, cli->pool));
    }
    ICP_TRY(icp_audit_verify(cli->reg, noted, &chain, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "verified", json_true());
        json_object_set_new(object, "events", json_integer(chain.count));
        json_object_set_new(object, "newest", icp_text_json(*chain.head ? chain.head : NULL));
        icp_print_object(object);
    }
    icp_say(cli, "%" APR_INT64_T_FMT " events, the chain is whole; the newest has the hash %s", chain.count, chain.head);
    return NULL;
}

/* A site may be named by any of its hosts; one that is no longer on file by the name it had. */
static icp_error_t *find_subject(const char **subject, const icp_cli_t *cli)
{
    icp_site_t *site;
    *subject = icp_option(cli, "site");
    if (!*subject) return NULL;
    icp_error_t *error = icp_site_get(&site, cli->reg, *subject, cli->pool);
    if (error) return error->status == ICP_NOT_FOUND ? NULL : error;
    *subject = site->name;
    return NULL;
}

static icp_error_t *run_log(icp_cli_t *cli)
{
    reading_t reading = {cli, NULL, 0};
    apr_int64_t last = 0, count = 0;
    const char *subject;
    ICP_TRY(icp_option_number(&last, cli, "last", 1, APR_INT64_C(1) << 40));
    if (icp_option(cli, "noted") && !icp_option(cli, "verify"))
        return icp_error(cli->pool, ICP_USAGE, "add --verify", "--noted is for --verify");
    if (icp_option(cli, "verify")) {
        if (last || icp_option(cli, "site")) {
            return icp_error(cli->pool, ICP_USAGE, "leave --site and --last out", "--verify walks the whole log");
        }
        return verify(cli);
    }
    ICP_TRY(find_subject(&subject, cli));
    if (last) {
        ICP_TRY(icp_audit_each(cli->reg, subject, count_event, &count, cli->pool));
        reading.skip = count - last;
    }
    reading.list = icp_list_begin(cli, "EVENT|TIME|WHO|ACTION|SUBJECT|NOTE|AFTER");
    ICP_TRY(icp_audit_each(cli->reg, subject, print_event, &reading, cli->pool));
    icp_list_end(reading.list, "no event");
    return NULL;
}

static const icp_option_t options[] = {
    {"site", "SITE", 0, "only what was done to this site"},
    {"last", "COUNT", 0, "only the newest so many"},
    {"verify", NULL, 0, "walk the hash chain and say whether the log is whole"},
    {"noted", "HASH", 0, "with --verify: the newest hash as it was printed some time before; it must still be in the chain"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_log = {
    .noun = "log",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "print the audit log, oldest first",
    .details =
        "Every change is an event: when, who, what, to what, before and after (in full with --json). Each event's "
        "SHA-256 covers the one before it; --verify names the first that does not fit, and exits with 1.\n\n"
        "Who can write both databases could write the whole log anew, so that its chain is whole. Keep the newest hash that "
        "--verify prints where he cannot write, in a ticket for instance: --noted HASH finds that out.",
    .json = "an array; each has id, at, actor, action, subject, before, after, note, hash; with --verify an object "
            "with verified, events, newest (hash)",
    .example = "icpadmin log --site shop.example.cn\nicpadmin log --verify\n"
               "icpadmin log --verify --noted 5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592",
    .options = options,
    .run = run_log,
};
