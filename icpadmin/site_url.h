/* Where a redirect leads, and which URLs are still a site's own. It fetches nothing. */
#ifndef ICP_SITE_URL_H
#define ICP_SITE_URL_H

#include "fetch.h"

/* Where `location` (of a redirect at `from`) leads: a whole URL; what is none as it is, without what would disturb a terminal. */
const char *icp_site_url_resolve(const char *from, const char *location, apr_pool_t *pool);

/* Nonzero if it is at one of the site's host names and at a web server's port: 80, 443, that of the home page on file, or one in
 * `connects` (icp_connect_t). The connection goes to this host's loopback whatever the name, and a site must not send staff's
 * requests to other services there. */
int icp_site_url_inside(const icp_site_t *site, const char *url, const apr_array_header_t *connects, apr_pool_t *pool);

#endif
