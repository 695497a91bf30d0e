/* A backup's images, for backup.c and restore.c; nobody else includes this. */
#ifndef ICP_BACKUP_IMAGE_H
#define ICP_BACKUP_IMAGE_H

#include "backup.h"
#include "digest.h"

/* The keys beside the register that a backup holds, where they are there; ends with NULL. */
extern const char *const icp_backup_keys[];

/* Inside a read transaction of reg->db that has seen both databases (an icp_change_fn; the baton is the file's name). */
icp_error_t *icp_backup_images(icp_register_t *reg, void *file, apr_pool_t *pool);

/* Opens `file`; refuses what is no backup, or of another version. */
icp_error_t *icp_backup_open(icp_db_t **backup, const char *file, apr_pool_t *pool);

/* Is there an image `name`? */
icp_error_t *icp_backup_has(int *yes, icp_db_t *backup, const char *name);

/* Writes the image `name` to the new file `to` (0600), synced; refuses one that is not as it was written. `at` (NULL) gets when the
 * backup was made. */
icp_error_t *icp_backup_extract(apr_time_t *at, icp_db_t *backup, const char *name, const char *file, const char *to, apr_pool_t *pool);

#endif
