/* SetHandler icp-status: what this child knows, for staff; HTML, ?json, ?metrics. Never without an explicit Require. */
#ifndef MOD_ICP_STATUS_H
#define MOD_ICP_STATUS_H

#include <httpd.h>

#include "error.h"

/* post_config: ICP_USAGE names file and line of a SetHandler icp-status that stands in a section without Require. */
icp_error_t *icp_status_check(apr_pool_t *pool);

/* The handler hook. */
int icp_status_handler(request_rec *r);

#endif
