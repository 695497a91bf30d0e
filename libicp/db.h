/* One SQLite connection with its prepared statements.
 *
 * Statements are named in the .sql files of libicp/sql and compiled into an index (build/gen/icp_sql.h); each is prepared at
 * its first use on a connection and kept until the connection closes. Nothing here knows what a
 * register is. A connection belongs to one thread at a time. Process-wide SQLite settings are never touched:
 * other modules of the same httpd (PHP, mod_dbd) may share the library.
 */
#ifndef ICP_DB_H
#define ICP_DB_H

#include <apr_pools.h>
#include <apr_tables.h>
#include <sqlite3.h>

#include "error.h"
#include "icp_sql.h" /* generated: icp_stmt_e */

typedef struct icp_db_t icp_db_t;
typedef struct icp_stmt_t icp_stmt_t;

typedef enum icp_db_mode_e {
    ICP_DB_READ,  /* the file must exist; nothing is ever written, not even a journal rolled back */
    ICP_DB_WRITE, /* the file must exist; a journal left by a crash is rolled back at first use */
    ICP_DB_CREATE /* as WRITE; the file is created, with the process's umask */
} icp_db_mode_e;

/* `path` absolute, its directory's symbolic links resolved, its last part as it is: what SQLite is given. */
icp_error_t *icp_db_path(const char **absolute, const char *path, apr_pool_t *pool);

/* Are the file and the journal beside it, where they are there, plain files? (For what is attached; icp_db_open asks by itself.) */
icp_error_t *icp_db_check_plain(const char *path, apr_pool_t *pool);

/* Opens `path`; what is no plain file is refused; foreign keys on, schema untrusted, busy timeout `timeout_ms`.
 * The connection closes with `pool` or by icp_db_close, whichever is first. */
icp_error_t *icp_db_open(icp_db_t **db, const char *path, icp_db_mode_e mode, int timeout_ms, apr_pool_t *pool);
void icp_db_close(icp_db_t *db);

/* The same for reading a database that is in memory: no file is opened, read or locked. `image` comes from sqlite3_malloc64 and is freed
 * here, whatever happens; `path` is what errors call it. One in WAL mode cannot be opened. */
icp_error_t *icp_db_open_image(icp_db_t **db, const char *path, unsigned char *image, apr_size_t length, apr_pool_t *pool);

/* The connection itself, for what has no wrapper (backup, serialize, busy handler). */
sqlite3 *icp_db_handle(icp_db_t *db);

/* Runs a script of several statements that takes no parameter and gives no row. */
icp_error_t *icp_db_run(icp_db_t *db, icp_stmt_e script);

/* An integer that a pragma or a query without parameter gives, -1 if it gives no row. `value` may be NULL. */
icp_error_t *icp_db_integer(apr_int64_t *value, icp_db_t *db, const char *sql);

/* The statement, reset and with all parameters NULL; `format` binds them in order: 's' const char * (NULL is
 * NULL), 'i' apr_int64_t (pass exactly that type), 'b' const void * and apr_size_t (a blob). Texts must stay
 * until the statement is reset or stepped to its end. */
icp_error_t *icp_db_statement(icp_stmt_t **stmt, icp_db_t *db, icp_stmt_e which, const char *format, ...);

/* Next row: *row is 1 while there is one. At the end (0) and on error the statement is reset. */
icp_error_t *icp_stmt_step(int *row, icp_stmt_t *stmt);

/* Runs a statement to its end, rows ignored. */
icp_error_t *icp_stmt_run(icp_stmt_t *stmt);

/* The integers in the first column of every row, in an array of apr_int64_t: for lists that are then read item by item, without
 * a lock on the database while a person looks at them. */
icp_error_t *icp_stmt_ids(apr_array_header_t **ids, icp_stmt_t *stmt, apr_pool_t *pool);

/* Columns count from 0. Text is copied into `pool`, NULL for NULL. */
const char *icp_stmt_text(icp_stmt_t *stmt, int column, apr_pool_t *pool);
/* Until the next step. */
const void *icp_stmt_blob(icp_stmt_t *stmt, int column, apr_size_t *bytes);
apr_int64_t icp_stmt_int(icp_stmt_t *stmt, int column);
int icp_stmt_null(icp_stmt_t *stmt, int column);
void icp_stmt_reset(icp_stmt_t *stmt);

/* The row id of the newest insert on this connection, and the rows its newest statement changed. */
apr_int64_t icp_db_last_id(icp_db_t *db);
int icp_db_changes(icp_db_t *db);

/* SQLite's answer as an error: busy, corrupt, newer, read-only and constraint each in words of their own,
 * `cause` the extended result code. `doing` says what was tried ("open the register"). */
icp_error_t *icp_db_error(icp_db_t *db, int result, const char *doing);

#endif
