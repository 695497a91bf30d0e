#include "snapshot.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "register.h"
#include "snapshot_layer.h"

/* A point in the register's history; the tag tells histories apart that number their changes alike. */
typedef struct point_t {
    apr_int64_t revision, tag;
} point_t;

struct icp_snapshot_t {
    icp_layer_t *base, *delta; /* delta: NULL if nothing changed since the base was read */
    point_t base_point, point;
    unsigned char *stale; /* with a delta: one bit for each site of the base that it replaces or removes */
    size_t wildcard_min, wildcard_max;
    icp_snapshot_facts_t facts;
};

static void *zeroed(size_t bytes)
{
    void *block = calloc(1, bytes);
    if (!block) abort();
    return block;
}

static int is_stale(const icp_snapshot_t *snapshot, apr_int64_t index)
{
    return snapshot->stale && snapshot->stale[index >> 3] >> (index & 7) & 1;
}

/* Is this a register that can be read, in a transaction from here on? */
static icp_error_t *begin(icp_db_t *db, const char *path, apr_pool_t *pool)
{
    apr_int64_t pages, id, version, ignored;
    /* The rows come in the order they lie in, which needs no large cache. */
    ICP_TRY(icp_db_integer(&ignored, db, "PRAGMA cache_size = -256"));
    ICP_TRY(icp_db_run(db, ICP_STMT_SNAPSHOT_BEGIN));
    ICP_TRY(icp_db_integer(&pages, db, "PRAGMA page_count"));
    if (pages == 0) {
        return icp_error(pool, ICP_FAULT, "put it back with 'icpadmin restore FILE'", "%s is empty", path);
    }
    ICP_TRY(icp_db_integer(&id, db, "PRAGMA application_id"));
    if (id != ICP_REGISTER_ID) {
        return icp_error(pool, ICP_FAULT, "check the path, or put the register back with 'icpadmin restore FILE'",
                         "%s is an SQLite database but no register", path);
    }
    ICP_TRY(icp_db_integer(&version, db, "PRAGMA user_version"));
    if (version > ICP_REGISTER_SCHEMA) {
        return icp_error(pool, ICP_FAULT, "install the mod_icp that belongs to the icpadmin in use, and restart httpd",
                         "%s was written by a newer icpadmin: schema %" APR_INT64_T_FMT ", this program knows up to %d",
                         path, version, ICP_REGISTER_SCHEMA);
    }
    if (version < ICP_REGISTER_SCHEMA) {
        return icp_error(pool, ICP_FAULT, "any icpadmin command that changes the register brings it up to date",
                         "%s was written by an older icpadmin: schema %" APR_INT64_T_FMT ", this program reads %d",
                         path, version, ICP_REGISTER_SCHEMA);
    }
    return NULL;
}

static icp_error_t *read_point(point_t *point, icp_db_t *db)
{
    icp_stmt_t *stmt;
    int row;
    *point = (point_t){0, 0};
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_REVISION, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row) *point = (point_t){icp_stmt_int(stmt, 0), icp_stmt_int(stmt, 1)};
    icp_stmt_reset(stmt);
    return NULL;
}

/* The ids of the sites that changed since `since`; *count is -1 if that cannot be said or they are too many for a
 * delta. */
static icp_error_t *read_changed(apr_int64_t ids[ICP_SNAPSHOT_DELTA], int *count, icp_db_t *db, point_t since)
{
    icp_stmt_t *stmt;
    int row;
    *count = -1;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_TAG, "i", since.revision));
    ICP_TRY(icp_stmt_step(&row, stmt));
    int known = row && icp_stmt_int(stmt, 0) == since.tag;
    icp_stmt_reset(stmt);
    if (!known) return NULL;

    int found = 0;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_CHANGED, "ii", since.revision,
                             (apr_int64_t)ICP_SNAPSHOT_DELTA + 1));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        if (found == ICP_SNAPSHOT_DELTA) {
            icp_stmt_reset(stmt);
            return NULL;
        }
        ids[found++] = icp_stmt_int(stmt, 0);
    }
    *count = found;
    return NULL;
}

/* Marks what the delta replaces, and counts what is left. */
static void lay_over(icp_snapshot_t *snapshot, const apr_int64_t *ids, int count)
{
    const icp_layer_t *base = snapshot->base, *delta = snapshot->delta;
    icp_snapshot_facts_t *facts = &snapshot->facts;
    *facts = (icp_snapshot_facts_t){.revision = snapshot->point.revision,
                                    .read_at = apr_time_now(),
                                    .sites = base->site_count,
                                    .hosts = base->hosts.count,
                                    .suspended = base->suspended,
                                    .bytes = sizeof *snapshot + base->bytes};
    memcpy(facts->by_reason, base->by_reason, sizeof facts->by_reason);
    snapshot->wildcard_min = base->wildcard_min;
    snapshot->wildcard_max = base->wildcard_max;
    if (!delta) return;

    snapshot->stale = zeroed(base->site_count / 8 + 1);
    for (int i = 0; i < count; i++) {
        apr_int64_t index = icp_layer_find_id(base, ids[i]);
        if (index < 0) continue;
        snapshot->stale[index >> 3] |= 1 << (index & 7);
        facts->sites--;
        facts->hosts -= base->sites[index].hosts;
        facts->suspended -= base->sites[index].suspended;
        icp_layer_count_reason(facts->by_reason, base->sites + index, -1);
    }
    facts->sites += delta->site_count;
    facts->hosts += delta->hosts.count;
    facts->suspended += delta->suspended;
    for (int i = 0; i < ICP_REASON_COUNT; i++) facts->by_reason[i] += delta->by_reason[i];
    facts->bytes += delta->bytes + base->site_count / 8 + 1;
    if (delta->wildcard_max) {
        if (!base->wildcard_max || delta->wildcard_min < base->wildcard_min)
            snapshot->wildcard_min = delta->wildcard_min;
        if (delta->wildcard_max > base->wildcard_max) snapshot->wildcard_max = delta->wildcard_max;
    }
}

static icp_error_t *read_snapshot(icp_snapshot_t **result, icp_snapshot_t *previous, icp_db_t *db, const char *path,
                                  apr_pool_t *scratch_pool)
{
    apr_int64_t ids[ICP_SNAPSHOT_DELTA];
    int count = -1;
    point_t point;
    icp_layer_t *base = NULL, *delta = NULL;

    ICP_TRY(begin(db, path, scratch_pool));
    ICP_TRY(read_point(&point, db));
    if (previous) {
        if (point.revision == previous->point.revision && point.tag == previous->point.tag) {
            *result = previous;
            return NULL;
        }
        ICP_TRY(read_changed(ids, &count, db, previous->base_point));
    }
    if (count >= 0) {
        if (count > 0) ICP_TRY(icp_layer_read(&delta, db, ids, count, scratch_pool));
        base = previous->base;
        atomic_fetch_add(&base->users, 1);
    }
    else {
        ICP_TRY(icp_layer_read(&base, db, NULL, 0, scratch_pool));
    }
    icp_snapshot_t *snapshot = zeroed(sizeof *snapshot);
    snapshot->base = base;
    snapshot->delta = delta;
    snapshot->point = point;
    snapshot->base_point = count >= 0 ? previous->base_point : point;
    lay_over(snapshot, ids, count);
    *result = snapshot;
    return NULL;
}

icp_error_t *icp_snapshot_read(icp_snapshot_t **snapshot, icp_snapshot_t *previous, const char *path, int timeout_ms,
                               apr_pool_t *scratch_pool)
{
    icp_db_t *db;
    icp_snapshot_t *read = NULL;
    ICP_TRY(icp_db_open(&db, path, ICP_DB_READ, timeout_ms, scratch_pool));
    icp_error_t *error = read_snapshot(&read, previous, db, path, scratch_pool);
    icp_db_close(db);
    if (error) return error;
    if (icp_lock_hot(path, scratch_pool)) {
        /* SQLite did not see it: a customer's code can lock the byte by which SQLite tells a writer (lock.h). */
        if (read != previous) icp_snapshot_free(read);
        error = icp_error(scratch_pool, ICP_FAULT, "run icpadmin status as the register's owner, which undoes it",
                          "%s may be half written: a change was interrupted", path);
        error->cause = SQLITE_READONLY_ROLLBACK;
        return error;
    }
    *snapshot = read;
    return NULL;
}

void icp_snapshot_free(icp_snapshot_t *snapshot)
{
    if (!snapshot) return;
    icp_layer_release(snapshot->delta);
    icp_layer_release(snapshot->base);
    free(snapshot->stale);
    free(snapshot);
}

/* A name in the delta stands before the same name in the base, which may be one that its site has lost. */
static inline const icp_snapshot_site_t *find_key(const icp_snapshot_t *snapshot, const icp_hostkey_t *key)
{
    apr_int64_t index;
    if (snapshot->delta && (index = icp_hostmap_find(&snapshot->delta->hosts, key)) >= 0) {
        return snapshot->delta->sites + index;
    }
    index = icp_hostmap_find(&snapshot->base->hosts, key);
    return index >= 0 && !is_stale(snapshot, index) ? snapshot->base->sites + index : NULL;
}

/* The longest wildcard that begins at one of the dots from `dot` on. */
static const icp_snapshot_site_t *find_wildcard(const icp_snapshot_t *snapshot, const char *dot, const char *end)
{
    icp_hostkey_t key;
    const icp_snapshot_site_t *site = NULL;
    for (; dot && !site && (size_t)(end - dot) >= snapshot->wildcard_min; dot = memchr(dot + 1, '.', end - dot - 1)) {
        if ((size_t)(end - dot) > snapshot->wildcard_max || !icp_hostkey_make(&key, dot, end - dot)) continue;
        site = find_key(snapshot, &key);
    }
    return site;
}

/* IPv6 addresses have many spellings; the register has the one of inet_ntop. */
static const icp_snapshot_site_t *find_ipv6(const icp_snapshot_t *snapshot, const char *host, apr_size_t length)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    icp_hostkey_t key;
    if (length >= sizeof text) return NULL;
    memcpy(text, host, length);
    text[length] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1) return NULL;
    inet_ntop(AF_INET6, &address, text, sizeof text);
    return icp_hostkey_make(&key, text, strlen(text)) ? find_key(snapshot, &key) : NULL;
}

/* What is left to try for a name that is not in the register itself; out of line, for most are. */
static __attribute__((noinline)) const icp_snapshot_site_t *find_other(const icp_snapshot_t *snapshot, const char *host,
                                                                       apr_size_t length)
{
    if (memchr(host, ':', length)) return find_ipv6(snapshot, host, length);
    if (!snapshot->wildcard_max) return NULL;
    return find_wildcard(snapshot, memchr(host + 1, '.', length - 1), host + length);
}

const icp_snapshot_site_t *icp_snapshot_by_host(const icp_snapshot_t *snapshot, const char *host, apr_size_t length)
{
    icp_hostkey_t key;
    if (length && host[length - 1] == '.') length--;
    if (!length || !icp_hostkey_make(&key, host, length)) return NULL;
    const icp_snapshot_site_t *site = find_key(snapshot, &key);
    return site ? site : find_other(snapshot, host, length);
}

const icp_snapshot_site_t *icp_snapshot_by_pattern(const icp_snapshot_t *snapshot, const char *pattern)
{
    apr_size_t length = strlen(pattern);
    if (strncmp(pattern, "*.", 2) != 0) return icp_snapshot_by_host(snapshot, pattern, length);
    if (pattern[length - 1] == '.') length--;
    return snapshot->wildcard_max ? find_wildcard(snapshot, pattern + 1, pattern + length) : NULL;
}

const icp_snapshot_site_t *icp_snapshot_by_name(const icp_snapshot_t *snapshot, const char *site_name)
{
    const icp_snapshot_site_t *site = snapshot->delta ? icp_layer_find_name(snapshot->delta, site_name) : NULL;
    if (site) return site;
    site = icp_layer_find_name(snapshot->base, site_name);
    return site && !is_stale(snapshot, site - snapshot->base->sites) ? site : NULL;
}

/* Puts it in its place, and the last one out where there is no room. */
static int insert(const icp_snapshot_site_t **newest, int count, int room, const icp_snapshot_site_t *site)
{
    int at = count;
    while (at > 0 && newest[at - 1]->case_id < site->case_id) at--;
    if (at == room) return count;
    if (count < room) count++;
    memmove(newest + at + 1, newest + at, (size_t)(count - 1 - at) * sizeof *newest);
    newest[at] = site;
    return count;
}

int icp_snapshot_suspended(const icp_snapshot_t *snapshot, const icp_snapshot_site_t **newest, int room)
{
    int count = 0;
    const icp_layer_t *base = snapshot->base, *delta = snapshot->delta;
    for (apr_int64_t i = 0; i < base->site_count; i++) {
        if (base->sites[i].suspended && !is_stale(snapshot, i)) count = insert(newest, count, room, base->sites + i);
    }
    for (apr_int64_t i = 0; delta && i < delta->site_count; i++) {
        if (delta->sites[i].suspended) count = insert(newest, count, room, delta->sites + i);
    }
    return count;
}

void icp_snapshot_facts(const icp_snapshot_t *snapshot, icp_snapshot_facts_t *facts)
{
    *facts = snapshot->facts;
}

apr_uint64_t icp_snapshot_fingerprint(const char *path)
{
    unsigned char counter[4];
    struct stat info;
    apr_uint64_t value = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && pread(fd, counter, sizeof counter, 24) == sizeof counter) {
        apr_uint64_t parts[] = {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                                (apr_uint64_t)counter[0] << 24 | counter[1] << 16 | counter[2] << 8 | counter[3]};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            value = (value ^ parts[i]) * APR_UINT64_C(0x9E3779B97F4A7C15);
            value ^= value >> 32;
        }
        if (!value) value = 1;
    }
    close(fd);
    return value;
}
