/* Can a file system take more? */
#ifndef ICP_ROOM_H
#define ICP_ROOM_H

#include "error.h"

/* ICP_REFUSED with a remedy where the file system of `folder` is read-only, or where it would be left nearly full by `bytes` more: so
 * that what must be written on it, the register first of all, always can be. */
icp_error_t *icp_room_check(const char *folder, apr_uint64_t bytes, apr_pool_t *pool);

#endif
