/* Which sites this httpd child has looked at, when, and what it saw: so that each costs one full read per interval, and a
 * search for the bytes that were judged in between. */
#ifndef MOD_ICP_LOOKS_H
#define MOD_ICP_LOOKS_H

#include <apr_pools.h>
#include <apr_time.h>

#include "confirm.h"
#include "verdict.h"

typedef enum icp_look_kind_e {
    ICP_LOOK_NONE,    /* not this response */
    ICP_LOOK_FULL,    /* read it all */
    ICP_LOOK_CONFIRM  /* are the bytes that were judged still in it? */
} icp_look_kind_e;

/* Once per child. */
void icp_looks_init(apr_pool_t *pool);

/* What a response of this site gets. FULL if none was made within `interval`, none since the register's expectation
 * (icp_snapshot_site_t.expectation) changed, or the last confirmation failed; of several threads that ask at once, one is told so. With
 * CONFIRM, *patterns is filled. With FULL, *around is how much to learn beside the digits (icp_learn_create). */
icp_look_kind_e icp_looks_claim(apr_int64_t site_id, apr_uint32_t expectation, apr_interval_time_t interval,
                                icp_patterns_t *patterns, int *around);

/* The claimed read came to nothing (the visitor went away): the next response gets one. */
void icp_looks_release(apr_int64_t site_id);

/* A whole response did not hold the bytes that were judged: the next one gets a full read. */
void icp_looks_miss(apr_int64_t site_id);

/* The claimed read ended in this verdict; `patterns`: what confirms it, NULL if nothing does. Nonzero if this child's last
 * verdict on the site was another. */
int icp_looks_settle(apr_int64_t site_id, icp_verdict_e verdict, const icp_patterns_t *patterns);

#endif
