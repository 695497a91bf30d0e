/* Working days as staff see them: the calendar that the policy names, and days by it. */
#ifndef ICP_DATES_H
#define ICP_DATES_H

#include "command.h"
#include "workday.h"

/* The calendar of the policy `holidays`. A list that is missing or wrong is a warning, and only weekends are known
 * then: a slip in it must not keep staff from their work. */
icp_error_t *icp_dates_calendar(icp_calendar_t **calendar, const icp_cli_t *cli);

/* "2026-12-22"; "about 2027-01-15" where it is an estimate. */
const char *icp_dates_text(icp_day_t day, int estimated, apr_pool_t *pool);

#endif
