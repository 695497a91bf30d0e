/* Times in which a site is looked at as always, but not suspended for what is seen: staff's leave, what follows an attestation,
 * what follows an approval. A failing look in such a time does not count towards a suspension either. */
#ifndef ICP_EXEMPTION_H
#define ICP_EXEMPTION_H

#include "register.h"

#define ICP_EXEMPTION_EVERY_SITE "*" /* the subject of its audit events */

typedef struct icp_exemption_t {
    apr_int64_t id;
    const char *site;    /* NULL: every site */
    const char *verdict; /* NULL: whatever is seen */
    apr_time_t from, until;
    const char *note;
    apr_time_t created_at;
    const char *created_by;
} icp_exemption_t;

/* Inside a change: adds it (site by name or host) and fills in the rest. ICP_NOT_FOUND: no such site. ICP_USAGE: a verdict
 * that cannot lead to a suspension, no note, or a time that has no end or is over. */
icp_error_t *icp_exemption_add(icp_register_t *reg, icp_exemption_t *exemption, apr_pool_t *pool);

/* Inside a change: one for `site` from now on, for so many days; 0 days: none. For an approval, and after an attestation. */
icp_error_t *icp_exemption_grant(icp_register_t *reg, const char *site, const char *verdict, apr_int64_t days,
                                 const char *note, apr_pool_t *pool);

/* Inside a change. ICP_NOT_FOUND. */
icp_error_t *icp_exemption_remove(icp_register_t *reg, apr_int64_t id, apr_pool_t *pool);

/* The one in force at `at` for a site found with `verdict` that lasts longest; NULL if none is. */
icp_error_t *icp_exemption_in_force(icp_exemption_t **exemption, icp_register_t *reg, apr_int64_t site_id,
                                    const char *verdict, apr_time_t at, apr_pool_t *pool);

/* icp_exemption_t, the first to end first: those that concern `site` (its name; NULL: any), without those over by `since`. */
icp_error_t *icp_exemption_list(apr_array_header_t **list, icp_register_t *reg, const char *site, apr_time_t since,
                                apr_pool_t *pool);

#endif
