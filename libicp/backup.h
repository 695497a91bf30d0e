/* A backup is one SQLite file (mode 0600) with the images of register.db, private.db, pass.key and intake.key of one
 * moment and their SHA-256, so that it is whole or refused. */
#ifndef ICP_BACKUP_H
#define ICP_BACKUP_H

#include <apr_tables.h>

#include "register.h"

#define ICP_BACKUP_ID 0x49435042 /* PRAGMA application_id, 'ICPB' */

/* Writes a new file under a temporary name, syncs it and renames it; refuses to replace an existing one. */
icp_error_t *icp_backup_write(icp_register_t *reg, const char *file, apr_pool_t *pool);

typedef struct icp_restore_t {
    const char *saved;               /* where the state before the restore was kept; NULL if it could not be read */
    apr_array_header_t *carried;     /* const char *: sites that stay suspended though the backup has them open */
} icp_restore_t;

/* Puts the state of `file` in place of the register's. No way around rule 2: a site suspended now is suspended after, by every host
 * name it has now, even if the backup has it open, does not know it, or gives the name to another site; nor around rule 8: a license
 * that has ended since stays ended. The present state is saved first as a backup beside the register. Records a register.restore event
 * and one site.suspend for each site carried over. `path`'s register need not be readable: then the audit log of private.db
 * says what is suspended, and if that is gone too a warning does. A key is put back only where there is none. */
icp_error_t *icp_backup_restore(icp_restore_t **result, const char *path, const char *file, const char *actor,
                                int dry_run, apr_pool_t *pool);

#endif
