/* What happens without a request: in each child an ear for the bell ten times a second and the look once a second, and the parent's look. */
#ifndef MOD_ICP_WATCH_H
#define MOD_ICP_WATCH_H

#include <httpd.h>

#include "error.h"

/* post_config, before mod_watchdog's: asks for a call-back in each child. ICP_NOT_FOUND: mod_watchdog is not loaded. */
icp_error_t *icp_watch_start(apr_pool_t *pconf, apr_pool_t *ptemp);

/* child_init, after all that the call-backs work for: when `pchild` goes, the last of them is made and no other. */
void icp_watch_child_init(apr_pool_t *pchild);

/* The monitor hook, about every ten seconds in the parent: what it knows is what a new child begins with. */
int icp_watch_parent(apr_pool_t *pool, server_rec *server);

#endif
