/* What clients see of their applications through their links: published (intake.h) after the change that it tells of, and again by
 * the next command where a crash came in between. */
#ifndef ICP_PROGRESS_H
#define ICP_PROGRESS_H

#include "application.h"

/* Outside a change: publishes every application that changed since it was last published. What cannot be published is told by
 * icp_log, and stays to be published. *count (may be NULL): how many. */
icp_error_t *icp_progress_publish(int *count, icp_register_t *reg, apr_pool_t *pool);

#endif
