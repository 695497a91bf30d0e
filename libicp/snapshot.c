#include "snapshot.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostmap.h"
#include "lock.h"
#include "register.h"

/* Strings of one layer, in blocks that never move. */
typedef struct block_t {
    struct block_t *next;
    size_t used, room;
    char bytes[];
} block_t;

/* Some sites with their host names: the base has all, the delta those that changed since. */
typedef struct layer_t {
    atomic_int users; /* snapshots that share it */
    icp_snapshot_site_t *sites; /* by id */
    apr_int64_t site_count, site_room;
    const icp_snapshot_site_t **by_name;
    const char **numbers; /* what the sites' `expected` point into */
    size_t number_count, number_room;
    icp_hostmap_t hosts;
    size_t wildcard_min, wildcard_max; /* lengths of wildcard keys (".example.cn"); max 0: there are none */
    block_t *blocks;
    size_t bytes;
    apr_int64_t suspended, by_reason[ICP_REASON_COUNT];
} layer_t;

/* A point in the register's history; the tag tells histories apart that number their changes alike. */
typedef struct point_t {
    apr_int64_t revision, tag;
} point_t;

struct icp_snapshot_t {
    layer_t *base, *delta; /* delta: NULL if nothing changed since the base was read */
    point_t base_point, point;
    unsigned char *stale; /* with a delta: one bit for each site of the base that it replaces or removes */
    size_t wildcard_min, wildcard_max;
    icp_snapshot_facts_t facts;
};

static void *resize(void *block, size_t bytes)
{
    block = realloc(block, bytes ? bytes : 1);
    if (!block) abort();
    return block;
}

static void *zeroed(size_t bytes)
{
    void *block = calloc(1, bytes);
    if (!block) abort();
    return block;
}

static const char *keep(layer_t *layer, const char *text)
{
    size_t size = strlen(text) + 1;
    block_t *block = layer->blocks;
    if (size == 1) return "";
    if (strcmp(text, "/") == 0) return "/";
    if (!block || block->room - block->used < size) {
        size_t room = block && block->room < 1 << 20 ? block->room * 2 : block ? block->room : 1024;
        if (room < size) room = size;
        block = resize(NULL, sizeof *block + room);
        *block = (block_t){.next = layer->blocks, .room = room};
        layer->blocks = block;
        layer->bytes += sizeof *block + room;
    }
    char *copy = memcpy(block->bytes + block->used, text, size);
    block->used += size;
    return copy;
}

static void layer_release(layer_t *layer)
{
    if (!layer || atomic_fetch_sub(&layer->users, 1) > 1) return;
    for (block_t *block = layer->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    icp_hostmap_free(&layer->hosts);
    free(layer->sites);
    free(layer->by_name);
    free(layer->numbers);
    free(layer);
}

/* A column that the schema says is never NULL, but in a damaged file may be. */
static icp_error_t *take_text(const char **text, icp_stmt_t *stmt, int column, apr_pool_t *pool)
{
    *text = icp_stmt_text(stmt, column, pool);
    if (*text) return NULL;
    icp_stmt_reset(stmt);
    return icp_error(apr_pool_parent_get(pool), ICP_FAULT, "put the register back with 'icpadmin restore FILE'",
                     "the register is damaged: a site lacks a value");
}

static void count_reason(apr_int64_t by_reason[ICP_REASON_COUNT], const icp_snapshot_site_t *site, int by)
{
    int reason = icp_reason_index(site->reason);
    if (reason >= 0) by_reason[reason] += by;
}

static icp_error_t *read_sites(layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    const char *text;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_SITES, "ii", first, last));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        apr_pool_clear(row_pool);
        if (layer->site_count == layer->site_room) {
            layer->site_room = layer->site_room ? layer->site_room * 2 : 4;
            layer->sites = resize(layer->sites, layer->site_room * sizeof *layer->sites);
        }
        icp_snapshot_site_t *site = layer->sites + layer->site_count++;
        *site = (icp_snapshot_site_t){.id = icp_stmt_int(stmt, 0), .reason = ""};
        ICP_TRY(take_text(&text, stmt, 1, row_pool));
        site->name = keep(layer, text);
        ICP_TRY(take_text(&text, stmt, 2, row_pool));
        site->homepage = keep(layer, text);
        if (!icp_stmt_null(stmt, 3)) {
            site->suspended = 1;
            site->case_id = icp_stmt_int(stmt, 3);
            ICP_TRY(take_text(&text, stmt, 4, row_pool));
            site->reason = keep(layer, text);
            site->since = apr_time_from_sec(icp_stmt_int(stmt, 5));
            layer->suspended++;
            count_reason(layer->by_reason, site, 1);
        }
    }
}

/* The site a row belongs to: rows come in the order of sites, from `*at` on. NULL for an orphan. */
static icp_snapshot_site_t *site_of_row(layer_t *layer, apr_int64_t *at, apr_int64_t id)
{
    while (*at < layer->site_count && layer->sites[*at].id < id) ++*at;
    return *at < layer->site_count && layer->sites[*at].id == id ? layer->sites + *at : NULL;
}

static icp_error_t *read_hosts(layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_int64_t at,
                               apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    icp_hostkey_t key;
    const char *name;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_HOSTS, "ii", first, last));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        apr_pool_clear(row_pool);
        icp_snapshot_site_t *site = site_of_row(layer, &at, icp_stmt_int(stmt, 0));
        ICP_TRY(take_text(&name, stmt, 1, row_pool));
        int wildcard = strncmp(name, "*.", 2) == 0;
        const char *pattern = wildcard ? name + 1 : name;
        size_t length = strlen(pattern);
        if (!site || !icp_hostkey_make(&key, pattern, length)) {
            icp_stmt_reset(stmt);
            return icp_error(apr_pool_parent_get(row_pool), ICP_FAULT, "run 'icpadmin doctor'",
                             "the register is damaged: the host name %s belongs to no site", name);
        }
        icp_hostmap_add(&layer->hosts, &key, site - layer->sites);
        site->hosts++;
        if (wildcard) {
            if (!layer->wildcard_max || length < layer->wildcard_min) layer->wildcard_min = length;
            if (length > layer->wildcard_max) layer->wildcard_max = length;
        }
    }
}

static icp_error_t *read_numbers(layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_int64_t at,
                                 apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    const char *text;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_NUMBERS, "ii", first, last));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        apr_pool_clear(row_pool);
        icp_snapshot_site_t *site = site_of_row(layer, &at, icp_stmt_int(stmt, 0));
        if (!site) continue;
        if (layer->number_count == layer->number_room) {
            layer->number_room = layer->number_room ? layer->number_room * 2 : 4;
            layer->numbers = resize(layer->numbers, layer->number_room * sizeof *layer->numbers);
        }
        ICP_TRY(take_text(&text, stmt, 1, row_pool));
        layer->numbers[layer->number_count++] = keep(layer, text);
        site->expected_count++;
    }
}

/* Sites first..last into the layer; ranges must come in order. */
static icp_error_t *read_range(layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_pool_t *row_pool)
{
    apr_int64_t at = layer->site_count;
    ICP_TRY(read_sites(layer, db, first, last, row_pool));
    ICP_TRY(read_hosts(layer, db, first, last, at, row_pool));
    return read_numbers(layer, db, first, last, at, row_pool);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const icp_snapshot_site_t *const *)a)->name, (*(const icp_snapshot_site_t *const *)b)->name);
}

/* FNV-1a over the numbers, their ends included. */
static apr_uint32_t digest(const char *const *numbers, int count)
{
    apr_uint32_t hash = 2166136261u;
    for (int i = 0; i < count; i++) {
        const char *c = numbers[i];
        do hash = (hash ^ (unsigned char)*c) * 16777619u;
        while (*c++);
    }
    return hash;
}

/* All rows are in: gives back spare memory, and makes the pointers and indexes that needed everything in its place. */
static void layer_seal(layer_t *layer)
{
    layer->sites = resize(layer->sites, layer->site_count * sizeof *layer->sites);
    layer->numbers = resize(layer->numbers, layer->number_count * sizeof *layer->numbers);
    layer->by_name = resize(NULL, layer->site_count * sizeof *layer->by_name);
    const char *const *number = layer->numbers;
    for (apr_int64_t i = 0; i < layer->site_count; i++) {
        icp_snapshot_site_t *site = layer->sites + i;
        site->expected = number;
        site->expectation = digest(number, site->expected_count);
        number += site->expected_count;
        layer->by_name[i] = site;
    }
    qsort(layer->by_name, layer->site_count, sizeof *layer->by_name, compare_names);
    icp_hostmap_seal(&layer->hosts);
    layer->bytes += sizeof *layer + layer->site_count * (sizeof *layer->sites + sizeof *layer->by_name) +
                    layer->number_count * sizeof *layer->numbers + icp_hostmap_bytes(&layer->hosts);
}

static apr_int64_t find_id(const layer_t *layer, apr_int64_t id)
{
    apr_int64_t low = 0, high = layer->site_count;
    while (low < high) {
        apr_int64_t middle = low + (high - low) / 2;
        if (layer->sites[middle].id < id) low = middle + 1;
        else high = middle;
    }
    return low < layer->site_count && layer->sites[low].id == id ? low : -1;
}

static int is_stale(const icp_snapshot_t *snapshot, apr_int64_t index)
{
    return snapshot->stale && snapshot->stale[index >> 3] >> (index & 7) & 1;
}

/* Is this a register that can be read, in a transaction from here on? */
static icp_error_t *begin(icp_db_t *db, const char *path, apr_pool_t *pool)
{
    apr_int64_t pages, id, version;
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
                         "%s was written by a newer icpadmin: schema %" APR_INT64_T_FMT ", this program knows up to %d", path,
                         version, ICP_REGISTER_SCHEMA);
    }
    if (version < ICP_REGISTER_SCHEMA) {
        return icp_error(pool, ICP_FAULT, "any icpadmin command that changes the register brings it up to date",
                         "%s was written by an older icpadmin: schema %" APR_INT64_T_FMT ", this program reads %d", path, version,
                         ICP_REGISTER_SCHEMA);
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

/* The ids of the sites that changed since `since`; *count is -1 if that cannot be said or they are too many for a delta. */
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
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_CHANGED, "ii", since.revision, (apr_int64_t)ICP_SNAPSHOT_DELTA + 1));
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

static icp_error_t *read_layer(layer_t **result, icp_db_t *db, const apr_int64_t *ids, int count, apr_pool_t *scratch_pool)
{
    icp_error_t *error = NULL;
    apr_pool_t *row_pool;
    layer_t *layer = zeroed(sizeof *layer);
    atomic_init(&layer->users, 1);
    apr_pool_create(&row_pool, scratch_pool);
    if (!ids) {
        error = read_range(layer, db, 0, INT64_MAX, row_pool);
    }
    for (int i = 0; ids && i < count && !error; i++) error = read_range(layer, db, ids[i], ids[i], row_pool);
    apr_pool_destroy(row_pool);
    if (error) {
        layer_release(layer);
        return error;
    }
    layer_seal(layer);
    *result = layer;
    return NULL;
}

/* Marks what the delta replaces, and counts what is left. */
static void lay_over(icp_snapshot_t *snapshot, const apr_int64_t *ids, int count)
{
    const layer_t *base = snapshot->base, *delta = snapshot->delta;
    icp_snapshot_facts_t *facts = &snapshot->facts;
    *facts = (icp_snapshot_facts_t){
        .revision = snapshot->point.revision, .read_at = apr_time_now(), .sites = base->site_count,
        .hosts = base->hosts.count, .suspended = base->suspended, .bytes = sizeof *snapshot + base->bytes};
    memcpy(facts->by_reason, base->by_reason, sizeof facts->by_reason);
    snapshot->wildcard_min = base->wildcard_min;
    snapshot->wildcard_max = base->wildcard_max;
    if (!delta) return;

    snapshot->stale = zeroed(base->site_count / 8 + 1);
    for (int i = 0; i < count; i++) {
        apr_int64_t index = find_id(base, ids[i]);
        if (index < 0) continue;
        snapshot->stale[index >> 3] |= 1 << (index & 7);
        facts->sites--;
        facts->hosts -= base->sites[index].hosts;
        facts->suspended -= base->sites[index].suspended;
        count_reason(facts->by_reason, base->sites + index, -1);
    }
    facts->sites += delta->site_count;
    facts->hosts += delta->hosts.count;
    facts->suspended += delta->suspended;
    for (int i = 0; i < ICP_REASON_COUNT; i++) facts->by_reason[i] += delta->by_reason[i];
    facts->bytes += delta->bytes + base->site_count / 8 + 1;
    if (delta->wildcard_max) {
        if (!base->wildcard_max || delta->wildcard_min < base->wildcard_min) snapshot->wildcard_min = delta->wildcard_min;
        if (delta->wildcard_max > base->wildcard_max) snapshot->wildcard_max = delta->wildcard_max;
    }
}

static icp_error_t *read_snapshot(icp_snapshot_t **result, icp_snapshot_t *previous, icp_db_t *db, const char *path,
                                  apr_pool_t *scratch_pool)
{
    apr_int64_t ids[ICP_SNAPSHOT_DELTA];
    int count = -1;
    point_t point;
    layer_t *base = NULL, *delta = NULL;

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
        if (count > 0) ICP_TRY(read_layer(&delta, db, ids, count, scratch_pool));
        base = previous->base;
        atomic_fetch_add(&base->users, 1);
    }
    else {
        ICP_TRY(read_layer(&base, db, NULL, 0, scratch_pool));
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
    layer_release(snapshot->delta);
    layer_release(snapshot->base);
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

const icp_snapshot_site_t *icp_snapshot_by_host(const icp_snapshot_t *snapshot, const char *host, apr_size_t length)
{
    icp_hostkey_t key;
    if (length && host[length - 1] == '.') length--;
    if (!length || !icp_hostkey_make(&key, host, length)) return NULL;
    const icp_snapshot_site_t *site = find_key(snapshot, &key);
    if (site) return site;
    if (memchr(host, ':', length)) return find_ipv6(snapshot, host, length);
    return snapshot->wildcard_max ? find_wildcard(snapshot, memchr(host + 1, '.', length - 1), host + length) : NULL;
}

const icp_snapshot_site_t *icp_snapshot_by_pattern(const icp_snapshot_t *snapshot, const char *pattern)
{
    apr_size_t length = strlen(pattern);
    if (strncmp(pattern, "*.", 2) != 0) return icp_snapshot_by_host(snapshot, pattern, length);
    if (pattern[length - 1] == '.') length--;
    return snapshot->wildcard_max ? find_wildcard(snapshot, pattern + 1, pattern + length) : NULL;
}

static const icp_snapshot_site_t *find_name(const layer_t *layer, const char *name)
{
    icp_snapshot_site_t wanted = {.name = name};
    const icp_snapshot_site_t *key = &wanted;
    const icp_snapshot_site_t **found = bsearch(&key, layer->by_name, layer->site_count, sizeof *layer->by_name, compare_names);
    return found ? *found : NULL;
}

const icp_snapshot_site_t *icp_snapshot_by_name(const icp_snapshot_t *snapshot, const char *site_name)
{
    const icp_snapshot_site_t *site = snapshot->delta ? find_name(snapshot->delta, site_name) : NULL;
    if (site) return site;
    site = find_name(snapshot->base, site_name);
    return site && !is_stale(snapshot, site - snapshot->base->sites) ? site : NULL;
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
        apr_uint64_t parts[] = {info.st_dev, info.st_ino,
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
