#include "workflow.h"

#include <string.h>

#include <apr_strings.h>

const icp_app_state_t icp_app_states[ICP_APP_STATE_COUNT] = {
#define STATE(c, name, final, en, zh, next_en, next_zh) {name, final, {en, zh}, {next_en, next_zh}},
    ICP_APP_STATES(STATE)
#undef STATE
};

const char *const icp_app_step_names[ICP_APP_STEP_COUNT] = {
#define STEP(c, name) name,
    ICP_APP_STEPS(STEP)
#undef STEP
};

#define STAFF ICP_BY_STAFF
#define CLIENT ICP_BY_CLIENT
#define CLOCK ICP_BY_CLOCK
#define CROSSING ICP_BY_CROSSING

/* A code that was not entered in time goes back to the client: his number may be wrong, and only he can say so. From the bureau
 * nothing is taken back. */
static const icp_app_row_t rows[] = {
#define ROW(from, step, to, by, needs) {ICP_APP_IS_##from, ICP_APP_DO_##step, ICP_APP_IS_##to, by, needs},
    ROW(RECEIVED, REVIEW, REVIEWING, STAFF, ICP_STEP_SAME_TERM)
    ROW(RECEIVED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(CORRECTED, REVIEW, REVIEWING, STAFF, ICP_STEP_SAME_TERM)
    ROW(CORRECTED, CORRECT, CORRECTED, CROSSING, ICP_NEEDS_FORM)
    ROW(CORRECTED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(REVIEWING, RETURN, RETURNED, STAFF, ICP_NEEDS_REASONS)
    ROW(REVIEWING, FILE, FILED, STAFF, 0)
    ROW(REVIEWING, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(RETURNED, CORRECT, CORRECTED, STAFF | CLIENT, ICP_NEEDS_FORM)
    ROW(RETURNED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(FILED, RETURN, RETURNED, STAFF, ICP_NEEDS_REASONS)
    ROW(FILED, SMS, SMS_PENDING, STAFF, 0)
    ROW(FILED, CONFIRM, CONFIRMED, STAFF, 0)
    ROW(FILED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(SMS_PENDING, RETURN, RETURNED, STAFF, ICP_NEEDS_REASONS)
    ROW(SMS_PENDING, CONFIRM, CONFIRMED, STAFF, 0)
    ROW(SMS_PENDING, EXPIRE, RETURNED, CLOCK, ICP_NEEDS_REASONS)
    ROW(SMS_PENDING, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(CONFIRMED, BUREAU, BUREAU_REVIEW, STAFF, 0)
    ROW(CONFIRMED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(BUREAU_REVIEW, APPROVE, APPROVED, STAFF, ICP_NEEDS_REGISTER)
    ROW(BUREAU_REVIEW, REJECT, REJECTED, STAFF, ICP_NEEDS_REASONS)
    ROW(REJECTED, CORRECT, CORRECTED, STAFF | CLIENT, ICP_NEEDS_FORM)
    ROW(REJECTED, WITHDRAW, WITHDRAWN, STAFF | CLIENT, 0)
    ROW(REJECTED, EXPIRE, EXPIRED, CLOCK, 0)
#undef ROW
};
#define ROWS (sizeof rows / sizeof rows[0])

int icp_app_issues(icp_form_kind_e kind)
{
    return kind == ICP_FORM_FIRST;
}

int icp_app_adds(icp_form_kind_e kind)
{
    return kind == ICP_FORM_FIRST || kind == ICP_FORM_WEBSITE || kind == ICP_FORM_ACCESS;
}

int icp_app_cancels(icp_form_kind_e kind)
{
    return kind == ICP_FORM_CANCEL_WEBSITE || kind == ICP_FORM_CANCEL_LICENSE || kind == ICP_FORM_CANCEL_ACCESS;
}

icp_app_state_e icp_app_state(const char *name)
{
    int i = 0;
    while (i < ICP_APP_STATE_COUNT && strcmp(icp_app_states[i].name, name)) i++;
    return (icp_app_state_e)i;
}

icp_app_step_e icp_app_step(const char *name)
{
    int i = 0;
    while (i < ICP_APP_STEP_COUNT && strcmp(icp_app_step_names[i], name)) i++;
    return (icp_app_step_e)i;
}

const char *const *icp_app_next(icp_form_kind_e kind, icp_app_state_e state)
{
    static const icp_words_t nothing = {"There is nothing more for you to do.", "您无需再进行操作。"};
    static const icp_words_t no_code = {"We are waiting for the authority; there is nothing for you to do.",
                                           "正在等待管局处理，您暂时无需操作。"};
    if (state == ICP_APP_IS_APPROVED && !icp_app_adds(kind)) return nothing;
    if (state == ICP_APP_IS_FILED && icp_app_cancels(kind)) return no_code;
    return icp_app_states[state].next;
}

/* A cancellation is confirmed without a code; all others only with one. */
static int is_for(const icp_app_row_t *row, icp_form_kind_e kind)
{
    if (row->from != ICP_APP_IS_FILED) return 1;
    return row->step != (icp_app_cancels(kind) ? ICP_APP_DO_SMS : ICP_APP_DO_CONFIRM);
}

const icp_app_row_t *icp_app_row(icp_form_kind_e kind, icp_app_state_e state, icp_app_step_e step, unsigned by)
{
    for (apr_size_t i = 0; i < ROWS; i++) {
        const icp_app_row_t *row = &rows[i];
        if (row->from == state && row->step == step && (row->by & by) && is_for(row, kind)) return row;
    }
    return NULL;
}

const char *icp_app_possible(icp_form_kind_e kind, icp_app_state_e state, unsigned by, apr_pool_t *pool)
{
    const char *text = NULL, *last = NULL;
    for (apr_size_t i = 0; i < ROWS; i++) {
        const icp_app_row_t *row = &rows[i];
        if (row->from != state || !(row->by & by) || !is_for(row, kind)) continue;
        if (last) text = text ? apr_pstrcat(pool, text, ", ", last, NULL) : last;
        last = icp_app_step_names[row->step];
    }
    return text ? apr_pstrcat(pool, text, " or ", last, NULL) : last;
}
