#include "brake.h"

#include <apr_strings.h>

#include "policy.h"

icp_error_t *icp_brake_read(icp_brake_t *brake, icp_register_t *reg, apr_pool_t *pool)
{
    ICP_TRY(icp_policy_number(&brake->sites, reg, ICP_POLICY_BRAKE_SITES, pool));
    return icp_policy_number(&brake->share, reg, ICP_POLICY_BRAKE_SHARE, pool);
}

const char *icp_brake_pulled(const icp_brake_t *brake, apr_int64_t to_suspend, apr_int64_t looked, apr_pool_t *pool)
{
    if (to_suspend > brake->sites) {
        return apr_psprintf(pool, "policy brake-sites lets %" APR_INT64_T_FMT " pass", brake->sites);
    }
    if (looked && to_suspend >= 2 && to_suspend * 100 > brake->share * looked) {
        return apr_psprintf(pool, "policy brake-share lets %" APR_INT64_T_FMT "%% pass, of %" APR_INT64_T_FMT " sites",
                            brake->share, looked);
    }
    return NULL;
}
