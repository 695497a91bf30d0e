/* SetHandler icp-status: for staff; HTML, ?json, ?metrics (Prometheus, text format 0.0.4), which names
 * no site but with ?metrics&sites. Not for everybody: it must stand in a section that says who may see it. */
#ifndef MOD_ICP_STATUS_H
#define MOD_ICP_STATUS_H

#include <httpd.h>

#include "error.h"

/* post_config: ICP_USAGE names file and line of a SetHandler or AddHandler icp-status without a Require beside it. */
icp_error_t *icp_status_check(apr_pool_t *pool);

/* A line in mod_status, where that is loaded. */
void icp_status_register(void);

/* The handler hook. 403, with a line in the error log, where no Require applies at all. */
int icp_status_handler(request_rec *r);

#endif
