/* The parent's watch. What the parent knows is what a new child begins with, and what a restart goes on with while the register cannot
 * be read; so it reads a change at once, before anything can happen to the register. */
#ifndef MOD_ICP_KEEPER_H
#define MOD_ICP_KEEPER_H

#include <httpd.h>

/* post_config, when httpd has detached and icp_view_start was done: starts a thread, which ends with `pconf`. Where there can be none,
 * the log says so and the monitor hook has to do. */
void icp_keeper_start(apr_pool_t *pconf, const char *register_path, server_rec *server);

#endif
