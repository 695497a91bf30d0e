/* The register: open, read, and the one way to change it. What to do when somebody is in the way or a crash left something
 * behind is register_swap.c's; here is the ordinary case.
 */
#include "register.h"

#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "audit.h"
#include "bell.h"
#include "log.h"
#include "register_files.h"

#define READ_TRIES 5

/* Has register.db been replaced since reg->db was opened? */
static int replaced(icp_register_t *reg)
{
    struct stat status;
    return !reg->db || lstat(reg->path, &status) != 0 || status.st_dev != reg->files->device
           || status.st_ino != reg->files->inode;
}

static icp_error_t *connect_checked(icp_register_t *reg, apr_pool_t *pool)
{
    apr_int64_t version;
    ICP_TRY(icp_register_connect(reg, reg->path));
    icp_error_t *error = icp_register_schema(&version, reg, ICP_REGISTER_SCHEMA, pool);
    if (!error) error = icp_db_run(reg->db, ICP_STMT_JOURNAL_SETTINGS);
    if (error) icp_register_disconnect(reg);
    return error;
}

static icp_error_t *pending(int *marked, icp_register_t *reg)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SWAP_PENDING, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *marked = row && icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    return NULL;
}

/* With the lock: afterwards nothing is half done and reg->db is the register of this moment. */
static icp_error_t *settle(icp_register_t *reg, apr_pool_t *pool)
{
    int marked = 0;
    if (!replaced(reg) && !icp_register_unsettled(reg, pool)) {
        ICP_TRY(pending(&marked, reg));
        if (!marked) return NULL;
    }
    icp_register_disconnect(reg);
    ICP_TRY(icp_register_recover(reg, pool));
    return connect_checked(reg, pool);
}

static icp_error_t *change_locked(icp_register_t *reg, icp_change_fn *change, void *baton, apr_pool_t *pool)
{
    int busy;
    ICP_TRY(settle(reg, pool));
    reg->now = apr_time_now();
    int before = sqlite3_total_changes(icp_db_handle(reg->db));
    icp_error_t *error = icp_register_attempt(&busy, reg, 0, change, baton, pool);
    if (busy) {
        icp_register_disconnect(reg);
        error = icp_register_change_in_copy(reg, change, baton, pool);
        icp_error_t *reopened = connect_checked(reg, pool);
        return error ? error : reopened;
    }
    if (error || reg->dry_run || sqlite3_total_changes(icp_db_handle(reg->db)) == before) return error;
    error = icp_bell_ring(reg->path, pool);
    if (error) error->remedy = "the change is made, and httpd takes it up within a second; see that the bell can be written";
    return error;
}

icp_error_t *icp_register_change(icp_register_t *reg, icp_change_fn *change, void *baton, apr_pool_t *pool)
{
    int locked;
    ICP_TRY(icp_register_lock(&locked, reg, 1, pool));
    icp_error_t *error = change_locked(reg, change, baton, pool);
    icp_register_unlock(reg);
    return error;
}

/* Looks whether both databases are of one moment, under a read transaction that it leaves open. *again: they are not. */
static icp_error_t *begin_read(int *again, icp_register_t *reg)
{
    *again = 1;
    if (replaced(reg)) return NULL;
    sqlite3_busy_timeout(icp_db_handle(reg->db), 3 * reg->timeout_ms);
    ICP_TRY(icp_db_run(reg->db, ICP_STMT_READ_BEGIN));
    icp_error_t *error = pending(again, reg);
    if (!error && !*again) *again = replaced(reg);
    if (icp_register_busy(error)) {
        *again = 1;
        error = NULL;
    }
    if (error || *again) icp_register_roll_back(reg);
    return error;
}

/* Takes the lock if it is free, or if `wait`: then nobody is changing anything, and what is half done is a crash's. */
static icp_error_t *settle_for_read(icp_register_t *reg, int wait, apr_pool_t *pool)
{
    int locked;
    ICP_TRY(icp_register_lock(&locked, reg, wait, pool));
    if (!locked) return NULL;
    icp_error_t *error = settle(reg, pool);
    icp_register_unlock(reg);
    return error;
}

icp_error_t *icp_register_read(icp_register_t *reg, icp_change_fn *reader, void *baton, apr_pool_t *pool)
{
    int again = 0;
    if (reg->files->changing) return reader(reg, baton, pool);
    if (icp_register_unsettled(reg, pool)) ICP_TRY(settle_for_read(reg, 0, pool));
    for (int i = 0; i < READ_TRIES; i++) {
        ICP_TRY(begin_read(&again, reg));
        if (!again) {
            reg->now = apr_time_now();
            icp_error_t *error = reader(reg, baton, pool);
            icp_register_roll_back(reg);
            return error;
        }
        ICP_TRY(settle_for_read(reg, 1, pool));
    }
    return icp_error(pool, ICP_FAULT, "try again; icpadmin doctor names who holds it", "%s cannot be read: it is locked or changes all the time",
                     reg->path);
}

static icp_error_t *migrate_change(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    apr_int64_t from;
    ICP_TRY(icp_db_integer(&from, reg->db, "PRAGMA main.user_version"));
    if (from >= ICP_REGISTER_SCHEMA) return NULL;
    ICP_TRY(icp_register_migrate(reg->db, NULL, (int)from, ICP_REGISTER_SCHEMA));
    json_t *before = json_pack("{s:I}", "schema", (json_int_t)from), *after = json_pack("{s:i}", "schema", ICP_REGISTER_SCHEMA);
    icp_error_t *error = icp_audit_event(reg, "register.migrate", reg->path, before, after, NULL, pool);
    json_decref(before);
    json_decref(after);
    return error;
}

/* For a command that was killed between its commit and the ring, so that what is on file is in force before anybody is told of it. Whoever
 * has the lock rings himself; and where nobody can ring, workers find out within a second. */
static void ring_if_due(icp_register_t *reg, apr_pool_t *pool)
{
    int locked;
    if (!icp_bell_is_due(reg->path, pool) || icp_register_lock(&locked, reg, 0, pool) || !locked) return;
    icp_bell_ring(reg->path, pool);
    icp_register_unlock(reg);
}

icp_error_t *icp_register_open(icp_register_t **result, const char *path, const char *actor, apr_pool_t *pool)
{
    icp_register_t *reg;
    apr_int64_t version = 0;
    int locked = 0, marked = 0;
    icp_error_t *error = icp_register_bare(&reg, path, actor, pool);
    if (error && error->status == ICP_NOT_FOUND) error->remedy = "create it with icpadmin init, or name another with --register";
    if (error) return error;

    if (icp_register_unsettled(reg, pool)) {
        ICP_TRY(icp_register_lock(&locked, reg, 0, pool));
        if (locked) error = icp_register_recover(reg, pool);
        icp_register_unlock(reg);
        if (error) return error;
    }
    ring_if_due(reg, pool);
    ICP_TRY(connect_checked(reg, pool));
    ICP_TRY(pending(&marked, reg));
    if (marked) ICP_TRY(settle_for_read(reg, 1, pool));
    ICP_TRY(icp_db_integer(&version, reg->db, "PRAGMA main.user_version"));
    if (version < ICP_REGISTER_SCHEMA) ICP_TRY(icp_register_change(reg, migrate_change, NULL, pool));
    error = icp_audit_agree(reg, pool);
    if (error) icp_log(ICP_LOG_WARNING, "%s", error->message);
    *result = reg;
    return NULL;
}
