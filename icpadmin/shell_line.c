#include "shell_line.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

#include "options.h"

const char *icp_shell_word(const char *word, apr_pool_t *pool)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/:@%+,=";
    if (*word && !word[strspn(word, harmless)]) return word;
    char *quoted = apr_palloc(pool, 4 * strlen(word) + 3), *to = quoted;
    *to++ = '\'';
    for (; *word; word++) {
        if (*word == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *word;
    }
    strcpy(to, "'");
    return quoted;
}

const char *icp_shell_line(const icp_cli_t *cli, ...)
{
    const char *file = icp_option(cli, "register"), *word, *line = "icpadmin";
    va_list words;
    if (file) line = apr_pstrcat(cli->pool, line, " --register ", icp_shell_word(file, cli->pool), NULL);
    va_start(words, cli);
    while ((word = va_arg(words, const char *))) line = apr_pstrcat(cli->pool, line, " ", icp_shell_word(word, cli->pool), NULL);
    va_end(words);
    return line;
}
