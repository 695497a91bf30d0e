/* The table of commands and the options that all of them take. Nothing here runs anything. */
#include "command.h"

#include <apr_strings.h>

#define ENTRY(name) &icp_cmd_##name,
const icp_command_t *const icp_commands[] = {ICP_COMMANDS(ENTRY) NULL};

const icp_option_t icp_global_options[] = {
    {"register", "FILE", 0, "the register (default: $ICP_REGISTER, else " ICP_REGISTER_DEFAULT ")"},
    {"json", NULL, 0, "print data for programs: one JSON object, or an array with one object a line"},
    {"actor", "NAME", 0, "who is recorded in the audit log (default: $SUDO_USER, else the login name)"},
    {"dry-run", NULL, 0, "make the change, say what it would do, and take it back"},
    {"yes", NULL, 0, "do not ask before a change to more than one site"},
    {"quiet", NULL, 0, "no progress and no remarks on standard error, only warnings and errors"},
    {"help", NULL, 0, "explain the command and end"},
    {"version", NULL, 0, "print the version and end"},
    {NULL, NULL, 0, NULL},
};

const char *icp_command_name(const icp_command_t *command, apr_pool_t *pool)
{
    return command->verb ? apr_pstrcat(pool, command->noun, " ", command->verb, NULL) : command->noun;
}
