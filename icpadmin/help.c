/* `icpadmin help`: the table of commands, explained on a terminal. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "columns.h"
#include "help_text.h"
#include "manual.h"
#include "options.h"
#include "suggest.h"
#include "version.h"

#define WIDEST 96 /* lines are easily read */

static int width(void)
{
    int terminal = icp_columns_of_terminal(STDOUT_FILENO);
    return terminal && terminal < WIDEST ? terminal : WIDEST;
}

/* A paragraph ends at a new line, and an empty one follows it. */
static void print_paragraphs(const char *text, apr_pool_t *pool)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        icp_columns_fold(apr_pstrmemdup(pool, text, length), 0, 0, width());
        text += length;
        if (*text) putchar('\n');
        text += strspn(text, "\n");
    }
}

/* "  NAME   what it is", folded in its own column. */
static void print_entry(const char *name, int column, const char *help)
{
    printf("  %-*s ", column, name);
    int at = 2 + (icp_columns_of(name) > column ? icp_columns_of(name) : column) + 1;
    icp_columns_fold(help, at, column + 3, width());
}

static void print_options(const icp_option_t *options, apr_pool_t *pool)
{
    for (; options && options->name; options++) print_entry(icp_help_option(options, pool), 24, options->help);
}

static void help_command(const icp_command_t *command, apr_pool_t *pool)
{
    icp_columns_fold(apr_pstrcat(pool, "usage: ", icp_help_synopsis(command, pool), NULL), 0, 4, width());
    printf("\n%c", command->summary[0] - 'a' + 'A');
    icp_columns_fold(apr_pstrcat(pool, command->summary + 1, ".", NULL), 1, 0, width());
    if (command->details) {
        putchar('\n');
        print_paragraphs(command->details, pool);
    }
    if (command->json) {
        putchar('\n');
        print_paragraphs(apr_psprintf(pool, "With --json: %s.", command->json), pool);
    }
    if (command->options) {
        puts("\nOptions:");
        print_options(command->options, pool);
    }
    puts("\nExample:");
    icp_help_lines(command->example, "  ");
    puts("\nOptions of every command: icpadmin help");
}

static void help_all(apr_pool_t *pool)
{
    puts("usage: icpadmin [OPTION…] COMMAND …\n");
    print_paragraphs(icp_help_intro, pool);
    puts("\nCommands (icpadmin help COMMAND explains one):");
    for (int i = 0; icp_commands[i]; i++) {
        print_entry(icp_command_name(icp_commands[i], pool), 20, icp_commands[i]->summary);
    }
    puts("\nOptions, before or after the command:");
    print_options(icp_global_options, pool);
    puts("\nExit status:");
    for (int i = 0; icp_help_exits[i]; i++) {
        printf("  %d  %s\n", i, icp_help_exits[i]);
    }
}

/* The command, or every command of the noun; how many. */
static int help_named(const char *noun, const char *verb, apr_pool_t *pool)
{
    int count = 0;
    for (int i = 0; icp_commands[i]; i++) {
        const icp_command_t *command = icp_commands[i];
        if (strcmp(command->noun, noun) || (verb && command->verb && strcmp(command->verb, verb))) continue;
        if (count++) puts("\n");
        help_command(command, pool);
    }
    return count;
}

static icp_error_t *run_help(icp_cli_t *cli)
{
    const char *noun = cli->arguments->nelts > 0 ? APR_ARRAY_IDX(cli->arguments, 0, const char *) : NULL;
    const char *verb = cli->arguments->nelts > 1 ? APR_ARRAY_IDX(cli->arguments, 1, const char *) : NULL;
    if (icp_option(cli, "version"))
        puts("icpadmin (mod_icp) " ICP_VERSION);
    else if (icp_option(cli, "markdown"))
        icp_manual_markdown(cli->pool);
    else if (icp_option(cli, "man"))
        icp_manual_man(cli->pool);
    else if (!noun)
        help_all(cli->pool);
    else if (!help_named(noun, verb, cli->pool) && !help_named(noun, NULL, cli->pool)) {
        apr_array_header_t *nouns = apr_array_make(cli->pool, 32, sizeof(const char *));
        for (int i = 0; icp_commands[i]; i++) {
            APR_ARRAY_PUSH(nouns, const char *) = icp_commands[i]->noun;
        }
        const char *near = icp_suggest(noun, nouns);
        return icp_error(cli->pool, ICP_USAGE,
                         near ? apr_psprintf(cli->pool, "did you mean `%s`?", near) : "see: icpadmin help",
                         "there is no command `%s`", noun);
    }
    return NULL;
}

static const icp_option_t options[] = {
    {"markdown", NULL, 0, "print all of it as Markdown"},
    {"man", NULL, 0, "print all of it as a manual page"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_help = {
    .noun = "help",
    .arguments = "[COMMAND]",
    .most = 2,
    .summary = "explain icpadmin or one of its commands",
    .example = "icpadmin help site add",
    .options = options,
    .run = run_help,
};
