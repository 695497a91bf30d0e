/* The status page. It reads what the gate has in memory and nothing else. */
#include "status.h"

#include <http_protocol.h>

#include "gate.h"

icp_error_t *icp_status_check(apr_pool_t *pool)
{
    return NULL;
}

int icp_status_handler(request_rec *r)
{
    return r->handler && !strcmp(r->handler, "icp-status") ? HTTP_FORBIDDEN : DECLINED;
}
