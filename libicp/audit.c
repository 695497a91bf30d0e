/* The audit log: see audit.h. During a change the chain's end is kept in memory and written to register.db once, before the
 * commit, so that an import of 100,000 sites pays for its events and not for their bookkeeping.
 */
#include "audit.h"

#include <string.h>

#include <apr_strings.h>

#include "digest.h"
#include "json.h"
#include "register_files.h"

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

icp_error_t *icp_audit_hash(char hex[65], const char *previous, const icp_event_t *event, apr_pool_t *pool)
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

static const char *text_of(const json_t *json, apr_pool_t *pool)
{
    return json ? icp_json_text(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY, pool) : "null";
}

icp_error_t *icp_audit_event(icp_register_t *reg, const char *action, const char *subject, const json_t *before,
                             const json_t *after, const char *note, apr_pool_t *pool)
{
    struct icp_register_files_t *files = reg->files;
    icp_stmt_t *stmt;
    char hash[65];

    if (!files->changing) return icp_error(pool, ICP_FAULT, NULL, "the event %s was recorded outside a change", action);
    icp_event_t event = {
        .id = files->tail_count + 1, .at = reg->now, .actor = reg->actor, .action = action, .subject = subject,
        .before = text_of(before, pool), .after = text_of(after, pool), .note = note ? note : "",
    };
    if (!event.before || !event.after) {
        return icp_error(pool, ICP_FAULT, NULL, "the event %s of %s cannot be written as JSON", action, subject);
    }
    ICP_TRY(icp_audit_hash(hash, files->tail_head, &event, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_AUDIT_INSERT, "iisssssss", event.id, (apr_int64_t)apr_time_sec(event.at),
                             event.actor, action, subject, event.before, event.after, event.note, hash));
    ICP_TRY(icp_stmt_run(stmt));
    files->tail_count = event.id;
    files->tail_moved = 1;
    memcpy(files->tail_head, hash, sizeof hash);
    return NULL;
}
