/* Runs a program of the operator's: no shell, a clean environment, a time limit. */
#ifndef ICP_PROCESS_H
#define ICP_PROCESS_H

#include <apr_tables.h>

#include "error.h"

/* "COMMAND ARGUMENT…" at its spaces: const char *, at least one. ICP_USAGE: empty, not an absolute path, or nothing that can be run. */
icp_error_t *icp_process_words(apr_array_header_t **words, const char *command, apr_pool_t *pool);

/* Runs argv (ended by NULL) with `input` on its standard input, which it need not read. ICP_REFUSED: it ended with another status than
 * 0, or by a signal; the message holds the end of what it said on standard error. ICP_FAULT: it was still running after `seconds`
 * and was killed with all it had started, or could not be started. */
icp_error_t *icp_process_run(const char *const *argv, const char *input, apr_size_t length, int seconds, apr_pool_t *pool);

#endif
