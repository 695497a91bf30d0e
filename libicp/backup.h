/* A backup is one SQLite file (mode 0600) with the images of register.db, private.db and pass.key of one moment and
 * their SHA-256, so that it is whole or refused. */
#ifndef ICP_BACKUP_H
#define ICP_BACKUP_H

#include <apr_tables.h>

#include "register.h"

/* Writes a new file under a temporary name, syncs it and renames it; refuses to replace an existing one. */
icp_error_t *icp_backup_write(icp_register_t *reg, const char *file, apr_pool_t *pool);

typedef struct icp_restore_t {
    const char *saved;               /* where the state before the restore was kept; NULL if it could not be read */
    apr_array_header_t *carried;     /* const char *: sites that stay suspended though the backup has them open */
} icp_restore_t;

/* Puts the state of `file` in place of the register's. No way around rule 2: a site suspended now is suspended after,
 * even if the backup has it open or does not know it. The present state is saved first as a backup beside the
 * register. Records a register.restore event in the restored log. `path`'s register need not be readable. */
icp_error_t *icp_backup_restore(icp_restore_t **result, const char *path, const char *file, const char *actor,
                                int dry_run, apr_pool_t *pool);

#endif
