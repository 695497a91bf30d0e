/* The register's files as files: names, the writers' lock, and what SQLite does not do: create with a mode, copy, rename and
 * make it last. Knows no table.
 */
#include "register_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "lock.h"
#include "log.h"

#define COPY_BYTES 1048576
#define LOCK_LOOK_MS 20
#define LOCK_PATIENCE 12 /* times reg->timeout_ms */

const char *icp_register_companion(const char *path, const char *name, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    return slash ? apr_pstrcat(pool, apr_pstrmemdup(pool, path, slash + 1 - path), name, NULL) : apr_pstrdup(pool, name);
}

static apr_status_t close_lock(void *data)
{
    icp_register_unlock(data);
    return APR_SUCCESS;
}

icp_error_t *icp_register_bare(icp_register_t **result, const char *path, const char *actor, apr_pool_t *pool)
{
    icp_register_t *reg = apr_pcalloc(pool, sizeof *reg);
    struct icp_register_files_t *files = apr_pcalloc(pool, sizeof *files);
    ICP_TRY(icp_db_path(&reg->path, path, pool));
    reg->actor = apr_pstrdup(pool, actor);
    reg->now = apr_time_now();
    reg->timeout_ms = 5000;
    reg->files = files;
    files->pool = pool;
    files->lock_fd = -1;
    files->directory = icp_register_companion(reg->path, "", pool);
    files->private_db = icp_register_companion(reg->path, "private.db", pool);
    files->next = apr_pstrcat(pool, reg->path, ".next", NULL);
    files->private_next = apr_pstrcat(pool, files->private_db, ".next", NULL);
    files->today = apr_pstrcat(pool, reg->path, ".today", NULL);
    files->lock = apr_pstrcat(pool, reg->path, ".lock", NULL);
    apr_pool_cleanup_register(pool, reg, close_lock, apr_pool_cleanup_null);
    *result = reg;
    return NULL;
}

icp_error_t *icp_register_lock(int *locked, icp_register_t *reg, int wait, apr_pool_t *pool)
{
    int waited = 0, limit = wait ? LOCK_PATIENCE * reg->timeout_ms : 0, fault = 0, told = 0;
    int fd = open(reg->files->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        icp_error_t *error = icp_error_os(pool, errno, "cannot open the lock %s", reg->files->lock);
        if (fd >= 0) close(fd);
        if (error->status == ICP_DENIED) error->remedy = "run the command as the register's owner, with sudo for instance";
        return error;
    }

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        fault = errno;
        if ((fault != EWOULDBLOCK && fault != EINTR) || waited >= limit) break;
        fault = 0;
        if (waited >= 1000 && !told) {
            const char *who = icp_lock_holders(reg->files->lock, pool);
            icp_log(ICP_LOG_NOTICE, "waiting for another change of %s by %s", reg->path, who ? who : "a process that cannot be seen");
            told = 1;
        }
        apr_sleep(apr_time_from_msec(LOCK_LOOK_MS));
        waited += LOCK_LOOK_MS;
    }
    if (!fault) {
        reg->files->lock_fd = fd;
        *locked = 1;
        return NULL;
    }
    close(fd);
    *locked = 0;
    if (fault != EWOULDBLOCK) return icp_error_os(pool, fault, "cannot lock %s", reg->files->lock);
    if (!wait) return NULL;
    const char *who = icp_lock_holders(reg->files->lock, pool);
    return icp_error(pool, ICP_FAULT, "let it finish, or end it, and try again", "%s is being changed by %s", reg->path,
                     who ? who : "a process that cannot be seen");
}

void icp_register_unlock(icp_register_t *reg)
{
    if (reg->files->lock_fd >= 0) close(reg->files->lock_fd);
    reg->files->lock_fd = -1;
}

int icp_file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

icp_error_t *icp_file_sync_directory(const char *path, apr_pool_t *pool)
{
    const char *directory = icp_register_companion(path, "", pool);
    if (!*directory) directory = ".";
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fault = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return fault ? icp_error_os(pool, fault, "cannot sync the directory %s", directory) : NULL;
}

icp_error_t *icp_file_create(const char *path, mode_t mode, apr_pool_t *pool)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = fd < 0 || fchmod(fd, mode) != 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return fault ? icp_error_os(pool, fault, "cannot create %s", path) : NULL;
}

icp_error_t *icp_file_dress(const char *path, const char *model, mode_t mode, apr_pool_t *pool)
{
    struct stat is, wanted;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    int fault = fd < 0 || fstat(fd, &is) != 0 ? errno : 0;
    if (!fault && lstat(model, &wanted) == 0 && S_ISREG(wanted.st_mode)) {
        mode = wanted.st_mode & 0777;
        if ((is.st_uid != wanted.st_uid || is.st_gid != wanted.st_gid) && fchown(fd, wanted.st_uid, wanted.st_gid) != 0) fault = errno;
    }
    if (!fault && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) fault = errno;
    if (fd >= 0) close(fd);
    return fault ? icp_error_os(pool, fault, "cannot set the mode and owner of %s", path) : NULL;
}

/* errno, or 0. */
static int copy_bytes(int from, int to)
{
    char *buffer = malloc(COPY_BYTES);
    off_t at = 0;
    ssize_t got = 0;
    int fault = buffer ? 0 : ENOMEM;
    while (!fault && (got = pread(from, buffer, COPY_BYTES, at)) > 0) {
        ssize_t put = pwrite(to, buffer, got, at);
        if (put <= 0) fault = put < 0 ? errno : ENOSPC;
        at += put;
    }
    if (!fault && got < 0) fault = errno;
    if (!fault && fsync(to) != 0) fault = errno;
    free(buffer);
    return fault;
}

icp_error_t *icp_file_copy(int from_fd, const char *from, const char *to, apr_pool_t *pool)
{
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = fd < 0 ? errno : copy_bytes(from_fd, fd);
    if (fd >= 0) close(fd);
    return fault ? icp_error_os(pool, fault, "cannot copy %s to %s", from, to) : NULL;
}

icp_error_t *icp_file_remove(const char *path, apr_pool_t *pool)
{
    if (unlink(path) == 0) return icp_file_sync_directory(path, pool);
    return errno == ENOENT ? NULL : icp_error_os(pool, errno, "cannot remove %s", path);
}

icp_error_t *icp_file_rename(const char *from, const char *to, apr_pool_t *pool)
{
    if (rename(from, to) != 0) return icp_error_os(pool, errno, "cannot rename %s to %s", from, to);
    return icp_file_sync_directory(to, pool);
}
