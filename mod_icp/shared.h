/* What all children share: which passes for one request were used, and what has been counted since httpd was started. It is kept over
 * restarts. Any code in a worker could write here, so nothing is decided by it but that a pass for one request is not good. */
#ifndef MOD_ICP_SHARED_H
#define MOD_ICP_SHARED_H

#include <apr_time.h>

#include "error.h"
#include "once.h"
#include "reason.h"
#include "verdict.h"

typedef struct icp_counts_t {
    atomic_uint_fast64_t notices[ICP_REASON_COUNT + 1]; /* by reason; the last: of no registered site */
    atomic_uint_fast64_t exempt, observed;              /* requests */
    atomic_uint_fast64_t owner_passes, check_passes;    /* requests let through */
    atomic_uint_fast64_t refused_passes;                /* requests with passes none of which was good */
    atomic_uint_fast64_t inspections[ICP_VERDICT_COUNT]; /* full reads */
    atomic_uint_fast64_t faults;                        /* times that a process could not read the register */
} icp_counts_t;

typedef struct icp_shared_t {
    icp_once_t once;
    icp_counts_t counts;
    apr_time_t since;
} icp_shared_t;

extern icp_shared_t *icp_shared; /* from icp_shared_start on */

/* post_config. */
icp_error_t *icp_shared_start(apr_pool_t *pool);

static inline void icp_count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

#endif
