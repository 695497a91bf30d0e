/* The log from its beginning to a month's end, event by event: what report.c makes a report of. For report.c alone. */
#ifndef ICP_REPORT_REPLAY_H
#define ICP_REPORT_REPLAY_H

#include <apr_hash.h>

#include "audit.h"
#include "report.h"

typedef struct icp_report_known_t {
    icp_report_site_t site;
    int on_file;
} icp_report_known_t;

typedef struct icp_report_replay_t {
    icp_report_t *report;
    apr_hash_t *sites;      /* icp_report_known_t by name */
    apr_hash_t *cases;      /* icp_report_case_t by id */
    apr_hash_t *exemptions; /* icp_report_exemption_t by id */
    apr_hash_t *licenses;   /* icp_report_license_t by number */
    apr_pool_t *pool;
} icp_report_replay_t;

/* For icp_audit_each; `baton` is the icp_report_replay_t. Reviews, warnings and turns of the month go into the report at once. */
icp_event_fn icp_report_replay;

/* What is known of a site or a case, made at its first mention. */
icp_report_known_t *icp_report_site(const icp_report_replay_t *replay, const char *name);
icp_report_case_t *icp_report_case(const icp_report_replay_t *replay, apr_int64_t id);

#endif
