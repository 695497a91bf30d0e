#include "help_text.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

const char icp_help_intro[] = "icpadmin keeps the register of ICP licenses, sites and suspensions that the Apache "
                              "module mod_icp enforces: it checks home pages, turns sites off with effect on the very "
                              "next request, and turns them on again after their live page was seen to be right.";

const char *const icp_help_exits[] = {"done",
                                      "the answer is no: not compliant, refused, a log that does not verify",
                                      "usage: the command line cannot be understood",
                                      "no such site, license, holder or file",
                                      "not permitted",
                                      "register or system fault",
                                      NULL};

const char icp_help_general[] =
    "Data goes to standard output, all else to standard error. An error is one line and, where something makes the "
    "command succeed, a second line that says what. Times are local for people and seconds since 1970 (UTC) in "
    "JSON.\n\n"
    "Commands that take SITE… take several, each by its name or any of its host names, and `-` reads names from "
    "standard input, one a line. A change to more than one asks on a terminal and needs --yes elsewhere. Every change "
    "takes --dry-run: it is made, and taken back. Every change is in the audit log with the name of who made it.";

const char *icp_help_synopsis(const icp_command_t *command, apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, "icpadmin ", icp_command_name(command, pool), *command->arguments ? " " : "",
                                   command->arguments, NULL);
    for (const icp_option_t *option = command->options; option && option->name; option++) {
        int required = option->flags & ICP_OPTION_REQUIRED;
        text = apr_pstrcat(pool, text, required ? " --" : " [--", option->name, option->value ? " " : "",
                           option->value ? option->value : "", required ? "" : "]",
                           option->flags & ICP_OPTION_MANY ? "…" : "", NULL);
    }
    return text;
}

const char *icp_help_option(const icp_option_t *option, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "--", option->name, option->value ? " " : "", option->value ? option->value : "", NULL);
}

void icp_help_lines(const char *lines, const char *before)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        printf("%s%.*s\n", before, (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}
