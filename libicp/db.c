/* One SQLite connection and its prepared statements: see db.h. This is the only file that turns SQLite's result codes into
 * words; what the tables mean is nothing it may know.
 */
#define ICP_SQL_TEXT
#include "db.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

struct icp_stmt_t {
    icp_db_t *db;
    sqlite3_stmt *prepared;
};

struct icp_db_t {
    sqlite3 *handle;
    apr_pool_t *pool;
    const char *path;
    icp_stmt_t statements[ICP_STMT_COUNT];
};

/* SQLITE_OPEN_NOFOLLOW refuses a link anywhere in the path, but only one at the file's own place is dangerous: the
 * directory is resolved first. An absolute path is also never taken for a URI or ":memory:". */
icp_error_t *icp_db_path(const char **absolute, const char *path, apr_pool_t *pool)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *parent = !slash ? "." : slash == path ? "/" : apr_pstrmemdup(pool, path, slash - path);
    if (!realpath(parent, directory)) return icp_error_os(pool, errno, "cannot open the database %s", path);
    *absolute = apr_pstrcat(pool, directory, strcmp(directory, "/") ? "/" : "", slash ? slash + 1 : path, NULL);
    return NULL;
}

/* SQLite waits for ever in front of a pipe, and says little of a folder or of a link that leads to itself. */
static icp_error_t *check_plain(const char *path, apr_pool_t *pool)
{
    struct stat info;
    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode)) return NULL;
    if (S_ISLNK(info.st_mode)) {
        return icp_error(pool, ICP_DENIED, "name the file itself", "cannot open the database %s: it is a symbolic link, which is not followed", path);
    }
    return icp_error(pool, ICP_FAULT, "look who put it there, and put the file itself back",
                     S_ISDIR(info.st_mode) ? "cannot open the database %s: it is a directory" : "cannot open the database %s: it is no plain file",
                     path);
}

icp_error_t *icp_db_check_plain(const char *path, apr_pool_t *pool)
{
    ICP_TRY(check_plain(path, pool));
    return check_plain(apr_pstrcat(pool, path, "-journal", NULL), pool);
}

static apr_status_t close_db(void *data)
{
    icp_db_t *db = data;
    for (int i = 0; i < ICP_STMT_COUNT; i++) {
        sqlite3_finalize(db->statements[i].prepared);
        db->statements[i].prepared = NULL;
    }
    sqlite3_close_v2(db->handle);
    db->handle = NULL;
    return APR_SUCCESS;
}

/* What every connection is set to. */
static int settle(icp_db_t *db)
{
    static const int settings[][2] = {
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_DQS_DDL, 0},     {SQLITE_DBCONFIG_DQS_DML, 0},
    };
    int rc = sqlite3_extended_result_codes(db->handle, 1);
    for (unsigned i = 0; rc == SQLITE_OK && i < sizeof settings / sizeof settings[0]; i++) {
        rc = sqlite3_db_config(db->handle, settings[i][0], settings[i][1], NULL);
    }
    /* Or every statement that fires a trigger keeps its way back in a file in /var/tmp. */
    return rc == SQLITE_OK ? sqlite3_exec(db->handle, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL) : rc;
}

icp_error_t *icp_db_open(icp_db_t **result, const char *path, icp_db_mode_e mode, int timeout_ms, apr_pool_t *pool)
{
    static const int mode_flags[] = {
        [ICP_DB_READ] = SQLITE_OPEN_READONLY,
        [ICP_DB_WRITE] = SQLITE_OPEN_READWRITE,
        [ICP_DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    icp_db_t *db = apr_pcalloc(pool, sizeof *db);
    db->pool = pool;
    ICP_TRY(icp_db_path(&db->path, path, pool));
    ICP_TRY(icp_db_check_plain(db->path, pool));

    int rc = sqlite3_open_v2(db->path, &db->handle, mode_flags[mode] | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = settle(db);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(db->handle, timeout_ms);
    /* A file that may not be written is quietly opened for reading by SQLite. */
    if (rc == SQLITE_OK && mode != ICP_DB_READ && sqlite3_db_readonly(db->handle, "main")) rc = SQLITE_READONLY;
    if (rc != SQLITE_OK) {
        if (db->handle && rc == SQLITE_CANTOPEN) rc = sqlite3_extended_errcode(db->handle);
        icp_error_t *error = icp_db_error(db, rc, "open the database");
        close_db(db);
        return error;
    }
    apr_pool_cleanup_register(pool, db, close_db, apr_pool_cleanup_null);
    *result = db;
    return NULL;
}

icp_error_t *icp_db_open_image(icp_db_t **result, const char *path, unsigned char *image, apr_size_t length, apr_pool_t *pool)
{
    icp_db_t *db = apr_pcalloc(pool, sizeof *db);
    db->pool = pool;
    db->path = apr_pstrdup(pool, path);
    int rc = sqlite3_open_v2(":memory:", &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) rc = settle(db);
    if (rc == SQLITE_OK) {
        rc = sqlite3_deserialize(db->handle, "main", image, (sqlite3_int64)length, (sqlite3_int64)length,
                                 SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY);
    }
    else {
        sqlite3_free(image);
    }
    if (rc != SQLITE_OK) {
        icp_error_t *error = icp_db_error(db, rc, "open the database");
        close_db(db);
        return error;
    }
    apr_pool_cleanup_register(pool, db, close_db, apr_pool_cleanup_null);
    *result = db;
    return NULL;
}

void icp_db_close(icp_db_t *db)
{
    apr_pool_cleanup_run(db->pool, db, close_db);
}

sqlite3 *icp_db_handle(icp_db_t *db)
{
    return db->handle;
}

icp_error_t *icp_db_run(icp_db_t *db, icp_stmt_e script)
{
    int rc = sqlite3_exec(db->handle, icp_sql_text[script], NULL, NULL, NULL);
    return rc == SQLITE_OK ? NULL : icp_db_error(db, rc, "change the database");
}

icp_error_t *icp_db_integer(apr_int64_t *value, icp_db_t *db, const char *sql)
{
    sqlite3_stmt *stmt;
    apr_int64_t found = -1;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) found = sqlite3_column_int64(stmt, 0);
        icp_error_t *error = rc == SQLITE_ROW || rc == SQLITE_DONE ? NULL : icp_db_error(db, rc, "read the database");
        sqlite3_finalize(stmt);
        if (!error && value) *value = found;
        return error;
    }
    return icp_db_error(db, rc, "read the database");
}

static int bind_all(sqlite3_stmt *stmt, const char *format, va_list args)
{
    int rc = SQLITE_OK;
    for (int i = 1; *format && rc == SQLITE_OK; format++, i++) {
        switch (*format) {
        case 's':
            rc = sqlite3_bind_text(stmt, i, va_arg(args, const char *), -1, SQLITE_STATIC);
            break;
        case 'i':
            rc = sqlite3_bind_int64(stmt, i, va_arg(args, apr_int64_t));
            break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            rc = sqlite3_bind_blob64(stmt, i, bytes, va_arg(args, apr_size_t), SQLITE_STATIC);
            break;
        }
        default:
            rc = SQLITE_MISUSE;
        }
    }
    return rc;
}

icp_error_t *icp_db_statement(icp_stmt_t **result, icp_db_t *db, icp_stmt_e which, const char *format, ...)
{
    icp_stmt_t *stmt = &db->statements[which];
    int rc = SQLITE_OK;
    if (!stmt->prepared) {
        stmt->db = db;
        rc = sqlite3_prepare_v3(db->handle, icp_sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, &stmt->prepared, NULL);
    }
    else {
        sqlite3_reset(stmt->prepared);
        sqlite3_clear_bindings(stmt->prepared);
    }
    if (rc == SQLITE_OK) {
        va_list args;
        va_start(args, format);
        rc = bind_all(stmt->prepared, format, args);
        va_end(args);
    }
    if (rc != SQLITE_OK) return icp_db_error(db, rc, "prepare a statement");
    *result = stmt;
    return NULL;
}

icp_error_t *icp_stmt_step(int *row, icp_stmt_t *stmt)
{
    icp_error_t *error = NULL;
    int rc = sqlite3_step(stmt->prepared);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) return NULL;
    if (rc != SQLITE_DONE) {
        const char *doing = sqlite3_stmt_readonly(stmt->prepared) ? "read the database" : "change the database";
        error = icp_db_error(stmt->db, rc, doing);
    }
    sqlite3_reset(stmt->prepared);
    return error;
}

icp_error_t *icp_stmt_run(icp_stmt_t *stmt)
{
    int row = 1;
    while (row) ICP_TRY(icp_stmt_step(&row, stmt));
    return NULL;
}

icp_error_t *icp_stmt_ids(apr_array_header_t **ids, icp_stmt_t *stmt, apr_pool_t *pool)
{
    int row;
    *ids = apr_array_make(pool, 16, sizeof(apr_int64_t));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        APR_ARRAY_PUSH(*ids, apr_int64_t) = icp_stmt_int(stmt, 0);
    }
}

const char *icp_stmt_text(icp_stmt_t *stmt, int column, apr_pool_t *pool)
{
    const char *text = (const char *)sqlite3_column_text(stmt->prepared, column);
    return text ? apr_pstrmemdup(pool, text, sqlite3_column_bytes(stmt->prepared, column)) : NULL;
}

const void *icp_stmt_blob(icp_stmt_t *stmt, int column, apr_size_t *bytes)
{
    const void *blob = sqlite3_column_blob(stmt->prepared, column);
    *bytes = sqlite3_column_bytes(stmt->prepared, column);
    return blob;
}

apr_int64_t icp_stmt_int(icp_stmt_t *stmt, int column)
{
    return sqlite3_column_int64(stmt->prepared, column);
}

int icp_stmt_null(icp_stmt_t *stmt, int column)
{
    return sqlite3_column_type(stmt->prepared, column) == SQLITE_NULL;
}

void icp_stmt_reset(icp_stmt_t *stmt)
{
    sqlite3_reset(stmt->prepared);
}

apr_int64_t icp_db_last_id(icp_db_t *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int icp_db_changes(icp_db_t *db)
{
    return sqlite3_changes(db->handle);
}

/* "cannot open the database /x: " is put before `why`. */
static icp_error_t *failure(icp_db_t *db, const char *doing, icp_status_e status, const char *why, const char *remedy)
{
    return icp_error(db->pool, status, remedy, "cannot %s %s: %s", doing, db->path, why);
}

static icp_error_t *cannot_open(icp_db_t *db, int result, const char *doing, int os_error)
{
    if (os_error) return icp_error_os(db->pool, os_error, "cannot %s %s", doing, db->path);
    return failure(db, doing, ICP_FAULT, sqlite3_errstr(result), NULL);
}

icp_error_t *icp_db_error(icp_db_t *db, int result, const char *doing)
{
    /* Words and errno belong to the connection's newest call; a stale one must not explain this result. */
    int newest = db->handle && (sqlite3_errcode(db->handle) & 0xff) == (result & 0xff);
    const char *why = newest ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result);
    int os_error = newest ? sqlite3_system_errno(db->handle) : 0;
    icp_error_t *error;

    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        error = failure(db, doing, ICP_FAULT, "another process holds a lock on it",
                        "try again; icpadmin doctor names the process");
        break;
    case SQLITE_CORRUPT:
        error = failure(db, doing, ICP_FAULT, "the file is damaged",
                        "run icpadmin doctor, then put the newest good backup back with icpadmin restore");
        break;
    case SQLITE_NOTADB:
        error = failure(db, doing, ICP_FAULT, "the file is not a database, or of a format this SQLite cannot read",
                        "check the path; if it is right, put the newest good backup back with icpadmin restore");
        break;
    case SQLITE_CANTOPEN:
        error = cannot_open(db, result, doing, os_error);
        break;
    case SQLITE_READONLY:
        if (result == SQLITE_READONLY_ROLLBACK) {
            error = failure(db, doing, ICP_FAULT, "a change was interrupted and has to be undone first",
                            "run icpadmin status as the register's owner, which does it");
        }
        else {
            error = failure(db, doing, ICP_DENIED, "it is read-only for this user",
                            "run the command as the register's owner, with sudo for instance");
        }
        break;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        error = failure(db, doing, ICP_DENIED, why, "run the command as the register's owner, with sudo for instance");
        break;
    case SQLITE_CONSTRAINT:
        error = failure(db, doing, ICP_REFUSED, why, NULL);
        break;
    case SQLITE_FULL:
        error = failure(db, doing, ICP_FAULT, "no space is left on its disk", "make room there and try again");
        break;
    case SQLITE_IOERR:
        error = os_error ? icp_error_os(db->pool, os_error, "cannot %s %s: %s", doing, db->path, why)
                         : failure(db, doing, ICP_FAULT, why, NULL);
        error->status = ICP_FAULT;
        if (!error->remedy) error->remedy = "look for its disk in the kernel's log (dmesg); icpadmin log shows whether a change is on file all the same";
        break;
    default:
        error = failure(db, doing, ICP_FAULT, why, NULL);
    }
    error->cause = result;
    return error;
}
