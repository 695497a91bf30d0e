/* A layer of a snapshot: some sites, their host names and numbers, read from the register and never changed after. Made
 * of malloc and counted, so that snapshots in several threads can share one. What lies over what is snapshot.c's
 * business.
 */
#ifndef ICP_SNAPSHOT_LAYER_H
#define ICP_SNAPSHOT_LAYER_H

#include <stdatomic.h>

#include "db.h"
#include "hostmap.h"
#include "snapshot.h"

typedef struct icp_layer_t {
    atomic_int users;           /* snapshots that share it */
    icp_snapshot_site_t *sites; /* by id */
    apr_int64_t site_count, site_room;
    const icp_snapshot_site_t **by_name;
    const char **numbers; /* what the sites' `expected` point into */
    size_t number_count, number_room;
    icp_hostmap_t hosts;               /* values: indexes of sites */
    size_t wildcard_min, wildcard_max; /* lengths of wildcard keys (".example.cn"); max 0: there are none */
    struct icp_block_t *blocks;        /* of strings */
    size_t bytes;                      /* of memory, all of it */
    uint64_t host_sum;                 /* over all host names and whose they are, in any order */
    apr_int64_t suspended, by_reason[ICP_REASON_COUNT];
} icp_layer_t;

/* Reads the sites with these ids, in ascending order and without repetition, or all (ids NULL) into a layer with one
 * user. Ids of no site are passed over. ICP_FAULT also where a host name belongs to no site, or where the file tells
 * by one index what it does not tell by another (a flipped bit is nothing that SQLite notices): believing it could serve what is suspended. */
icp_error_t *icp_layer_read(icp_layer_t **layer, icp_db_t *db, const apr_int64_t *ids, int count,
                            apr_pool_t *scratch_pool);

/* One user less; the last one frees it. NULL is allowed. */
void icp_layer_release(icp_layer_t *layer);

/* Index of the site, -1 if it is not in the layer. */
apr_int64_t icp_layer_find_id(const icp_layer_t *layer, apr_int64_t id);
const icp_snapshot_site_t *icp_layer_find_name(const icp_layer_t *layer, const char *name);

/* reason `site` is suspended for += by */
void icp_layer_count_reason(apr_int64_t by_reason[ICP_REASON_COUNT], const icp_snapshot_site_t *site, int by);

#endif
