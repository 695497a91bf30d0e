/* What the policy does with what a check found: nothing, if the brake or a person says so; else one change. */
#ifndef ICP_ENFORCE_H
#define ICP_ENFORCE_H

#include "live.h"
#include "outcome.h"

/* Suspends those found (icp_outcome_t, sorted by it) whose ruling is to, with the end of `sweep` (NULL: sites were named; then of
 * the brake only the number counts). The options yes, dry-run and approve are the command line's. A look that is not from the
 * last minutes is made again first, by `live`. ICP_REFUSED: the brake, an --approve with another number, or the answer is no;
 * nothing was suspended then. */
icp_error_t *icp_enforce(icp_cli_t *cli, icp_live_t *live, apr_array_header_t *found, icp_sweep_t *sweep);

#endif
