/* One connection to both databases: opening it, what it finds, bringing their schema forward, and one transaction on it. */
#include "register_files.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

static const icp_schema_step_t the_steps[ICP_REGISTER_SCHEMA] = {
    {2, {ICP_STMT_CREATE_REGISTER, ICP_STMT_CREATE_PRIVATE}},
    {6, {ICP_STMT_SCHEMA_2_CHECK, ICP_STMT_SCHEMA_2_PASS, ICP_STMT_SCHEMA_2_EVIDENCE, ICP_STMT_SCHEMA_2_OUTBOX,
         ICP_STMT_SCHEMA_2_APPLICATION, ICP_STMT_SCHEMA_2_DOMAIN}},
};

int icp_register_busy(const icp_error_t *error)
{
    return error && ((error->cause & 0xff) == SQLITE_BUSY || (error->cause & 0xff) == SQLITE_LOCKED);
}

static icp_error_t *pragma(icp_db_t *db, const char *format, int value)
{
    char sql[64];
    apr_snprintf(sql, sizeof sql, format, value);
    return icp_db_integer(NULL, db, sql);
}

icp_error_t *icp_register_migrate(icp_db_t *db, const icp_schema_step_t *steps, int from, int to)
{
    if (!steps) steps = the_steps;
    for (int version = from; version < to; version++) {
        for (int i = 0; i < steps[version].count; i++) ICP_TRY(icp_db_run(db, steps[version].scripts[i]));
    }
    ICP_TRY(pragma(db, "PRAGMA main.application_id = %d", ICP_REGISTER_ID));
    ICP_TRY(pragma(db, "PRAGMA private.application_id = %d", ICP_REGISTER_ID));
    ICP_TRY(pragma(db, "PRAGMA main.user_version = %d", to));
    return pragma(db, "PRAGMA private.user_version = %d", to);
}

/* One of the two databases: is it ours at all, and of which version? */
static icp_error_t *look_at(apr_int64_t *version, icp_db_t *db, const char *schema, const char *path, apr_pool_t *pool)
{
    apr_int64_t pages = 0, id = 0;
    ICP_TRY(icp_db_integer(&pages, db, apr_psprintf(pool, "PRAGMA %s.page_count", schema)));
    if (!pages) {
        return icp_error(pool, ICP_FAULT, "put the newest good backup back with icpadmin restore", "%s is empty", path);
    }
    ICP_TRY(icp_db_integer(&id, db, apr_psprintf(pool, "PRAGMA %s.application_id", schema)));
    if (id != ICP_REGISTER_ID) {
        return icp_error(pool, ICP_FAULT, "check the path; if it is right, put the newest good backup back with icpadmin restore",
                         "%s is an SQLite database, but not one of icpadmin's", path);
    }
    return icp_db_integer(version, db, apr_psprintf(pool, "PRAGMA %s.user_version", schema));
}

static icp_error_t *too_new(const char *path, apr_int64_t version, int known, apr_pool_t *pool)
{
    return icp_error(pool, ICP_FAULT, "use the icpadmin and mod_icp that it was made with, or newer ones",
                     "%s has schema version %" APR_INT64_T_FMT "; this icpadmin knows versions up to %d", path, version, known);
}

/* SQLite's errors name the main database: if it is the attached one that cannot be read, asked by itself it is named. */
static icp_error_t *name_private(icp_register_t *reg, icp_error_t *error)
{
    icp_db_t *alone;
    if (!error->cause) return error;
    ICP_TRY(icp_db_open(&alone, reg->files->private_db, ICP_DB_READ, reg->timeout_ms, reg->files->pool));
    icp_error_t *named = icp_db_integer(NULL, alone, "PRAGMA schema_version");
    icp_db_close(alone);
    return named ? named : error;
}

icp_error_t *icp_register_schema(apr_int64_t *version, icp_register_t *reg, int known, apr_pool_t *pool)
{
    const char *private_db = reg->files->private_db;
    apr_int64_t private_version = 0;
    ICP_TRY(look_at(version, reg->db, "main", reg->path, pool));
    icp_error_t *error = look_at(&private_version, reg->db, "private", private_db, pool);
    if (error) return name_private(reg, error);
    if (*version > known) return too_new(reg->path, *version, known, pool);
    if (private_version > known) return too_new(private_db, private_version, known, pool);
    if (*version != private_version) {
        return icp_error(pool, ICP_FAULT, "put both back from one backup with icpadmin restore",
                         "%s has schema version %" APR_INT64_T_FMT " and %s version %" APR_INT64_T_FMT ": they do not belong together",
                         reg->path, *version, private_db, private_version);
    }
    return NULL;
}

void icp_register_disconnect(icp_register_t *reg)
{
    if (reg->db) icp_db_close(reg->db);
    reg->db = NULL;
}

static icp_error_t *attach(icp_register_t *reg)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_ATTACH_PRIVATE, "s", reg->files->private_db));
    ICP_TRY(icp_stmt_run(stmt));
    return icp_db_run(reg->db, ICP_STMT_CONNECTION_SETTINGS);
}

icp_error_t *icp_register_connect(icp_register_t *reg, const char *main_path)
{
    struct icp_register_files_t *files = reg->files;
    struct stat status;
    icp_register_disconnect(reg);
    if (lstat(main_path, &status) != 0) {
        if (errno != ENOENT) return icp_error_os(files->pool, errno, "cannot open the register %s", main_path);
        return icp_error(files->pool, ICP_NOT_FOUND, "create one with icpadmin init, or name another with --register",
                         "there is no register at %s", main_path);
    }
    int read_only = access(files->private_db, W_OK) != 0 && errno == EROFS; /* what is on file can be read all the same */
    if (access(files->private_db, read_only ? R_OK : R_OK | W_OK) != 0) {
        if (errno == EACCES) {
            return icp_error(files->pool, ICP_DENIED, "run the command as the register's owner, with sudo for instance",
                             "%s is for staff only: this user may not open it", files->private_db);
        }
        icp_error_t *error = icp_error_os(files->pool, errno, "cannot open %s, which belongs to the register", files->private_db);
        error->remedy = "put it back, or both from one backup with icpadmin restore";
        error->status = ICP_FAULT;
        return error;
    }
    ICP_TRY(icp_db_check_plain(files->private_db, files->pool));
    ICP_TRY(icp_db_open(&reg->db, main_path, read_only ? ICP_DB_READ : ICP_DB_WRITE, reg->timeout_ms, files->pool));
    icp_error_t *error = attach(reg);
    if (error) {
        icp_register_disconnect(reg);
        return name_private(reg, error);
    }
    files->device = status.st_dev;
    files->inode = status.st_ino;
    return NULL;
}

void icp_register_roll_back(icp_register_t *reg)
{
    if (reg->db && !sqlite3_get_autocommit(icp_db_handle(reg->db))) icp_db_run(reg->db, ICP_STMT_CHANGE_ROLLBACK);
}

icp_error_t *icp_register_attempt(int *busy, icp_register_t *reg, int mark, icp_change_fn *change, void *baton, apr_pool_t *pool)
{
    int impatient = reg->files->held_up && !mark;
    *busy = 0;
    sqlite3_busy_timeout(icp_db_handle(reg->db), impatient ? reg->timeout_ms / 20 : reg->timeout_ms);
    icp_error_t *error = icp_db_run(reg->db, ICP_STMT_CHANGE_BEGIN);
    if (error) {
        *busy = icp_register_busy(error);
        return error;
    }
    reg->files->changing = 1;
    error = icp_audit_open(reg, pool);
    if (!error) error = change(reg, baton, pool);
    reg->files->changing = 0;
    if (!error) error = icp_audit_close(reg);
    if (!error && mark) error = icp_db_run(reg->db, ICP_STMT_SWAP_MARK);
    if (!error && !reg->dry_run) {
        error = icp_db_run(reg->db, ICP_STMT_CHANGE_COMMIT);
        *busy = icp_register_busy(error);
    }
    icp_register_roll_back(reg);
    return error;
}
