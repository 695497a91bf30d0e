/* One month as a regulator asks for it: the sites on file at its end, how often each was looked at and what was found, who was
 * suspended and enabled and on what ground. Told from the audit log, which outlives the sites; local time. It reads only. */
#ifndef ICP_REPORT_H
#define ICP_REPORT_H

#include <apr_tables.h>

#include "register.h"

typedef struct icp_report_site_t {
    const char *name, *hosts, *numbers; /* hosts and numbers separated by spaces */
    const char *holders;                /* of these numbers' licenses, separated by "; " */
    apr_time_t since;                   /* on file */
    const char *verdict;                /* of the newest look before the month's end; NULL: none */
    apr_int64_t looks;                  /* in the month */
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
    const char *closed_by, *ground, *number, *closing; /* ground: "inspection", "attested"; closing: the note. NULL while open */
} icp_report_case_t;

typedef struct icp_report_warning_t {
    const char *site;
    apr_time_t at, sent_at; /* sent_at 0: not yet, or never */
    int mails, on_file;     /* that were posted: 0 if mail was off or nobody has an address; that the outbox still has */
} icp_report_warning_t;

typedef struct icp_report_license_t {
    const char *number, *holder, *status;
    apr_time_t since; /* that it is of this status */
} icp_report_license_t;

typedef struct icp_report_t {
    const char *month;      /* 2026-11 */
    apr_time_t from, until; /* until: the month's end, or now */
    int complete;           /* 0: the month is under way */
    apr_array_header_t *sites, *turns, *cases, *warnings, *licenses; /* of the structures above */
    apr_int64_t looks, opened, closed, open_before, open_after, attested, removed;
} icp_report_t;

/* ICP_USAGE: not YYYY-MM, or a month that has not begun. */
icp_error_t *icp_report_read(icp_report_t **report, icp_register_t *reg, const char *month, apr_pool_t *pool);

#endif
