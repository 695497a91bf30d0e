/* From argv to a command with its arguments and options, checked against the table; it opens and runs nothing. */
#ifndef ICP_OPTIONS_H
#define ICP_OPTIONS_H

#include "command.h"

/* Fills `cli` (pool set by the caller). Options may stand before or after the noun; `--` ends them. --help and
 * --version give the command `help`. ICP_USAGE names the nearest known word where one is near. */
icp_error_t *icp_options_parse(icp_cli_t *cli, int argc, const char *const *argv);

/* The value of the option (the last, if given several times; "" for a flag), NULL if it was not given. */
const char *icp_option(const icp_cli_t *cli, const char *name);

/* Every value of it, in order: const char *; never NULL. */
apr_array_header_t *icp_option_all(const icp_cli_t *cli, const char *name);

/* "90s", "30m", "2h", "7d"; ICP_USAGE for anything else, and for 0 or more than `most`. */
icp_error_t *icp_option_duration(apr_interval_time_t *duration, const char *text, apr_interval_time_t most,
                                 apr_pool_t *pool);

/* A decimal number from `least` to `most`. */
icp_error_t *icp_option_number(apr_int64_t *number, const icp_cli_t *cli, const char *name, apr_int64_t least,
                               apr_int64_t most);

#endif
