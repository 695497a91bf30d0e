/* `icpadmin policy`: what the provider has decided, for all commands. */
#include <string.h>

#include <apr_strings.h>

#include "deliver.h"
#include "options.h"
#include "output.h"

typedef struct shown_t {
    const char *value;
    int set;
} shown_t;

static icp_error_t *read_all(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    shown_t *shown = baton;
    for (int i = 0; i < ICP_POLICY_COUNT; i++) {
        ICP_TRY(icp_policy_text(&shown[i].value, &shown[i].set, reg, (icp_policy_e)i, pool));
    }
    return NULL;
}

static void print_policy(const icp_cli_t *cli, icp_list_t *list, icp_policy_e policy, const shown_t *shown)
{
    const icp_policy_rule_t *rule = &icp_policy_rules[policy];
    if (!cli->json) {
        icp_list_row(list, rule->name, *shown->value ? shown->value : "-", shown->set ? "set" : "default", rule->help,
                     NULL);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "name", icp_text_json(rule->name));
    json_object_set_new(object, "value", icp_text_json(shown->value));
    json_object_set_new(object, "set", json_boolean(shown->set));
    json_object_set_new(object, "default", icp_text_json(rule->fallback));
    json_object_set_new(object, "help", icp_text_json(rule->help));
    icp_list_object(list, object);
}

static icp_error_t *run_show(icp_cli_t *cli)
{
    shown_t shown[ICP_POLICY_COUNT];
    icp_policy_e policy;
    for (int i = 0; i < cli->arguments->nelts; i++) {
        ICP_TRY(icp_policy_find(&policy, APR_ARRAY_IDX(cli->arguments, i, const char *), cli->pool));
    }
    ICP_TRY(icp_register_read(cli->reg, read_all, shown, cli->pool));
    icp_list_t *list = icp_list_begin(cli, "POLICY|VALUE|FROM|MEANING");
    if (!cli->arguments->nelts) {
        for (int i = 0; i < ICP_POLICY_COUNT; i++) print_policy(cli, list, (icp_policy_e)i, &shown[i]);
    }
    for (int i = 0; i < cli->arguments->nelts; i++) {
        ICP_TRY(icp_policy_find(&policy, APR_ARRAY_IDX(cli->arguments, i, const char *), cli->pool));
        print_policy(cli, list, policy, &shown[policy]);
    }
    icp_list_end(list, NULL);
    return NULL;
}

static icp_error_t *find_named(icp_policy_e *policy, const char *given, apr_pool_t *pool)
{
    if (*given == '=') return icp_error(pool, ICP_USAGE, "write NAME=VALUE without blanks around the =", "there is no name before `%s`", given);
    return icp_policy_find(policy, apr_pstrmemdup(pool, given, strcspn(given, "=")), pool);
}

/* NAME=VALUE…; NAME alone gives the default again. What belongs together may come in any order. */
static icp_error_t *change_set(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *given = baton;
    icp_policy_e policy;
    for (int i = 0; i < given->nelts; i++) {
        const char *text = APR_ARRAY_IDX(given, i, const char *), *equals = strchr(text, '=');
        ICP_TRY(find_named(&policy, text, pool));
        ICP_TRY(icp_policy_set(reg, policy, equals ? equals + 1 : NULL, pool));
    }
    for (int i = 0; i < given->nelts; i++) {
        ICP_TRY(find_named(&policy, APR_ARRAY_IDX(given, i, const char *), pool));
        ICP_TRY(icp_deliver_check(reg, policy, pool));
    }
    return NULL;
}

static icp_error_t *run_set(icp_cli_t *cli)
{
    shown_t shown[ICP_POLICY_COUNT];
    ICP_TRY(icp_register_change(cli->reg, change_set, cli->arguments, cli->pool));
    if (cli->dry_run) return NULL;
    ICP_TRY(icp_register_read(cli->reg, read_all, shown, cli->pool));
    icp_list_t *list = icp_list_begin(cli, "POLICY|VALUE|FROM|MEANING");
    for (int i = 0; i < cli->arguments->nelts; i++) {
        icp_policy_e policy;
        ICP_TRY(find_named(&policy, APR_ARRAY_IDX(cli->arguments, i, const char *), cli->pool));
        print_policy(cli, list, policy, &shown[policy]);
    }
    icp_list_end(list, NULL);
    return NULL;
}

const icp_command_t icp_cmd_policy_show = {
    .noun = "policy",
    .verb = "show",
    .arguments = "[NAME…]",
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .summary = "say what the provider has decided",
    .details = "What was never set has its default. docs/operations.md says what to consider.",
    .json = "an array; each has name, value, set, default, help",
    .example = "icpadmin policy show\nicpadmin policy show checks hours",
    .run = run_show,
};

const icp_command_t icp_cmd_policy_set = {
    .noun = "policy",
    .verb = "set",
    .arguments = "NAME=VALUE…",
    .least = 1,
    .most = -1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "decide something for all commands",
    .details = "Several are one change: all of them are set, or none. NAME without a value has its default again.",
    .json = "an array of those named; each has name, value, set, default, help",
    .example = "icpadmin policy set checks=3 hours=48\nicpadmin policy set brake-sites",
    .run = run_set,
};
