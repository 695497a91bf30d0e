/* What the holders of a site are told when it is turned off or on again. */
#ifndef ICP_SITE_MESSAGE_H
#define ICP_SITE_MESSAGE_H

#include "site.h"

/* Inside the change that opened or closed `suspension`. Facts: site, hosts, url, expected, seen, reason, case, since. */
icp_error_t *icp_site_message_suspended(icp_register_t *reg, const icp_site_t *site, const icp_suspension_t *suspension,
                                        apr_pool_t *pool);

/* The same, and number: what the page shows, or somebody attested. */
icp_error_t *icp_site_message_enabled(icp_register_t *reg, const icp_site_t *site, const icp_suspension_t *suspension,
                                      const char *number, apr_pool_t *pool);

#endif
