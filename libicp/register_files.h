/* What the files of the register do to one another: shared by the files register_*.c, audit*.c,
 * backup.c and doctor.c; nobody else includes this.
 *
 * The swap. register.db.next is a finished register, and private.db says so (state.pending_swap = 1) in the same commit that
 * made it one. From that commit on the change has happened: the file is renamed over register.db, the bell rung, the
 * mark cleared, by this process or by the next one that has the lock.
 */
#ifndef ICP_REGISTER_FILES_H
#define ICP_REGISTER_FILES_H

#include <sys/types.h>

#include "register.h"

struct icp_register_files_t {
    apr_pool_t *pool;                             /* of the register: connections and their errors live here */
    const char *directory, *private_db, *next, *private_next, *today, *lock;
    dev_t device;                                 /* of the register.db that reg->db has open */
    ino_t inode;
    int lock_fd;                                  /* -1: we do not have the lock */
    int changing;                                 /* inside icp_register_change */
    int held_up;                                  /* a reader held a change up before: do not wait as long again */
    int tail_moved;                               /* the audit log's end, kept here during a change (audit.c) */
    apr_int64_t tail_count;
    char tail_head[65];
};

/* A register with its paths and nothing open; its directory must exist. */
icp_error_t *icp_register_bare(icp_register_t **reg, const char *path, const char *actor, apr_pool_t *pool);

/* Opens `main_path` with private.db attached as reg->db, whatever schema they have. */
icp_error_t *icp_register_connect(icp_register_t *reg, const char *main_path);
void icp_register_disconnect(icp_register_t *reg);

/* Was it a lock of somebody else's? NULL: no. */
int icp_register_busy(const icp_error_t *error);

/* Ends the transaction that is open, if one is. */
void icp_register_roll_back(icp_register_t *reg);

/* FILE.lock. `wait` 0: *locked tells; else it waits, and says for whom after a second. */
icp_error_t *icp_register_lock(int *locked, icp_register_t *reg, int wait, apr_pool_t *pool);
void icp_register_unlock(icp_register_t *reg);

/* With the lock. One attempt at a change on the files now open. `mark`: the swap's mark is part of it. *busy: it did not
 * happen since somebody has a lock. */
icp_error_t *icp_register_attempt(int *busy, icp_register_t *reg, int mark, icp_change_fn *change, void *baton, apr_pool_t *pool);

/* With the lock, nothing open: the change in a copy, and the swap. */
icp_error_t *icp_register_change_in_copy(icp_register_t *reg, icp_change_fn *change, void *baton, apr_pool_t *pool);

/* With the lock, nothing open: puts register.db.next in place, rings, clears the mark. */
icp_error_t *icp_register_swap(icp_register_t *reg, apr_pool_t *pool);

/* With the lock, nothing open: completes or undoes what a crash left, whichever it was. */
icp_error_t *icp_register_recover(icp_register_t *reg, apr_pool_t *pool);

/* With the lock, nothing open: removes what was prepared and is not to be. */
icp_error_t *icp_register_discard(icp_register_t *reg, apr_pool_t *pool);

/* Is there a trace of a change that is under way or was interrupted? Costs two system calls. */
int icp_register_unsettled(icp_register_t *reg, apr_pool_t *scratch_pool);

/* Schema steps: step n brings both databases from version n to n + 1, by these scripts in this order. */
typedef struct icp_schema_step_t {
    int count;
    icp_stmt_e scripts[8];
} icp_schema_step_t;

/* Inside a change: brings the schema from `from` up to `to`. `steps` is NULL for the program's own. */
icp_error_t *icp_register_migrate(icp_db_t *db, const icp_schema_step_t *steps, int from, int to);

/* Versions as found; ICP_FAULT where the files are no register, no pair or of a newer program that knows more than `known`. */
icp_error_t *icp_register_schema(apr_int64_t *version, icp_register_t *reg, int known, apr_pool_t *pool);

/* With reg->db open: do register.db and private.db belong together? An error says how not (audit.c). */
icp_error_t *icp_audit_agree(icp_register_t *reg, apr_pool_t *pool);

/* At the beginning of a change: as icp_audit_agree, and keeps the log's end. */
icp_error_t *icp_audit_open(icp_register_t *reg, apr_pool_t *pool);

/* At the end of a change: the log's new end goes to register.db (audit.c). */
icp_error_t *icp_audit_close(icp_register_t *reg);

struct icp_event_t; /* audit.h */

/* hash(n) of the chain: see audit.h. `previous` is hash(n-1); event->hash is not read (audit.c). */
icp_error_t *icp_audit_hash(char hex[65], const char *previous, const struct icp_event_t *event, apr_pool_t *pool);

/* The directory of a register to be, and those above it. */
icp_error_t *icp_register_make_directory(const char *path, apr_pool_t *pool);

/* Gives a file the mode and owner of `model`, or `mode` where that is not there; synced. */
icp_error_t *icp_file_dress(const char *path, const char *model, mode_t mode, apr_pool_t *pool);

/* Plain file work; all of it syncs, names the file in its error, and follows no link. */
icp_error_t *icp_file_create(const char *path, mode_t mode, apr_pool_t *pool);
icp_error_t *icp_file_copy(int from_fd, const char *from, const char *to, apr_pool_t *pool);
icp_error_t *icp_file_remove(const char *path, apr_pool_t *pool); /* not there: done */
icp_error_t *icp_file_rename(const char *from, const char *to, apr_pool_t *pool);
icp_error_t *icp_file_sync_directory(const char *file, apr_pool_t *pool); /* the one that `file` is in */
int icp_file_exists(const char *path);

#endif
