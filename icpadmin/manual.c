/* The table of commands as docs/icpadmin.md and as the manual page icpadmin(8), so that neither can differ from the
 * program. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "help_text.h"
#include "manual.h"
#include "version.h"

static void markdown_options(const icp_option_t *options, apr_pool_t *pool)
{
    puts("\n| option | |\n| --- | --- |");
    for (; options->name; options++) {
        const char *help = options->help;
        printf("| `%s` | ", icp_help_option(options, pool));
        for (; *help; help++) printf(*help == '|' || *help == '*' ? "\\%c" : "%c", *help);
        puts(" |");
    }
}

void icp_manual_markdown(apr_pool_t *pool)
{
    printf("# icpadmin\n\n<!-- Made by `icpadmin help --markdown` from the table of commands; `make docs` writes it. "
           "-->\n\n%s\n\n%s\n",
           icp_help_intro, icp_help_general);
    puts("\n## Options of every command");
    markdown_options(icp_global_options, pool);
    puts("\n## Exit status\n\n| status | |\n| --- | --- |");
    for (int i = 0; icp_help_exits[i]; i++) {
        printf("| %d | %s |\n", i, icp_help_exits[i]);
    }
    puts("\n## Commands");
    for (int i = 0; icp_commands[i]; i++) {
        const icp_command_t *command = icp_commands[i];
        printf("\n### icpadmin %s\n\n    %s\n\n%c%s.", icp_command_name(command, pool),
               icp_help_synopsis(command, pool), command->summary[0] - 'a' + 'A', command->summary + 1);
        printf("%s%s\n", command->details ? " " : "", command->details ? command->details : "");
        if (command->json) printf("\nWith `--json`: %s.\n", command->json);
        if (command->options) markdown_options(command->options, pool);
        puts("\n```");
        icp_help_lines(command->example, "");
        puts("```");
    }
}

/* For troff: backslashes and dashes escaped, no line begins with a control character, paragraphs by .PP. */
static void man_text(const char *text)
{
    int start = 1;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        start = 0;
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '`')
            fputs("\\(ga", stdout);
        else if (*text == '\'')
            fputs("\\(aq", stdout);
        else if (*text == '\n') {
            fputs(text[1] == '\n' ? "\n.PP\n" : "\n", stdout);
            text += strspn(text, "\n") - 1;
            start = 1;
        }
        else
            putchar(*text);
    }
    putchar('\n');
}

static void man_options(const icp_option_t *options, apr_pool_t *pool)
{
    for (; options && options->name; options++) {
        fputs(".TP\n.B ", stdout);
        man_text(icp_help_option(options, pool));
        man_text(options->help);
    }
}

void icp_manual_man(apr_pool_t *pool)
{
    puts(".\\\" Made by `icpadmin help --man` from the table of commands.\n.TH ICPADMIN 8 \"\" \"mod_icp " ICP_VERSION
         "\" \"System administration\"\n"
         ".SH NAME\nicpadmin \\- keep the register of ICP numbers that mod_icp enforces\n.SH SYNOPSIS\n.B "
         "icpadmin\n[\\fIoption\\fR...] \\fIcommand\\fR ...\n.SH DESCRIPTION");
    man_text(icp_help_intro);
    puts(".PP");
    man_text(icp_help_general);
    puts(".SH OPTIONS");
    man_options(icp_global_options, pool);
    puts(".SH COMMANDS");
    for (int i = 0; icp_commands[i]; i++) {
        const icp_command_t *command = icp_commands[i];
        fputs(".SS ", stdout);
        man_text(icp_help_synopsis(command, pool));
        man_text(apr_psprintf(pool, "%c%s.", command->summary[0] - 'a' + 'A', command->summary + 1));
        if (command->details) {
            puts(".PP");
            man_text(command->details);
        }
        if (command->json) {
            puts(".PP");
            man_text(apr_psprintf(pool, "With --json: %s.", command->json));
        }
        man_options(command->options, pool);
        puts(".PP\nExample:\n.PP\n.RS\n.nf");
        man_text(command->example);
        puts(".fi\n.RE");
    }
    puts(".SH EXIT STATUS");
    for (int i = 0; icp_help_exits[i]; i++) {
        printf(".TP\n.B %d\n", i);
        man_text(icp_help_exits[i]);
    }
    puts(".SH ENVIRONMENT\n.TP\n.B ICP_REGISTER\nthe register, where \\-\\-register does not say\n.TP\n.B ICP_CONNECT\n"
         "what \\-\\-connect says, values separated by spaces");
}
