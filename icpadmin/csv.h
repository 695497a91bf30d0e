/* CSV (RFC 4180) as commands print it. */
#ifndef ICP_CSV_H
#define ICP_CSV_H

#include <apr_pools.h>

/* Quoted where it must be. */
const char *icp_csv_field(const char *text, apr_pool_t *pool);

/* The same of a stranger's text, for a spreadsheet: one that a spreadsheet would take for a formula gets an apostrophe before it. */
const char *icp_csv_cell(const char *text, apr_pool_t *pool);

#endif
