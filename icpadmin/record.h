/* A look goes on file: what was seen, and of a page that failed the page itself, as evidence. In two steps, since files are
 * written before the change that refers to them. */
#ifndef ICP_RECORD_H
#define ICP_RECORD_H

#include "fetch.h"
#include "streak.h"

/* Before the change; nothing with reg->dry_run. */
icp_error_t *icp_record_prepare(icp_register_t *reg, icp_fetched_t *fetched);

/* Inside the change; *how as icp_inspection_record says. ICP_NOT_FOUND: the site was removed meanwhile. */
icp_error_t *icp_record_look(icp_register_t *reg, const icp_fetched_t *fetched, icp_recorded_e *how, apr_pool_t *pool);

/* The same for a look that counts: with the ruling of the policy, as icp_streak_look gives it. Of a site that was removed
 * meanwhile nothing is recorded: it is overtaken. */
icp_error_t *icp_record_check(icp_ruling_t *ruling, icp_register_t *reg, const icp_fetched_t *fetched,
                              const icp_measure_t *measure, apr_pool_t *pool);

#endif
