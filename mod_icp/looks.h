/* Which sites this httpd child has looked at, when, and what it saw: so that each costs one full read per interval. */
#ifndef MOD_ICP_LOOKS_H
#define MOD_ICP_LOOKS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "verdict.h"

/* Once per child. */
void icp_looks_init(apr_pool_t *pool);

/* Nonzero if this response gets the full read: none was made within `interval`, or none since the register's expectation
 * (icp_snapshot_site_t.expectation) changed. Of several threads that ask at once, one is told so. */
int icp_looks_claim(apr_int64_t site_id, apr_uint32_t expectation, apr_interval_time_t interval);

/* The claimed read came to nothing (the visitor went away): the next response gets one. */
void icp_looks_release(apr_int64_t site_id);

/* The claimed read ended in this verdict; nonzero if this child's last one was another. */
int icp_looks_settle(apr_int64_t site_id, icp_verdict_e verdict);

#endif
