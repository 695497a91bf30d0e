/* `icpadmin domain add|list|show|edit|remove`: the .cn registrations whose documents are collected. */
#include <string.h>

#include <apr_strings.h>

#include "dates.h"
#include "domains.h"
#include "names.h"
#include "options.h"
#include "output.h"

/* Only after the change: a file that is gone cannot come back with a transaction that fails. */
static icp_error_t *forget(const icp_cli_t *cli, const apr_array_header_t *dropped)
{
    for (int i = 0; !cli->dry_run && i < dropped->nelts; i++) {
        ICP_TRY(icp_document_forget(cli->reg, APR_ARRAY_IDX(dropped, i, const char *), cli->pool));
    }
    return NULL;
}

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_domain_add(reg, baton, pool);
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    icp_calendar_t *calendar;
    icp_domain_t domain = {.name = APR_ARRAY_IDX(cli->arguments, 0, const char *),
                           .registrant = icp_option(cli, "registrant"),
                           .kind = icp_option(cli, "kind"),
                           .email = icp_option(cli, "email")};
    if (!domain.kind) domain.kind = "organisation";
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    ICP_TRY(icp_register_change(cli->reg, change_add, &domain, cli->pool));
    if (cli->json) icp_print_object(icp_domains_json(&domain, calendar, cli->pool));
    icp_say(cli, "%s added; documents wanted: %s", icp_domains_name(&domain, cli->pool),
            icp_domains_missing(&domain, cli->pool));
    if (!*domain.email) icp_remark(cli, "nobody is reminded of them: domain edit --email gives an address");
    return NULL;
}

typedef struct listing_t {
    const icp_cli_t *cli;
    const icp_calendar_t *calendar;
    icp_list_t *list;
    const char *state;
} listing_t;

static icp_error_t *list_domain(const icp_domain_t *domain, void *baton, apr_pool_t *pool)
{
    const listing_t *listing = baton;
    int estimated;
    const char *state = icp_domain_states[domain->state];
    if (listing->state && strcmp(listing->state, state)) return NULL;
    if (listing->cli->json) {
        icp_list_object(listing->list, icp_domains_json(domain, listing->calendar, pool));
        return NULL;
    }
    icp_day_t due = icp_domains_due(&estimated, domain, listing->calendar);
    icp_list_row(listing->list, icp_domains_name(domain, pool), domain->registrant, state,
                 icp_time_text(domain->state_at, pool), icp_domains_missing(domain, pool),
                 due ? icp_dates_text(due, estimated, pool) : "-", NULL);
    return NULL;
}

static icp_error_t *read_domains(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_domain_each(reg, list_domain, baton, pool);
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    icp_calendar_t *calendar;
    listing_t listing = {.cli = cli, .state = icp_option(cli, "state")};
    if (listing.state && icp_domain_state(listing.state) == ICP_DOMAIN_STATE_COUNT) {
        return icp_error(cli->pool, ICP_USAGE, "say wanted, received, submitted, accepted or refused",
                         "there is no state `%s`", listing.state);
    }
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    listing.calendar = calendar;
    listing.list = icp_list_begin(cli, "DOMAIN|REGISTRANT|STATE|SINCE|MISSING|ANSWER BY");
    ICP_TRY(icp_register_read(cli->reg, read_domains, &listing, cli->pool));
    icp_list_end(listing.list, "no domain");
    return NULL;
}

/* In words where something must be filled in, else a command as it stands. */
static const char *next_text(const icp_domain_t *domain, apr_pool_t *pool)
{
    switch (domain->state) {
    case ICP_DOMAIN_WANTED:
    case ICP_DOMAIN_REFUSED: return "hand in what is missing, by `domain documents` with --add, the kind and the file's name";
    case ICP_DOMAIN_RECEIVED: return apr_psprintf(pool, "icpadmin domain submit %s", domain->name);
    case ICP_DOMAIN_SUBMITTED: return "record the registry's answer, by `domain accept` or `domain refuse`";
    default: return "-";
    }
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    icp_domain_t *domain;
    icp_calendar_t *calendar;
    int estimated;
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    ICP_TRY(icp_domain_get(&domain, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    if (cli->json) {
        icp_print_object(icp_domains_json(domain, calendar, cli->pool));
        return NULL;
    }
    icp_list_t *list = icp_list_begin(cli, NULL);
    icp_list_row(list, "Domain", icp_domains_name(domain, cli->pool), NULL);
    icp_list_row(list, "Registrant", apr_psprintf(cli->pool, "%s (%s)", domain->registrant, domain->kind), NULL);
    icp_list_row(list, "E-mail", *domain->email ? domain->email : "-", NULL);
    icp_list_row(list, "State",
                 apr_psprintf(cli->pool, "%s since %s", icp_domain_states[domain->state],
                              icp_time_text(domain->state_at, cli->pool)),
                 NULL);
    icp_day_t due = icp_domains_due(&estimated, domain, calendar);
    if (due) icp_list_row(list, "Answer by", icp_dates_text(due, estimated, cli->pool), NULL);
    for (int i = 0; i < domain->reasons->nelts; i++) {
        icp_list_row(list, "Refused for", APR_ARRAY_IDX(domain->reasons, i, const char *), NULL);
    }
    for (int i = 0; i < domain->documents->nelts; i++) {
        const icp_domain_document_t *document = &APR_ARRAY_IDX(domain->documents, i, icp_domain_document_t);
        icp_list_row(list, icp_domain_wants(document) ? "Missing" : "Document",
                     apr_psprintf(cli->pool, "%s: %s", document->kind->kind, document->kind->en), NULL);
    }
    icp_list_row(list, "Reminded", icp_time_text(domain->reminded_at, cli->pool), NULL);
    icp_list_row(list, "Next", next_text(domain, cli->pool), NULL);
    icp_list_end(list, NULL);
    return NULL;
}

typedef struct editing_t {
    const char *name;
    icp_domain_t changes;
    apr_array_header_t *dropped; /* const char *: SHA-256 */
} editing_t;

static icp_error_t *change_edit(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    editing_t *editing = baton;
    apr_array_clear(editing->dropped);
    return icp_domain_edit(reg, editing->name, &editing->changes, editing->dropped, pool);
}

static icp_error_t *run_edit(icp_cli_t *cli)
{
    icp_domain_t *domain;
    icp_calendar_t *calendar;
    editing_t editing = {.name = APR_ARRAY_IDX(cli->arguments, 0, const char *),
                         .changes = {.registrant = icp_option(cli, "registrant"),
                                     .kind = icp_option(cli, "kind"),
                                     .email = icp_option(cli, "email")},
                         .dropped = apr_array_make(cli->pool, 2, sizeof(const char *))};
    if (!editing.changes.registrant && !editing.changes.kind && !editing.changes.email) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help domain edit", "nothing to change is given");
    }
    ICP_TRY(icp_dates_calendar(&calendar, cli));
    ICP_TRY(icp_register_change(cli->reg, change_edit, &editing, cli->pool));
    ICP_TRY(forget(cli, editing.dropped));
    ICP_TRY(icp_domain_get(&domain, cli->reg, editing.name, cli->pool));
    if (cli->json) icp_print_object(icp_domains_json(domain, calendar, cli->pool));
    icp_say(cli, "%s changed", icp_domains_name(domain, cli->pool));
    return NULL;
}

typedef struct removal_t {
    const apr_array_header_t *names;
    const char *note;
    apr_array_header_t *dropped;
} removal_t;

static icp_error_t *change_remove(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    removal_t *removal = baton;
    apr_array_clear(removal->dropped);
    for (int i = 0; i < removal->names->nelts; i++) {
        ICP_TRY(icp_domain_remove(reg, APR_ARRAY_IDX(removal->names, i, const char *), removal->note, removal->dropped,
                                  pool));
    }
    return NULL;
}

static icp_error_t *run_remove(icp_cli_t *cli)
{
    apr_array_header_t *names;
    ICP_TRY(icp_names_read(&names, cli));
    ICP_TRY(icp_names_confirm(cli, "remove, with their documents,", "domains", names));
    removal_t removal = {names, icp_option(cli, "note"), apr_array_make(cli->pool, 2, sizeof(const char *))};
    ICP_TRY(icp_register_change(cli->reg, change_remove, &removal, cli->pool));
    ICP_TRY(forget(cli, removal.dropped));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "removed", icp_texts_json(names));
        icp_print_object(object);
    }
    for (int i = 0; i < names->nelts; i++) icp_say(cli, "%s removed", APR_ARRAY_IDX(names, i, const char *));
    return NULL;
}

static const icp_option_t add_options[] = {
    {"registrant", "NAME", ICP_OPTION_REQUIRED, "who registered it, as it stands on the document"},
    {"kind", "KIND", 0, "individual or organisation (default: organisation)"},
    {"email", "ADDRESS", 0, "who is asked for the documents, and reminded"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t list_options[] = {
    {"state", "STATE", 0, "only those that are wanted, received, submitted, accepted or refused"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t edit_options[] = {
    {"registrant", "NAME", 0, "another registrant"},
    {"kind", "KIND", 0, "individual or organisation"},
    {"email", "ADDRESS", 0, "who is reminded; empty: nobody"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t remove_options[] = {
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_domain_add = {
    .noun = "domain",
    .verb = "add",
    .arguments = "DOMAIN",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "keep a .cn registration whose documents are to be collected",
    .details =
        "DOMAIN is the registered name under .cn or .中国, in its own letters or as xn--…; neither a suffix such as "
        "com.cn "
        "nor a name below a registered one.\n\n"
        "An individual hands in identity (ID card, passport or permit); an organisation license (business license or "
        "another certificate) and contact (the ID of its contact person). The registrant is asked for them by mail, "
        "and "
        "reminded every `remind-days` (policy) while one is missing.",
    .json = "an object with " ICP_DOMAINS_JSON,
    .example = "icpadmin domain add example.cn --registrant '上海某某商贸有限公司' --email it@shop.example.cn\n"
               "icpadmin domain add 商店.中国 --registrant 张三 --kind individual",
    .options = add_options,
    .run = run_add,
};

const icp_command_t icp_cmd_domain_list = {
    .noun = "domain",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list the .cn registrations, how far their documents are, and by when the registry answers",
    .details = "The registry's review takes three to five working days, counted by the holiday calendar; a day beyond "
               "the calendar "
               "is an estimate.",
    .json = "an array; each has " ICP_DOMAINS_JSON,
    .example = "icpadmin domain list --state wanted",
    .options = list_options,
    .run = run_list,
};

const icp_command_t icp_cmd_domain_show = {
    .noun = "domain",
    .verb = "show",
    .arguments = "DOMAIN",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "show one .cn registration",
    .json = "an object with " ICP_DOMAINS_JSON,
    .example = "icpadmin domain show example.cn",
    .run = run_show,
};

const icp_command_t icp_cmd_domain_edit = {
    .noun = "domain",
    .verb = "edit",
    .arguments = "DOMAIN",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "change what is on file of a .cn registration",
    .details = "Another registrant or kind begins anew: the documents of the former one are deleted, and new ones are "
               "asked for.",
    .json = "an object with " ICP_DOMAINS_JSON,
    .example = "icpadmin domain edit example.cn --email office@shop.example.cn",
    .options = edit_options,
    .run = run_edit,
};

const icp_command_t icp_cmd_domain_remove = {
    .noun = "domain",
    .verb = "remove",
    .arguments = "DOMAIN…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "take .cn registrations off file, and delete their documents",
    .details = "The audit log keeps what was done, but no document.",
    .json = "an object with removed",
    .example = "icpadmin domain remove example.cn --note 'moved to another registrar'",
    .options = remove_options,
    .run = run_remove,
};
