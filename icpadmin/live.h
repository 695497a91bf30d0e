/* Live home pages for the commands that look at them: settings from the policy and the command line, sites as the
 * register has them, a pass for each request at a suspended one. */
#ifndef ICP_LIVE_H
#define ICP_LIVE_H

#include "command.h"
#include "fetch.h"

typedef struct icp_live_t icp_live_t;

#define ICP_LIVE_OPTIONS                                                                                               \
    {"connect", "ADDR", ICP_OPTION_MANY,                                                                               \
     "[http=|https=]ADDRESS[:PORT] to connect to instead of 127.0.0.1 at the URL's port "                              \
     "(default: $ICP_CONNECT)"},                                                                                       \
        {"limit", "BYTES", 0, "read at most so much of a page, as ICPInspectLimit does (default: 2097152)"},           \
        {"parallel", "N", 0, "how many at a time (default: policy parallel)"},                                         \
        {"per-address", "N", 0, "how many at a time from one address (default: policy per-address)"},                  \
        {"timeout", "SECONDS", 0, "how long one site may take (default: policy timeout)"},                             \
    {                                                                                                                  \
        "retries", "N", 0, "further tries after a network fault, 1 s, 4 s, 16 s … later (default: policy retries)"     \
    }

/* A missing pass.key is only said where it matters: in the look at a suspended site. */
icp_error_t *icp_live_prepare(icp_live_t **live, const icp_cli_t *cli);

/* The looks end early once *stop is set. */
void icp_live_stop(icp_live_t *live, const volatile sig_atomic_t *stop);

/* The sites' names for names given by a person (a site's, or any of its hosts'), each once. ICP_NOT_FOUND for one not
 * on file. */
icp_error_t *icp_live_sites(apr_array_header_t **sites, const icp_cli_t *cli, const apr_array_header_t *names);

/* Looks at each site (const char *), as the register has it shortly before its turn comes. A site that is gone by then
 * is left out. */
icp_error_t *icp_live_look(icp_live_t *live, const apr_array_header_t *sites, icp_fetch_done_fn *done, void *baton);

/* Asks for the home page of each site at each of its host names, by http and by https, once and as the public. */
icp_error_t *icp_live_visit(icp_live_t *live, const apr_array_header_t *sites, icp_fetch_done_fn *done, void *baton);

/* One look for --json: the object of icp_inspection_json with site, url, status, fault and suspended (the reason, or
 * null). */
json_t *icp_live_json(const icp_fetched_t *fetched);

#endif
