/* `icpadmin application pull|export|purge`: applications on their way in, out, and away. */
#include <stdio.h>

#include <apr_strings.h>

#include "application.h"
#include "audit.h"
#include "csv.h"
#include "options.h"
#include "output.h"
#include "policy.h"
#include "purge.h"
#include "takeover.h"
#include "text.h"
#include "workday.h"

/* --- pull ------------------------------------------------------------------------------------------------------------- */

static icp_error_t *run_pull(icp_cli_t *cli)
{
    icp_takeover_t result;
    ICP_TRY(icp_takeover(&result, cli->reg, cli->pool));
    for (int i = 0; i < result.unreadable->nelts; i++)
        icp_warn(cli, "no submission: %s", APR_ARRAY_IDX(result.unreadable, i, const char *));
    if (cli->json) {
        icp_print_object(json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "added", result.added, "corrected", result.corrected,
                                   "withdrawn", result.withdrawn, "refused", result.refused, "dropped", result.dropped, "expired",
                                   result.expired, "unreadable", icp_texts_json(result.unreadable)));
    }
    icp_say(cli, "%d new, %d corrected, %d withdrawn, %d refused, %d dropped, %d out of time", result.added, result.corrected,
            result.withdrawn, result.refused, result.dropped, result.expired);
    return NULL;
}

/* --- export ----------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *heading, *path; /* "": of the application itself */
} columns[] = {
    {"license", "license"},
    {"holder_kind", "holder.kind"},
    {"holder", "holder.name"},
    {"uscc", "holder.uscc"},
    {"id_number", "holder.id_number"},
    {"province", "holder.province"},
    {"address", "holder.address"},
    {"representative", "holder.representative"},
    {"contact", "contact.name"},
    {"email", "contact.email"},
    {"mobile", "contact.mobile"},
    {"reason", "reason"},
};
#define COLUMNS (sizeof columns / sizeof *columns)

typedef struct exporting_t {
    icp_application_filter_t filter;
    apr_time_t from, until;      /* received in this time */
    apr_array_header_t *lines;   /* const char * */
    int applications;
} exporting_t;

static const char *hosts_of(const json_t *website, apr_pool_t *pool)
{
    const json_t *hosts = json_object_get(website, "hosts");
    const char *text = "";
    for (size_t i = 0; i < json_array_size(hosts); i++)
        text = apr_pstrcat(pool, text, i ? " " : "", json_string_value(json_array_get(hosts, i)), NULL);
    return text;
}

/* A line for each website, and one for an application without any. */
static icp_error_t *export_one(const icp_application_t *application, void *baton, apr_pool_t *pool)
{
    exporting_t *exporting = baton;
    const json_t *form = application->form, *websites = json_object_get(form, "websites");
    if (application->created_at < exporting->from || application->created_at >= exporting->until) return NULL;
    const char *head = apr_psprintf(pool, "%s,%s,%s,%s,%s", application->reference, icp_form_kinds[application->kind].value,
                                    icp_app_states[application->state].name, icp_text_time(application->created_at, pool),
                                    application->number);
    for (size_t i = 0; i < COLUMNS; i++)
        head = apr_pstrcat(pool, head, ",", icp_csv_cell(icp_form_value(form, columns[i].path), pool), NULL);
    size_t count = json_array_size(websites);
    for (size_t i = 0; i < (count ? count : 1); i++) {
        const json_t *website = json_array_get(websites, i);
        APR_ARRAY_PUSH(exporting->lines, const char *) =
            apr_pstrcat(exporting->lines->pool, head, ",", icp_csv_cell(icp_form_value(website, "name"), pool), ",",
                        icp_csv_cell(hosts_of(website, pool), pool), ",", icp_csv_cell(icp_form_value(website, "category"), pool), ",",
                        icp_csv_cell(icp_form_value(website, "person"), pool), NULL);
    }
    exporting->applications++;
    return NULL;
}

static icp_error_t *read_month(exporting_t *exporting, const char *month, apr_pool_t *pool)
{
    icp_day_t first, next;
    ICP_TRY(icp_month_parse(&first, &next, month, pool));
    exporting->from = icp_day_begin(first);
    exporting->until = icp_day_begin(next);
    return NULL;
}

static icp_error_t *change_exported(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    exporting_t *exporting = baton;
    exporting->lines->nelts = exporting->applications = 0;
    ICP_TRY(icp_application_each(reg, &exporting->filter, export_one, exporting, pool));
    json_t *after = json_pack("{s:i}", "applications", exporting->applications);
    icp_error_t *error = icp_audit_event(reg, "application.export", "applications", NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *run_export(icp_cli_t *cli)
{
    const char *state = icp_option(cli, "state"), *month = icp_option(cli, "month");
    exporting_t exporting = {.filter = {ICP_APP_STATE_COUNT, 1, NULL}, .from = 0, .until = APR_INT64_MAX,
                             .lines = apr_array_make(cli->pool, 64, sizeof(const char *))};
    if (cli->json) return icp_error(cli->pool, ICP_USAGE, "see: icpadmin application list --json", "an export is CSV");
    if (state) ICP_TRY(icp_application_state_option(&exporting.filter.state, state, cli->pool));
    if (month) ICP_TRY(read_month(&exporting, month, cli->pool));
    ICP_TRY(icp_register_change(cli->reg, change_exported, &exporting, cli->pool));
    fputs("\xEF\xBB\xBF" "application,kind,state,received,number", stdout);
    for (size_t i = 0; i < COLUMNS; i++) printf(",%s", columns[i].heading);
    puts(",website,hosts,category,person");
    for (int i = 0; i < exporting.lines->nelts; i++) puts(APR_ARRAY_IDX(exporting.lines, i, const char *));
    return NULL;
}

/* --- purge ------------------------------------------------------------------------------------------------------------ */

static icp_error_t *run_purge(icp_cli_t *cli)
{
    apr_int64_t days;
    icp_purge_t result;
    ICP_TRY(icp_policy_number(&days, cli->reg, ICP_POLICY_PURGE_DAYS, cli->pool));
    ICP_TRY(icp_option_number(&days, cli, "days", 0, 36500));
    ICP_TRY(icp_purge(&result, cli->reg, days, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "applications", icp_texts_json(result.references));
        json_object_set_new(object, "documents", json_integer(result.files));
        icp_print_object(object);
    }
    for (int i = 0; i < result.references->nelts; i++)
        icp_say(cli, "%s purged", APR_ARRAY_IDX(result.references, i, const char *));
    icp_say(cli, "%d applications purged, %d documents removed", result.references->nelts, result.files);
    return NULL;
}

static const icp_option_t export_options[] = {
    {"month", "YYYY-MM", 0, "only those received in this month, in Beijing time"},
    {"state", "STATE", 0, "only those in this state"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t purge_options[] = {
    {"days", "N", 0, "those finished for so many days (default: the policy purge-days)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_application_pull = {
    .noun = "application",
    .verb = "pull",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "take over what clients sent, and end what is out of time",
    .details =
        "Each submission of the web form is checked again and becomes an application, a correction or a withdrawal; one that cannot be "
        "taken is refused, and its client sees why. What is no submission at all is put aside in intake.refused/. Then codes by SMS that "
        "were not confirmed within the policy's sms-hours send their application back to the client, and rejected applications that "
        "were not corrected within correct-days expire. Run it by its timer and whenever something arrives.",
    .json = "an object with added, corrected, withdrawn, refused, dropped, expired (counts), unreadable (texts)",
    .example = "icpadmin application pull",
    .run = run_pull,
};

const icp_command_t icp_cmd_application_export = {
    .noun = "application",
    .verb = "export",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "print applications as CSV, for the authority's system",
    .details = "A line for each website, UTF-8 with a byte order mark, as spreadsheets in China expect it. A text that a spreadsheet would "
               "take for a formula begins with an apostrophe. It holds personal data; that it was printed is in the audit log.",
    .example = "icpadmin application export --state reviewing > applications.csv",
    .options = export_options,
    .run = run_export,
};

const icp_command_t icp_cmd_application_purge = {
    .noun = "application",
    .verb = "purge",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "delete the personal data of finished applications",
    .details = "Form, link, e-mail address, documents and messages go; reference, kind, states, reasons, number and the audit log stay, and "
               "so does what an approval put on file. Documents that nothing refers to any longer are removed.",
    .json = "an object with applications (references), documents (how many files)",
    .example = "icpadmin application purge --dry-run",
    .options = purge_options,
    .run = run_purge,
};
