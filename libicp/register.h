/* The register: register.db with private.db attached, opened for staff, and the one way to change it.
 *
 * Workers never come here; they read register.db by a snapshot (snapshot.h).
 *
 * Files beside FILE (default /var/lib/icp/register.db), and who may read them:
 *   FILE            root 0644   the workers read it
 *   FILE.bell       root 0644   the workers map it (bell.h)
 *   FILE.lock       root 0600   one writer at a time (flock), so that a reader's locks are the only ones in the way
 *   FILE.next       root 0600   a change made in a copy, until it is renamed (0644 before that)
 *   private.db      root 0600   attached as "private"
 *   pass.key        root 0600   see pass.h
 *   intake.key      root 0600   see seal.h; intake.crt 0644, and the folders intake/, intake.refused/ and progress/: see intake.h
 * The directory belongs to the user who runs `init` (root), 0755; sightings/ in it to the worker user, 0750.
 */
#ifndef ICP_REGISTER_H
#define ICP_REGISTER_H

#include "db.h"

#define ICP_REGISTER_DEFAULT "/var/lib/icp/register.db"
#define ICP_REGISTER_SCHEMA 2     /* PRAGMA user_version of both databases that this program writes */
#define ICP_REGISTER_ID 0x49435031 /* PRAGMA application_id, 'ICP1' */

typedef struct icp_register_t {
    icp_db_t *db;
    const char *path;
    const char *actor; /* who is recorded in the audit log; set by the program */
    apr_time_t now;    /* the time of the change under way; also what "since" is measured against */
    int dry_run;       /* changes are made and rolled back */
    int timeout_ms;    /* how long a change waits for a lock before it goes the way of the copy; 12 times as long for
                          another icpadmin to finish its change */
    struct icp_register_files_t *files; /* register_files.h */
} icp_register_t;

/* Creates directory, both databases, bell, lock, keys, and the folders of sightings and intake with the modes above; refuses
 * if FILE exists. `worker` (user name; NULL: do not change owners) gets the sightings folder, its group
 * may add to the intake. */
icp_error_t *icp_register_create(const char *path, const char *worker, const char *actor, apr_pool_t *pool);

/* Opens an existing register, completes a change that a crash interrupted, migrates an older
 * schema forward in one transaction, refuses a newer one. Closed by `pool`. */
icp_error_t *icp_register_open(icp_register_t **reg, const char *path, const char *actor, apr_pool_t *pool);

/* A change: reads and writes through reg->db and records its events by icp_audit_event. It may run twice
 * (the second time on a copy), so it has no effect outside the register before it returns. */
typedef icp_error_t *icp_change_fn(icp_register_t *reg, void *baton, apr_pool_t *pool);

/* Runs `change` in one transaction over both databases; rings the bell after the commit and before it
 * returns. If the change returns an error nothing has happened. Where a reader holds register.db past
 * timeout_ms the holder is named in a warning, the change is made in FILE.next, and that renamed into place
 * (a crash in between is completed by the next icp_register_open). With reg->dry_run: rolled back. */
icp_error_t *icp_register_change(icp_register_t *reg, icp_change_fn *change, void *baton, apr_pool_t *pool);

/* Reads under one read transaction, so that several queries see the same state. `reader` collects and does not print: a
 * terminal that waits would hold every change up. Inside a change: just runs `reader`. */
icp_error_t *icp_register_read(icp_register_t *reg, icp_change_fn *reader, void *baton, apr_pool_t *pool);

/* Where the register's companions lie, in `pool`: name is "private.db", "pass.key", "sightings/sightings.db". */
const char *icp_register_companion(const char *path, const char *name, apr_pool_t *pool);

#endif
