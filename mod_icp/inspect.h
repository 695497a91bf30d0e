/* The inspection filter: looks at every home page that leaves, and passes it on as it is. */
#ifndef MOD_ICP_INSPECT_H
#define MOD_ICP_INSPECT_H

#include "config.h"

/* register_hooks: the filter, and insert_filter, which is a few comparisons for what is no home page. */
void icp_inspect_register(void);

/* child_init: the table of sites this child has looked at, and the queue of sightings. */
void icp_inspect_child_init(apr_pool_t *pool, server_rec *server);

/* From the watchdog: writes the sightings made since the last call to sightings.db. */
void icp_inspect_flush(apr_pool_t *scratch_pool);

#endif
