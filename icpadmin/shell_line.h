/* Command lines that are printed for a person to paste into a shell. */
#ifndef ICP_SHELL_LINE_H
#define ICP_SHELL_LINE_H

#include "command.h"

/* `word` as a POSIX shell reads it back as that one word: itself where it is harmless, else in single quotes. */
const char *icp_shell_word(const char *word, apr_pool_t *pool);

/* "icpadmin" and the words (const char *, ended by NULL), each quoted; with --register where this run was given one. */
const char *icp_shell_line(const icp_cli_t *cli, ...) __attribute__((sentinel));

#endif
