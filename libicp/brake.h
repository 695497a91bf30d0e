/* The brake: a checker that suddenly finds everybody guilty is broken, and is stopped before it does harm. */
#ifndef ICP_BRAKE_H
#define ICP_BRAKE_H

#include "register.h"

typedef struct icp_brake_t {
    apr_int64_t sites; /* so many suspensions pass */
    apr_int64_t share; /* in percent of the sites looked at; 100: any */
} icp_brake_t;

icp_error_t *icp_brake_read(icp_brake_t *brake, icp_register_t *reg, apr_pool_t *pool);

/* NULL if a sweep that looked at `looked` sites may suspend so many of them; else the bound that it is over: "policy brake-sites
 * lets 20 pass". The share does not stop a single suspension. With `looked` 0 only the number counts. */
const char *icp_brake_pulled(const icp_brake_t *brake, apr_int64_t to_suspend, apr_int64_t looked, apr_pool_t *pool);

#endif
