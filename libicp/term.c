#include "term.h"

#include <string.h>

#include "policy.h"
#include "text.h"

static icp_error_t *number(int *value, icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool)
{
    apr_int64_t found;
    ICP_TRY(icp_policy_number(&found, reg, policy, pool));
    *value = (int)found;
    return NULL;
}

icp_error_t *icp_terms_load(icp_terms_t *terms, icp_register_t *reg, apr_pool_t *pool)
{
    const char *file;
    icp_calendar_t *calendar;
    ICP_TRY(icp_policy_text(&file, NULL, reg, ICP_POLICY_HOLIDAYS, pool));
    ICP_TRY(icp_calendar_load(&calendar, file, pool));
    terms->calendar = calendar;
    ICP_TRY(number(&terms->review_days, reg, ICP_POLICY_REVIEW_DAYS, pool));
    ICP_TRY(number(&terms->filing_days, reg, ICP_POLICY_FILING_DAYS, pool));
    ICP_TRY(number(&terms->bureau_days, reg, ICP_POLICY_BUREAU_DAYS, pool));
    ICP_TRY(number(&terms->bureau_days_zhejiang, reg, ICP_POLICY_BUREAU_DAYS_ZHEJIANG, pool));
    ICP_TRY(number(&terms->correct_days, reg, ICP_POLICY_CORRECT_DAYS, pool));
    return number(&terms->sms_hours, reg, ICP_POLICY_SMS_HOURS, pool);
}

/* Working days from due_from; 0: not counted in those. */
static int working_days(const icp_terms_t *terms, const icp_application_t *application)
{
    switch (application->state) {
    case ICP_APP_IS_RECEIVED:
    case ICP_APP_IS_CORRECTED:
    case ICP_APP_IS_REVIEWING:
        return terms->review_days;
    case ICP_APP_IS_FILED:
    case ICP_APP_IS_CONFIRMED:
        return terms->filing_days;
    case ICP_APP_IS_BUREAU_REVIEW:
        return strcmp(application->province, "浙") ? terms->bureau_days : terms->bureau_days_zhejiang;
    default:
        return 0;
    }
}

icp_due_t icp_term_due(const icp_terms_t *terms, const icp_application_t *application, apr_time_t now)
{
    icp_due_t due = {0};
    icp_day_t from = icp_day_of(application->due_from);
    int days = working_days(terms, application);
    if (!icp_app_states[application->state].final) {
        due.waiting = icp_calendar_between(terms->calendar, icp_day_of(application->state_at), icp_day_of(now), NULL);
    }
    if (days) {
        due.at = icp_day_begin(icp_calendar_add(terms->calendar, from, days, &due.estimated) + 1) - 1;
    }
    else if (application->state == ICP_APP_IS_SMS_PENDING) {
        due.at = application->due_from + apr_time_from_sec(terms->sms_hours * 3600);
    }
    else if (application->state == ICP_APP_IS_REJECTED) {
        due.at = icp_day_begin(from + terms->correct_days + 1) - 1;
    }
    due.overdue = due.at && now > due.at;
    return due;
}

const char *icp_term_text(const icp_application_t *application, const icp_due_t *due, apr_pool_t *pool)
{
    if (!due->at) return "";
    return application->state == ICP_APP_IS_SMS_PENDING ? icp_text_time_china(due->at, pool) : icp_day_text(icp_day_of(due->at), pool);
}
