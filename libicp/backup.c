/* Writing a backup, and taking one apart: see backup.h. The images are read through SQLite's own file handles, since opening and
 * closing a database file drops the locks that a process has on it.
 */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "backup_image.h"
#include "register_files.h"
#include "seal.h"

#define PART_BYTES 1048576

const char *const icp_backup_keys[] = {"pass.key", ICP_SEAL_KEY, NULL};

/* Where an image's bytes come from: a database file by SQLite's handle, or memory. */
typedef struct source_t {
    sqlite3_file *file;
    const unsigned char *memory;
    sqlite3_int64 size;
} source_t;

static int read_source(const source_t *source, void *buffer, int bytes, sqlite3_int64 at)
{
    if (source->file) return source->file->pMethods->xRead(source->file, buffer, bytes, at);
    memcpy(buffer, source->memory + at, bytes);
    return SQLITE_OK;
}

static icp_error_t *write_image(icp_db_t *backup, const char *name, const source_t *source, apr_time_t now, apr_pool_t *pool)
{
    char sha256[65];
    icp_stmt_t *stmt;
    icp_error_t *error = NULL;
    icp_digest_t *digest;
    apr_int64_t number = 0;
    unsigned char *buffer = apr_palloc(pool, PART_BYTES);
    ICP_TRY(icp_digest_begin(&digest, pool));
    for (sqlite3_int64 at = 0; !error && at < source->size; number++) {
        apr_size_t bytes = source->size - at < PART_BYTES ? (apr_size_t)(source->size - at) : PART_BYTES;
        int rc = read_source(source, buffer, (int)bytes, at);
        if (rc != SQLITE_OK) return icp_error(pool, ICP_FAULT, NULL, "cannot read %s: %s", name, sqlite3_errstr(rc));
        icp_digest_add(digest, buffer, bytes);
        error = icp_db_statement(&stmt, backup, ICP_STMT_BACKUP_PART, "sib", name, number, buffer, bytes);
        if (!error) error = icp_stmt_run(stmt);
        at += bytes;
    }
    if (error) return error;
    ICP_TRY(icp_digest_end(sha256, digest, pool));
    ICP_TRY(icp_db_statement(&stmt, backup, ICP_STMT_BACKUP_IMAGE, "sisi", name, (apr_int64_t)source->size, sha256,
                             (apr_int64_t)apr_time_sec(now)));
    return icp_stmt_run(stmt);
}

static icp_error_t *write_database(icp_db_t *backup, icp_register_t *reg, const char *schema, const char *name, apr_pool_t *pool)
{
    source_t source = {0};
    int rc = sqlite3_file_control(icp_db_handle(reg->db), schema, SQLITE_FCNTL_FILE_POINTER, &source.file);
    if (rc == SQLITE_OK) rc = source.file->pMethods->xFileSize(source.file, &source.size);
    if (rc != SQLITE_OK) return icp_error(pool, ICP_FAULT, NULL, "cannot read %s: %s", name, sqlite3_errstr(rc));
    return write_image(backup, name, &source, reg->now, pool);
}

static icp_error_t *write_key(icp_db_t *backup, icp_register_t *reg, const char *name, apr_pool_t *pool)
{
    unsigned char key[4096];
    const char *path = icp_register_companion(reg->path, name, pool);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? NULL : icp_error_os(pool, errno, "cannot open the key %s", path);
    source_t source = {.memory = key, .size = read(fd, key, sizeof key)};
    int fault = source.size < 0 ? errno : 0;
    close(fd);
    icp_error_t *error = fault ? icp_error_os(pool, fault, "cannot read the key %s", path)
                               : write_image(backup, name, &source, reg->now, pool);
    explicit_bzero(key, sizeof key);
    return error;
}

static icp_error_t *write_images(icp_db_t *backup, icp_register_t *reg, apr_pool_t *pool)
{
    ICP_TRY(icp_db_integer(NULL, backup, "PRAGMA journal_mode = MEMORY"));
    ICP_TRY(icp_db_run(backup, ICP_STMT_CHANGE_BEGIN));
    ICP_TRY(icp_db_run(backup, ICP_STMT_CREATE_BACKUP));
    ICP_TRY(icp_db_integer(NULL, backup, apr_psprintf(pool, "PRAGMA application_id = %d", ICP_BACKUP_ID)));
    ICP_TRY(icp_db_integer(NULL, backup, "PRAGMA user_version = 1"));
    ICP_TRY(write_database(backup, reg, "main", "register.db", pool));
    ICP_TRY(write_database(backup, reg, "private", "private.db", pool));
    for (int i = 0; icp_backup_keys[i]; i++) ICP_TRY(write_key(backup, reg, icp_backup_keys[i], pool));
    return icp_db_run(backup, ICP_STMT_CHANGE_COMMIT);
}

static icp_error_t *put_in_place(const char *part, const char *file, apr_pool_t *pool)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST) return icp_error(pool, ICP_REFUSED, "name a new file", "%s is there already", file);
        return icp_error_os(pool, errno, "cannot write the backup %s", file);
    }
    return icp_file_sync_directory(file, pool);
}

icp_error_t *icp_backup_images(icp_register_t *reg, void *file, apr_pool_t *pool)
{
    icp_db_t *backup;
    const char *part = apr_psprintf(pool, "%s.%ld.part", (const char *)file, (long)getpid());
    if (icp_file_exists(file)) return icp_error(pool, ICP_REFUSED, "name a new file", "%s is there already", (const char *)file);
    ICP_TRY(icp_file_create(part, 0600, pool));
    icp_error_t *error = icp_db_open(&backup, part, ICP_DB_WRITE, 0, pool);
    if (!error) {
        error = write_images(backup, reg, pool);
        icp_db_close(backup);
    }
    if (!error) error = put_in_place(part, file, pool);
    if (error) unlink(part);
    return error;
}

icp_error_t *icp_backup_write(icp_register_t *reg, const char *file, apr_pool_t *pool)
{
    return icp_register_read(reg, icp_backup_images, (void *)file, pool);
}

static icp_error_t *not_whole(const char *file, const char *name, apr_pool_t *pool)
{
    return icp_error(pool, ICP_FAULT, "use another backup", "the backup %s is damaged: its image of %s is not as it was written", file,
                     name);
}

icp_error_t *icp_backup_open(icp_db_t **backup, const char *file, apr_pool_t *pool)
{
    apr_int64_t id, version;
    ICP_TRY(icp_db_open(backup, file, ICP_DB_READ, 0, pool));
    ICP_TRY(icp_db_integer(&id, *backup, "PRAGMA application_id"));
    if (id != ICP_BACKUP_ID) {
        return icp_error(pool, ICP_USAGE, "name a file that icpadmin backup wrote", "%s is not a backup of icpadmin's", file);
    }
    ICP_TRY(icp_db_integer(&version, *backup, "PRAGMA user_version"));
    if (version == 1) return NULL;
    return icp_error(pool, ICP_FAULT, "use the icpadmin that wrote it", "the backup %s has version %" APR_INT64_T_FMT "; this icpadmin knows 1",
                     file, version);
}

icp_error_t *icp_backup_has(int *yes, icp_db_t *backup, const char *name)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, backup, ICP_STMT_BACKUP_IMAGE_FACTS, "s", name));
    ICP_TRY(icp_stmt_step(yes, stmt));
    icp_stmt_reset(stmt);
    return NULL;
}

icp_error_t *icp_backup_extract(apr_time_t *at, icp_db_t *backup, const char *name, const char *file, const char *to, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    icp_digest_t *digest;
    char sha256[65];
    int row, fault = 0;
    ICP_TRY(icp_db_statement(&stmt, backup, ICP_STMT_BACKUP_IMAGE_FACTS, "s", name));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return not_whole(file, name, pool);
    apr_int64_t size = icp_stmt_int(stmt, 0), done = 0;
    const char *wanted = icp_stmt_text(stmt, 1, pool);
    if (at) *at = apr_time_from_sec(icp_stmt_int(stmt, 2));
    icp_stmt_reset(stmt);

    ICP_TRY(icp_digest_begin(&digest, pool));
    ICP_TRY(icp_file_create(to, 0600, pool));
    int fd = open(to, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot write %s", to);
    icp_error_t *error = icp_db_statement(&stmt, backup, ICP_STMT_BACKUP_PARTS, "s", name);
    while (!error && !fault) {
        apr_size_t bytes;
        error = icp_stmt_step(&row, stmt);
        if (error || !row) break;
        const void *part = icp_stmt_blob(stmt, 0, &bytes);
        icp_digest_add(digest, part, bytes);
        ssize_t put = write(fd, part, bytes);
        if (put != (ssize_t)bytes) fault = put < 0 ? errno : ENOSPC;
        done += bytes;
    }
    if (!fault && fsync(fd) != 0) fault = errno;
    close(fd);
    if (error) return error;
    icp_stmt_reset(stmt);
    if (fault) return icp_error_os(pool, fault, "cannot write %s", to);
    ICP_TRY(icp_digest_end(sha256, digest, pool));
    return done == size && !strcmp(sha256, wanted) ? NULL : not_whole(file, name, pool);
}
