/* What keeps the form from being used by others than the visitor who has it open, twice, or too often.
 *
 * A form carries a ticket: time, nonce, and an HMAC over both and over the visitor's cookie (SameSite=Lax). The names of what a
 * submission becomes are derived from the ticket, so that the same form sent twice is one submission, in whichever child. */
#ifndef MOD_ICP_APPLY_GUARD_H
#define MOD_ICP_APPLY_GUARD_H

#include <httpd.h>

#include "error.h"

typedef enum icp_apply_count_e {
    ICP_APPLY_ATTEMPTS,    /* bodies read */
    ICP_APPLY_SUBMISSIONS  /* handed over */
} icp_apply_count_e;

/* post_config: the secret, which lives as long as the process that starts the children, so that a reload leaves open forms
 * valid; and the shared table of addresses. */
icp_error_t *icp_apply_guard_start(apr_pool_t *pconf, server_rec *server);

/* The visitor's cookie; where he has none, a new one goes with the answer. */
const char *icp_apply_cookie(request_rec *r);

/* For a new form. */
const char *icp_apply_ticket(request_rec *r, const char *cookie);

/* Nonzero: made here for this cookie, in the last day. */
int icp_apply_ticket_fits(request_rec *r, const char *cookie, const char *ticket);

/* Nonzero: another site's page sent this request, or the browser does not say that it was ours while it says so usually. */
int icp_apply_is_foreign(request_rec *r);

/* Of a ticket that fits: the id of its submission, and the token of the link if it is a new application. */
const char *icp_apply_submission_id(request_rec *r, const char *ticket);
const char *icp_apply_token(request_rec *r, const char *ticket);

/* The request's address (IPv6: its /64), in short; never 0. */
apr_uint32_t icp_apply_address(request_rec *r);

/* Counts one more from the request's address (IPv6: its /64) in this hour; nonzero: that is over `limit` (0: none). */
int icp_apply_is_over(request_rec *r, icp_apply_count_e what, int limit);

#endif
