/* `icpadmin application approve`: the bureau's decision becomes license and sites on file. */
#include <string.h>

#include <apr_strings.h>

#include "application.h"
#include "approval.h"
#include "display.h"
#include "options.h"
#include "output.h"

typedef struct approving_t {
    const icp_cli_t *cli;
    icp_application_t *application;
    icp_approval_t approval;
} approving_t;

static icp_error_t *change_approve(icp_register_t *reg, void *baton, apr_pool_t *unused)
{
    approving_t *approving = baton;
    ICP_TRY(icp_application_argument(&approving->application, approving->cli));
    return icp_approval_make(reg, approving->application, &approving->approval, approving->cli->pool);
}

/* NAME=-3 */
static icp_error_t *read_websites(approving_t *approving)
{
    apr_pool_t *pool = approving->cli->pool;
    apr_array_header_t *given = icp_option_all(approving->cli, "website");
    apr_array_header_t *websites = apr_array_make(pool, 4, sizeof(icp_approval_website_t));
    for (int i = 0; i < given->nelts; i++) {
        const char *text = APR_ARRAY_IDX(given, i, const char *), *equals = strrchr(text, '=');
        if (!equals || equals == text || !equals[1]) {
            return icp_error(pool, ICP_USAGE, "say --website NAME=-3", "`%s` gives no website a number", text);
        }
        APR_ARRAY_PUSH(websites, icp_approval_website_t) =
            (icp_approval_website_t){apr_pstrmemdup(pool, text, (apr_size_t)(equals - text)), equals + 1};
    }
    approving->approval.websites = websites;
    return NULL;
}

static json_t *approval_json(const icp_approval_t *approval)
{
    json_t *sites = json_array();
    for (int i = 0; i < approval->sites->nelts; i++) {
        const icp_approval_site_t *site = &APR_ARRAY_IDX(approval->sites, i, icp_approval_site_t);
        json_array_append_new(sites, json_pack("{s:s, s:s, s:s}", "site", site->name, "number", site->number, "what", site->what));
    }
    return json_pack("{s:s, s:s, s:o}", "license", approval->license, "holder", approval->holder, "sites", sites);
}

/* Every website has a number of its own, which most provinces want to see. */
static void remark_missing(const icp_cli_t *cli, const icp_approval_t *approval)
{
    for (int i = 0; i < approval->sites->nelts; i++) {
        const icp_approval_site_t *site = &APR_ARRAY_IDX(approval->sites, i, icp_approval_site_t);
        const icp_number_t *number = icp_number_parse(site->number, cli->pool);
        if (number->kind != ICP_NUMBER_FILING || number->suffix || icp_display_by_license(number)) continue;
        icp_remark(cli, "%s has no number of its own yet; once it is known: icpadmin site edit %s --license %s-N --remove-license %s",
                   site->name, site->name, site->number, site->number);
    }
}

static icp_error_t *run_approve(icp_cli_t *cli)
{
    approving_t approving = {.cli = cli, .approval = {.number = icp_option(cli, "number"), .note = icp_option(cli, "note")}};
    const icp_approval_t *approval = &approving.approval;
    ICP_TRY(read_websites(&approving));
    ICP_TRY(icp_register_change(cli->reg, change_approve, &approving, cli->pool));
    if (cli->json) {
        json_t *object = approval_json(approval);
        json_object_set_new(object, "application", icp_text_json(approving.application->reference));
        json_object_set_new(object, "state", icp_text_json(icp_app_states[approving.application->state].name));
        icp_print_object(object);
        return icp_application_publish(cli);
    }
    icp_say(cli, "%s approved: %s of %s", approving.application->reference, approval->license, approval->holder);
    for (int i = 0; i < approval->sites->nelts; i++) {
        const icp_approval_site_t *site = &APR_ARRAY_IDX(approval->sites, i, icp_approval_site_t);
        icp_say(cli, "%s %s%s%s", site->name, site->what, *site->number ? ", must show " : "",
                icp_display_number(site->number, cli->pool));
    }
    remark_missing(cli, approval);
    return icp_application_publish(cli);
}

static const icp_option_t options[] = {
    {"number", "NUMBER", 0, "the license number that the bureau gave, 沪ICP备05012345号; needed for a first filing"},
    {"website", "NAME=-N", ICP_OPTION_MANY, "the number of a website, named as in the form or by one of its hosts"},
    {"note", "TEXT", 0, "for the audit log: no personal data, which a purge could not remove"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_application_approve = {
    .noun = "application",
    .verb = "approve",
    .arguments = "APP",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "record a bureau's approval, and put what it means on file",
    .details =
        "One change, all or nothing: holder with contact, license and sites come on file from what the client typed. A website whose "
        "hosts are of a site on file gets its number there; a host or number that is somebody else's refuses the whole. A website "
        "without a number of its own shows the license's. Sites that get a number are not suspended for what they show for the "
        "policy's grace-days; one that is suspended stays so until `icpadmin enable` sees its number: give its owner a pass.\n\n"
        "A change alters the holder. A cancellation ends the license, or takes its number from the websites named, and suspends "
        "sites that have no other.",
    .json = "an object with application, state, license, holder, sites (site, number, what: added, on file, suspended)",
    .example = "icpadmin application approve APP-000012 --number 沪ICP备05012345号 --website shop.example.cn=-1",
    .options = options,
    .run = run_approve,
};
