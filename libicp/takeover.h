/* Taking over what clients sent: from the intake (intake.h) into applications. Nothing in a submission is trusted: its form is
 * checked again. Killed anywhere, nothing is lost and nothing is taken twice. */
#ifndef ICP_TAKEOVER_H
#define ICP_TAKEOVER_H

#include "register.h"

typedef struct icp_takeover_t {
    int added, corrected, withdrawn; /* as the clients asked */
    int refused;                     /* new ones that cannot be taken; their clients learn why */
    int dropped;                     /* for no application, or one that cannot be corrected or withdrawn where it stands */
    int expired;                     /* what the clock did besides */
    apr_array_header_t *unreadable;  /* const char *: no submission at all; put aside */
} icp_takeover_t;

/* Every submission that is ready, some of them in one change (one that fails keeps no other from being taken); then what is overdue by the clock; then clients' pages are brought up
 * to date. With reg->dry_run nothing is taken. */
icp_error_t *icp_takeover(icp_takeover_t *result, icp_register_t *reg, apr_pool_t *pool);

#endif
