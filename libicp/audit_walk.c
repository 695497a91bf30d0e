/* Reading the audit log: event by event, and whether the chain holds. */
#include "audit.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "register_files.h"

#define BATCH 256 /* events read at a time */

/* The next events after `after`, up to BATCH: all in memory, so that no lock is held while somebody looks at them. */
static icp_error_t *read_batch(apr_array_header_t **batch, icp_register_t *reg, const char *subject, apr_int64_t after,
                               apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *batch = apr_array_make(pool, BATCH, sizeof(icp_event_t));
    if (subject) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_OF_SUBJECT_AFTER, "iis", after, (apr_int64_t)BATCH, subject));
    }
    else {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_AFTER, "ii", after, (apr_int64_t)BATCH));
    }
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_event_t *event = apr_array_push(*batch);
        event->id = icp_stmt_int(stmt, 0);
        event->at = apr_time_from_sec(icp_stmt_int(stmt, 1));
        event->actor = icp_stmt_text(stmt, 2, pool);
        event->action = icp_stmt_text(stmt, 3, pool);
        event->subject = icp_stmt_text(stmt, 4, pool);
        event->before = icp_stmt_text(stmt, 5, pool);
        event->after = icp_stmt_text(stmt, 6, pool);
        event->note = icp_stmt_text(stmt, 7, pool);
        event->hash = icp_stmt_text(stmt, 8, pool);
    }
}

icp_error_t *icp_audit_each(icp_register_t *reg, const char *subject, icp_event_fn *fn, void *baton, apr_pool_t *pool)
{
    apr_pool_t *scratch;
    apr_array_header_t *batch;
    apr_int64_t after = 0;
    icp_error_t *error = NULL;
    apr_pool_create(&scratch, pool);
    do {
        apr_pool_clear(scratch);
        error = read_batch(&batch, reg, subject, after, scratch);
        for (int i = 0; !error && i < batch->nelts; i++) {
            const icp_event_t *event = &APR_ARRAY_IDX(batch, i, icp_event_t);
            after = event->id;
            error = fn(event, baton, pool);
        }
    } while (!error && batch->nelts == BATCH);
    apr_pool_destroy(scratch);
    return error;
}

typedef struct walk_t {
    icp_chain_t *chain;
    const char *noted;
    int found;
} walk_t;

static icp_error_t *broken(const icp_event_t *event, const char *how, apr_pool_t *pool)
{
    return icp_error(pool, ICP_REFUSED, "compare with a backup made before, and find out who can write private.db",
                     "the audit log is not as it was written: event %" APR_INT64_T_FMT " (%s %s) %s", event->id, event->action,
                     event->subject, how);
}

static icp_error_t *walk_event(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    walk_t *walk = baton;
    icp_chain_t *chain = walk->chain;
    char hash[65];
    if (event->id != chain->count + 1) return broken(event, "does not follow the one before it: events are missing", pool);
    ICP_TRY(icp_audit_hash(hash, chain->head, event, pool));
    if (strcmp(hash, event->hash)) return broken(event, "or the one before it was altered: its hash does not fit", pool);
    memcpy(chain->head, hash, sizeof hash);
    chain->count = event->id;
    if (walk->noted && !strcasecmp(walk->noted, hash)) walk->found = 1;
    return NULL;
}

static icp_error_t *verify(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    walk_t *walk = baton;
    *walk->chain = (icp_chain_t){0, ""};
    walk->found = 0;
    ICP_TRY(icp_audit_each(reg, NULL, walk_event, walk, pool));
    icp_error_t *error = icp_audit_agree(reg, pool);
    if (error && !error->cause) error->status = ICP_REFUSED;
    if (error || !walk->noted || walk->found) return error;
    return icp_error(pool, ICP_REFUSED, "if no backup was put back since it was noted, find out who can write register.db and private.db",
                     "no event of the audit log has the hash %s: the chain is whole, but another one", walk->noted);
}

icp_error_t *icp_audit_verify(icp_register_t *reg, const char *noted, icp_chain_t *chain, apr_pool_t *pool)
{
    walk_t walk = {chain, noted, 0};
    return icp_register_read(reg, verify, &walk, pool);
}
