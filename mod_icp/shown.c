#include "shown.h"

#include "shared.h"

static apr_int64_t load(const atomic_uint_fast64_t *counter)
{
    return (apr_int64_t)atomic_load_explicit(counter, memory_order_relaxed);
}

apr_array_header_t *icp_status_counters(apr_pool_t *pool)
{
    const icp_counts_t *counts = &icp_shared->counts;
    apr_array_header_t *list = apr_array_make(pool, 32, sizeof(icp_counter_t));
#define COUNTER(...) APR_ARRAY_PUSH(list, icp_counter_t) = (icp_counter_t){__VA_ARGS__}
    for (int i = 0; i <= ICP_REASON_COUNT; i++) {
        COUNTER("icp_notices_total", "reason", i < ICP_REASON_COUNT ? icp_reason_names[i] : "unregistered", "Requests that got the notice.",
                load(&counts->notices[i]));
    }
    COUNTER("icp_exempt_requests_total", NULL, NULL, "Requests for exempt paths of suspended sites.", load(&counts->exempt));
    COUNTER("icp_observed_requests_total", NULL, NULL, "Requests that ICPEngine Observe let through.", load(&counts->observed));
    COUNTER("icp_passes_used_total", "kind", "owner", "Requests that a pass let through.", load(&counts->owner_passes));
    COUNTER("icp_passes_used_total", "kind", "checker", "Requests that a pass let through.", load(&counts->check_passes));
    COUNTER("icp_passes_refused_total", NULL, NULL, "Requests with passes none of which was good.", load(&counts->refused_passes));
    for (int i = 0; i < ICP_VERDICT_COUNT; i++) {
        COUNTER("icp_inspections_total", "verdict", icp_verdict_name((icp_verdict_e)i), "Home pages read in full as they left.",
                load(&counts->inspections[i]));
    }
    COUNTER("icp_register_faults_total", NULL, NULL, "Times that a process could not read the register.", load(&counts->faults));
#undef COUNTER
    return list;
}

const char *icp_status_verdict(int verdict)
{
    return verdict < ICP_VERDICT_COUNT ? icp_verdict_name((icp_verdict_e)verdict) : "never";
}
