/* The sites of an approval: approval.c's half that deals with websites; nobody else includes this. */
#ifndef ICP_APPROVAL_SITE_H
#define ICP_APPROVAL_SITE_H

#include "approval.h"
#include "number.h"

/* Inside a change, approval->license on file for approval->holder: each website of the form gets its number. Sites on file that have
 * one of its hosts get it and the hosts they lack; else one is added. */
icp_error_t *icp_approval_give(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                               const icp_number_t *number, apr_pool_t *pool);

/* The hosts of a change: those that are new go to the site that has the others. */
icp_error_t *icp_approval_extend(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                 apr_pool_t *pool);

/* The license's numbers are taken from the sites of the form; those left without an active one are suspended, `cancelled`. */
icp_error_t *icp_approval_take(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                               const icp_number_t *number, apr_pool_t *pool);

#endif
