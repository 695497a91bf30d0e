#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "text.h"

#define TEXT_MAX 1000 /* bytes of a text */

const icp_policy_rule_t icp_policy_rules[ICP_POLICY_COUNT] = {
#define RULE(c, name, kind, least, most, words, fallback, help)                                                        \
    {name, ICP_POLICY_##kind, least, most, words, fallback, help},
    ICP_POLICIES(RULE)
#undef RULE
};

icp_error_t *icp_policy_find(icp_policy_e *policy, const char *name, apr_pool_t *pool)
{
    for (int i = 0; i < ICP_POLICY_COUNT; i++) {
        if (strcmp(icp_policy_rules[i].name, name)) continue;
        *policy = (icp_policy_e)i;
        return NULL;
    }
    return icp_error(pool, ICP_USAGE, "icpadmin policy show lists them", "there is no policy `%s`",
                     icp_text_printable(name, 60, pool));
}

icp_error_t *icp_policy_text(const char **value, int *set, icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_POLICY_GET, "s", icp_policy_rules[policy].name));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *value = row ? icp_stmt_text(stmt, 0, pool) : icp_policy_rules[policy].fallback;
    if (set) *set = row;
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_policy_number(apr_int64_t *value, icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool)
{
    const char *text;
    ICP_TRY(icp_policy_text(&text, NULL, reg, policy, pool));
    *value = apr_atoi64(text);
    return NULL;
}

icp_error_t *icp_policy_is(int *yes, icp_register_t *reg, icp_policy_e policy, const char *word, apr_pool_t *pool)
{
    const char *text;
    ICP_TRY(icp_policy_text(&text, NULL, reg, policy, pool));
    *yes = !strcmp(text, word);
    return NULL;
}

static int is_one_of(const char *words, const char *value)
{
    apr_size_t length = strlen(value);
    for (const char *word = words; *word; word += strcspn(word, "|"), word += *word == '|') {
        if (strcspn(word, "|") == length && !strncmp(word, value, length)) return 1;
    }
    return 0;
}

static icp_error_t *check(const icp_policy_rule_t *rule, const char *value, apr_pool_t *pool)
{
    const char *shown = icp_text_printable(value, 60, pool);
    char *end;
    switch (rule->kind) {
    case ICP_POLICY_NUMBER:
        errno = 0;
        apr_int64_t number = apr_strtoi64(value, &end, 10);
        if (*value < '0' || *value > '9' || *end || errno || number < rule->least || number > rule->most) {
            return icp_error(pool, ICP_USAGE,
                             apr_psprintf(pool, "give a number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, rule->least,
                                          rule->most),
                             "`%s` is no value for %s", shown, rule->name);
        }
        return NULL;
    case ICP_POLICY_WORD:
        if (is_one_of(rule->words, value)) return NULL;
        return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "give one of %s", rule->words), "`%s` is no value for %s",
                         shown, rule->name);
    case ICP_POLICY_TEXT: break;
    }
    if (!icp_text_plain(value) || strlen(value) > TEXT_MAX) {
        return icp_error(pool, ICP_USAGE, "give one line of UTF-8 text of at most 1000 bytes",
                         "the value for %s is no such text", rule->name);
    }
    return NULL;
}

icp_error_t *icp_policy_set(icp_register_t *reg, icp_policy_e policy, const char *value, apr_pool_t *pool)
{
    const icp_policy_rule_t *rule = &icp_policy_rules[policy];
    const char *before;
    icp_stmt_t *stmt;
    int set;
    if (value) ICP_TRY(check(rule, value, pool));
    ICP_TRY(icp_policy_text(&before, &set, reg, policy, pool));
    if (value ? set && !strcmp(before, value) : !set) return NULL;
    if (value)
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_POLICY_SET, "ss", rule->name, value));
    else
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_POLICY_UNSET, "s", rule->name));
    ICP_TRY(icp_stmt_run(stmt));
    json_t *old = json_pack("{s:s}", "value", before), *new = json_pack("{s:s}", "value", value ? value : rule->fallback);
    icp_error_t *error = icp_audit_event(reg, "policy.set", rule->name, old, new, NULL, pool);
    json_decref(old);
    json_decref(new);
    return error;
}
