/* What an approval makes of an application in the register: holder, license and sites from what the client typed, with the numbers
 * that the bureau gave; or what it ends. One change with the step itself: all of it, or nothing. */
#ifndef ICP_APPROVAL_H
#define ICP_APPROVAL_H

#include "application.h"

typedef struct icp_approval_website_t {
    const char *website; /* its name in the form, or one of its hosts */
    const char *number;  /* "-3", "3", or whole: 沪ICP备05012345号-3 */
} icp_approval_website_t;

typedef struct icp_approval_site_t {
    const char *name, *number; /* number "" where it has none of this license any more */
    const char *what;          /* "added", "on file", "suspended" */
} icp_approval_site_t;

typedef struct icp_approval_t {
    const char *number;                 /* of the license; NULL where the form names it */
    const apr_array_header_t *websites; /* icp_approval_website_t */
    const char *note;                   /* for the audit log; NULL */

    const char *license, *holder;       /* filled in: as they are on file now */
    apr_array_header_t *sites;          /* and icp_approval_site_t */
} icp_approval_t;

/* Inside a change. ICP_USAGE: what was said cannot be (no number, another kind of number, another province's, not the application's,
 * a website that it does not name). ICP_REFUSED: a number or a host is somebody else's (which says whose), or the application is not
 * with the bureau. Sites that get a number are not suspended for what they show for the policy's grace-days; those suspended already
 * stay so until their page shows it. */
icp_error_t *icp_approval_make(icp_register_t *reg, icp_application_t *application, icp_approval_t *approval, apr_pool_t *pool);

#endif
