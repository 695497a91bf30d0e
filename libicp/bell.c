/* The ringing side of the bell. Children have the file mapped, so nothing here ever makes it shorter or puts another in its
 * place. The register itself is not mapped by anybody: `cp backup register.db` truncates it first.
 */
#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_time.h>

#define BELL_SIZE 4096

/* The beginning of the page. */
typedef struct strip_t {
    uint64_t word;
    uint64_t inode; /* of the file that was rung last: it tells a bell put in place of another */
} strip_t;

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

icp_error_t *icp_bell_ring(const char *register_path, apr_pool_t *pool)
{
    const char *path = icp_bell_path(register_path, pool);
    uint64_t inode;
    int fd;
    ICP_TRY(open_bell(&fd, &inode, path, pool));
    strip_t *strip = mmap(NULL, sizeof *strip, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int fault = strip == MAP_FAILED ? errno : 0;
    close(fd);
    if (fault) return icp_error_os(pool, fault, "cannot map the bell %s", path);

    uint64_t old = __atomic_load_n(&strip->word, __ATOMIC_SEQ_CST), now = (uint64_t)apr_time_now();
    while (!__atomic_compare_exchange_n(&strip->word, &old, old >= now ? old + 1 : now, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    int unknown = strip->inode != inode; /* to the workers */
    strip->inode = inode;
    munmap(strip, sizeof *strip);
    if (unknown) apr_sleep(apr_time_from_msec(ICP_BELL_LOOK_MS));
    return NULL;
}
