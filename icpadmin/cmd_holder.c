/* `icpadmin holder`: the businesses and persons that licenses are issued to. */
#include <string.h>

#include <apr_strings.h>

#include "holder.h"
#include "license.h"
#include "options.h"
#include "output.h"

static json_t *holder_json(const icp_holder_t *holder)
{
    json_t *object = json_object();
    json_object_set_new(object, "name", icp_text_json(holder->name));
    json_object_set_new(object, "kind", icp_text_json(holder->kind));
    json_object_set_new(object, "uscc", icp_text_json(holder->uscc));
    json_object_set_new(object, "contact", icp_text_json(holder->contact_name));
    json_object_set_new(object, "email", icp_text_json(holder->email));
    json_object_set_new(object, "phone", icp_text_json(holder->phone));
    json_object_set_new(object, "licenses", json_integer(holder->licenses));
    json_object_set_new(object, "created_at", icp_time_json(holder->created_at));
    return object;
}

static icp_error_t *check_fields(const icp_cli_t *cli, const icp_holder_t *holder)
{
    if (holder->kind && strcmp(holder->kind, "business") && strcmp(holder->kind, "person")) {
        return icp_error(cli->pool, ICP_USAGE, "say --kind business or --kind person",
                         "there is no kind of holder `%s`", holder->kind);
    }
    return NULL;
}

static void take_options(icp_holder_t *holder, const icp_cli_t *cli)
{
    holder->kind = icp_option(cli, "kind");
    holder->uscc = icp_option(cli, "uscc");
    holder->contact_name = icp_option(cli, "contact");
    holder->email = icp_option(cli, "email");
    holder->phone = icp_option(cli, "phone");
}

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_holder_add(reg, baton, pool);
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    icp_holder_t holder = {.name = APR_ARRAY_IDX(cli->arguments, 0, const char *)};
    take_options(&holder, cli);
    ICP_TRY(check_fields(cli, &holder));
    if (!holder.kind) holder.kind = "business";
    if (!holder.contact_name) holder.contact_name = "";
    if (!holder.email) holder.email = "";
    if (!holder.phone) holder.phone = "";
    ICP_TRY(icp_register_change(cli->reg, change_add, &holder, cli->pool));
    holder.created_at = cli->reg->now;
    if (cli->json) icp_print_object(holder_json(&holder));
    icp_say(cli, "%s added", holder.name);
    return NULL;
}

typedef struct listing_t {
    const icp_cli_t *cli;
    icp_list_t *list;
    const char *holder; /* of the licenses wanted */
} listing_t;

static icp_error_t *list_holder(const icp_holder_t *holder, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (listing->cli->json)
        icp_list_object(listing->list, holder_json(holder));
    else {
        icp_list_row(listing->list, holder->name, holder->kind, holder->uscc ? holder->uscc : "-",
                     apr_psprintf(pool, "%" APR_INT64_T_FMT, holder->licenses), holder->contact_name, holder->email,
                     holder->phone, NULL);
    }
    return NULL;
}

static icp_error_t *read_holders(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_holder_each(reg, list_holder, baton, pool);
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    listing_t listing = {.cli = cli, .list = icp_list_begin(cli, "HOLDER|KIND|USCC|LICENSES|CONTACT|E-MAIL|PHONE")};
    ICP_TRY(icp_register_read(cli->reg, read_holders, &listing, cli->pool));
    icp_list_end(listing.list, "no holder on file");
    return NULL;
}

static icp_error_t *collect_license(const icp_license_t *license, void *baton, apr_pool_t *pool)
{
    listing_t *listing = baton;
    if (!strcmp(license->holder, listing->holder)) {
        icp_list_row(listing->list, "License", apr_psprintf(pool, "%s (%s)", license->number, license->status), NULL);
    }
    return NULL;
}

static icp_error_t *read_licenses(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_license_each(reg, collect_license, baton, pool);
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    icp_holder_t *holder;
    ICP_TRY(icp_holder_get(&holder, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    if (cli->json) {
        icp_print_object(holder_json(holder));
        return NULL;
    }
    listing_t listing = {.cli = cli, .list = icp_list_begin(cli, NULL), .holder = holder->name};
    icp_list_row(listing.list, "Holder", holder->name, NULL);
    icp_list_row(listing.list, "Kind", holder->kind, NULL);
    icp_list_row(listing.list, "USCC", holder->uscc ? holder->uscc : "-", NULL);
    icp_list_row(listing.list, "Contact", holder->contact_name, NULL);
    icp_list_row(listing.list, "E-mail", holder->email, NULL);
    icp_list_row(listing.list, "Phone", holder->phone, NULL);
    icp_list_row(listing.list, "Since", icp_time_text(holder->created_at, cli->pool), NULL);
    ICP_TRY(icp_register_read(cli->reg, read_licenses, &listing, cli->pool));
    icp_list_end(listing.list, NULL);
    return NULL;
}

static icp_error_t *change_edit(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    return icp_holder_edit(reg, baton, pool);
}

static icp_error_t *run_edit(icp_cli_t *cli)
{
    icp_holder_t *old, holder = {.name = icp_option(cli, "name")};
    take_options(&holder, cli);
    ICP_TRY(check_fields(cli, &holder));
    if (!cli->options->nelts ||
        !(holder.name || holder.kind || holder.uscc || holder.contact_name || holder.email || holder.phone)) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help holder edit", "nothing to change is given");
    }
    ICP_TRY(icp_holder_get(&old, cli->reg, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    holder.id = old->id;
    ICP_TRY(icp_register_change(cli->reg, change_edit, &holder, cli->pool));
    if (cli->json && !cli->dry_run) {
        ICP_TRY(icp_holder_get(&old, cli->reg, holder.name ? holder.name : old->name, cli->pool));
        icp_print_object(holder_json(old));
    }
    icp_say(cli, "%s changed", old->name);
    return NULL;
}

#define FIELDS                                                                                                         \
    {"kind", "KIND", 0, "business or person (a new holder's default: business)"},                                      \
        {"uscc", "CODE", 0, "Unified Social Credit Code, 18 characters"},                                              \
        {"contact", "NAME", 0, "who is asked; kept in private.db, as are e-mail and phone"},                           \
        {"email", "ADDRESS", 0, "e-mail address"},                                                                     \
    {                                                                                                                  \
        "phone", "NUMBER", 0, "phone number"                                                                           \
    }

static const icp_option_t add_options[] = {
    FIELDS,
    {NULL, NULL, 0, NULL},
};
static const icp_option_t edit_options[] = {
    {"name", "NAME", 0, "its new name"},
    FIELDS,
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_holder_add = {
    .noun = "holder",
    .verb = "add",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put a business or person on file",
    .details =
        "A code whose check character does not fit is taken with a warning: a few codes of the pilot period are so.",
    .json = "an object with name, kind, uscc, contact, email, phone, licenses (how many), created_at",
    .example = "icpadmin holder add '上海某某商贸有限公司' --uscc 91310000MA1FL0000X --email it@shop.example.cn",
    .options = add_options,
    .run = run_add,
};

const icp_command_t icp_cmd_holder_list = {
    .noun = "holder",
    .verb = "list",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "list the holders",
    .json = "an array; each has name, kind, uscc, contact, email, phone, licenses (how many), created_at",
    .example = "icpadmin holder list",
    .run = run_list,
};

const icp_command_t icp_cmd_holder_show = {
    .noun = "holder",
    .verb = "show",
    .arguments = "NAME|CODE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "show one holder and its licenses",
    .json = "an object with name, kind, uscc, contact, email, phone, licenses (how many), created_at",
    .example = "icpadmin holder show '上海某某商贸有限公司'",
    .run = run_show,
};

const icp_command_t icp_cmd_holder_edit = {
    .noun = "holder",
    .verb = "edit",
    .arguments = "NAME|CODE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "change what is on file of a holder",
    .details = "What is not given stays as it is; an empty text takes a contact, e-mail address or phone number away.",
    .json = "an object with name, kind, uscc, contact, email, phone, licenses (how many), created_at",
    .example = "icpadmin holder edit '上海某某商贸有限公司' --phone 021-55550100",
    .options = edit_options,
    .run = run_edit,
};
