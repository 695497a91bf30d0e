/* `icpadmin application review|return|file|sms|confirm|bureau|reject|withdraw`: the steps of staff that need no register; approve is
 * in cmd_application_approve.c. */
#include <string.h>

#include <apr_strings.h>

#include "application.h"
#include "json.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "text.h"

typedef struct stepping_t {
    const icp_cli_t *cli;
    const apr_array_header_t *references;
    icp_application_act_t act;
    apr_array_header_t *done; /* icp_application_t * */
} stepping_t;

static icp_error_t *change_step(icp_register_t *reg, void *baton, apr_pool_t *unused)
{
    stepping_t *stepping = baton;
    apr_pool_t *pool = stepping->cli->pool;
    apr_array_clear(stepping->done);
    for (int i = 0; i < stepping->references->nelts; i++) {
        icp_application_t *application;
        ICP_TRY(icp_application_get(&application, reg, APR_ARRAY_IDX(stepping->references, i, const char *), pool));
        ICP_TRY(icp_application_step(reg, application, &stepping->act, pool));
        APR_ARRAY_PUSH(stepping->done, icp_application_t *) = application;
    }
    return NULL;
}

static icp_error_t *take_step(icp_cli_t *cli, icp_app_step_e step, const json_t *reasons, const char *note)
{
    apr_array_header_t *names;
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, icp_app_step_names[step], "applications", names));
    stepping_t stepping = {cli, names, {.step = step, .by = ICP_BY_STAFF, .reasons = reasons, .note = note},
                           apr_array_make(cli->pool, names->nelts, sizeof(icp_application_t *))};
    ICP_TRY(icp_register_change(cli->reg, change_step, &stepping, cli->pool));
    return icp_application_done(cli, stepping.done);
}

static icp_error_t *run_plain(icp_cli_t *cli)
{
    return take_step(cli, icp_app_step(cli->command->verb), NULL, icp_option(cli, "note"));
}

static const char *nth(const apr_array_header_t *texts, int i)
{
    return texts->nelts ? APR_ARRAY_IDX(texts, i, const char *) : "";
}

/* One reason may stand without a field. Of several, each has its field, and its suggestion if there are any. */
static icp_error_t *check_counts(const icp_cli_t *cli, int reasons, int fields, int suggestions)
{
    const char *remedy = "give each --reason its --field, and each a --suggestion or none of them; '' is no suggestion";
    int fields_fit = fields == reasons || (!fields && reasons == 1);
    if (fields_fit && (!suggestions || suggestions == reasons)) return NULL;
    return icp_error(cli->pool, ICP_USAGE, remedy, "--reason is given %d times, --field %d times, --suggestion %d times", reasons, fields,
                     suggestions);
}

/* The first --field, --reason and --suggestion belong together, and so on. */
static icp_error_t *run_return(icp_cli_t *cli)
{
    const apr_array_header_t *fields = icp_option_all(cli, "field"), *texts = icp_option_all(cli, "reason"),
                             *suggestions = icp_option_all(cli, "suggestion");
    icp_application_t *application;
    json_t *reasons = icp_json_keep(json_array(), cli->pool);
    ICP_TRY(check_counts(cli, texts->nelts, fields->nelts, suggestions->nelts));
    ICP_TRY(icp_application_argument(&application, cli));
    for (int i = 0; i < texts->nelts; i++) {
        const char *reason = icp_text_trim(nth(texts, i), cli->pool), *suggestion = icp_text_trim(nth(suggestions, i), cli->pool);
        if (!*reason || !icp_text_plain(reason) || !icp_text_plain(suggestion)) {
            return icp_error(cli->pool, ICP_USAGE, "say in one line what is wrong", "the reason or the suggestion is empty or no plain text");
        }
        if (fields->nelts) ICP_TRY(icp_application_field_option(nth(fields, i), application, cli->pool));
        json_t *one = json_pack("{s:s}", "reason", reason);
        if (fields->nelts) json_object_set_new(one, "field", json_string(nth(fields, i)));
        if (*suggestion) json_object_set_new(one, "suggestion", json_string(suggestion));
        json_array_append_new(reasons, one);
    }
    return take_step(cli, ICP_APP_DO_RETURN, reasons, NULL);
}

/* The note is told to the applicant, and is no note of the audit log, which would have to be purged. */
static icp_error_t *run_reject(icp_cli_t *cli)
{
    json_t *reasons;
    ICP_TRY(icp_reasons_from_codes(&reasons, icp_option_all(cli, "reason"), icp_option(cli, "note"), cli->pool));
    return take_step(cli, ICP_APP_DO_REJECT, reasons, NULL);
}

#define NOTE_OPTION {"note", "TEXT", 0, "why, for the audit log: no personal data, which a purge could not remove"}
static const icp_option_t plain_options[] = {NOTE_OPTION, {NULL, NULL, 0, NULL}};
static const icp_option_t return_options[] = {
    {"field", "NAME", ICP_OPTION_MANY, "which field is wrong, as `application show` names it: holder.uscc, websites.0.hosts, document.id"},
    {"reason", "TEXT", ICP_OPTION_REQUIRED | ICP_OPTION_MANY, "what is wrong, for the applicant"},
    {"suggestion", "TEXT", ICP_OPTION_MANY, "what to write instead, for the applicant"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t reject_options[] = {
    {"reason", "CODE", ICP_OPTION_MANY, "one of the usual ones, told in both languages with what to do"},
    {"note", "TEXT", 0, "what the bureau wrote besides, for the applicant"},
    {NULL, NULL, 0, NULL},
};

#define JSON "an object as of `application list`; of several an array"

/* X(name in C, verb, summary, details) */
#define PLAIN_STEPS(X)                                                                                                 \
    X(review, "review", "take received or corrected applications into review", NULL)                                   \
    X(file, "file", "record that reviewed applications were handed to the authority's system", NULL)                   \
    X(sms, "sms", "record that the authority sent the applicants their code by SMS",                                   \
      "A code that is not confirmed within the policy's sms-hours sends the application back to the client, at the "   \
      "next `application pull`. Cancellations get none: they go from filed to confirmed.")                             \
    X(confirm, "confirm", "record that the authority has the applicants' confirmation, and the provider's", NULL)      \
    X(bureau, "bureau", "record that the bureaus have them in review: no more changes, no withdrawal", NULL)           \
    X(withdraw, "withdraw", "withdraw applications for their clients", "Not possible while a bureau has it in review.")

#define PLAIN_COMMAND(name, word, what, more)                                                                          \
    const icp_command_t icp_cmd_application_##name = {                                                                 \
        .noun = "application",                                                                                         \
        .verb = word,                                                                                                  \
        .arguments = "APP…",                                                                                           \
        .least = 1,                                                                                                    \
        .most = -1,                                                                                                    \
        .need = ICP_NEED_REGISTER,                                                                                     \
        .changes = 1,                                                                                                  \
        .summary = what,                                                                                               \
        .details = more,                                                                                               \
        .json = JSON,                                                                                                  \
        .example = "icpadmin application " word " APP-000012",                                                         \
        .options = plain_options,                                                                                      \
        .run = run_plain,                                                                                              \
    };
PLAIN_STEPS(PLAIN_COMMAND)

const icp_command_t icp_cmd_application_return = {
    .noun = "application",
    .verb = "return",
    .arguments = "APP",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "send an application back to the client: what is wrong, where, and what to write instead",
    .details = "The client sees each reason at its field, and gets all by mail. Several fields are named in one step: the first --field, "
               "--reason and --suggestion belong together, then the second ones. Possible in review, and until the authority has the "
               "confirmation.",
    .json = JSON,
    .example = "icpadmin application return APP-000012 --field holder.address --reason '地址不完整' --suggestion '请写到门牌号'\n"
               "icpadmin application return 12 --field document.id --reason '照片模糊' --field contact.mobile --reason '无法接通'",
    .options = return_options,
    .run = run_return,
};

const icp_command_t icp_cmd_application_reject = {
    .noun = "application",
    .verb = "reject",
    .arguments = "APP",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "record a bureau's rejection, with its reasons",
    .details = "Give at least one --reason or a --note. CODE is domain-not-verified, registrant-differs, domain-not-accepted, "
               "name-too-generic, other-province, site-open, filed-site-faulty, needs-approval, phone or documents. The client has the "
               "policy's correct-days to correct it; then it expires, at the next `application pull`.",
    .json = JSON,
    .example = "icpadmin application reject APP-000012 --reason phone --reason documents --note '身份证照片反光'",
    .options = reject_options,
    .run = run_reject,
};
