/* The words that help, Markdown and manual page have in common. */
#ifndef ICP_HELP_TEXT_H
#define ICP_HELP_TEXT_H

#include "command.h"

extern const char icp_help_intro[], icp_help_general[]; /* paragraphs separated by an empty line */
extern const char *const icp_help_exits[];              /* by exit status; ended by NULL */

/* "icpadmin suspend SITE… --reason REASON [--note TEXT]", and "--note TEXT". */
const char *icp_help_synopsis(const icp_command_t *command, apr_pool_t *pool);
const char *icp_help_option(const icp_option_t *option, apr_pool_t *pool);

/* Each line of `lines` with `before` in front of it. */
void icp_help_lines(const char *lines, const char *before);

#endif
