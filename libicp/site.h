/* Sites: a name, host names, the numbers it must show. */
#ifndef ICP_SITE_H
#define ICP_SITE_H

#include "suspension.h"

typedef struct icp_site_t {
    apr_int64_t id;
    const char *name;
    apr_array_header_t *hosts;    /* const char *, normal form, exact ones first */
    apr_array_header_t *numbers;  /* const char *: every number it must show, with suffix, active license or not */
    apr_array_header_t *expected; /* const char *: those of active licenses; only read */
    const char *homepage;
    int serve_unlicensed;
    apr_time_t created_at;
    icp_suspension_t *suspension; /* the open one; NULL */
    apr_int64_t enabled;          /* how many were closed; only read */
    const char *verdict;          /* of icpadmin's newest look, "" if never looked at; only read */
    apr_time_t checked_at;
} icp_site_t;

/* Inside a change. hosts and numbers as a person writes them; a name that is a host name (has a dot) is one of its
 * hosts. Every number's license must be on file (ICP_NOT_FOUND). ICP_REFUSED for a name or host on file (says whose)
 * and for a host under a suspended site's wildcard. Without an active license a suspension `unlicensed` is opened
 * unless site->serve_unlicensed. Fills in `site`. Of its errors only ICP_FAULT can have written something. */
icp_error_t *icp_site_add(icp_register_t *reg, icp_site_t *site, apr_pool_t *pool);

typedef struct icp_site_edit_t {
    const char *name;
    apr_array_header_t *add_hosts, *remove_hosts, *add_numbers, *remove_numbers; /* const char *; NULL for none */
    const char *homepage; /* NULL: as it is */
    int serve_unlicensed; /* 1, 0, -1: as it is */
} icp_site_edit_t;

/* Where its home page is looked at: its URL on file, or the path by `scheme` on the host it is named after, else on the first one of
 * those in order, exact ones first ("www" for the asterisk of a wildcard). */
const char *icp_site_page(const icp_site_t *site, const char *scheme, apr_pool_t *pool);

/* Inside a change. Refused: what would let a host of a suspended site be served; another page to look at while it is suspended for what
 * its page shows; removing the last host. A site that is
 * left without active license is suspended `unlicensed`. */
icp_error_t *icp_site_edit(icp_register_t *reg, const icp_site_edit_t *edit, apr_pool_t *pool);

/* Inside a change. A suspended site is not removed: its host names would be served. */
icp_error_t *icp_site_remove(icp_register_t *reg, const char *name, const char *note, apr_pool_t *pool);

/* By name, else by any of its host names, also as a URL of one. */
icp_error_t *icp_site_get(icp_site_t **site, icp_register_t *reg, const char *name, apr_pool_t *pool);

typedef enum icp_site_filter_e { ICP_SITES_ALL, ICP_SITES_SUSPENDED, ICP_SITES_OPEN } icp_site_filter_e;
typedef icp_error_t *icp_site_fn(const icp_site_t *site, void *baton, apr_pool_t *pool);
icp_error_t *icp_site_each(icp_register_t *reg, icp_site_filter_e filter, icp_site_fn *fn, void *baton,
                           apr_pool_t *pool);

#endif
