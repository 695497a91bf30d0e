/* Home pages as a browser on this host would get them: by libcurl, through loopback with the site's own Host and SNI,
 * several at a time. It reads and judges; it records nothing and prints nothing.
 *
 * A page is asked for by http, and by https if nothing answers there. Redirects are followed inside the site only: its
 * own host names, at the ports of web servers. Certificates are not checked: the connection never leaves for a
 * stranger's address, and an expired one is another matter. A browser's user agent is sent, so that a site that shows
 * checkers another page than visitors gains nothing. A connection serves one request and is closed: what one site sends
 * too much would be taken for the next one's answer, and a small httpd takes no more once it holds many that are idle.
 *
 * Where no page came for a fault of the network (no answer, a broken connection, a gateway's 502, 503 or 504), it is
 * tried again after a while; the place is given to another site meanwhile.
 */
#ifndef ICP_FETCH_H
#define ICP_FETCH_H

#include <signal.h>

#include <apr_tables.h>

#include "site.h"

#define ICP_FETCH_LIMIT 2097152 /* ICPInspectLimit's default */

/* A token for the gate, for one request at the site, in `pool`; NULL: as the public. */
typedef const char *icp_fetch_pass_fn(const icp_site_t *site, void *baton, apr_pool_t *pool);

typedef struct icp_fetch_settings_t {
    apr_array_header_t *connects; /* icp_connect_t, first match wins; where there is none: loopback, the URL's port */
    icp_policy_t policy;          /* what a page is judged by */
    apr_size_t limit;             /* bytes of a page that are read */
    int evidence;                 /* a failing page is handed over as it was received, */
    apr_size_t keep;              /* that many bytes of it */
    int parallel, per_address;    /* how many at a time, and of these from one address */
    int timeout;                  /* seconds that one try may take, redirects included */
    int retries;                  /* further tries after a fault of the network: 1 s later, 4 s, 16 s ... */
    icp_fetch_pass_fn *pass;      /* called before each request; NULL: none has a pass */
    void *pass_baton;
    const volatile sig_atomic_t *stop; /* nonzero: what is under way is given up; may be NULL */
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
    const char *url;        /* what is asked for, and only that; NULL: the home page */
    apr_pool_t *pool;       /* what these live in, and in the end what is handed over */
} icp_fetch_order_t;

typedef struct icp_fetched_t {
    const icp_site_t *site;
    icp_look_t look;
    const char *notice;  /* the gate answered, not the site: the reason it gave; else NULL */
    int tries;
    /* Of a page with a failing verdict; else NULL and 0. */
    const char *headers; /* status line and headers as received */
    const char *body;    /* as judged: compression undone, charset as it is; not ended by NUL */
    apr_size_t kept, bytes; /* of it: in `body`, and in all that was judged */
    const char *sha256;     /* of all that was judged, hex */
    struct icp_evidence_t *evidence; /* what was kept of it (record.h); NULL: nothing */
    apr_pool_t *pool;       /* all of this lives here; whoever is given it destroys it */
} icp_fetched_t;

/* `next` fills the next order. The first error of either ends all; so does settings->stop, without an error. */
typedef icp_error_t *icp_fetch_next_fn(icp_fetch_order_t *order, void *baton);
typedef icp_error_t *icp_fetch_done_fn(icp_fetched_t *fetched, void *baton);
icp_error_t *icp_fetch_all(const icp_fetch_settings_t *settings, icp_fetch_next_fn *next, icp_fetch_done_fn *done,
                           void *baton, apr_pool_t *pool);

#endif
