#include "message.h"

#include "json.h"
#include "policy.h"

static icp_error_t *post(icp_register_t *reg, const char *way, const char *event, const char *subject,
                         const char *recipient, const json_t *facts, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_MESSAGE_POST, "isssss", (apr_int64_t)apr_time_sec(reg->now), way, event, subject,
                             recipient, facts ? icp_json_text(facts, JSON_COMPACT, pool) : "{}"));
    return icp_stmt_run(stmt);
}

static icp_error_t *post_mail(int *posted, icp_register_t *reg, const char *event, const char *subject, const char *recipient,
                              const json_t *facts, apr_pool_t *pool)
{
    int off;
    if (!recipient || !*recipient) return NULL;
    ICP_TRY(icp_policy_is(&off, reg, ICP_POLICY_MAIL, "off", pool));
    *posted += !off;
    return off ? NULL : post(reg, "mail", event, subject, recipient, facts, pool);
}

static icp_error_t *post_event(icp_register_t *reg, const char *event, const char *subject, const json_t *facts,
                               apr_pool_t *pool)
{
    int off;
    ICP_TRY(icp_policy_is(&off, reg, ICP_POLICY_ON_EVENT, "", pool));
    return off ? NULL : post(reg, "event", event, subject, "", facts, pool);
}

icp_error_t *icp_message_post(icp_register_t *reg, const char *event, const char *subject, const char *recipient,
                              const json_t *facts, apr_pool_t *pool)
{
    int posted = 0;
    ICP_TRY(post_mail(&posted, reg, event, subject, recipient, facts, pool));
    return post_event(reg, event, subject, facts, pool);
}

icp_error_t *icp_message_post_site(int *mails, icp_register_t *reg, const char *event, apr_int64_t site_id, const char *site,
                                   const json_t *facts, apr_pool_t *pool)
{
    apr_array_header_t *addresses = apr_array_make(pool, 2, sizeof(const char *));
    icp_stmt_t *stmt;
    int row, posted = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_MESSAGE_HOLDERS, "i", site_id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        APR_ARRAY_PUSH(addresses, const char *) = icp_stmt_text(stmt, 0, pool);
    }
    for (int i = 0; i < addresses->nelts; i++) {
        ICP_TRY(post_mail(&posted, reg, event, site, APR_ARRAY_IDX(addresses, i, const char *), facts, pool));
    }
    if (mails) *mails = posted;
    return post_event(reg, event, site, facts, pool);
}
