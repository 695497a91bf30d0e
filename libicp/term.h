/* By when something is due in an application: statutory maximums from the policy, counted in working days. */
#ifndef ICP_TERM_H
#define ICP_TERM_H

#include "application.h"
#include "workday.h"

typedef struct icp_terms_t {
    const icp_calendar_t *calendar;
    int review_days, filing_days, bureau_days, bureau_days_zhejiang; /* working days */
    int correct_days, sms_hours;
} icp_terms_t;

/* What the policy says now. */
icp_error_t *icp_terms_load(icp_terms_t *terms, icp_register_t *reg, apr_pool_t *pool);

typedef struct icp_due_t {
    apr_time_t at;  /* the last moment; 0: nothing is due */
    int estimated;  /* the calendar does not know all the holidays until then */
    int waiting;    /* working days since it came to this state */
    int overdue;    /* at `now` */
} icp_due_t;

icp_due_t icp_term_due(const icp_terms_t *terms, const icp_application_t *application, apr_time_t now);

/* The day in Beijing, "2026-12-22", or with an hour for the code by SMS; "" if nothing is due. */
const char *icp_term_text(const icp_application_t *application, const icp_due_t *due, apr_pool_t *pool);

#endif
