/* The bell: one page beside the register that tells every httpd child "read again" without a system call.
 *
 * FILE.bell holds a 64-bit word at offset 0, native byte order; after it the file's inode number and the register's count of commits, rest
 * zero. The writer moves the word after every commit, before it returns: to the larger of word + 1 and the time in microseconds, so that
 * a bell put back from a backup is never rung to a value that a child has already seen. Readers map it read-only.
 */
#ifndef ICP_BELL_H
#define ICP_BELL_H

#include <stdint.h>

#include <signal.h>
#include <sys/types.h>

#include "error.h"

typedef struct icp_bell_t {
    const uint64_t *word; /* at the beginning of the page: see icp_bell_read */
    size_t size;
    const char *path;
    volatile sig_atomic_t mapped; /* 0: the page is zeros of our own */
    dev_t device;                 /* of the file mapped */
    ino_t inode;
} icp_bell_t;

/* The bell's path for a register's, in `pool` (listen.c). */
const char *icp_bell_path(const char *register_path, apr_pool_t *pool);

/* Ringing (bell.c): makes the bell (0644, not rung) if there is none. */
icp_error_t *icp_bell_create(const char *register_path, apr_pool_t *pool);

/* Rings; creates a missing or short bell (0644). After creating one, and when the bell is another file than the one last rung, it waits
 * until workers, who look once a second, have found it (ICP_BELL_LOOK_MS), so that a change is in force when the command returns. */
#define ICP_BELL_LOOK_MS 1500
icp_error_t *icp_bell_ring(const char *register_path, apr_pool_t *pool);

/* Has a change been committed without a ring, by a command that was killed between the two? 0 too where that cannot be told. Like ringing,
 * not for a process that holds a transaction. */
int icp_bell_is_due(const char *register_path, apr_pool_t *scratch_pool);

/* Listening (listen.c): maps the bell for reading, at an address that stays until `pool` is cleared. Where there is no bell, or one
 * that cannot be read (the error), the page is zeros, and icp_bell_follow finds the bell when it comes. */
icp_error_t *icp_bell_map(icp_bell_t **bell, const char *register_path, apr_pool_t *pool);

/* The word, by one atomic load; 0 while there is no bell. */
static inline uint64_t icp_bell_read(const icp_bell_t *bell)
{
    return __atomic_load_n(bell->word, __ATOMIC_SEQ_CST);
}

/* Is the file at the path still the one mapped, and long enough? If not, maps what is there now, at the same address, so that
 * threads in icp_bell_read get the one or the other. One call at a time. A bell that is not there is no error. */
icp_error_t *icp_bell_follow(icp_bell_t *bell, apr_pool_t *scratch_pool);

/* For a handler of SIGBUS, which a bell cut short raises under its readers: if `address` is in the page, puts zeros in
 * its place and returns 1. May be called from a signal handler. */
int icp_bell_fault(icp_bell_t *bell, const void *address);

/* The word without a mapping, by a plain read; 0 where there is none. */
uint64_t icp_bell_peek(const char *register_path, apr_pool_t *scratch_pool);

#endif
