/* The listening side of the bell: one page, mapped read-only at an address that never moves. What is mapped there is
 * replaced in one system call, so readers take no lock and are never without a page. Rings nothing. */
#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

static void *page(const icp_bell_t *bell)
{
    return (void *)bell->word;
}

const char *icp_bell_path(const char *register_path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, register_path, ".bell", NULL);
}

static apr_status_t unmap(void *baton)
{
    icp_bell_t *bell = baton;
    munmap(page(bell), bell->size);
    return APR_SUCCESS;
}

static int map_zeros(icp_bell_t *bell)
{
    bell->mapped = 0;
    return mmap(page(bell), bell->size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? errno : 0;
}

static int usable(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_size >= (off_t)sizeof(uint64_t);
}

/* errno, or 0: opened, with `info`; ENOENT also where what is there is no bell. */
static int open_bell(int *fd, struct stat *info, const char *path)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*fd < 0) return errno;
    if (fstat(*fd, info) == 0 && usable(info)) return 0;
    close(*fd);
    return ENOENT;
}

icp_error_t *icp_bell_follow(icp_bell_t *bell, apr_pool_t *scratch_pool)
{
    struct stat info = {0};
    int fd, fault;

    if (bell->mapped && lstat(bell->path, &info) == 0 && usable(&info) && info.st_dev == bell->device
        && info.st_ino == bell->inode) {
        return NULL;
    }
    fault = open_bell(&fd, &info, bell->path);
    if (!fault) {
        if (mmap(page(bell), bell->size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) fault = errno;
        close(fd);
    }
    if (!fault) {
        bell->device = info.st_dev;
        bell->inode = info.st_ino;
        bell->mapped = 1;
        return NULL;
    }
    if (bell->mapped) map_zeros(bell);
    return fault == ENOENT ? NULL : icp_error_os(scratch_pool, fault, "The bell %s cannot be read", bell->path);
}

icp_error_t *icp_bell_map(icp_bell_t **result, const char *register_path, apr_pool_t *pool)
{
    icp_bell_t *bell = apr_pcalloc(pool, sizeof *bell);
    bell->path = icp_bell_path(register_path, pool);
    bell->size = (size_t)sysconf(_SC_PAGESIZE);
    bell->word = mmap(NULL, bell->size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bell->word == MAP_FAILED) return icp_error_os(pool, errno, "No memory can be mapped for the bell %s", bell->path);
    apr_pool_cleanup_register(pool, bell, unmap, apr_pool_cleanup_null);
    *result = bell;
    return icp_bell_follow(bell, pool);
}

int icp_bell_fault(icp_bell_t *bell, const void *address)
{
    const char *begin = page(bell);
    if ((const char *)address < begin || (const char *)address >= begin + bell->size) return 0;
    return map_zeros(bell) == 0;
}

uint64_t icp_bell_peek(const char *register_path, apr_pool_t *scratch_pool)
{
    uint64_t word = 0;
    struct stat info;
    int fd;
    if (open_bell(&fd, &info, icp_bell_path(register_path, scratch_pool))) return 0;
    if (pread(fd, &word, sizeof word, 0) != (ssize_t)sizeof word) word = 0;
    close(fd);
    return word;
}
