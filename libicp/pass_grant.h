/* Passes given to owners, as they are recorded: who has one, until when. The tokens themselves are nowhere. */
#ifndef ICP_PASS_GRANT_H
#define ICP_PASS_GRANT_H

#include "site.h"

/* Inside a change: records that a pass until `until` is given to the owner of this suspended site (ICP_REFUSED if it is open),
 * with an event site.pass. Gives the site as it is at this moment: its suspension is what the token is made of. */
icp_error_t *icp_pass_give(icp_site_t **site, icp_register_t *reg, const char *name, apr_time_t until, const char *note,
                           apr_pool_t *pool);

/* Inside a change: every pass that was given for this site's suspension, the checker's included, is void from the commit on; with
 * an event site.pass-revoke. *count: how many of them had not ended. ICP_REFUSED if the site is not suspended: none is good then. */
icp_error_t *icp_pass_revoke(apr_int64_t *count, icp_register_t *reg, const char *name, const char *note, apr_pool_t *pool);

typedef struct icp_grant_t {
    const char *site;
    apr_int64_t suspension_id;
    apr_time_t given_at, until;
    const char *given_by, *note;
} icp_grant_t;

/* Those that are good now, the first to end first; of one site or (site_id 0) all. */
typedef icp_error_t *icp_grant_fn(const icp_grant_t *grant, void *baton, apr_pool_t *pool);
icp_error_t *icp_pass_each(icp_register_t *reg, apr_int64_t site_id, icp_grant_fn *fn, void *baton, apr_pool_t *pool);

#endif
