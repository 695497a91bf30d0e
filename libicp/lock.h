/* SQLite's locks on a database file, seen from outside SQLite.
 *
 * The worker user can read the register, so it can hold read locks on any byte of it: on SQLite's SHARED range, where they hold a
 * commit up, and on its RESERVED byte, where SQLite takes them for a writer's: it then neither starts a change nor sees
 * that a journal left by a crash has to be rolled back. Only who may write the file can hold a write lock.
 *
 * icp_lock_probe and icp_lock_hot open and close the file, which drops every POSIX lock that this process has on it: never
 * call them while a connection of this process reads or changes the same file.
 */
#ifndef ICP_LOCK_H
#define ICP_LOCK_H

#include "error.h"

typedef enum icp_lock_e {
    ICP_LOCK_NONE,  /* or the file cannot be opened */
    ICP_LOCK_READ,  /* somebody reads, or pretends to */
    ICP_LOCK_WRITE  /* somebody changes it */
} icp_lock_e;

/* The strongest lock of another process on any of SQLite's lock bytes. */
icp_lock_e icp_lock_probe(const char *path);

/* Is there a journal beside the database that has something to roll back? One without (SQLite leaves it now and then) is inert. */
int icp_lock_journal(const char *path, apr_pool_t *scratch_pool);

/* Is there such a journal beside the database that nobody is writing? Then the file may be half written, whatever SQLite says. */
int icp_lock_hot(const char *path, apr_pool_t *scratch_pool);

/* Locks held without SQLite, until `fd` (open for reading and writing) is closed, so that nobody can change the database: the
 * SHARED range for reading, and the RESERVED byte for writing unless a reader sits on it. 0: somebody is changing it. */
int icp_lock_hold(int fd);

/* A reader's lock as SQLite takes it, until `fd` is closed: nobody changes the database meanwhile. 0: after `timeout_ms` somebody still
 * did. */
int icp_lock_share(int fd, int timeout_ms);

/* "pid 4711 (php-fpm, www-data)" of each other process with a lock of any kind on the file, comma separated; NULL if none is seen. */
const char *icp_lock_holders(const char *path, apr_pool_t *pool);

#endif
