/* The audit log: who did what, when, to what, and what it was before and after; a hash chain.
 *
 * hash(n) = hex SHA-256 over: hash(n-1) ("" for the first), then id, at, actor, action, subject, before, after, note,
 * each as its length in bytes in decimal, ':', its bytes. The number of events and the newest hash also stand in
 * register.db's state, so that a log cut short at its end does not verify either.
 */
#ifndef ICP_AUDIT_H
#define ICP_AUDIT_H

#include <jansson.h>

#include "register.h"

/* Appends one event; only inside a change. Steals no reference: before and after may be NULL (nothing there).
 * `note` may be NULL. */
icp_error_t *icp_audit_event(icp_register_t *reg, const char *action, const char *subject, const json_t *before,
                             const json_t *after, const char *note, apr_pool_t *pool);

typedef struct icp_event_t {
    apr_int64_t id;
    apr_time_t at;
    const char *actor, *action, *subject, *before, *after, *note, *hash;
} icp_event_t;

/* Calls back for every event in order, oldest first, of `subject` (NULL: all). */
typedef icp_error_t *icp_event_fn(const icp_event_t *event, void *baton, apr_pool_t *pool);
icp_error_t *icp_audit_each(icp_register_t *reg, const char *subject, icp_event_fn *fn, void *baton, apr_pool_t *pool);

typedef struct icp_chain_t {
    apr_int64_t count; /* events */
    char head[65];     /* the newest one's hash, hex; "" if there is none */
} icp_chain_t;

/* Walks the chain. ICP_REFUSED names the first event that does not fit and how. `noted` (NULL: none) is the hash of an event that somebody
 * wrote down elsewhere: ICP_REFUSED if it is no longer in the chain, as after all of it was written anew. */
icp_error_t *icp_audit_verify(icp_register_t *reg, const char *noted, icp_chain_t *chain, apr_pool_t *pool);

#endif
