/* `icpadmin license`: numbers on file, and what their end means for the sites that showed them. Import is in
 * cmd_import.c. */
#include "license.h"

#include <string.h>

#include <apr_strings.h>

#include "csv.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "overview.h"

static json_t *license_json(const icp_license_t *license)
{
    json_t *object = json_object();
    json_object_set_new(object, "number", icp_text_json(license->number));
    json_object_set_new(object, "holder", icp_text_json(license->holder));
    json_object_set_new(object, "uscc", icp_text_json(license->uscc));
    json_object_set_new(object, "status", icp_text_json(license->status));
    json_object_set_new(object, "status_at", icp_time_json(license->status_at));
    json_object_set_new(object, "sites", json_integer(license->sites));
    json_object_set_new(object, "created_at", icp_time_json(license->created_at));
    return object;
}

typedef struct addition_t {
    const char *number, *holder, *uscc;
    icp_license_t *license;
} addition_t;

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    addition_t *addition = baton;
    return icp_license_add(&addition->license, reg, addition->number, addition->holder, addition->uscc, pool);
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    addition_t addition = {APR_ARRAY_IDX(cli->arguments, 0, const char *), icp_option(cli, "holder"),
                           icp_option(cli, "uscc"), NULL};
    ICP_TRY(icp_register_change(cli->reg, change_add, &addition, cli->pool));
    if (cli->json) icp_print_object(license_json(addition.license));
    icp_say(cli, "%s added, issued to %s", addition.license->number, addition.license->holder);
    return NULL;
}

typedef struct listing_t {
    const icp_cli_t *cli;
    icp_list_t *list;
    const char *status, *holder; /* what is wanted; NULL: any */
} listing_t;

static icp_error_t *list_license(const icp_license_t *license, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (listing->status && strcmp(listing->status, license->status)) return NULL;
    if (listing->holder && strcmp(listing->holder, license->holder)) return NULL;
    if (listing->cli->json)
        icp_list_object(listing->list, license_json(license));
    else {
        icp_list_row(listing->list, license->number, license->status, icp_time_text(license->status_at, pool),
                     apr_psprintf(pool, "%" APR_INT64_T_FMT, license->sites), license->holder, NULL);
    }
    return NULL;
}

static icp_error_t *read_licenses(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_license_each(reg, list_license, baton, pool);
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    listing_t listing = {.cli = cli, .status = icp_option(cli, "status"), .holder = icp_option(cli, "holder")};
    const char *status = listing.status;
    if (status && strcmp(status, "active") && strcmp(status, "cancelled") && strcmp(status, "revoked")) {
        return icp_error(cli->pool, ICP_USAGE, "say active, cancelled or revoked", "there is no license status `%s`",
                         status);
    }
    listing.list = icp_list_begin(cli, "NUMBER|STATUS|SINCE|SITES|HOLDER");
    ICP_TRY(icp_register_read(cli->reg, read_licenses, &listing, cli->pool));
    icp_list_end(listing.list, "no such license on file");
    return NULL;
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    icp_license_t *license;
    apr_array_header_t *sites;
    ICP_TRY(icp_license_get(&license, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    ICP_TRY(icp_overview_names(&sites, cli->reg, license->id, cli->pool));
    if (cli->json) {
        json_t *object = license_json(license);
        json_object_set_new(object, "sites", icp_texts_json(sites));
        icp_print_object(object);
        return NULL;
    }
    icp_list_t *list = icp_list_begin(cli, NULL);
    icp_list_row(list, "License", license->number, NULL);
    icp_list_row(list, "Holder", license->holder, NULL);
    icp_list_row(list, "USCC", license->uscc ? license->uscc : "-", NULL);
    icp_list_row(list, "Status", license->status, NULL);
    icp_list_row(list, "Since", icp_time_text(license->status_at, cli->pool), NULL);
    icp_list_row(list, "Sites", icp_join(sites, cli->pool), NULL);
    icp_list_end(list, NULL);
    return NULL;
}

typedef struct correction_t {
    const char *number, *holder, *uscc, *note;
    icp_license_t *license;
} correction_t;

static icp_error_t *change_edit(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    correction_t *edit = baton;
    return icp_license_edit(&edit->license, reg, edit->number, edit->holder, edit->uscc, edit->note, pool);
}

static icp_error_t *run_edit(icp_cli_t *cli)
{
    correction_t edit = {.number = APR_ARRAY_IDX(cli->arguments, 0, const char *),
                         .holder = icp_option(cli, "holder"),
                         .uscc = icp_option(cli, "uscc"),
                         .note = icp_option(cli, "note")};
    ICP_TRY(icp_register_change(cli->reg, change_edit, &edit, cli->pool));
    if (cli->json) icp_print_object(license_json(edit.license));
    icp_say(cli, "%s is issued to %s", edit.license->number, edit.license->holder);
    return NULL;
}

typedef struct removal_t {
    const apr_array_header_t *numbers;
    const char *note;
} removal_t;

static icp_error_t *change_remove(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const removal_t *removal = baton;
    for (int i = 0; i < removal->numbers->nelts; i++) {
        ICP_TRY(icp_license_remove(reg, APR_ARRAY_IDX(removal->numbers, i, const char *), removal->note, pool));
    }
    return NULL;
}

static icp_error_t *run_remove(icp_cli_t *cli)
{
    apr_array_header_t *numbers;
    ICP_TRY(icp_names_read(&numbers, cli));
    ICP_TRY(icp_names_confirm(cli, "remove", "licenses", numbers));
    removal_t removal = {numbers, icp_option(cli, "note")};
    ICP_TRY(icp_register_change(cli->reg, change_remove, &removal, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "removed", icp_texts_json(numbers));
        icp_print_object(object);
    }
    for (int i = 0; i < numbers->nelts; i++) icp_say(cli, "%s removed", APR_ARRAY_IDX(numbers, i, const char *));
    return NULL;
}

typedef struct ending_t {
    const apr_array_header_t *numbers;
    const char *status, *note;
    apr_array_header_t *suspended; /* const char *, in the caller's pool */
} ending_t;

static icp_error_t *change_end(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    ending_t *ending = baton;
    apr_array_clear(ending->suspended);
    for (int i = 0; i < ending->numbers->nelts; i++) {
        const char *number = APR_ARRAY_IDX(ending->numbers, i, const char *);
        ICP_TRY(icp_license_end(reg, number, ending->status, ending->note, ending->suspended, pool));
    }
    return NULL;
}

/* What the end of the licenses would suspend is found by trying it first. */
static icp_error_t *end_licenses(icp_cli_t *cli, const char *status, const char *verb)
{
    apr_array_header_t *numbers;
    ICP_TRY(icp_names_read(&numbers, cli));
    ending_t ending = {numbers, status, icp_option(cli, "note"), apr_array_make(cli->pool, 8, sizeof(const char *))};
    cli->reg->dry_run = 1;
    ICP_TRY(icp_register_change(cli->reg, change_end, &ending, cli->pool));
    cli->reg->dry_run = cli->dry_run;
    if (ending.suspended->nelts > 1)
        ICP_TRY(icp_names_confirm(cli, "suspend", "sites", ending.suspended));
    else
        ICP_TRY(icp_names_confirm(cli, verb, "licenses", numbers));
    if (!cli->dry_run) ICP_TRY(icp_register_change(cli->reg, change_end, &ending, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "licenses", icp_texts_json(numbers));
        json_object_set_new(object, "status", json_string(status));
        json_object_set_new(object, "suspended", icp_texts_json(ending.suspended));
        icp_print_object(object);
    }
    for (int i = 0; i < numbers->nelts; i++) {
        icp_say(cli, "%s %s", APR_ARRAY_IDX(numbers, i, const char *), status);
    }
    for (int i = 0; i < ending.suspended->nelts; i++) {
        icp_say(cli, "%s suspended: it has no other active license", APR_ARRAY_IDX(ending.suspended, i, const char *));
    }
    return NULL;
}

static icp_error_t *run_cancel(icp_cli_t *cli)
{
    return end_licenses(cli, "cancelled", "cancel");
}

static icp_error_t *run_revoke(icp_cli_t *cli)
{
    return end_licenses(cli, "revoked", "revoke");
}

typedef struct reinstating_t {
    const char *number, *note;
} reinstating_t;

static icp_error_t *change_reinstate(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const reinstating_t *reinstating = baton;
    return icp_license_reinstate(reg, reinstating->number, reinstating->note, pool);
}

static icp_error_t *run_reinstate(icp_cli_t *cli)
{
    reinstating_t reinstating = {APR_ARRAY_IDX(cli->arguments, 0, const char *), icp_option(cli, "note")};
    icp_license_t *license;
    ICP_TRY(icp_register_change(cli->reg, change_reinstate, &reinstating, cli->pool));
    ICP_TRY(icp_license_get(&license, cli->reg, reinstating.number, cli->pool));
    if (cli->json) icp_print_object(license_json(license));
    icp_say(cli, "%s is active again", license->number);
    icp_remark(cli, "Sites that were suspended for it are enabled one by one: icpadmin queue");
    return NULL;
}

static icp_error_t *export_license(const icp_license_t *license, void *baton, apr_pool_t *pool)
{
    apr_array_header_t *lines = baton;
    APR_ARRAY_PUSH(lines, const char *) =
        apr_psprintf(lines->pool, "%s,%s,%s,%s", license->number, icp_csv_field(license->holder, pool),
                     license->uscc ? license->uscc : "", license->status);
    return NULL;
}

static icp_error_t *read_export(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_license_each(reg, export_license, baton, pool);
}

static icp_error_t *run_export(icp_cli_t *cli)
{
    if (cli->json) return icp_error(cli->pool, ICP_USAGE, "see: icpadmin license list --json", "an export is CSV");
    apr_array_header_t *lines = apr_array_make(cli->pool, 64, sizeof(const char *));
    ICP_TRY(icp_register_read(cli->reg, read_export, lines, cli->pool));
    puts("number,holder,uscc,status");
    for (int i = 0; i < lines->nelts; i++) {
        puts(APR_ARRAY_IDX(lines, i, const char *));
    }
    return NULL;
}

static const icp_option_t add_options[] = {
    {"holder", "NAME", ICP_OPTION_REQUIRED, "whom it is issued to; put on file as a business if it is not"},
    {"uscc", "CODE", 0, "the holder's Unified Social Credit Code"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t edit_options[] = {
    {"holder", "NAME", ICP_OPTION_REQUIRED, "whom it is issued to in truth; put on file as a business if it is not"},
    {"uscc", "CODE", 0, "the holder's Unified Social Credit Code"},
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t list_options[] = {
    {"status", "STATUS", 0, "only active, cancelled or revoked ones"},
    {"holder", "NAME", 0, "only those of this holder"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t end_options[] = {
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_license_add = {
    .noun = "license",
    .verb = "add",
    .arguments = "NUMBER",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put an ICP license on file",
    .details = "NUMBER is taken in any form people write it in; a website number stands for its license.",
    .json = "an object with number, holder, uscc, status, status_at, sites (how many), created_at",
    .example = "icpadmin license add 沪ICP备05012345号 --holder '上海某某商贸有限公司'",
    .options = add_options,
    .run = run_add,
};

const icp_command_t icp_cmd_license_list = {
    .noun = "license",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list the licenses",
    .json = "an array; each has number, holder, uscc, status, status_at, sites (how many), created_at",
    .example = "icpadmin license list --status active",
    .options = list_options,
    .run = run_list,
};

const icp_command_t icp_cmd_license_show = {
    .noun = "license",
    .verb = "show",
    .arguments = "NUMBER",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "show one license and the sites that must show it",
    .json = "an object with number, holder, uscc, status, status_at, sites (their names), created_at",
    .example = "icpadmin license show 沪ICP备05012345号",
    .run = run_show,
};

const icp_command_t icp_cmd_license_edit = {
    .noun = "license",
    .verb = "edit",
    .arguments = "NUMBER",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put a license on file under another holder",
    .details = "For one that was put on file under the wrong one. A holder that has another name now is renamed: "
               "icpadmin holder edit.",
    .json = "an object with number, holder, uscc, status, status_at, sites (how many), created_at",
    .example = "icpadmin license edit 沪ICP备05012345号 --holder '上海某某商贸有限公司'",
    .options = edit_options,
    .run = run_edit,
};

const icp_command_t icp_cmd_license_remove = {
    .noun = "license",
    .verb = "remove",
    .arguments = "NUMBER…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "take licenses off file that were put there by mistake",
    .details = "A mistyped number, say. One that the authority has ended is cancelled or revoked, and stays on file. A "
               "license that a site must show is not removed. Several numbers are one change: all of them or none.",
    .json = "an object with removed (the numbers)",
    .example = "icpadmin license remove 沪ICP备05012354号 --note 'mistyped'",
    .options = end_options,
    .run = run_remove,
};

#define END_DETAILS                                                                                                    \
    "Sites that have no other active license are suspended for `cancelled` in the same change; with more than one "    \
    "license or site it asks first, and without a terminal it needs --yes. --dry-run names the sites. Several "        \
    "numbers "                                                                                                         \
    "are one change: all of them or none."

const icp_command_t icp_cmd_license_cancel = {
    .noun = "license",
    .verb = "cancel",
    .arguments = "NUMBER…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "record that a license was cancelled (注销)",
    .details = END_DETAILS,
    .json = "an object with licenses, status, suspended (the sites' names)",
    .example = "icpadmin license cancel 沪ICP备05012345号 --note 'notice of the bureau of 12 May'",
    .options = end_options,
    .run = run_cancel,
};

const icp_command_t icp_cmd_license_revoke = {
    .noun = "license",
    .verb = "revoke",
    .arguments = "NUMBER…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "record that a license was revoked by the authority",
    .details = END_DETAILS,
    .json = "an object with licenses, status, suspended (the sites' names)",
    .example = "icpadmin license revoke 沪ICP备05012345号 --dry-run",
    .options = end_options,
    .run = run_revoke,
};

const icp_command_t icp_cmd_license_reinstate = {
    .noun = "license",
    .verb = "reinstate",
    .arguments = "NUMBER",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "record that a cancelled or revoked license is active again",
    .details = "No site is enabled by it: that takes `icpadmin enable`, which looks at the live page.",
    .json = "an object with number, holder, uscc, status, status_at, sites (how many), created_at",
    .example = "icpadmin license reinstate 沪ICP备05012345号 --note 'appeal upheld'",
    .options = end_options,
    .run = run_reinstate,
};

const icp_command_t icp_cmd_license_export = {
    .noun = "license",
    .verb = "export",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "print every license as CSV",
    .details = "In the form that `icpadmin license import` reads: number,holder,uscc,status.",
    .example = "icpadmin license export > licenses.csv",
    .run = run_export,
};
