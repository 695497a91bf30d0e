/* The whole table of commands as a document. */
#ifndef ICP_MANUAL_H
#define ICP_MANUAL_H

#include <apr_pools.h>

/* Both print to standard output. */
void icp_manual_markdown(apr_pool_t *pool);
void icp_manual_man(apr_pool_t *pool);

#endif
