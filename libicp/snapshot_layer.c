#include "snapshot_layer.h"

#include <stdlib.h>
#include <string.h>

#include "bulk.h"

/* Strings, in blocks that never move. */
typedef struct icp_block_t {
    struct icp_block_t *next;
    size_t used, room;
    char bytes[];
} icp_block_t;

static void *zeroed(size_t bytes)
{
    void *block = calloc(1, bytes);
    if (!block) abort();
    return block;
}

static const char *keep(icp_layer_t *layer, const char *text)
{
    size_t size = strlen(text) + 1;
    icp_block_t *block = layer->blocks;
    if (!block || block->room - block->used < size) {
        size_t room = block && block->room < 1 << 20 ? block->room * 2 : block ? block->room : 1024;
        if (room < size) room = size;
        block = icp_bulk_resize(NULL, 0, sizeof *block + room);
        *block = (icp_block_t){.next = layer->blocks, .room = room};
        layer->blocks = block;
        layer->bytes += sizeof *block + room;
    }
    char *copy = memcpy(block->bytes + block->used, text, size);
    block->used += size;
    return copy;
}

void icp_layer_release(icp_layer_t *layer)
{
    if (!layer || atomic_fetch_sub(&layer->users, 1) > 1) return;
    for (icp_block_t *block = layer->blocks, *next; block; block = next) {
        next = block->next;
        icp_bulk_free(block, sizeof *block + block->room);
    }
    icp_hostmap_free(&layer->hosts);
    icp_bulk_free(layer->sites, layer->site_room * sizeof *layer->sites);
    icp_bulk_free(layer->by_name, layer->site_count * sizeof *layer->by_name);
    icp_bulk_free(layer->numbers, layer->number_room * sizeof *layer->numbers);
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

void icp_layer_count_reason(apr_int64_t by_reason[ICP_REASON_COUNT], const icp_snapshot_site_t *site, int by)
{
    int reason = icp_reason_index(site->reason);
    if (reason >= 0) by_reason[reason] += by;
}

static icp_error_t *read_sites(icp_layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last,
                               apr_pool_t *row_pool)
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
            apr_int64_t room = layer->site_room ? layer->site_room * 2 : 16;
            layer->sites = icp_bulk_resize(layer->sites, layer->site_room * sizeof *layer->sites, room * sizeof *layer->sites);
            layer->site_room = room;
        }
        icp_snapshot_site_t *site = layer->sites + layer->site_count++;
        *site = (icp_snapshot_site_t){.id = icp_stmt_int(stmt, 0)};
        ICP_TRY(take_text(&text, stmt, 1, row_pool));
        site->name = keep(layer, text);
        site->reason = site->name + strlen(site->name); /* "" */
        if (!icp_stmt_null(stmt, 2)) {
            site->suspended = 1;
            site->case_id = icp_stmt_int(stmt, 2);
            ICP_TRY(take_text(&text, stmt, 3, row_pool));
            site->reason = keep(layer, text);
            site->since = apr_time_from_sec(icp_stmt_int(stmt, 4));
            site->pass_epoch = (apr_uint32_t)icp_stmt_int(stmt, 5);
            layer->suspended++;
            icp_layer_count_reason(layer->by_reason, site, 1);
        }
    }
}

static icp_error_t *contradicts_itself(const char *what, apr_pool_t *pool)
{
    icp_error_t *error = icp_error(pool, ICP_FAULT, "run icpadmin doctor, then put the newest good backup back with icpadmin restore",
                                   "the register is damaged: its table of %s and an index of that tell two things", what);
    error->cause = SQLITE_CORRUPT_INDEX;
    return error;
}

/* Are the sites from `at` on suspended that are so by the other index? */
static icp_error_t *check_suspended(const icp_layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_int64_t at,
                                    apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    apr_int64_t count = 0, sum = 0;
    int row;
    for (; at < layer->site_count; at++) {
        if (!layer->sites[at].suspended) continue;
        count++;
        sum += layer->sites[at].id;
    }
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_SUSPENDED_AGAIN, "ii", first, last));
    ICP_TRY(icp_stmt_step(&row, stmt));
    int same = row && icp_stmt_int(stmt, 0) == count && icp_stmt_int(stmt, 1) == sum;
    icp_stmt_reset(stmt);
    return same ? NULL : contradicts_itself("suspensions", apr_pool_parent_get(row_pool));
}

static uint64_t host_term(const icp_hostkey_t *key, apr_int64_t site_id)
{
    uint64_t term = (key->hash ^ (uint64_t)site_id) * UINT64_C(0x9E3779B97F4A7C15);
    return term ^ term >> 32;
}

/* A wildcard without its asterisk: it begins with a dot, as no other does. */
static int host_key(icp_hostkey_t *key, const char **pattern, const char *name)
{
    *pattern = strncmp(name, "*.", 2) == 0 ? name + 1 : name;
    return icp_hostkey_make(key, *pattern, strlen(*pattern));
}

/* Of all hosts: does the table tell what the index told? */
static icp_error_t *check_hosts(const icp_layer_t *layer, icp_db_t *db, apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    icp_hostkey_t key;
    const char *name, *pattern;
    uint64_t sum = 0;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_HOSTS_AGAIN, ""));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        apr_pool_clear(row_pool);
        ICP_TRY(take_text(&name, stmt, 1, row_pool));
        if (host_key(&key, &pattern, name)) sum += host_term(&key, icp_stmt_int(stmt, 0));
    }
    return sum == layer->host_sum ? NULL : contradicts_itself("host names", apr_pool_parent_get(row_pool));
}

/* The site a row belongs to: rows come in the order of sites, from `*at` on. NULL for an orphan. */
static icp_snapshot_site_t *site_of_row(icp_layer_t *layer, apr_int64_t *at, apr_int64_t id)
{
    while (*at < layer->site_count && layer->sites[*at].id < id) ++*at;
    return *at < layer->site_count && layer->sites[*at].id == id ? layer->sites + *at : NULL;
}

static icp_error_t *read_hosts(icp_layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_int64_t at,
                               apr_pool_t *row_pool)
{
    icp_stmt_t *stmt;
    icp_hostkey_t key;
    const char *name, *pattern;
    int row;
    ICP_TRY(icp_db_statement(&stmt, db, ICP_STMT_SNAPSHOT_HOSTS, "ii", first, last));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        apr_pool_clear(row_pool);
        icp_snapshot_site_t *site = site_of_row(layer, &at, icp_stmt_int(stmt, 0));
        ICP_TRY(take_text(&name, stmt, 1, row_pool));
        if (!site || !host_key(&key, &pattern, name)) {
            icp_stmt_reset(stmt);
            return icp_error(apr_pool_parent_get(row_pool), ICP_FAULT, "run 'icpadmin doctor'",
                             "the register is damaged: the host name %s belongs to no site", name);
        }
        icp_hostmap_add(&layer->hosts, &key, site - layer->sites);
        layer->host_sum += host_term(&key, site->id);
        site->hosts++;
        if (pattern != name) {
            size_t length = strlen(pattern);
            if (!layer->wildcard_max || length < layer->wildcard_min) layer->wildcard_min = length;
            if (length > layer->wildcard_max) layer->wildcard_max = length;
        }
    }
}

static icp_error_t *read_numbers(icp_layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last, apr_int64_t at,
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
            size_t room = layer->number_room ? layer->number_room * 2 : 64;
            layer->numbers = icp_bulk_resize(layer->numbers, layer->number_room * sizeof *layer->numbers,
                                              room * sizeof *layer->numbers);
            layer->number_room = room;
        }
        ICP_TRY(take_text(&text, stmt, 1, row_pool));
        layer->numbers[layer->number_count++] = keep(layer, text);
        site->expected_count++;
    }
}

/* Sites first..last into the layer; ranges must come in order. */
static icp_error_t *read_range(icp_layer_t *layer, icp_db_t *db, apr_int64_t first, apr_int64_t last,
                               apr_pool_t *row_pool)
{
    apr_int64_t at = layer->site_count;
    ICP_TRY(read_sites(layer, db, first, last, row_pool));
    ICP_TRY(check_suspended(layer, db, first, last, at, row_pool));
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
static void layer_seal(icp_layer_t *layer)
{
    layer->sites = icp_bulk_resize(layer->sites, layer->site_room * sizeof *layer->sites,
                                    layer->site_count * sizeof *layer->sites);
    layer->numbers = icp_bulk_resize(layer->numbers, layer->number_room * sizeof *layer->numbers,
                                      layer->number_count * sizeof *layer->numbers);
    layer->by_name = icp_bulk_resize(NULL, 0, layer->site_count * sizeof *layer->by_name);
    layer->site_room = layer->site_count;
    layer->number_room = layer->number_count;
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

icp_error_t *icp_layer_read(icp_layer_t **result, icp_db_t *db, const apr_int64_t *ids, int count,
                            apr_pool_t *scratch_pool)
{
    icp_error_t *error = NULL;
    apr_pool_t *row_pool;
    icp_layer_t *layer = zeroed(sizeof *layer);
    atomic_init(&layer->users, 1);
    apr_pool_create(&row_pool, scratch_pool);
    if (!ids) {
        error = read_range(layer, db, 0, INT64_MAX, row_pool);
        if (!error) error = check_hosts(layer, db, row_pool);
    }
    for (int i = 0; ids && i < count && !error; i++) error = read_range(layer, db, ids[i], ids[i], row_pool);
    apr_pool_destroy(row_pool);
    if (error) {
        icp_layer_release(layer);
        return error;
    }
    layer_seal(layer);
    *result = layer;
    return NULL;
}

apr_int64_t icp_layer_find_id(const icp_layer_t *layer, apr_int64_t id)
{
    apr_int64_t low = 0, high = layer->site_count;
    while (low < high) {
        apr_int64_t middle = low + (high - low) / 2;
        if (layer->sites[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < layer->site_count && layer->sites[low].id == id ? low : -1;
}

const icp_snapshot_site_t *icp_layer_find_name(const icp_layer_t *layer, const char *name)
{
    icp_snapshot_site_t wanted = {.name = name};
    const icp_snapshot_site_t *key = &wanted;
    const icp_snapshot_site_t **found =
        bsearch(&key, layer->by_name, layer->site_count, sizeof *layer->by_name, compare_names);
    return found ? *found : NULL;
}
