/* The ringing side of the bell. Children have the file mapped, so nothing here ever makes it shorter or puts another in its
 * place. The register itself is not mapped by anybody: `cp backup register.db` truncates it first.
 */
#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_time.h>

#define BELL_SIZE 4096

/* The beginning of the page. */
typedef struct strip_t {
    uint64_t word;
    uint64_t inode;   /* of the file that was rung last: it tells a bell put in place of another */
    uint64_t commits; /* those of the register that it was rung for */
} strip_t;

/* SQLite's count of the commits to a file (database file format, 1.3.7, "File change counter"); 0 where there is none. Closing the file
 * drops the process's locks on it, so nobody calls this in a transaction. */
static uint64_t commits(const char *register_path)
{
    unsigned char counter[4] = {0};
    int fd = open(register_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = pread(fd, counter, sizeof counter, 24);
    close(fd);
    if (got != (ssize_t)sizeof counter) return 0;
    return (uint64_t)counter[0] << 24 | (uint64_t)counter[1] << 16 | (uint64_t)counter[2] << 8 | counter[3];
}

/* Opens the bell for ringing, and tells its inode. */
static icp_error_t *open_bell(int *fd, uint64_t *inode, const char *path, apr_pool_t *pool)
{
    struct stat status;
    *fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (*fd < 0 && errno == ELOOP) {
        return icp_error(pool, ICP_DENIED, "remove the link; the next change makes a new bell", "the bell %s is a symbolic link",
                         path);
    }
    if (*fd < 0) return icp_error_os(pool, errno, "cannot open the bell %s", path);

    int fault = fstat(*fd, &status) ? errno : S_ISREG(status.st_mode) ? 0 : EINVAL;
    if (!fault && status.st_size < BELL_SIZE) {
        if (fchmod(*fd, 0644) || ftruncate(*fd, BELL_SIZE)) fault = errno;
    }
    *inode = status.st_ino;
    if (!fault) return NULL;
    close(*fd);
    return icp_error_os(pool, fault, "cannot use the bell %s", path);
}

icp_error_t *icp_bell_create(const char *register_path, apr_pool_t *pool)
{
    int fd;
    uint64_t inode;
    ICP_TRY(open_bell(&fd, &inode, icp_bell_path(register_path, pool), pool));
    int fault = pwrite(fd, &inode, sizeof inode, offsetof(strip_t, inode)) == (ssize_t)sizeof inode ? 0 : errno;
    close(fd);
    return fault ? icp_error_os(pool, fault, "cannot write the bell of %s", register_path) : NULL;
}

/* By plain writing, never through a mapping: a full disk then is an error and not a SIGBUS. Who rings has the register's lock. */
icp_error_t *icp_bell_ring(const char *register_path, apr_pool_t *pool)
{
    const char *path = icp_bell_path(register_path, pool);
    strip_t strip = {0, 0, 0};
    uint64_t inode, now = (uint64_t)apr_time_now();
    int fd;
    ICP_TRY(open_bell(&fd, &inode, path, pool));
    int fault = pread(fd, &strip, sizeof strip, 0) < 0 ? errno : 0;
    int unknown = strip.inode != inode; /* to the workers */
    strip.word = strip.word >= now ? strip.word + 1 : now;
    strip.inode = inode;
    strip.commits = commits(register_path);
    errno = 0;
    if (!fault && pwrite(fd, &strip, sizeof strip, 0) != (ssize_t)sizeof strip) fault = errno ? errno : EIO;
    close(fd);
    if (fault) return icp_error_os(pool, fault, "cannot write the bell %s", path);
    if (unknown) apr_sleep(apr_time_from_msec(ICP_BELL_LOOK_MS));
    return NULL;
}

int icp_bell_is_due(const char *register_path, apr_pool_t *scratch_pool)
{
    strip_t strip = {0, 0, 0};
    int fd = open(icp_bell_path(register_path, scratch_pool), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = pread(fd, &strip, sizeof strip, 0);
    close(fd);
    return got == (ssize_t)sizeof strip && strip.commits != commits(register_path);
}
