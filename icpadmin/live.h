/* Live home pages for the commands that look at them: settings from the command line, a short pass for suspended sites.
 */
#ifndef ICP_LIVE_H
#define ICP_LIVE_H

#include "command.h"
#include "fetch.h"

typedef struct icp_live_t icp_live_t;

#define ICP_LIVE_OPTIONS                                                                                               \
    {"connect", "ADDR", ICP_OPTION_MANY,                                                                               \
     "[http=|https=]ADDRESS[:PORT] to connect to instead of 127.0.0.1 at the URL's port "                              \
     "(default: $ICP_CONNECT)"},                                                                                       \
    {                                                                                                                  \
        "limit", "BYTES", 0, "read at most so much of a page, as ICPInspectLimit does (default: 2097152)"              \
    }

/* A missing pass.key is only said where it matters: in the look at a suspended site. */
icp_error_t *icp_live_prepare(icp_live_t **live, const icp_cli_t *cli);

/* The sites' names for names given by a person (a site's, or any of its hosts'), each once. ICP_NOT_FOUND for one not
 * on file. */
icp_error_t *icp_live_sites(apr_array_header_t **sites, const icp_cli_t *cli, const apr_array_header_t *names);

/* Looks at each site (const char *), as the register has it at the moment its turn comes. With `as_public` no pass is
 * shown. A site that is gone by then is left out. */
icp_error_t *icp_live_look(icp_live_t *live, const apr_array_header_t *sites, int as_public, icp_fetch_done_fn *done,
                           void *baton);

/* One look for --json: the object of icp_inspection_json with site, url, status, fault and suspended (the reason, or
 * null). */
json_t *icp_live_json(const icp_fetched_t *fetched);

#endif
