#include "room.h"

#include <errno.h>
#include <sys/statvfs.h>

#define RESERVE ((apr_uint64_t)1 << 30) /* bytes, or a part of a small disk */
#define RESERVE_PART 20
#define RESERVE_FILES 1000

icp_error_t *icp_room_check(const char *folder, apr_uint64_t bytes, apr_pool_t *pool)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) return icp_error_os(pool, errno, "cannot look at the disk of %s", folder);
    if (disk.f_flag & ST_RDONLY) {
        return icp_error(pool, ICP_REFUSED, ICP_REMEDY_READ_ONLY, "the file system of %s is read-only", folder);
    }
    apr_uint64_t wanted = (apr_uint64_t)disk.f_blocks * disk.f_frsize / RESERVE_PART;
    if (wanted > RESERVE) wanted = RESERVE;
    if ((apr_uint64_t)disk.f_bavail * disk.f_frsize >= wanted + bytes && (!disk.f_files || disk.f_favail >= RESERVE_FILES)) return NULL;
    return icp_error(pool, ICP_REFUSED, ICP_REMEDY_FULL, "the disk of %s is nearly full", folder);
}
