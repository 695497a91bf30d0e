#include "queue.h"

#include <apr_strings.h>

void icp_queue_flag(icp_queue_t *queue, apr_time_t since, const char *kind, const char *flag, const char *subject,
                    const char *why, const char *command)
{
    apr_pool_t *pool = queue->items->pool;
    icp_queue_item_t item = {apr_pstrdup(pool, kind), apr_pstrdup(pool, flag), apr_pstrdup(pool, subject), apr_pstrdup(pool, why),
                   apr_pstrdup(pool, command), since};
    APR_ARRAY_PUSH(queue->items, icp_queue_item_t) = item;
}

void icp_queue_add(icp_queue_t *queue, apr_time_t since, const char *kind, const char *subject, const char *why,
                   const char *command)
{
    icp_queue_flag(queue, since, kind, NULL, subject, why, command);
}
