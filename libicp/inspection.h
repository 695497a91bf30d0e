/* What icpadmin's own looks at home pages found, kept as runs of the same verdict. */
#ifndef ICP_INSPECTION_H
#define ICP_INSPECTION_H

#include "register.h"
#include "verdict.h"

/* One look at a site's live home page, as the fetcher made it. */
typedef struct icp_look_t {
    const char *site;
    apr_int64_t site_id, enabled;       /* as the site was on file before the look: site.h */
    apr_int64_t case_id;                /* of the suspension that was open before it was made; 0: none */
    apr_time_t at;
    const char *url;                    /* that was judged, after redirects */
    const char *address;                /* that answered last, with its port: "127.0.0.1:80", "[::1]:443"; NULL if nobody did */
    int status;                         /* HTTP status; 0 if none came */
    const char *fault;                  /* why there was no page to judge, in words for staff; NULL */
    const icp_inspection_t *inspection; /* never NULL: unreadable where there was no page */
} icp_look_t;

typedef enum icp_recorded_e {
    ICP_RECORDED_SAME,     /* one more of its run */
    ICP_RECORDED_CHANGE,   /* the first of a run, with an event site.verdict: another verdict, or a page that did not come before,
                              or the other way */
    ICP_RECORDED_OVERTAKEN /* not: the site was enabled or added anew meanwhile, or looked at later (by a clock that is right) */
} icp_recorded_e;

/* Inside a change: records it, and counts it for the report. look->site is the site's name. `how` may be NULL. */
icp_error_t *icp_inspection_record(icp_register_t *reg, const icp_look_t *look, icp_recorded_e *how, apr_pool_t *pool);

typedef struct icp_run_t {
    const char *verdict, *reason, *detail; /* detail: JSON */
    apr_time_t first_at, last_at;
    apr_int64_t looks;
} icp_run_t;

/* The newest run; *run NULL if the site was never looked at. */
icp_error_t *icp_inspection_newest(icp_run_t **run, icp_register_t *reg, apr_int64_t site_id, apr_pool_t *pool);

#endif
