#include "deliver.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "address.h"
#include "digest.h"
#include "mail.h"
#include "mail_template.h"
#include "process.h"
#include "smtp.h"
#include "text.h"

struct icp_deliver_t {
    icp_mail_templates_t *templates;
    const char *from_name, *from;
    apr_array_header_t *mail_command, *event_command; /* words */
    icp_smtp_t *smtp;
    int seconds;
    icp_error_t *no_mail, *no_event; /* why none can leave; NULL */
    apr_pool_t *pool;
};

static icp_error_t *read_smtp(icp_deliver_t *deliver, icp_register_t *reg, apr_pool_t *pool)
{
    icp_smtp_settings_t settings = {.seconds = deliver->seconds};
    ICP_TRY(icp_policy_text(&settings.server, NULL, reg, ICP_POLICY_MAIL_SERVER, pool));
    ICP_TRY(icp_policy_text(&settings.tls, NULL, reg, ICP_POLICY_MAIL_TLS, pool));
    ICP_TRY(icp_policy_text(&settings.ca, NULL, reg, ICP_POLICY_MAIL_CA, pool));
    ICP_TRY(icp_policy_text(&settings.netrc, NULL, reg, ICP_POLICY_MAIL_NETRC, pool));
    return icp_smtp_open(&deliver->smtp, &settings, pool);
}

static icp_error_t *read_mail(icp_deliver_t *deliver, icp_register_t *reg, apr_pool_t *pool)
{
    const char *way, *from, *command;
    ICP_TRY(icp_policy_text(&way, NULL, reg, ICP_POLICY_MAIL, pool));
    ICP_TRY(icp_policy_text(&from, NULL, reg, ICP_POLICY_MAIL_FROM, pool));
    if (!*from) {
        deliver->from_name = "";
        deliver->from = "postmaster@localhost"; /* only to be shown */
        if (strcmp(way, "off")) {
            return icp_error(pool, ICP_REFUSED, "icpadmin policy set mail-from='Example Hosting <support@example.cn>'", "mail has no sender");
        }
    }
    else ICP_TRY(icp_address_parse_named(&deliver->from_name, &deliver->from, from, pool));
    if (!strcmp(way, "off")) return icp_error(pool, ICP_REFUSED, "icpadmin policy set mail=smtp, or mail=command", "mail is off");
    if (!strcmp(way, "smtp")) return read_smtp(deliver, reg, pool);
    ICP_TRY(icp_policy_text(&command, NULL, reg, ICP_POLICY_MAIL_COMMAND, pool));
    return icp_process_words(&deliver->mail_command, command, pool);
}

static icp_error_t *read_event(icp_deliver_t *deliver, icp_register_t *reg, apr_pool_t *pool)
{
    const char *command;
    ICP_TRY(icp_policy_text(&command, NULL, reg, ICP_POLICY_ON_EVENT, pool));
    if (!*command) return icp_error(pool, ICP_REFUSED, "icpadmin policy set on-event=COMMAND", "there is no event command");
    return icp_process_words(&deliver->event_command, command, pool);
}

icp_error_t *icp_deliver_open(icp_deliver_t **result, icp_register_t *reg, apr_pool_t *pool)
{
    icp_deliver_t *deliver = apr_pcalloc(pool, sizeof *deliver);
    apr_int64_t seconds;
    deliver->pool = pool;
    ICP_TRY(icp_policy_number(&seconds, reg, ICP_POLICY_MESSAGE_TIMEOUT, pool));
    deliver->seconds = (int)seconds;
    ICP_TRY(icp_mail_templates_open(&deliver->templates, reg, pool));
    deliver->no_mail = read_mail(deliver, reg, pool);
    deliver->no_event = read_event(deliver, reg, pool);
    *result = deliver;
    return NULL;
}

int icp_deliver_ready(const icp_deliver_t *deliver, const char *way, icp_error_t **why)
{
    icp_error_t *error = strcmp(way, "mail") ? deliver->no_event : deliver->no_mail;
    if (why) *why = error;
    return !error;
}

/* The same for every attempt, so that a message that was sent twice can be told; another's never. */
static icp_error_t *message_id(const char **id, const icp_deliver_t *deliver, const icp_message_t *message, apr_pool_t *pool)
{
    const char *const parts[] = {message->event, message->subject, message->recipient, message->facts};
    char hex[65];
    icp_digest_t *digest;
    ICP_TRY(icp_digest_begin(&digest, pool));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) icp_digest_add(digest, parts[i], strlen(parts[i]) + 1);
    ICP_TRY(icp_digest_end(hex, digest, pool));
    *id = apr_psprintf(pool, "icp.%" APR_INT64_T_FMT ".%" APR_INT64_T_FMT ".%.16s@%s", message->id, (apr_int64_t)apr_time_sec(message->posted_at),
                       hex, strrchr(deliver->from, '@') + 1);
    return NULL;
}

static icp_error_t *compose(const char **text, icp_mail_t *mail, icp_deliver_t *deliver, const icp_message_t *message, apr_pool_t *pool)
{
    json_t *facts = json_loads(message->facts, 0, NULL);
    mail->from_name = deliver->from_name;
    mail->from = deliver->from;
    mail->date = message->posted_at;
    icp_error_t *error = icp_mail_fill(&mail->subject, &mail->text, deliver->templates, message->event, message->subject, facts, pool);
    json_decref(facts);
    if (!error) error = message_id(&mail->message_id, deliver, message, pool);
    if (!error) *text = icp_mail_compose(mail, pool);
    return error;
}

static const char *without_cr(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text), *to = copy;
    for (const char *from = copy; *from; from++) {
        if (*from != '\r') *to++ = *from;
    }
    *to = '\0';
    return copy;
}

/* Words of a command, and up to two more. */
static const char *const *make_argv(const apr_array_header_t *words, const char *one, const char *two, apr_pool_t *pool)
{
    apr_array_header_t *argv = apr_array_copy(pool, words);
    if (one) APR_ARRAY_PUSH(argv, const char *) = one;
    if (two) APR_ARRAY_PUSH(argv, const char *) = two;
    APR_ARRAY_PUSH(argv, const char *) = NULL;
    return (const char *const *)argv->elts;
}

/* A command that refuses one message may take the next; one that hangs or cannot be started will not. */
static icp_delivery_t run_command(const icp_deliver_t *deliver, const char *const *argv, const char *input, apr_pool_t *pool)
{
    icp_error_t *error = icp_process_run(argv, input, strlen(input), deliver->seconds, pool);
    if (!error) return (icp_delivery_t){ICP_DELIVERED, apr_pstrcat(pool, argv[0], " exited with 0", NULL)};
    return (icp_delivery_t){error->status == ICP_REFUSED ? ICP_LATER : ICP_NOTHING, error->message};
}

static icp_delivery_t send_mail(icp_deliver_t *deliver, const icp_message_t *message, apr_pool_t *pool)
{
    icp_mail_t mail;
    const char *text;
    icp_error_t *error = icp_address_parse(&mail.to, message->recipient, pool);
    if (error) return (icp_delivery_t){ICP_NEVER, error->message};
    error = compose(&text, &mail, deliver, message, pool);
    if (error) return (icp_delivery_t){ICP_LATER, error->message};
    if (deliver->smtp) return icp_smtp_send(deliver->smtp, mail.from, mail.to, text, pool);
    return run_command(deliver, make_argv(deliver->mail_command, NULL, NULL, pool), without_cr(text, pool), pool);
}

icp_delivery_t icp_deliver_message(icp_deliver_t *deliver, const icp_message_t *message, apr_pool_t *pool)
{
    icp_error_t *why;
    if (!icp_deliver_ready(deliver, message->way, &why)) return (icp_delivery_t){ICP_NOTHING, why->message};
    if (!strcmp(message->way, "mail")) return send_mail(deliver, message, pool);
    return run_command(deliver, make_argv(deliver->event_command, message->event, message->subject, pool), message->facts, pool);
}

icp_error_t *icp_deliver_text(const char **text, const char **subject, const char **body, icp_deliver_t *deliver,
                              const icp_message_t *message, apr_pool_t *pool)
{
    icp_mail_t mail;
    *subject = *body = NULL;
    if (strcmp(message->way, "mail")) {
        *text = apr_pstrcat(pool, message->event, " ", message->subject, "\n", message->facts, "\n", NULL);
        return NULL;
    }
    if (icp_address_parse(&mail.to, message->recipient, pool)) mail.to = icp_text_printable(message->recipient, 254, pool);
    ICP_TRY(compose(text, &mail, deliver, message, pool));
    *text = without_cr(*text, pool);
    *subject = mail.subject;
    *body = mail.text;
    return NULL;
}

static icp_error_t *check_mail(icp_register_t *reg, apr_pool_t *pool)
{
    const char *way, *from, *command, *address, *name;
    apr_array_header_t *words;
    ICP_TRY(icp_policy_text(&way, NULL, reg, ICP_POLICY_MAIL, pool));
    ICP_TRY(icp_policy_text(&from, NULL, reg, ICP_POLICY_MAIL_FROM, pool));
    ICP_TRY(icp_policy_text(&command, NULL, reg, ICP_POLICY_MAIL_COMMAND, pool));
    if (*from) ICP_TRY(icp_address_parse_named(&name, &address, from, pool));
    if (!*from && strcmp(way, "off")) {
        return icp_error(pool, ICP_USAGE, "set it in the same command: mail-from='Example Hosting <support@example.cn>'", "mail needs a sender");
    }
    return strcmp(way, "command") ? NULL : icp_process_words(&words, command, pool);
}

icp_error_t *icp_deliver_check(icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool)
{
    const char *value;
    apr_array_header_t *words;
    ICP_TRY(icp_policy_text(&value, NULL, reg, policy, pool));
    switch (policy) {
    case ICP_POLICY_MAIL:
    case ICP_POLICY_MAIL_FROM:
    case ICP_POLICY_MAIL_COMMAND: return check_mail(reg, pool);
    case ICP_POLICY_MAIL_SERVER: return icp_smtp_check(value, pool);
    case ICP_POLICY_ON_EVENT: return *value ? icp_process_words(&words, value, pool) : NULL;
    case ICP_POLICY_MAIL_TEMPLATES: return *value ? icp_mail_templates_check(value, pool) : NULL;
    default: return NULL;
    }
}
