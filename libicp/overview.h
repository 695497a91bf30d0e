/* What is on file, in numbers, and where each site stands: for the status page of the command line and for its queue.
 */
#ifndef ICP_OVERVIEW_H
#define ICP_OVERVIEW_H

#include <apr_tables.h>

#include "register.h"

typedef struct icp_count_t {
    const char *word;
    apr_int64_t count;
} icp_count_t;

typedef struct icp_overview_t {
    apr_int64_t holders, sites, hosts, events;
    apr_array_header_t *licenses;  /* icp_count_t by status */
    apr_array_header_t *suspended; /* icp_count_t by reason: open suspensions */
    apr_array_header_t *verdicts;  /* icp_count_t by verdict of the newest look; "never" for sites without one */
    apr_array_header_t *applications; /* icp_count_t by state: open ones */
    apr_array_header_t *outbox;    /* icp_count_t by state: messages waiting, given-up */
    apr_time_t newest_look;        /* 0: none */
    apr_time_t oldest_site;        /* when the first of those on file was registered; 0: none */
} icp_overview_t;

icp_error_t *icp_overview_read(icp_overview_t **overview, icp_register_t *reg, apr_pool_t *pool);

/* Names (const char *) of all sites, or of those that must show the license with this id; 0: all. */
icp_error_t *icp_overview_names(apr_array_header_t **names, icp_register_t *reg, apr_int64_t license_id,
                                apr_pool_t *pool);

/* The site of the suspension with this id, open or closed; NULL if there is none. */
icp_error_t *icp_overview_case(const char **site, icp_register_t *reg, apr_int64_t suspension_id, apr_pool_t *pool);

/* Where one site stands. */
typedef struct icp_standing_t {
    const char *site;
    const char *suspended; /* the open suspension's reason; NULL: open */
    apr_time_t since;      /* of the suspension; 0 */
    const char *verdict;   /* of the newest look, with its reason and detail (JSON); NULL: never looked at */
    const char *reason, *detail;
    apr_time_t first_at, last_at; /* of the run that the newest look belongs to */
    int serve_unlicensed;
    int active_numbers; /* numbers of active licenses that it may show */
    apr_time_t created_at;
    apr_time_t reviewed_at; /* when its page was last found to be right, by a person or to enable it; 0 */
    const char *number;     /* of its active ones the first; NULL */
    const char *reviewed_sighting; /* what live traffic saw when a person last found the page to be right; NULL: nothing else */
} icp_standing_t;

typedef icp_error_t *icp_standing_fn(const icp_standing_t *standing, void *baton, apr_pool_t *pool);

/* Every site, by name. */
icp_error_t *icp_standing_each(icp_register_t *reg, icp_standing_fn *fn, void *baton, apr_pool_t *pool);

#endif
