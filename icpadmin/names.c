/* Names in, and consent. It knows nothing of the register. */
#include "names.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <unistr.h>

#include "output.h"

#define SHOWN 20

static void add_once(apr_array_header_t *names, apr_hash_t *known, const char *name)
{
    if (apr_hash_get(known, name, APR_HASH_KEY_STRING)) return;
    apr_hash_set(known, name, APR_HASH_KEY_STRING, name);
    APR_ARRAY_PUSH(names, const char *) = name;
}

static char *trim(char *line)
{
    while (isspace((unsigned char)*line)) line++;
    size_t length = strlen(line);
    while (length && isspace((unsigned char)line[length - 1])) line[--length] = '\0';
    return line;
}

static icp_error_t *read_lines(apr_array_header_t *names, apr_hash_t *known, apr_pool_t *pool)
{
    char *line = NULL;
    size_t size = 0;
    int number = 0;
    ssize_t length;
    icp_error_t *error = NULL;
    while (!error && (length = getline(&line, &size, stdin)) >= 0) {
        number++;
        if (strlen(line) != (size_t)length || u8_check((const uint8_t *)line, (size_t)length)) {
            error = icp_error(pool, ICP_USAGE, "write names as UTF-8 text, one a line",
                              "standard input:%d: not a text line", number);
        }
        else if (*trim(line)) {
            add_once(names, known, apr_pstrdup(pool, trim(line)));
        }
    }
    if (!error && ferror(stdin)) error = icp_error_os(pool, errno, "cannot read standard input");
    free(line);
    clearerr(stdin);
    return error;
}

icp_error_t *icp_names_read(apr_array_header_t **result, const icp_cli_t *cli)
{
    apr_array_header_t *names = apr_array_make(cli->pool, 16, sizeof(const char *));
    apr_hash_t *known = apr_hash_make(cli->pool);
    for (int i = 0; i < cli->arguments->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cli->arguments, i, const char *);
        if (strcmp(name, "-"))
            add_once(names, known, name);
        else
            ICP_TRY(read_lines(names, known, cli->pool));
    }
    if (!names->nelts) return icp_error(cli->pool, ICP_USAGE, "give one a line", "no name on standard input");
    *result = names;
    return NULL;
}

icp_error_t *icp_names_confirm(const icp_cli_t *cli, const char *what, const char *kind,
                               const apr_array_header_t *names)
{
    char answer[16] = "";
    if (names->nelts < 2 || cli->yes || cli->dry_run) return NULL;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        return icp_error(cli->pool, ICP_USAGE, "add --yes, or see first with --dry-run what it does",
                         "this would %s %d %s, and there is no terminal to ask on", what, names->nelts, kind);
    }
    fprintf(stderr, "This will %s %d %s:\n", what, names->nelts, kind);
    for (int i = 0; i < names->nelts && i < SHOWN; i++) {
        fprintf(stderr, "  %s\n", icp_printable(APR_ARRAY_IDX(names, i, const char *), cli->pool));
    }
    if (names->nelts > SHOWN) fprintf(stderr, "  and %d more\n", names->nelts - SHOWN);
    fputs("Go on? [y/N] ", stderr);
    if (!fgets(answer, sizeof answer, stdin)) fputc('\n', stderr);
    if (tolower((unsigned char)*answer) == 'y') return NULL;
    return icp_error(cli->pool, ICP_REFUSED, NULL, "nothing was changed");
}
