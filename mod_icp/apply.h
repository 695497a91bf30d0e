/* SetHandler icp-apply: the application form in English and Chinese, and the page behind an application's link. What is sent goes to the
 * intake (intake.h), sealed; nothing of an application is read back but its state, which only the link's token opens. */
#ifndef MOD_ICP_APPLY_H
#define MOD_ICP_APPLY_H

#include <httpd.h>

#include "error.h"

/* post_config, whatever the engine: pieces, holidays, secret and table of addresses. */
icp_error_t *icp_apply_start(apr_pool_t *pconf, server_rec *server);

/* The handler hook. */
int icp_apply_handler(request_rec *r);

#endif
