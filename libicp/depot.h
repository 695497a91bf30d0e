/* Files named by the SHA-256 of what they hold, in a folder beside the register that only its owner can enter: what staff
 * keep for a dispute. The same bytes are one file, however often they are put. Compressed, each a gzip file: zcat reads it.
 *
 *   FOLDER/           0700
 *   FOLDER/ab/cdef….gz  0600, never changed once it is there
 *
 * Nothing here knows who refers to a file: whoever does writes the file first and then the reference. */
#ifndef ICP_DEPOT_H
#define ICP_DEPOT_H

#include <apr_time.h>

#include "error.h"

/* Where `name` lies: `path` is the register's. */
const char *icp_depot_path(const char *path, const char *folder, const char *name, apr_pool_t *pool);

/* Puts `length` bytes, synced, and says their name. A file that is there already is read, dated anew, and replaced, with a
 * warning in the log, if it no longer holds these bytes. */
icp_error_t *icp_depot_put(char name[65], const char *path, const char *folder, const void *bytes, apr_size_t length,
                           apr_pool_t *pool);

/* The bytes of `name`, which are `length`, in `pool`. ICP_NOT_FOUND: there is no such file. ICP_FAULT: it cannot be read, or
 * it is not what was put there. `bytes` may be NULL: then it is only looked over. */
icp_error_t *icp_depot_get(const char **bytes, const char *path, const char *folder, const char *name, apr_size_t length,
                           apr_pool_t *pool);

/* For each file in it, also those of a put that was interrupted (`name` NULL), with the time it was last put. */
typedef icp_error_t *icp_depot_fn(const char *file, const char *name, apr_time_t at, void *baton, apr_pool_t *pool);
icp_error_t *icp_depot_each(const char *path, const char *folder, icp_depot_fn *fn, void *baton, apr_pool_t *pool);

#endif
