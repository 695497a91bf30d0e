/* One month as a regulator asks for it: the sites on file at its end, how often each was looked at and what was found, who was
 * warned, suspended and enabled, when he was told and on whose word he came back, and what people judged and exempted. Told from the audit log,
 * which outlives the sites. Months are those of Beijing (UTC+8), whatever time zone the server has. It reads only. */
#ifndef ICP_REPORT_H
#define ICP_REPORT_H

#include <apr_tables.h>

#include "register.h"

#define ICP_REPORT_ZONE (8 * 3600) /* seconds east of Greenwich */

typedef struct icp_report_site_t {
    const char *name, *hosts, *numbers; /* hosts and numbers separated by spaces */
    const char *holders;                /* of these numbers' licenses, separated by "; " */
    apr_time_t since;                   /* on file */
    const char *verdict;                /* of the newest look before the month's end; NULL: none */
    apr_int64_t looks;                  /* in the month */
    apr_time_t looked_at;               /* the newest of these; 0 */
    apr_int64_t suspended;              /* case that is open at the month's end; 0: the site is open */
} icp_report_site_t;

/* A look that found something else than the one before it. */
typedef struct icp_report_turn_t {
    apr_time_t at;
    const char *site, *before, *verdict; /* before NULL: it was the first look */
} icp_report_turn_t;

/* A suspension that was open in the month. */
typedef struct icp_report_case_t {
    apr_int64_t id;
    const char *site, *reason, *opened_by, *note;
    apr_time_t opened_at, closed_at;                   /* closed_at 0: open at the month's end */
    apr_time_t told_at;                                /* the first mail about it left; 0: none, or the outbox has it no longer */
    const char *closed_by, *ground, *number, *closing; /* ground: "inspection", "attested"; closing: the note. NULL while open */
} icp_report_case_t;

typedef struct icp_report_warning_t {
    const char *site, *verdict;
    apr_time_t at, deadline, told_at; /* deadline: for the repair, 0: none; told_at: the first mail left, 0: not yet, never, or no longer known */
    apr_int64_t mails, on_file;       /* that were posted: 0 if mail was off or nobody has an address; that the outbox still has */
} icp_report_warning_t;

/* What became of its mails: "sent", "not sent"; "mailed" if the outbox has them no longer; "no mail". */
const char *icp_report_mailed(const icp_report_warning_t *warning);

/* A person looked at a page that no machine can judge, or that visitors see otherwise, and found it right. */
typedef struct icp_report_review_t {
    apr_time_t at;
    const char *site, *by, *verdict, *sighting, *note; /* sighting: what live traffic saw; NULL */
} icp_report_review_t;

/* One that was in force at some time of the month. */
typedef struct icp_report_exemption_t {
    apr_int64_t id;
    const char *site, *verdict, *by, *note; /* site, verdict NULL: every site, whatever is seen */
    apr_time_t from, until, removed_at;     /* removed_at 0: it was not */
    const char *removed_by;
} icp_report_exemption_t;

typedef struct icp_report_license_t {
    const char *number, *holder, *status;
    apr_time_t since; /* that it is of this status */
} icp_report_license_t;

typedef struct icp_report_t {
    const char *month;      /* 2026-11 */
    apr_time_t from, until; /* until: the month's end, or now */
    int complete;           /* 0: the month is under way */
    apr_array_header_t *sites, *turns, *cases, *warnings, *reviews, *exemptions, *licenses; /* of the structures above */
    apr_int64_t looks, opened, closed, open_before, open_after, attested, removed;
} icp_report_t;

/* ICP_USAGE: not YYYY-MM, or a month that has not begun. */
icp_error_t *icp_report_read(icp_report_t **report, icp_register_t *reg, const char *month, apr_pool_t *pool);

#endif
