/* Keeps a bell that is cut short from ending the process: reading a page of a file that has become shorter raises SIGBUS. */
#ifndef MOD_ICP_BELL_GUARD_H
#define MOD_ICP_BELL_GUARD_H

#include "bell.h"

/* From now until `pool` is cleared a SIGBUS in the bell's page is mended by icp_bell_fault, and any other goes to the handler
 * that was there before. One bell per process. */
icp_error_t *icp_bell_guard(icp_bell_t *bell, apr_pool_t *pool);

#endif
