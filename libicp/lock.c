/* Locks on database files: see lock.h. The byte offsets are part of SQLite's file format (PENDING_BYTE in its
 * documentation). Asking never changes a lock.
 */
#include "lock.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <apr_user.h>

#define SHARE_LOOK_MS 10

enum { PENDING = 0x40000000, RESERVED = PENDING + 1, SHARED = PENDING + 2, SHARED_BYTES = 510 };

static int conflicts(int fd, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int take(int fd, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

icp_lock_e icp_lock_probe(const char *path)
{
    icp_lock_e found = ICP_LOCK_NONE;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return found;
    if (conflicts(fd, F_RDLCK, PENDING, SHARED_BYTES + 2)) {
        found = ICP_LOCK_WRITE;
    }
    else if (conflicts(fd, F_WRLCK, PENDING, SHARED_BYTES + 2)) {
        found = ICP_LOCK_READ;
    }
    close(fd);
    return found;
}

static int open_journal(const char *path, apr_pool_t *scratch_pool)
{
    return open(apr_pstrcat(scratch_pool, path, "-journal", NULL), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Is it still there, with something in it? */
static int is_filled(int journal)
{
    char first = 0;
    struct stat status;
    return pread(journal, &first, 1, 0) == 1 && first && fstat(journal, &status) == 0 && status.st_nlink;
}

int icp_lock_journal(const char *path, apr_pool_t *scratch_pool)
{
    int journal = open_journal(path, scratch_pool);
    int filled = journal >= 0 && is_filled(journal);
    if (journal >= 0) close(journal);
    return filled;
}

int icp_lock_hot(const char *path, apr_pool_t *scratch_pool)
{
    int journal = open_journal(path, scratch_pool);
    if (journal < 0) return 0;
    /* The same one is looked at again at the end: a writer lets go of its locks only after its journal is gone, and the next writer's may be there. */
    int hot = is_filled(journal) && icp_lock_probe(path) != ICP_LOCK_WRITE && is_filled(journal);
    close(journal);
    return hot;
}

int icp_lock_hold(int fd)
{
    if (!take(fd, F_RDLCK, SHARED, SHARED_BYTES)) return 0;
    return take(fd, F_WRLCK, RESERVED, 1) || !conflicts(fd, F_RDLCK, RESERVED, 1);
}

int icp_lock_share(int fd, int timeout_ms)
{
    for (int waited = 0;; waited += SHARE_LOOK_MS) {
        /* PENDING is a writer's who waits for the readers to go: the next one must not step in before him. */
        int shared = take(fd, F_RDLCK, PENDING, 1) && take(fd, F_RDLCK, SHARED, SHARED_BYTES);
        take(fd, F_UNLCK, PENDING, 1);
        if (shared || waited >= timeout_ms) return shared;
        apr_sleep(apr_time_from_msec(SHARE_LOOK_MS));
    }
}

/* Does the process hold a lock by its descriptor `name`? */
static int holds_lock(const char *process, const char *name, const struct stat *file, apr_pool_t *pool)
{
    struct stat opened;
    char line[256];
    int found = 0;
    if (stat(apr_pstrcat(pool, process, "/fd/", name, NULL), &opened) != 0) return 0;
    if (opened.st_dev != file->st_dev || opened.st_ino != file->st_ino) return 0;

    FILE *info = fopen(apr_pstrcat(pool, process, "/fdinfo/", name, NULL), "re");
    if (!info) return 0;
    while (!found && fgets(line, sizeof line, info)) {
        found = strncmp(line, "lock:", 5) == 0;
    }
    fclose(info);
    return found;
}

static int process_holds_lock(const char *process, const struct stat *file, apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t entry;
    int found = 0;
    if (apr_dir_open(&dir, apr_pstrcat(pool, process, "/fd", NULL), pool) != APR_SUCCESS) return 0;
    while (!found && apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        found = isdigit((unsigned char)entry.name[0]) && holds_lock(process, entry.name, file, pool);
    }
    apr_dir_close(dir);
    return found;
}

static const char *describe(const char *process, apr_pool_t *pool)
{
    struct stat status;
    char command[64] = "?";
    char *user = NULL;
    FILE *comm = fopen(apr_pstrcat(pool, process, "/comm", NULL), "re");
    if (comm) {
        if (fgets(command, sizeof command, comm)) command[strcspn(command, "\n")] = 0;
        fclose(comm);
    }
    for (char *c = command; *c; c++) {
        if (!isprint((unsigned char)*c)) *c = '?';
    }
    if (stat(process, &status) == 0 && apr_uid_name_get(&user, status.st_uid, pool) != APR_SUCCESS) {
        user = apr_psprintf(pool, "uid %lu", (unsigned long)status.st_uid);
    }
    return apr_psprintf(pool, "pid %s (%s, %s)", process + strlen("/proc/"), command, user ? user : "?");
}

const char *icp_lock_holders(const char *path, apr_pool_t *pool)
{
    struct stat file;
    apr_dir_t *dir;
    apr_finfo_t entry;
    const char *holders = NULL;
    apr_pool_t *scratch;
    if (lstat(path, &file) != 0) return NULL;
    apr_pool_create(&scratch, pool);
    if (apr_dir_open(&dir, "/proc", pool) != APR_SUCCESS) return NULL;
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (!isdigit((unsigned char)entry.name[0]) || atol(entry.name) == (long)getpid()) continue;
        apr_pool_clear(scratch);
        const char *process = apr_pstrcat(scratch, "/proc/", entry.name, NULL);
        if (!process_holds_lock(process, &file, scratch)) continue;
        const char *name = describe(process, scratch);
        holders = holders ? apr_pstrcat(pool, holders, ", ", name, NULL) : apr_pstrdup(pool, name);
    }
    apr_dir_close(dir);
    apr_pool_destroy(scratch);
    return holders;
}
