/* Home pages as a browser on this host would get them: by libcurl, through loopback with the site's own Host and SNI,
 * several at a time. It reads and judges; it records nothing and prints nothing.
 *
 * A page is asked for by http, and by https if nothing answers there. Redirects are followed inside the site only: its
 * own host names, at the ports of web servers. Certificates are not checked: the connection never leaves for a
 * stranger's address, and an expired one is another matter. A browser's user agent is sent, so that a site that shows
 * checkers another page than visitors gains nothing.
 */
#ifndef ICP_FETCH_H
#define ICP_FETCH_H

#include <apr_tables.h>

#include "site.h"

#define ICP_FETCH_LIMIT 2097152 /* ICPInspectLimit's default */

typedef struct icp_fetch_settings_t {
    apr_array_header_t *connects; /* icp_connect_t, first match wins; where there is none: loopback, the URL's port */
    apr_size_t limit;             /* bytes of a page that are read */
    int parallel;                 /* how many at a time */
} icp_fetch_settings_t;

typedef struct icp_connect_t {
    const char *scheme;  /* "http", "https"; NULL: both */
    const char *address; /* as CURLOPT_CONNECT_TO takes it; IPv6 in brackets */
    int port;            /* 0: the URL's */
} icp_connect_t;

/* Adds "[http=|https=]ADDR[:PORT]" to `connects`; ICP_USAGE says what is wrong. */
icp_error_t *icp_fetch_connect(apr_array_header_t *connects, const char *text, apr_pool_t *pool);

typedef struct icp_fetch_order_t {
    const icp_site_t *site; /* NULL: no more */
    const char *pass;       /* token for the gate; NULL: as the public */
} icp_fetch_order_t;

typedef struct icp_fetched_t {
    const icp_site_t *site;
    icp_look_t look;
    const char *notice; /* the gate answered, not the site: the reason it gave; else NULL */
    apr_pool_t *pool;   /* all of this lives here; whoever is given it destroys it */
} icp_fetched_t;

/* `next` fills the next order, in `pool`, which goes with it to `done`. The first error of either ends all. */
typedef icp_error_t *icp_fetch_next_fn(icp_fetch_order_t *order, void *baton, apr_pool_t *pool);
typedef icp_error_t *icp_fetch_done_fn(icp_fetched_t *fetched, void *baton);
icp_error_t *icp_fetch_all(const icp_fetch_settings_t *settings, icp_fetch_next_fn *next, icp_fetch_done_fn *done,
                           void *baton, apr_pool_t *pool);

#endif
