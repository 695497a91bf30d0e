/* An inspection in words: what support sends to a client. */
#ifndef ICP_EXPLAIN_H
#define ICP_EXPLAIN_H

#include <stdio.h>

#include "verdict.h"

/* The verdict, where in the page each number stands, why a hidden one does not count, and what to change. */
void icp_explain(FILE *out, const icp_inspection_t *inspection, const icp_expectation_t *expected, apr_pool_t *pool);

#endif
