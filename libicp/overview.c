/* Counts and standings. It reads only. */
#include "overview.h"

#include <apr_time.h>

static icp_error_t *read_counts(apr_array_header_t **counts, icp_db_t *db, icp_stmt_e which, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *counts = apr_array_make(pool, 8, sizeof(icp_count_t));
    ICP_TRY(icp_db_statement(&stmt, db, which, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    while (row) {
        icp_count_t count = {icp_stmt_text(stmt, 0, pool), icp_stmt_int(stmt, 1)};
        APR_ARRAY_PUSH(*counts, icp_count_t) = count;
        ICP_TRY(icp_stmt_step(&row, stmt));
    }
    return NULL;
}

static icp_error_t *read_overview(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    icp_overview_t *overview = baton;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OVERVIEW_TOTALS, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    overview->holders = icp_stmt_int(stmt, 0);
    overview->sites = icp_stmt_int(stmt, 1);
    overview->hosts = icp_stmt_int(stmt, 2);
    overview->events = icp_stmt_int(stmt, 3);
    overview->newest_look = apr_time_from_sec(icp_stmt_int(stmt, 4));
    overview->oldest_site = apr_time_from_sec(icp_stmt_int(stmt, 5));
    icp_stmt_reset(stmt);
    ICP_TRY(read_counts(&overview->licenses, reg->db, ICP_STMT_OVERVIEW_LICENSES, pool));
    ICP_TRY(read_counts(&overview->applications, reg->db, ICP_STMT_OVERVIEW_APPLICATIONS, pool));
    ICP_TRY(read_counts(&overview->outbox, reg->db, ICP_STMT_OVERVIEW_OUTBOX, pool));
    ICP_TRY(read_counts(&overview->suspended, reg->db, ICP_STMT_OVERVIEW_SUSPENDED, pool));
    return read_counts(&overview->verdicts, reg->db, ICP_STMT_OVERVIEW_VERDICTS, pool);
}

icp_error_t *icp_overview_read(icp_overview_t **result, icp_register_t *reg, apr_pool_t *pool)
{
    icp_overview_t *overview = apr_pcalloc(pool, sizeof *overview);
    ICP_TRY(icp_register_read(reg, read_overview, overview, pool));
    *result = overview;
    return NULL;
}

icp_error_t *icp_overview_names(apr_array_header_t **names, icp_register_t *reg, apr_int64_t license_id,
                                apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *names = apr_array_make(pool, 64, sizeof(const char *));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OVERVIEW_NAMES, "i", license_id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    while (row) {
        APR_ARRAY_PUSH(*names, const char *) = icp_stmt_text(stmt, 0, pool);
        ICP_TRY(icp_stmt_step(&row, stmt));
    }
    return NULL;
}

icp_error_t *icp_overview_case(const char **site, icp_register_t *reg, apr_int64_t suspension_id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_OVERVIEW_CASE, "i", suspension_id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *site = row ? icp_stmt_text(stmt, 0, pool) : NULL;
    icp_stmt_reset(stmt);
    return NULL;
}

typedef struct walk_t {
    icp_standing_fn *fn;
    void *baton;
} walk_t;

static icp_error_t *walk_standings(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const walk_t *walk = baton;
    icp_stmt_t *stmt;
    icp_error_t *error = NULL;
    apr_pool_t *scratch;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_STANDINGS, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    apr_pool_create(&scratch, pool);
    while (row && !error) {
        apr_pool_clear(scratch);
        icp_standing_t standing = {.site = icp_stmt_text(stmt, 0, scratch),
                                   .suspended = icp_stmt_text(stmt, 1, scratch),
                                   .since = apr_time_from_sec(icp_stmt_int(stmt, 2)),
                                   .verdict = icp_stmt_text(stmt, 3, scratch),
                                   .reason = icp_stmt_text(stmt, 4, scratch),
                                   .detail = icp_stmt_text(stmt, 5, scratch),
                                   .first_at = apr_time_from_sec(icp_stmt_int(stmt, 6)),
                                   .last_at = apr_time_from_sec(icp_stmt_int(stmt, 7)),
                                   .serve_unlicensed = icp_stmt_int(stmt, 8) != 0,
                                   .active_numbers = (int)icp_stmt_int(stmt, 9),
                                   .created_at = apr_time_from_sec(icp_stmt_int(stmt, 10)),
                                   .reviewed_at = apr_time_from_sec(icp_stmt_int(stmt, 11)),
                                   .number = icp_stmt_text(stmt, 12, scratch),
                                   .reviewed_sighting = icp_stmt_text(stmt, 13, scratch)};
        error = walk->fn(&standing, walk->baton, pool);
        if (!error) error = icp_stmt_step(&row, stmt);
    }
    icp_stmt_reset(stmt);
    apr_pool_destroy(scratch);
    return error;
}

icp_error_t *icp_standing_each(icp_register_t *reg, icp_standing_fn *fn, void *baton, apr_pool_t *pool)
{
    walk_t walk = {fn, baton};
    return icp_register_read(reg, walk_standings, &walk, pool);
}
