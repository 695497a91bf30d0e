/* The gate: whether the site or the notice answers. One decision per request, in quick_handler at
 * APR_HOOK_REALLY_FIRST; for an open site about 100 instructions of its own, no lock, no system call, no SQLite. */
#ifndef MOD_ICP_GATE_H
#define MOD_ICP_GATE_H

#include "admit.h"
#include "config.h"
#include "snapshot.h"

#define ICP_GATE_NOTE "icp-state"

/* Decides, and sets the note icp-state: "suspended", "pass", "exempt", "observe". */
int icp_gate_quick_handler(request_rec *r, int lookup);

/* The log_transaction hook, before all others, where the configuration names the note: "open". */
int icp_gate_log(request_rec *r);

/* The handler hook, before all others: a request that was let through for its path and has become one for another
 * path (mod_dir, mod_rewrite, an Action) is decided anew. */
int icp_gate_handler(request_rec *r);

/* Need icp_gate_handler not be asked? Of most requests, those for open sites, this says so at once. */
static inline int icp_gate_is_through(const request_rec *r)
{
    const icp_mark_t *mark = icp_mark_of(r);
    return (!mark || mark == &icp_mark_open) && !r->prev && !r->main;
}

/* The registered site that this request is for (Host first, else the vhost's), a copy in r->pool; NULL if none.
 * For the inspection and the status page, not for the path of every request. */
const icp_snapshot_site_t *icp_gate_site(request_rec *r);

/* For the status page: what is in force in this child, and since when it could not be refreshed (NULL: it is current). */
typedef struct icp_gate_health_t {
    icp_snapshot_facts_t facts;
    const char *fault; /* what keeps the newest register from being read; NULL */
    apr_time_t fault_since;
} icp_gate_health_t;
void icp_gate_health(icp_gate_health_t *health, apr_pool_t *pool);

/* The newest suspensions in force, copied into `pool`: icp_snapshot_site_t, newest first, at most `room`. */
apr_array_header_t *icp_gate_suspended(int room, apr_pool_t *pool);

/* How many vhosts with an engine and ICPUnregistered Serve belong to no registered site; a few of their names in `examples`. */
int icp_gate_unregistered(const char **examples, server_rec *main_server, apr_pool_t *pool);

#endif
