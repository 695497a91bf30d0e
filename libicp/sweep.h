/* Sweeps: the regular look at every site, from its start to its end, and what is on file of each.
 *
 * One at a time, by a lock of its own beside the register (FILE.sweep, root 0600), which no other command waits for. A sweep
 * that was interrupted has a row without an end, and the next one goes on with it: what it looked at is on file. */
#ifndef ICP_SWEEP_H
#define ICP_SWEEP_H

#include "inspection.h"

#define ICP_SWEEP_FRESH apr_time_from_sec(6 * 3600) /* so long the looks of a sweep are good enough to go on with */
#define ICP_SWEEP_DUE apr_time_from_sec(48 * 3600)  /* by then the next one should have ended: a day, and a day's grace */

typedef struct icp_sweep_t {
    apr_int64_t id;
    apr_time_t started_at, ended_at; /* ended_at 0: under way, or interrupted */
    int enforce;
    apr_int64_t total, done, compliant, failing, for_person;
    apr_int64_t to_suspend, suspended; /* by policy */
    int braked;                        /* to_suspend was more than the brake allows */
    const char *approved_by;           /* who let it go on all the same; NULL */
} icp_sweep_t;

/* Takes the lock until the process ends. ICP_REFUSED names who has it. */
icp_error_t *icp_sweep_lock(icp_register_t *reg, apr_pool_t *pool);

/* *sweep NULL if there was none. With `enforcing` the newest of those that enforce the policy. */
icp_error_t *icp_sweep_newest(icp_sweep_t **sweep, icp_register_t *reg, int enforcing, apr_pool_t *pool);

/* Inside a change: a new row, with sweep->enforce and total; id and started_at are filled in. Closes what was left. */
icp_error_t *icp_sweep_begin(icp_register_t *reg, icp_sweep_t *sweep);

/* Inside a change: writes all of it. */
icp_error_t *icp_sweep_save(icp_register_t *reg, const icp_sweep_t *sweep);

/* Inside a change: the same with its end, and the event sweep.end, sweep.brake or sweep.approve. */
icp_error_t *icp_sweep_end(icp_register_t *reg, icp_sweep_t *sweep, apr_pool_t *pool);

/* "sweep 12" */
const char *icp_sweep_name(const icp_sweep_t *sweep, apr_pool_t *pool);

/* What is on file of one site. */
typedef struct icp_seen_t {
    const char *site, *verdict, *reason, *detail; /* detail: as icpadmin inspect --json prints it, with url, status, fault */
    apr_time_t at;
    const char *suspended; /* reason of the open suspension; NULL */
} icp_seen_t;

/* Those looked at from then on, and not in the future: icp_seen_t, by name. */
icp_error_t *icp_sweep_looks(apr_array_header_t **list, icp_register_t *reg, apr_time_t since, apr_time_t now,
                             apr_pool_t *pool);

#endif
