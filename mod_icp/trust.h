/* Rule 3: nothing that httpd's workers can write may decide. */
#ifndef MOD_ICP_TRUST_H
#define MOD_ICP_TRUST_H

#include "error.h"

/* ICP_REFUSED if the user that httpd's workers run as owns or can write the register, its bell, their folder or one above it
 * (where he could put another folder in its place); ICP_DENIED if he cannot read register and bell, for then no child would learn of a change. Nothing is checked where httpd was not started by root:
 * its own user is all the users there are. */
icp_error_t *icp_trust_check(const char *register_path, apr_pool_t *pool);

#endif
