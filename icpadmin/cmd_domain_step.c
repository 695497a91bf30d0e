/* `icpadmin domain documents|submit|accept|refuse|remind`: the documents of .cn registrations on their way to the
 * registry. */
#include <string.h>

#include <apr_strings.h>

#include "dates.h"
#include "domains.h"
#include "host.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "policy.h"

/* --- documents ---------------------------------------------------------------------------------------------------- */

typedef struct addition_t {
    const char *kind;
    icp_document_t *document;
} addition_t;

typedef struct adding_t {
    const char *name;
    apr_array_header_t *additions; /* addition_t */
    apr_array_header_t *dropped;   /* const char *: SHA-256 */
} adding_t;

/* KIND=FILE, each; the kind is looked at before anything is kept. */
static icp_error_t *read_additions(adding_t *adding, const icp_domain_t *domain, const apr_array_header_t *given,
                                   apr_pool_t *pool)
{
    for (int i = 0; i < given->nelts; i++) {
        const char *text = APR_ARRAY_IDX(given, i, const char *), *equals = strchr(text, '=');
        const icp_domain_kind_t *kind;
        if (!equals) return icp_error(pool, ICP_USAGE, "write --add KIND=FILE", "`%s` names no kind of document", text);
        ICP_TRY(icp_domain_kind(&kind, domain->kind, apr_pstrmemdup(pool, text, (apr_size_t)(equals - text)), pool));
        addition_t *addition = apr_array_push(adding->additions);
        addition->kind = kind->kind;
        ICP_TRY(icp_document_read(&addition->document, equals + 1, pool));
    }
    return NULL;
}

static icp_error_t *change_documents(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    adding_t *adding = baton;
    apr_array_clear(adding->dropped);
    for (int i = 0; i < adding->additions->nelts; i++) {
        const addition_t *addition = &APR_ARRAY_IDX(adding->additions, i, addition_t);
        ICP_TRY(icp_domain_put_document(reg, adding->name, addition->kind, addition->document, adding->dropped, pool));
    }
    return NULL;
}

/* What nobody refers to after the change goes: the former documents, or, if there was no change, the new ones. */
static icp_error_t *add_documents(icp_cli_t *cli, adding_t *adding)
{
    icp_error_t *error = NULL;
    for (int i = 0; !error && i < adding->additions->nelts; i++) {
        error = icp_document_keep(APR_ARRAY_IDX(adding->additions, i, addition_t).document, cli->reg, cli->pool);
    }
    if (!error) error = icp_register_change(cli->reg, change_documents, adding, cli->pool);
    if (!error && !cli->dry_run) {
        for (int i = 0; i < adding->dropped->nelts; i++) {
            ICP_TRY(icp_document_forget(cli->reg, APR_ARRAY_IDX(adding->dropped, i, const char *), cli->pool));
        }
    }
    for (int i = 0; i < adding->additions->nelts; i++) {
        const icp_document_t *document = APR_ARRAY_IDX(adding->additions, i, addition_t).document;
        icp_error_t *fault = document->sha256 ? icp_document_forget(cli->reg, document->sha256, cli->pool) : NULL;
        if (!error) error = fault;
    }
    return error;
}

static icp_error_t *save_documents(const icp_cli_t *cli, const icp_domain_t *domain, const char *folder)
{
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        const char *file;
        if (!document->file.bytes) continue;
        ICP_TRY(icp_document_save(&file, &document->file, cli->reg, folder,
                                  apr_psprintf(cli->pool, "%s-%s", domain->name, document->kind->kind), cli->pool));
        icp_remark(cli, "%s saved", file);
    }
    return NULL;
}

static void print_documents(const icp_cli_t *cli, const icp_domain_t *domain)
{
    icp_list_t *list = icp_list_begin(cli, "KIND|STATE|SINCE|FILE|TYPE|BYTES|WHAT");
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        int there = document->file.bytes > 0;
        icp_list_row(list, document->kind->kind,
                     !there              ? "missing"
                     : document->refused ? "refused"
                                         : "here",
                     icp_time_text(document->added_at, cli->pool), there ? document->file.name : "-",
                     there ? document->file.type : "-",
                     apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, document->file.bytes), document->kind->en, NULL);
    }
    icp_list_end(list, NULL);
}

static icp_error_t *run_documents(icp_cli_t *cli)
{
    icp_domain_t *domain;
    icp_calendar_t *calendar;
    const char *folder = icp_option(cli, "save");
    adding_t adding = {APR_ARRAY_IDX(cli->arguments, 0, const char *), apr_array_make(cli->pool, 2, sizeof(addition_t)),
                       apr_array_make(cli->pool, 2, sizeof(const char *))};
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    ICP_TRY(icp_domain_get(&domain, cli->reg, adding.name, cli->pool));
    ICP_TRY(read_additions(&adding, domain, icp_option_all(cli, "add"), cli->pool));
    if (adding.additions->nelts) {
        ICP_TRY(add_documents(cli, &adding));
        ICP_TRY(icp_domain_get(&domain, cli->reg, adding.name, cli->pool));
    }
    if (folder) ICP_TRY(save_documents(cli, domain, folder));
    if (cli->json) {
        icp_print_object(icp_domains_json(domain, calendar, cli->pool));
        return NULL;
    }
    print_documents(cli, domain);
    icp_remark(cli, "%s is %s", icp_domains_name(domain, cli->pool), icp_domain_states[domain->state]);
    return NULL;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

typedef struct stepping_t {
    icp_domain_step_e step;
    const apr_array_header_t *names, *reasons, *kinds;
    const char *note;
} stepping_t;

static icp_error_t *change_step(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const stepping_t *stepping = baton;
    for (int i = 0; i < stepping->names->nelts; i++) {
        ICP_TRY(icp_domain_take_step(reg, APR_ARRAY_IDX(stepping->names, i, const char *), stepping->step,
                                     stepping->reasons, stepping->kinds, stepping->note, pool));
    }
    return NULL;
}

static icp_error_t *take_step(icp_cli_t *cli, stepping_t *stepping, const char *doing, const char *done)
{
    apr_array_header_t *names;
    icp_calendar_t *calendar;
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, doing, "domains", names));
    stepping->names = names;
    stepping->note = icp_option(cli, "note");
    ICP_TRY(icp_register_change(cli->reg, change_step, stepping, cli->pool));
    if (cli->dry_run && !cli->json) return NULL;
    icp_list_t *list = icp_list_begin(cli, NULL);
    for (int i = 0; i < names->nelts; i++) {
        icp_domain_t *domain;
        int estimated;
        ICP_TRY(icp_domain_get(&domain, cli->reg, APR_ARRAY_IDX(names, i, const char *), cli->pool));
        if (cli->json) icp_list_object(list, icp_domains_json(domain, calendar, cli->pool));
        icp_day_t due = icp_domains_due(&estimated, domain, calendar);
        const char *when =
            due ? apr_psprintf(cli->pool, "; the registry answers by %s", icp_dates_text(due, estimated, cli->pool))
                : "";
        icp_say(cli, "%s %s%s", icp_domains_name(domain, cli->pool), done, when);
    }
    if (cli->json) icp_list_end(list, NULL);
    return NULL;
}

static icp_error_t *run_submit(icp_cli_t *cli)
{
    stepping_t stepping = {.step = ICP_DOMAIN_DO_SUBMIT};
    return take_step(cli, &stepping, "record as submitted", "submitted");
}

static icp_error_t *run_accept(icp_cli_t *cli)
{
    stepping_t stepping = {.step = ICP_DOMAIN_DO_ACCEPT};
    return take_step(cli, &stepping, "record as accepted", "accepted");
}

static icp_error_t *run_refuse(icp_cli_t *cli)
{
    stepping_t stepping = {.step = ICP_DOMAIN_DO_REFUSE,
                           .reasons = icp_option_all(cli, "reason"),
                           .kinds = icp_option_all(cli, "document")};
    return take_step(cli, &stepping, "record as refused", "refused");
}

/* --- reminders ---------------------------------------------------------------------------------------------------- */

typedef struct reminding_t {
    int all;
    apr_array_header_t *reminded;
} reminding_t;

static icp_error_t *change_remind(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    reminding_t *reminding = baton;
    return icp_domain_remind(reg, reminding->all, reminding->reminded, pool);
}

static icp_error_t *run_remind(icp_cli_t *cli)
{
    reminding_t reminding = {icp_option(cli, "all") != NULL, apr_array_make(cli->pool, 8, sizeof(const char *))};
    int off;
    ICP_TRY(icp_policy_is(&off, cli->reg, ICP_POLICY_MAIL, "off", cli->pool));
    if (off) icp_remark(cli, "mail is off, so nobody is reminded: icpadmin policy set mail=smtp");
    if (!off) ICP_TRY(icp_register_change(cli->reg, change_remind, &reminding, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "reminded", icp_texts_json(reminding.reminded));
        icp_print_object(object);
    }
    for (int i = 0; i < reminding.reminded->nelts; i++) {
        icp_say(cli, "%s: the registrant is reminded",
                icp_host_display(APR_ARRAY_IDX(reminding.reminded, i, const char *), cli->pool));
    }
    if (!off && !reminding.reminded->nelts) icp_remark(cli, "nobody is due to be reminded");
    return NULL;
}

/* --- the commands ------------------------------------------------------------------------------------------------- */

static const icp_option_t documents_options[] = {
    {"add", "KIND=FILE", ICP_OPTION_MANY, "a document that came in; in place of what was there of its kind"},
    {"save", "DIR", 0, "write what is here into a folder, as DOMAIN-KIND.pdf (jpg, png, bmp)"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t step_options[] = {
    {"note", "TEXT", 0, "for the audit log"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t refuse_options[] = {
    {"reason", "TEXT", ICP_OPTION_REQUIRED | ICP_OPTION_MANY, "why; the registrant reads it"},
    {"document", "KIND", ICP_OPTION_MANY, "only this one is wanted again (default: all of them)"},
    {"note", "TEXT", 0, "for the audit log"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t remind_options[] = {
    {"all", NULL, 0, "also those who were asked less than `remind-days` ago"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_domain_documents = {
    .noun = "domain",
    .verb = "documents",
    .arguments = "DOMAIN",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "list the documents of a .cn registration, take in new ones, or save them",
    .details =
        "PDF, JPEG, PNG and BMP are taken, told by their content, up to 5 MB each. They lie in documents/ beside the "
        "register, where only its owner can read them.\n\n"
        "With the last one that is missing the registration is received: look at them, hand them to the registry and "
        "say so "
        "with domain submit.",
    .json = "an object with " ICP_DOMAINS_JSON,
    .example = "icpadmin domain documents example.cn --add license=scan.pdf --add contact=id.jpg\n"
               "icpadmin domain documents example.cn --save /root/example.cn",
    .options = documents_options,
    .run = run_documents,
};

#define STEP(name, word, run_it, what, explained, shown, its_options)                                                  \
    const icp_command_t icp_cmd_domain_##name = {.noun = "domain",                                                     \
                                                 .verb = word,                                                         \
                                                 .arguments = "DOMAIN…",                                               \
                                                 .least = 1,                                                           \
                                                 .most = -1,                                                           \
                                                 .need = ICP_NEED_REGISTER,                                            \
                                                 .changes = 1,                                                         \
                                                 .summary = what,                                                      \
                                                 .details = explained,                                                 \
                                                 .json = "an array; each has " ICP_DOMAINS_JSON,                       \
                                                 .example = shown,                                                     \
                                                 .options = its_options,                                               \
                                                 .run = run_it};

STEP(submit, "submit", run_submit, "record that the documents were handed to the registry",
     "Possible once all documents are received. From then on the registry's answer is due in five working days.",
     "icpadmin domain submit example.cn", step_options)
STEP(accept, "accept", run_accept, "record that the registry has accepted the registrant",
     "The registrant is told. Filing the website for an ICP number is possible some days later.",
     "icpadmin domain accept example.cn", step_options)
STEP(
    refuse, "refuse", run_refuse, "record that the registry has refused the documents, and why",
    "The registrant is told the reasons and asked for the documents again, all of them or those that --document names.",
    "icpadmin domain refuse example.cn --reason '营业执照已过期' --document license", refuse_options)

const icp_command_t icp_cmd_domain_remind = {
    .noun = "domain",
    .verb = "remind",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "remind by mail whoever has not handed in the documents of a .cn registration",
    .details = "Everybody for whom a document is missing and who has not been asked for `remind-days` (policy). Meant "
               "to be run by a "
               "timer, once a day.",
    .json = "an object with reminded",
    .example = "icpadmin domain remind",
    .options = remind_options,
    .run = run_remind,
};
