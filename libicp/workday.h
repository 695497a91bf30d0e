/* Working days in China: weekends, the holidays of the State Council's yearly arrangement, and the weekend days that
 * make up for them. The list comes from a file that staff replace each November (conf/holidays.tsv says how).
 *
 * A day is a day in Beijing (UTC+8, no daylight saving time), whatever time zone the server has: deadlines here are
 * Chinese law's. Nothing here knows a register; a calendar is never changed once it is loaded, so any thread may ask
 * it. */
#ifndef ICP_WORKDAY_H
#define ICP_WORKDAY_H

#include <apr_time.h>

#include "error.h"

typedef int icp_day_t; /* days since 1 January 1970 */

icp_day_t icp_day_of(apr_time_t at);
apr_time_t icp_day_begin(icp_day_t day); /* its first moment, midnight in Beijing */
const char *icp_day_text(icp_day_t day, apr_pool_t *pool); /* "2026-11-24" */

/* "2026-11-24", of the years 2000 to 2199. ICP_USAGE says what is wrong. */
icp_error_t *icp_day_parse(icp_day_t *day, const char *text, apr_pool_t *pool);

/* "2026-11", of the same years: its first day and that of the next month. */
icp_error_t *icp_month_parse(icp_day_t *first, icp_day_t *next, const char *text, apr_pool_t *pool);

typedef struct icp_calendar_t icp_calendar_t;

/* Reads the file. ICP_USAGE names file and line; a file that is not there is no error, but told of once by icp_log.
 * Either way *calendar can be used: it knows weekends only. */
icp_error_t *icp_calendar_load(icp_calendar_t **calendar, const char *file, apr_pool_t *pool);

/* A year that ought to be in the file and is not: `day`'s, or in its last month the next one, whose arrangement is out by then. 0: none. */
int icp_calendar_wants(const icp_calendar_t *calendar, icp_day_t day);

/* The last year that is covered; 0 if none is. */
int icp_calendar_last_year(const icp_calendar_t *calendar);

int icp_calendar_works(const icp_calendar_t *calendar, icp_day_t day);

/* The `count`th working day after `day`, which itself does not count (as in law); with 0 `day` itself, or the first
 * working day after it. *estimated (may be NULL): the span touches a year that is not covered. */
icp_day_t icp_calendar_add(const icp_calendar_t *calendar, icp_day_t day, int count, int *estimated);

/* Working days after `from` up to and with `to`; negative if `to` is before `from`. *estimated as above. */
int icp_calendar_between(const icp_calendar_t *calendar, icp_day_t from, icp_day_t to, int *estimated);

typedef struct icp_holiday_t {
    const char *zh, *en;   /* its names; live as long as the calendar */
    icp_day_t first, last; /* days off around it, weekends with them */
} icp_holiday_t;

/* The next holiday with three or more days off in a row that `day` falls into or that begins at most `within` days
 * later; 0 if there is none in the file. */
int icp_calendar_long_holiday(icp_holiday_t *holiday, const icp_calendar_t *calendar, icp_day_t day, int within);

#endif
