/* The way round a reader that does not let go, and the way back after a crash. The rules are in register_files.h and, with
 * their reasons, in docs/architecture.md under "A change". Decides nothing about what is changed.
 */
#include "register_files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <apr_strings.h>

#include "bell.h"
#include "lock.h"
#include "log.h"

#define ROLL_BACK_WAIT_MS 250 /* for a reader to go; then the copy */

static const char *journal_of(const char *path, apr_pool_t *pool)
{
    return apr_pstrcat(pool, path, "-journal", NULL);
}

icp_error_t *icp_register_discard(icp_register_t *reg, apr_pool_t *pool)
{
    /* The files first: without them their journals mean nothing. */
    const char *left[] = {reg->files->next, reg->files->private_next, reg->files->today};
    for (int i = 0; i < 3; i++) {
        ICP_TRY(icp_file_remove(left[i], pool));
        ICP_TRY(icp_file_remove(journal_of(left[i], pool), pool));
    }
    return NULL;
}

/* The mark, read from private.db alone (which rolls back what is hot there); 0 where there is none yet. */
static icp_error_t *read_mark(int *marked, icp_db_t *alone)
{
    icp_stmt_t *stmt;
    int row;
    *marked = 0;
    ICP_TRY(icp_db_statement(&stmt, alone, ICP_STMT_SWAP_HAS_STATE, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    icp_stmt_reset(stmt);
    if (!row) return NULL;
    ICP_TRY(icp_db_statement(&stmt, alone, ICP_STMT_SWAP_PENDING_ALONE, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    *marked = row && icp_stmt_int(stmt, 0) == 1;
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *with_private(icp_error_t *(*work)(icp_db_t *alone, void *baton), void *baton, icp_register_t *reg)
{
    icp_db_t *alone;
    ICP_TRY(icp_db_open(&alone, reg->files->private_db, ICP_DB_WRITE, reg->timeout_ms, reg->files->pool));
    icp_error_t *error = work(alone, baton);
    icp_db_close(alone);
    return error;
}

static icp_error_t *find_mark(icp_db_t *alone, void *marked)
{
    return read_mark(marked, alone);
}

static icp_error_t *clear_mark(icp_db_t *alone, void *unused)
{
    return icp_db_run(alone, ICP_STMT_SWAP_CLEAR_ALONE);
}

icp_error_t *icp_register_swap(icp_register_t *reg, apr_pool_t *pool)
{
    if (icp_file_exists(reg->files->next)) {
        /* The mark was committed, so the journal of `next` is spent; and one left beside the file that goes must never
         * be rolled back into the file that comes. */
        ICP_TRY(icp_file_remove(journal_of(reg->files->next, pool), pool));
        ICP_TRY(icp_file_dress(reg->files->next, reg->path, 0644, pool));
        ICP_TRY(icp_file_remove(journal_of(reg->path, pool), pool));
        ICP_TRY(icp_file_rename(reg->files->next, reg->path, pool));
    }
    ICP_TRY(icp_bell_ring(reg->path, pool));
    return with_private(clear_mark, NULL, reg);
}

/* A copy of the register, and of its journal if that is hot, under locks of our own: nobody can change what is copied. */
static icp_error_t *copy_to_next(int fd, icp_register_t *reg, int hot, apr_pool_t *pool)
{
    const char *journal = journal_of(reg->path, pool);
    ICP_TRY(icp_register_discard(reg, pool));
    if (hot) {
        int journal_fd = open(journal, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (journal_fd < 0) return icp_error_os(pool, errno, "cannot open %s", journal);
        icp_error_t *error = icp_file_copy(journal_fd, journal, journal_of(reg->files->next, pool), pool);
        close(journal_fd);
        if (error) return error;
    }
    return icp_file_copy(fd, reg->path, reg->files->next, pool);
}

static icp_error_t *being_changed(icp_register_t *reg, const char *path, apr_pool_t *pool)
{
    const char *who = icp_lock_holders(path, pool);
    return icp_error(pool, ICP_FAULT, "let it finish, or end it, and try again", "%s is locked by %s", path,
                     who ? who : "a process that cannot be seen from here");
}

/* Rolls a hot journal back in a copy and puts that in place. Nobody is misled in between: rolling the same journal back once
 * more, into the file that it was rolled back into, changes nothing. */
static icp_error_t *recover_in_copy(icp_register_t *reg, apr_pool_t *pool)
{
    icp_db_t *next;
    const char *who = icp_lock_holders(reg->path, pool);
    icp_log(ICP_LOG_WARNING, "%s is held by %s: undoing an interrupted change in a copy", reg->path,
            who ? who : "a process that cannot be seen from here");

    int fd = open(reg->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open %s", reg->path);
    icp_error_t *error = copy_to_next(fd, reg, 1, pool);
    close(fd);
    if (error) return error;

    ICP_TRY(icp_db_open(&next, reg->files->next, ICP_DB_WRITE, reg->timeout_ms, reg->files->pool));
    error = icp_db_integer(NULL, next, "PRAGMA schema_version");
    icp_db_close(next);
    if (error) return error;
    ICP_TRY(icp_file_remove(journal_of(reg->files->next, pool), pool));
    ICP_TRY(icp_file_dress(reg->files->next, reg->path, 0644, pool));
    ICP_TRY(icp_file_rename(reg->files->next, reg->path, pool));
    ICP_TRY(icp_file_remove(journal_of(reg->path, pool), pool));
    return icp_bell_ring(reg->path, pool);
}

static icp_error_t *recover_journal(icp_register_t *reg, apr_pool_t *pool)
{
    icp_db_t *db;
    if (!icp_lock_hot(reg->path, pool)) return NULL;
    ICP_TRY(icp_db_open(&db, reg->path, ICP_DB_WRITE, ROLL_BACK_WAIT_MS, reg->files->pool));
    icp_error_t *error = icp_db_integer(NULL, db, "PRAGMA schema_version");
    icp_db_close(db);
    if (error && (error->cause & 0xff) != SQLITE_BUSY) return error;
    if (icp_lock_hot(reg->path, pool)) return recover_in_copy(reg, pool);
    return error ? error : icp_bell_ring(reg->path, pool);
}

/* A journal whose change was killed before it was synced is not hot, and SQLite leaves it lying. The next change would write over its
 * beginning only, and in taking that change back SQLite would find the old super-journal's name at its end, take the change for
 * committed elsewhere, and take nothing back. Where somebody else may be writing it is left. */
static icp_error_t *drop_stale_journal(icp_register_t *reg, const char *path, apr_pool_t *pool)
{
    icp_db_t *db;
    if (!icp_file_exists(journal_of(path, pool))) return NULL;
    ICP_TRY(icp_db_open(&db, path, ICP_DB_WRITE, ROLL_BACK_WAIT_MS, reg->files->pool));
    icp_error_t *error = icp_db_run(db, ICP_STMT_CHANGE_BEGIN); /* a hot one is rolled back by it, and is gone */
    if (error && (error->cause & 0xff) == SQLITE_BUSY)
        error = NULL;
    else if (!error)
        error = icp_file_remove(journal_of(path, pool), pool);
    icp_db_close(db);
    return error;
}

/* Super-journals that no journal can refer to any more. */
static void sweep(icp_register_t *reg, apr_pool_t *pool)
{
    static const char *const patterns[] = {"-mj[0-9A-F]*", ".next-mj[0-9A-F]*"};
    glob_t found;
    if (icp_lock_journal(reg->path, pool) || icp_lock_journal(reg->files->private_db, pool)) return;
    for (int i = 0; i < 2; i++) {
        if (glob(apr_pstrcat(pool, reg->path, patterns[i], NULL), GLOB_NOSORT, NULL, &found) != 0) continue;
        for (size_t n = 0; n < found.gl_pathc; n++) {
            unlink(found.gl_pathv[n]);
        }
        globfree(&found);
    }
}

int icp_register_unsettled(icp_register_t *reg, apr_pool_t *scratch_pool)
{
    return icp_file_exists(reg->files->next) || icp_lock_journal(reg->path, scratch_pool);
}

icp_error_t *icp_register_recover(icp_register_t *reg, apr_pool_t *pool)
{
    int marked = 0;
    /* private.db first: which way it goes decides about register.db.next. */
    if (icp_file_exists(reg->files->private_db)) ICP_TRY(with_private(find_mark, &marked, reg));
    if (marked) {
        icp_log(ICP_LOG_NOTICE, "completing a change of %s that was interrupted", reg->path);
        ICP_TRY(icp_register_swap(reg, pool));
    }
    else {
        ICP_TRY(icp_register_discard(reg, pool));
    }
    if (icp_file_exists(reg->path)) {
        ICP_TRY(recover_journal(reg, pool));
        ICP_TRY(drop_stale_journal(reg, reg->path, pool));
        ICP_TRY(drop_stale_journal(reg, reg->files->private_db, pool));
    }
    sweep(reg, pool);
    return NULL;
}

/* A commit whose last sync failed is an error, and yet it happened: the mark tells. Where somebody was in the way (`busy`) it did not, and
 * he may still keep private.db. */
static icp_error_t *end_failed(icp_register_t *reg, int busy, apr_pool_t *pool)
{
    int marked = 0;
    if (!busy && !reg->dry_run) ICP_TRY(with_private(find_mark, &marked, reg));
    return marked ? icp_register_swap(reg, pool) : icp_register_discard(reg, pool);
}

icp_error_t *icp_register_change_in_copy(icp_register_t *reg, icp_change_fn *change, void *baton, apr_pool_t *pool)
{
    int busy = 0;
    icp_lock_e lock = icp_lock_probe(reg->path);
    if (lock == ICP_LOCK_WRITE) return being_changed(reg, reg->path, pool);
    if (lock == ICP_LOCK_READ) {
        const char *who = icp_lock_holders(reg->path, pool);
        icp_log(ICP_LOG_WARNING, "%s is held by %s: making the change in a copy", reg->path,
                who ? who : "a process that cannot be seen from here");
        reg->files->held_up = 1;
    }

    /* The locks on the old file are kept until the new one is in its place. */
    int fd = open(reg->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return icp_error_os(pool, errno, "cannot open %s", reg->path);
    icp_error_t *error = icp_lock_hold(fd) ? copy_to_next(fd, reg, 0, pool) : being_changed(reg, reg->path, pool);
    if (!error) error = icp_register_connect(reg, reg->files->next);
    if (!error) error = icp_register_attempt(&busy, reg, 1, change, baton, pool);
    icp_register_disconnect(reg);
    if (busy) {
        error = being_changed(reg, reg->files->private_db, pool);
    }
    if (error || reg->dry_run) {
        icp_error_t *left = end_failed(reg, busy, pool);
        if (!error) error = left;
    }
    else {
        error = icp_register_swap(reg, pool);
        if (error) error->remedy = "the change is decided; the next icpadmin command completes it";
    }
    close(fd);
    return error;
}
