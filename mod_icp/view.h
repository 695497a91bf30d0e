/* The register as it is in force in this process: the newest good snapshot, and what keeps it current.
 *
 * A reader compares the bell with the word that the snapshot was read at, and only where they differ does it wait for the register to
 * be read again. What cannot be read changes nothing: the last good snapshot stays in force (rule 6), the error log says so
 * once, and the next ring or the next look tries again. */
#ifndef MOD_ICP_VIEW_H
#define MOD_ICP_VIEW_H

#include "bell.h"
#include "config.h"
#include "db.h"
#include "publish.h"
#include "snapshot.h"

typedef struct icp_view_t {
    icp_published_t published;
    icp_snapshot_t *snapshot;
    uint64_t epoch; /* from 1, one more with every view */
} icp_view_t;

/* post_config, as root: reads the register, and keeps what it read over restarts, so that a register which cannot be read then
 * leaves the last good state in force. An error: there is no such state, httpd must not start. */
icp_error_t *icp_view_start(apr_pool_t *pconf, server_rec *server);

/* child_init: maps the bell. */
void icp_view_child_init(server_rec *server);

/* What every request touches; view.c's otherwise. */
typedef struct icp_view_now_t {
    const icp_bell_t *bell;
    atomic_uint_fast64_t seen; /* the bell's word, taken before the snapshot in force was read */
    atomic_uint_fast64_t epoch; /* of the view in force; written before that, so that what is known of this epoch is of no older view */
    icp_publish_t publish;
} icp_view_now_t;
extern icp_view_now_t icp_view_now;

void icp_view_catch_up(uint64_t word);

/* Sees to it that the view in force holds every change whose command returned before this call, unless the register cannot be read. */
static inline void icp_view_follow(void)
{
    uint64_t word = icp_bell_read(icp_view_now.bell);
    if (__builtin_expect(word != atomic_load(&icp_view_now.seen), 0)) icp_view_catch_up(word);
}

/* That view. Given back by icp_publish_release(slot), soon. `hint`: see icp_publish_acquire. */
static inline icp_view_t *icp_view_acquire(unsigned hint, icp_slot_t **slot)
{
    icp_view_follow();
    return (icp_view_t *)icp_publish_acquire(&icp_view_now.publish, hint, slot);
}

/* Eight bits that were worked out from a view and hold as long as it is in force: kept with its epoch, they can be looked up without
 * acquiring the view. 0: not known of this epoch. */
static inline unsigned icp_view_known(const atomic_uint_fast64_t *known, uint64_t epoch)
{
    uint64_t kept = atomic_load(known);
    return kept >> 8 == epoch ? (unsigned)(kept & 0xff) : 0;
}

static inline void icp_view_keep(atomic_uint_fast64_t *known, uint64_t epoch, unsigned bits)
{
    atomic_store(known, epoch << 8 | bits);
}

/* Around a fork of the parent: no look is under way while it is made. In a child these do nothing. */
void icp_view_hold(void);
void icp_view_let_go(void);

/* Ten times a second in each child: reads what the bell told of, so that a child without requests does not meet a register that came to
 * harm with a change still unread. A comparison of two words where there is nothing new. */
void icp_view_listen(void);

/* Once a second in each child, at each ring and once a second in the parent: finds what no bell told of (a register or bell put in place by other
 * means), tries again what failed, and frees what was replaced. */
void icp_view_look(void);

/* Reads register.db for the status page, read-only, by `read` in one transaction. It waits for nobody for long, and is broken off (an
 * error) after a second, and as soon as a request of the gate's has to read a change: here as everywhere, one reader at a time (snapshot.h). */
typedef icp_error_t *icp_consult_fn(icp_db_t *db, void *baton, apr_pool_t *pool);
icp_error_t *icp_view_consult(icp_consult_fn *read, void *baton, apr_pool_t *pool);

/* What keeps the newest register from being read, in `pool`, and since when; NULL: nothing does. */
const char *icp_view_fault(apr_time_t *since, apr_pool_t *pool);

#endif
