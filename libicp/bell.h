/* The bell: one page beside the register that tells every httpd child "read again" without a system call.
 *
 * FILE.bell holds a 64-bit word at offset 0, native byte order, rest zero. The writer moves it after every commit, before
 * it returns: to the larger of word + 1 and the time in microseconds, so that a bell put back from a
 * backup is never rung to a value that a child has already seen. Readers map it read-only.
 */
#ifndef ICP_BELL_H
#define ICP_BELL_H

#include <stdint.h>

#include "error.h"

typedef struct icp_bell_t icp_bell_t;

/* The bell's path for a register's, in `pool`. */
const char *icp_bell_path(const char *register_path, apr_pool_t *pool);

/* Rings; creates a missing or short bell (0644). After creating one it waits until workers, who look once a
 * second, have found it (ICP_BELL_LOOK_MS), so that a change is in force when the command returns. */
#define ICP_BELL_LOOK_MS 1500
icp_error_t *icp_bell_ring(const char *register_path, apr_pool_t *pool);

/* Maps the bell for reading; NULL word if there is none (not an error). Unmapped by `pool`. */
icp_error_t *icp_bell_map(icp_bell_t **bell, const char *register_path, apr_pool_t *pool);

/* The word, by one atomic load. 0: no bell mapped. */
uint64_t icp_bell_read(const icp_bell_t *bell);

/* Is the file at the path still the one mapped, and long enough? If not, maps what is there now.
 * Not safe against icp_bell_read in other threads on the same object: map a new one and publish it instead. */
int icp_bell_stale(const icp_bell_t *bell, apr_pool_t *scratch_pool);

#endif
