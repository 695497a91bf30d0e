/* The audit log: see audit.h. During a change the chain's end is kept in memory and written to register.db once, before the
 * commit, so that an import of 100,000 sites pays for its events and not for their bookkeeping.
 */
#include "audit.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>

#include "digest.h"
#include "register_files.h"

#define BATCH 256 /* events read at a time */

static void hash_field(icp_digest_t *digest, const char *text)
{
    char length[24];
    apr_size_t bytes = strlen(text);
    icp_digest_add(digest, length, apr_snprintf(length, sizeof length, "%" APR_SIZE_T_FMT ":", bytes));
    icp_digest_add(digest, text, bytes);
}

static void hash_number(icp_digest_t *digest, apr_int64_t number)
{
    char text[24];
    apr_snprintf(text, sizeof text, "%" APR_INT64_T_FMT, number);
    hash_field(digest, text);
}

/* event->hash is not read. */
static icp_error_t *hash_event(char hex[65], const char *previous, const icp_event_t *event, apr_pool_t *pool)
{
    const char *texts[] = {event->actor, event->action, event->subject, event->before, event->after, event->note};
    icp_digest_t *digest;
    ICP_TRY(icp_digest_begin(&digest, pool));
    icp_digest_add(digest, previous, strlen(previous));
    hash_number(digest, event->id);
    hash_number(digest, apr_time_sec(event->at));
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        hash_field(digest, texts[i]);
    }
    return icp_digest_end(hex, digest, pool);
}

/* Reads the end of the log; an error if register.db and private.db disagree about it. */
static icp_error_t *read_tail(apr_int64_t *count, char head[65], icp_register_t *reg, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_TAIL, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return icp_error(pool, ICP_FAULT, "put both back with icpadmin restore", "%s has lost its state", reg->path);
    *count = icp_stmt_int(stmt, 0);
    const char *expected = icp_stmt_text(stmt, 1, pool);
    apr_int64_t newest = icp_stmt_int(stmt, 2);
    const char *found = icp_stmt_null(stmt, 3) ? "" : icp_stmt_text(stmt, 3, pool);
    icp_stmt_reset(stmt);
    if (*count != newest || strcmp(expected, found)) {
        return icp_error(pool, ICP_FAULT,
                         "one of the two was replaced or cut short: put both back from one backup with icpadmin restore",
                         "%s and %s do not belong together: the register was left at event %" APR_INT64_T_FMT
                         ", the audit log ends with event %" APR_INT64_T_FMT "%s",
                         reg->path, reg->files->private_db, *count, newest, *count == newest ? ", another one" : "");
    }
    apr_cpystrn(head, found, 65);
    return NULL;
}

icp_error_t *icp_audit_agree(icp_register_t *reg, apr_pool_t *pool)
{
    apr_int64_t count;
    char head[65];
    return read_tail(&count, head, reg, pool);
}

icp_error_t *icp_audit_open(icp_register_t *reg, apr_pool_t *pool)
{
    apr_int64_t version;
    reg->files->tail_moved = 0;
    reg->files->tail_count = 0;
    reg->files->tail_head[0] = '\0';
    ICP_TRY(icp_db_integer(&version, reg->db, "PRAGMA main.user_version"));
    if (!version) return NULL; /* the change is the one that makes the tables */
    return read_tail(&reg->files->tail_count, reg->files->tail_head, reg, pool);
}

icp_error_t *icp_audit_close(icp_register_t *reg)
{
    icp_stmt_t *stmt;
    if (!reg->files->tail_moved) return NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_MOVE_TAIL, "is", reg->files->tail_count, reg->files->tail_head));
    return icp_stmt_run(stmt);
}

/* Compact, keys sorted; to be freed. */
static char *dump(const json_t *json)
{
    return json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : strdup("null");
}

icp_error_t *icp_audit_event(icp_register_t *reg, const char *action, const char *subject, const json_t *before,
                             const json_t *after, const char *note, apr_pool_t *pool)
{
    struct icp_register_files_t *files = reg->files;
    icp_stmt_t *stmt;
    char hash[65];

    if (!files->changing) return icp_error(pool, ICP_FAULT, NULL, "the event %s was recorded outside a change", action);
    char *before_text = dump(before), *after_text = dump(after);
    if (!before_text || !after_text) {
        free(before_text);
        free(after_text);
        return icp_error(pool, ICP_FAULT, NULL, "the event %s of %s cannot be written as JSON", action, subject);
    }
    icp_event_t event = {
        .id = files->tail_count + 1, .at = reg->now, .actor = reg->actor, .action = action, .subject = subject,
        .before = before_text, .after = after_text, .note = note ? note : "",
    };
    icp_error_t *error = hash_event(hash, files->tail_head, &event, pool);
    if (!error) {
        error = icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_INSERT, "iisssssss", event.id, (apr_int64_t)apr_time_sec(event.at),
                                 event.actor, action, subject, event.before, event.after, event.note, hash);
    }
    if (!error) error = icp_stmt_run(stmt);
    free(before_text);
    free(after_text);
    if (error) return error;
    files->tail_count = event.id;
    files->tail_moved = 1;
    memcpy(files->tail_head, hash, sizeof hash);
    return NULL;
}

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
    apr_int64_t count;
    char head[65];
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
    char hash[65];
    if (event->id != walk->count + 1) return broken(event, "does not follow the one before it: events are missing", pool);
    ICP_TRY(hash_event(hash, walk->head, event, pool));
    if (strcmp(hash, event->hash)) return broken(event, "or the one before it was altered: its hash does not fit", pool);
    memcpy(walk->head, hash, sizeof hash);
    walk->count = event->id;
    return NULL;
}

static icp_error_t *verify(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    walk_t *walk = baton;
    ICP_TRY(icp_audit_each(reg, NULL, walk_event, walk, pool));
    icp_error_t *error = icp_audit_agree(reg, pool);
    if (error && !error->cause) error->status = ICP_REFUSED;
    return error;
}

icp_error_t *icp_audit_verify(icp_register_t *reg, apr_int64_t *count, apr_pool_t *pool)
{
    walk_t walk = {0, ""};
    icp_error_t *error = icp_register_read(reg, verify, &walk, pool);
    if (!error) *count = walk.count;
    return error;
}
