/* What the gate and the inspection need to know of the register, in memory and never changed once made.
 *
 * A snapshot is a base (every site and host name, from one full read) and, over it, the sites that changed since
 * (from gate_change, read afresh each time). So a change costs a few rows, and past ICP_SNAPSHOT_DELTA changed sites a
 * new base is read; so it is if the base's revision is not found with its tag, which tells that the register was put
 * back from a copy, or was changed very often since. Bases are shared by count between snapshots. Nothing in it points into any pool, nor at a
 * literal of the program: it lives by malloc, outlives the module at a restart, and is freed from whichever thread sees it go last.
 */
#ifndef ICP_SNAPSHOT_H
#define ICP_SNAPSHOT_H

#include <apr_time.h>

#include "error.h"
#include "reason.h"

#define ICP_SNAPSHOT_DELTA 256

typedef struct icp_snapshot_t icp_snapshot_t;

typedef struct icp_snapshot_site_t {
    apr_int64_t id;
    const char *name;
    const char *reason;          /* "missing" …; "" while open */
    apr_int64_t case_id;         /* suspension id; 0 while open */
    apr_time_t since;            /* of the suspension; 0 while open */
    const char *const *expected; /* numbers of active licenses that it must show, normal form; any one is enough */
    int expected_count;
    apr_uint32_t expectation;    /* changes whenever `expected` does */
    apr_uint32_t pass_epoch;     /* of the suspension: passes made under another are void */
    apr_uint32_t suspended : 1;
    apr_uint32_t hosts : 31;     /* how many host names it has */
} icp_snapshot_site_t;

/* Reads the register at `path` (read-only, as the worker user) and makes a snapshot that is current. `previous` may be
 * NULL; its base is used again if few sites changed. If nothing the gate knows has changed since `previous`, *snapshot
 * is `previous` itself. On any error *snapshot is untouched and the error says what is wrong: locked, hot journal left
 * by a crash, corrupt, newer schema, empty, unreadable. Waits up to timeout_ms for a writer's commit. One call at a
 * time per process: it opens and closes the file, which drops every POSIX lock this process has on it. */
icp_error_t *icp_snapshot_read(icp_snapshot_t **snapshot, icp_snapshot_t *previous, const char *path, int timeout_ms,
                               apr_pool_t *scratch_pool);

/* Frees it (and its base when no other snapshot has it). */
void icp_snapshot_free(icp_snapshot_t *snapshot);

/* The site a host name belongs to: exactly, else by the longest wildcard; NULL if none. `host` in any case, with or
 * without trailing dot, no port; `length` bytes. No allocation, no lock. The answer lives as long as the snapshot. */
const icp_snapshot_site_t *icp_snapshot_by_host(const icp_snapshot_t *snapshot, const char *host, apr_size_t length);

/* The site registered with exactly this host or wildcard ("*.example.cn"), or with a wildcard that covers all of it. */
const icp_snapshot_site_t *icp_snapshot_by_pattern(const icp_snapshot_t *snapshot, const char *pattern);

const icp_snapshot_site_t *icp_snapshot_by_name(const icp_snapshot_t *snapshot, const char *site_name);

/* Fills `newest` with up to `room` suspended sites, the newest suspension first; says how many. They live as long as the snapshot. */
int icp_snapshot_suspended(const icp_snapshot_t *snapshot, const icp_snapshot_site_t **newest, int room);

typedef struct icp_snapshot_facts_t {
    apr_int64_t revision; /* of the register's newest change that the gate must see */
    apr_int64_t sites, hosts, suspended;
    apr_int64_t by_reason[ICP_REASON_COUNT]; /* of the suspended, in the order of icp_reason_names */
    apr_time_t read_at;
    apr_size_t bytes;     /* of memory, base and delta */
} icp_snapshot_facts_t;

void icp_snapshot_facts(const icp_snapshot_t *snapshot, icp_snapshot_facts_t *facts);

/* SQLite's file change counter (bytes 24..27) with the file's device, inode, size and time of change, folded into one value that
 * differs when the file was changed, damaged or replaced; 0 if it cannot be read. Opens and closes the file: same rule as
 * icp_snapshot_read. */
apr_uint64_t icp_snapshot_fingerprint(const char *path);

#endif
