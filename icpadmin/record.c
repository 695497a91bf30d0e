#include "record.h"

#include "evidence.h"

icp_error_t *icp_record_prepare(icp_register_t *reg, icp_fetched_t *fetched)
{
    icp_received_t received = {.address = fetched->look.address,
                               .headers = fetched->headers,
                               .body = fetched->body,
                               .length = fetched->kept,
                               .bytes = fetched->bytes,
                               .sha256 = fetched->sha256};
    if (reg->dry_run) return NULL;
    return icp_evidence_keep(&fetched->evidence, reg, &fetched->look, &received, fetched->pool);
}

icp_error_t *icp_record_look(icp_register_t *reg, const icp_fetched_t *fetched, icp_recorded_e *how, apr_pool_t *pool)
{
    ICP_TRY(icp_inspection_record(reg, &fetched->look, how, pool));
    return icp_evidence_record(reg, fetched->evidence, pool);
}

icp_error_t *icp_record_check(icp_ruling_t *ruling, icp_register_t *reg, const icp_fetched_t *fetched,
                              const icp_measure_t *measure, apr_pool_t *pool)
{
    icp_error_t *error = icp_streak_look(ruling, reg, &fetched->look, measure, pool);
    if (error && error->status == ICP_NOT_FOUND) {
        ruling->kind = ICP_RULING_OVERTAKEN;
        return NULL;
    }
    if (error) return error;
    return icp_evidence_record(reg, fetched->evidence, pool);
}
