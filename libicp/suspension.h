/* Suspensions: opened for a reason, closed only after the live page was seen to be right, or attested by a person (rule
 * 2). */
#ifndef ICP_SUSPENSION_H
#define ICP_SUSPENSION_H

#include "inspection.h"

struct icp_site_t; /* site.h */

/* A case reference as clients read it on the notice and quote it to support; its argument is a suspension's id. */
#define ICP_CASE_PREFIX "ICP-"
#define ICP_CASE_FORMAT ICP_CASE_PREFIX "%06" APR_INT64_T_FMT

typedef struct icp_suspension_t {
    apr_int64_t id; /* the case reference */
    const char *reason;
    apr_time_t opened_at, closed_at; /* closed_at 0: open */
    const char *opened_by, *closed_by;
    apr_uint32_t pass_epoch; /* of the open one, as a site has it: passes made under another are void (pass.h) */
} icp_suspension_t;

/* Inside a change. ICP_NOT_FOUND: no such site; ICP_REFUSED: suspended already (says since when and why). ICP_USAGE: no
 * such reason. */
icp_error_t *icp_suspension_open(icp_suspension_t **suspension, icp_register_t *reg, const char *site,
                                 const char *reason, const char *note, apr_pool_t *pool);

/* The same for a site that was read or added in this change. */
icp_error_t *icp_suspension_open_site(icp_suspension_t **suspension, icp_register_t *reg, const struct icp_site_t *site,
                                      const char *reason, const char *note, apr_pool_t *pool);

/* Inside a change: closes the open suspension on the ground of `look`, the inspection of the live page made for it.
 * Refused unless it is `displayed` and the number matched is active and the site's at this very moment. */
icp_error_t *icp_suspension_close(icp_register_t *reg, const char *site, const icp_look_t *look, apr_pool_t *pool);

/* Inside a change: closes it because reg->actor attests to have seen `number`. Refused unless `look` is unreadable,
 * hidden or missing, `note` says something (ICP_USAGE: in more than one line), and the number is active and the site's.
 * Where the verdict is one that suspends, the site is exempt from it for the days of policy attested-days. */
icp_error_t *icp_suspension_attest(icp_register_t *reg, const char *site, const icp_look_t *look, const char *number,
                                   const char *note, apr_pool_t *pool);

/* Every suspension of a site, oldest first: array of icp_suspension_t. */
icp_error_t *icp_suspension_history(apr_array_header_t **list, icp_register_t *reg, const char *site, apr_pool_t *pool);

#endif
