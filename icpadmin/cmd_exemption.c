/* `icpadmin exemption`: times in which sites are not suspended for what their pages show. */
#include <stdlib.h>

#include <apr_strings.h>

#include "exemption.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "site.h"
#include "workday.h"

#define LONGEST apr_time_from_sec(APR_INT64_C(3650) * 86400)

typedef struct adding_t {
    icp_exemption_t *exemptions;
    int count;
} adding_t;

static const char *verdict_text(const icp_exemption_t *exemption)
{
    return exemption->verdict ? exemption->verdict : "any";
}

static json_t *as_json(const icp_exemption_t *exemption)
{
    json_t *object = json_object();
    json_object_set_new(object, "exemption", json_integer(exemption->id));
    json_object_set_new(object, "site", icp_text_json(exemption->site));
    json_object_set_new(object, "verdict", icp_text_json(exemption->verdict));
    json_object_set_new(object, "from", icp_time_json(exemption->from));
    json_object_set_new(object, "until", icp_time_json(exemption->until));
    json_object_set_new(object, "note", icp_text_json(exemption->note));
    json_object_set_new(object, "created_at", icp_time_json(exemption->created_at));
    json_object_set_new(object, "created_by", icp_text_json(exemption->created_by));
    return object;
}

static void print(const icp_cli_t *cli, icp_list_t *list, const icp_exemption_t *exemption)
{
    if (cli->json) {
        icp_list_object(list, as_json(exemption));
        return;
    }
    icp_list_row(list, apr_psprintf(cli->pool, "%" APR_INT64_T_FMT, exemption->id),
                 exemption->site ? exemption->site : "every site", verdict_text(exemption),
                 icp_time_text(exemption->from, cli->pool), icp_time_text(exemption->until, cli->pool),
                 exemption->created_by, exemption->note, NULL);
}

static icp_list_t *begin_list(const icp_cli_t *cli)
{
    return icp_list_begin(cli, "ID|SITE|VERDICT|FROM|UNTIL|BY|NOTE");
}

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const adding_t *adding = baton;
    for (int i = 0; i < adding->count; i++) ICP_TRY(icp_exemption_add(reg, &adding->exemptions[i], pool));
    return NULL;
}

/* --from and --until are days; --for counts from the beginning. */
static icp_error_t *read_times(icp_exemption_t *exemption, const icp_cli_t *cli)
{
    const char *from = icp_option(cli, "from"), *until = icp_option(cli, "until"), *length = icp_option(cli, "for");
    apr_interval_time_t duration;
    icp_day_t day;
    if (!until == !length) {
        return icp_error(cli->pool, ICP_USAGE, "give --for 7d or --until 2026-12-31", "an exemption needs one end");
    }
    exemption->from = apr_time_from_sec(apr_time_sec(apr_time_now()));
    if (from) {
        ICP_TRY(icp_day_parse(&day, from, cli->pool));
        exemption->from = icp_day_begin(day);
    }
    if (length) {
        ICP_TRY(icp_option_duration(&duration, length, LONGEST, cli->pool));
        exemption->until = exemption->from + duration;
        return NULL;
    }
    ICP_TRY(icp_day_parse(&day, until, cli->pool));
    exemption->until = icp_day_begin(day + 1);
    return NULL;
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    icp_exemption_t model = {.verdict = icp_option(cli, "verdict"), .note = icp_option(cli, "note")};
    apr_array_header_t *names = apr_array_make(cli->pool, 1, sizeof(const char *));
    if (!icp_option(cli, "all") == !cli->arguments->nelts) {
        return icp_error(cli->pool, ICP_USAGE, "see: icpadmin help exemption add",
                         "`icpadmin exemption add` needs SITE… or --all");
    }
    ICP_TRY(read_times(&model, cli));
    if (cli->arguments->nelts)
        ICP_TRY(icp_names_read(&names, cli));
    else
        APR_ARRAY_PUSH(names, const char *) = NULL;
    ICP_TRY(icp_names_confirm(cli, "exempt", "sites", names));
    adding_t adding = {apr_palloc(cli->pool, (apr_size_t)names->nelts * sizeof model), names->nelts};
    for (int i = 0; i < names->nelts; i++) {
        adding.exemptions[i] = model;
        adding.exemptions[i].site = APR_ARRAY_IDX(names, i, const char *);
    }
    ICP_TRY(icp_register_change(cli->reg, change_add, &adding, cli->pool));
    icp_list_t *list = begin_list(cli);
    for (int i = 0; i < adding.count; i++) print(cli, list, &adding.exemptions[i]);
    icp_list_end(list, NULL);
    return NULL;
}

static icp_error_t *run_list(icp_cli_t *cli)
{
    apr_array_header_t *found;
    const char *name = cli->arguments->nelts ? APR_ARRAY_IDX(cli->arguments, 0, const char *) : NULL;
    if (name) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, cli->reg, name, cli->pool));
        name = site->name;
    }
    ICP_TRY(icp_exemption_list(&found, cli->reg, name, icp_option(cli, "ended") ? 0 : apr_time_now(), cli->pool));
    icp_list_t *list = begin_list(cli);
    for (int i = 0; i < found->nelts; i++) print(cli, list, &APR_ARRAY_IDX(found, i, icp_exemption_t));
    icp_list_end(list, "no site is exempt");
    return NULL;
}

static icp_error_t *change_remove(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *ids = baton;
    for (int i = 0; i < ids->nelts; i++) ICP_TRY(icp_exemption_remove(reg, APR_ARRAY_IDX(ids, i, apr_int64_t), pool));
    return NULL;
}

static icp_error_t *run_remove(icp_cli_t *cli)
{
    apr_array_header_t *ids = apr_array_make(cli->pool, 4, sizeof(apr_int64_t));
    for (int i = 0; i < cli->arguments->nelts; i++) {
        const char *text = APR_ARRAY_IDX(cli->arguments, i, const char *);
        char *end;
        apr_int64_t id = apr_strtoi64(text, &end, 10);
        if (*text < '0' || *text > '9' || *end) {
            return icp_error(cli->pool, ICP_USAGE, "icpadmin exemption list shows them", "`%s` is no exemption's number",
                             text);
        }
        APR_ARRAY_PUSH(ids, apr_int64_t) = id;
    }
    ICP_TRY(icp_names_confirm(cli, "remove", "exemptions", cli->arguments));
    ICP_TRY(icp_register_change(cli->reg, change_remove, ids, cli->pool));
    icp_list_t *list = cli->json ? icp_list_begin(cli, NULL) : NULL;
    for (int i = 0; i < ids->nelts; i++) {
        if (list)
            icp_list_object(list, json_pack("{s:I}", "removed", (json_int_t)APR_ARRAY_IDX(ids, i, apr_int64_t)));
        else
            icp_say(cli, "exemption %" APR_INT64_T_FMT " removed", APR_ARRAY_IDX(ids, i, apr_int64_t));
    }
    if (list) icp_list_end(list, NULL);
    return NULL;
}

static const icp_option_t add_options[] = {
    {"all", NULL, 0, "every site, also those that are added later"},
    {"for", "DURATION", 0, "how long: 90s, 30m, 2h, 7d"},
    {"from", "DAY", 0, "begin with that day, as 2026-12-01 (default: now)"},
    {"until", "DAY", 0, "end with that day"},
    {"verdict", "VERDICT", 0, "only for missing, incorrect or invalid (default: whatever is seen)"},
    {"note", "TEXT", ICP_OPTION_REQUIRED, "why"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_exemption_add = {
    .noun = "exemption",
    .verb = "add",
    .arguments = "[SITE…]",
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "keep sites from being suspended by policy for a time",
    .details = "They are looked at and shown as always, but `icpadmin check --enforce` does not suspend them for what it "
               "sees, their holders are not warned, and failing looks in this time do not count afterwards. Staff can "
               "still suspend them. Days are days in Beijing.\n\n"
               "`icpadmin enable --attest` adds one for the verdict that was attested (policy attested-days), an "
               "approval of an application one for its sites (policy grace-days).",
    .json = "an array; each has exemption (its number), site (null: every site), verdict (null: any), from, until, note, "
            "created_at, created_by",
    .example = "icpadmin exemption add shop.example.cn --for 7d --note 'moves to a new shop system'\n"
               "icpadmin exemption add --all --from 2027-02-05 --until 2027-02-12 --note 'Spring Festival'",
    .options = add_options,
    .run = run_add,
};

static const icp_option_t list_options[] = {
    {"ended", NULL, 0, "also those that are over"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_exemption_list = {
    .noun = "exemption",
    .verb = "list",
    .arguments = "[SITE]",
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .summary = "list who is exempt, until when and why",
    .details = "With SITE those that concern it, the ones for every site among them.",
    .json = "an array as of `icpadmin exemption add`",
    .example = "icpadmin exemption list",
    .options = list_options,
    .run = run_list,
};

const icp_command_t icp_cmd_exemption_remove = {
    .noun = "exemption",
    .verb = "remove",
    .arguments = "ID…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "end an exemption before its time",
    .details = "The next failing look counts again. `icpadmin log` keeps what there was.",
    .json = "an array; each has removed",
    .example = "icpadmin exemption remove 12",
    .run = run_remove,
};
