/* Tables, JSON, remarks and progress. No command's business. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unictype.h>
#include <unistr.h>

#include "columns.h"

#define MAX_COLUMNS 12
#define GAP 2
#define BELOW 4 /* the indentation of what does not fit into a row's line */

struct icp_list_t {
    const icp_cli_t *cli;
    int columns;
    int heading;              /* the first row is one */
    apr_array_header_t *rows; /* const char **: `columns` cells each */
    FILE *json; /* the array so far, kept until its end: a terminal that waits must not hold a read lock */
    char *text;
    size_t length;
};

static int harmless(ucs4_t character)
{
    if (uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Cc)) return 0;
    int direction = (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
    return !direction && character != 0x2028 && character != 0x2029;
}

static int all_harmless(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *next;
    ucs4_t character;
    if (u8_check(at, strlen(text))) return 0;
    while ((next = u8_next(&character, at))) {
        if (!harmless(character)) return 0;
        at = next;
    }
    return 1;
}

const char *icp_printable(const char *text, apr_pool_t *pool)
{
    if (all_harmless(text)) return text;
    static const char replacement[] = "\xEF\xBF\xBD";
    const uint8_t *from = (const uint8_t *)text;
    size_t left = strlen(text);
    char *out = apr_palloc(pool, left * 3 + 1), *to = out;
    while (left) {
        ucs4_t character;
        int length = u8_mbtoucr(&character, from, left);
        if (length > 0 && harmless(character)) {
            memcpy(to, from, (size_t)length);
            to += length;
        }
        else {
            memcpy(to, replacement, 3);
            to += 3;
            if (length <= 0) length = 1;
        }
        from += length;
        left -= (size_t)length;
    }
    *to = '\0';
    return out;
}

icp_list_t *icp_list_begin(const icp_cli_t *cli, const char *headings)
{
    icp_list_t *list = apr_pcalloc(cli->pool, sizeof *list);
    list->cli = cli;
    list->columns = 2;
    list->rows = apr_array_make(cli->pool, 64, sizeof(const char **));
    if (headings) {
        char *state = NULL, *text = apr_pstrdup(cli->pool, headings);
        const char **cells = apr_pcalloc(cli->pool, MAX_COLUMNS * sizeof *cells);
        list->columns = 0;
        for (char *cell = apr_strtok(text, "|", &state); cell; cell = apr_strtok(NULL, "|", &state)) {
            cells[list->columns++] = cell;
        }
        list->heading = 1;
        APR_ARRAY_PUSH(list->rows, const char **) = cells;
    }
    return list;
}

void icp_list_object(icp_list_t *list, json_t *object)
{
    if (!list->json)
        list->json = open_memstream(&list->text, &list->length);
    else
        fputs(",\n", list->json);
    json_dumpf(object, list->json, JSON_COMPACT);
    json_decref(object);
}

void icp_list_row(icp_list_t *list, ...)
{
    const char **cells = apr_pcalloc(list->cli->pool, (apr_size_t)list->columns * sizeof *cells);
    const char *cell;
    va_list args;
    va_start(args, list);
    for (int i = 0; i < list->columns && (cell = va_arg(args, const char *)); i++) {
        cells[i] = icp_printable(apr_pstrdup(list->cli->pool, cell), list->cli->pool);
    }
    va_end(args);
    APR_ARRAY_PUSH(list->rows, const char **) = cells;
}

static int is_empty(const char *cell)
{
    return !cell || !*cell || !strcmp(cell, "-");
}

/* Columns that stand in line: all, or on a narrower terminal the first ones. */
static int columns_in_line(const icp_list_t *list, const int *widths, int terminal)
{
    int count = 0, used = 0;
    if (!terminal) return list->columns;
    while (count < list->columns && used + widths[count] <= terminal) used += widths[count++] + GAP;
    return count ? count : 1;
}

/* What did not fit into the line, each with its heading. */
static void print_below(const icp_list_t *list, const char *const *cells, int from, int terminal, apr_pool_t *scratch)
{
    const char *const *headings = APR_ARRAY_IDX(list->rows, 0, const char **), *line = "";
    for (int i = from; i < list->columns; i++) {
        if (is_empty(cells[i])) continue;
        line = apr_pstrcat(scratch, line, *line ? "  " : "", headings[i], ": ", cells[i], NULL);
    }
    if (!*line) return;
    printf("%*s", BELOW, "");
    icp_columns_fold(line, BELOW, BELOW, terminal);
}

static void print_row(const icp_list_t *list, const char *const *cells, const int *widths, int in_line, int terminal,
                      apr_pool_t *scratch)
{
    const char *line = "";
    int last = in_line - 1;
    while (last > 0 && !(cells[last] && *cells[last])) last--;
    for (int i = 0; i < last; i++) {
        const char *cell = cells[i] ? cells[i] : "";
        line = apr_psprintf(scratch, "%s%s%*s", line, cell, widths[i] - icp_columns_of(cell) + GAP, "");
    }
    fputs(line, stdout);
    int at = icp_columns_of(line);
    icp_columns_fold(cells[last] ? cells[last] : "", at, list->heading ? BELOW : at, terminal);
}

void icp_list_end(icp_list_t *list, const char *nothing)
{
    if (list->cli->json) {
        if (!list->json) {
            puts("[]");
            return;
        }
        fclose(list->json);
        printf("[\n%s\n]\n", list->text);
        free(list->text);
        return;
    }
    if (list->rows->nelts <= list->heading) {
        if (nothing) icp_remark(list->cli, "%s", nothing);
        return;
    }
    int widths[MAX_COLUMNS] = {0}, terminal = icp_columns_of_terminal(STDOUT_FILENO);
    for (int r = 0; r < list->rows->nelts; r++) {
        const char *const *cells = APR_ARRAY_IDX(list->rows, r, const char **);
        for (int i = 0; i < list->columns; i++) {
            int width = cells[i] ? icp_columns_of(cells[i]) : 0;
            if (width > widths[i]) widths[i] = width;
        }
    }
    apr_pool_t *scratch;
    apr_pool_create(&scratch, list->cli->pool);
    int in_line = list->heading ? columns_in_line(list, widths, terminal) : list->columns;
    for (int r = 0; r < list->rows->nelts; r++) {
        const char *const *cells = APR_ARRAY_IDX(list->rows, r, const char **);
        print_row(list, cells, widths, in_line, terminal, scratch);
        if (r && in_line < list->columns) print_below(list, cells, in_line, terminal, scratch);
        apr_pool_clear(scratch);
    }
}

void icp_print_object(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}

void icp_say(const icp_cli_t *cli, const char *format, ...)
{
    va_list args;
    if (cli->json) return;
    va_start(args, format);
    puts(icp_printable(apr_pvsprintf(cli->pool, format, args), cli->pool));
    va_end(args);
}

void icp_print_text(const char *text, apr_pool_t *pool)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        puts(icp_printable(apr_pstrmemdup(pool, text, length), pool));
        text += length + (text[length] == '\n');
    }
}

/* What was printed before it stands before it, also where both streams go to one file. */
static void print_message(const char *before, const char *message, apr_pool_t *pool)
{
    fflush(stdout);
    fprintf(stderr, "%s%s\n", before, icp_printable(message, pool));
}

void icp_remark(const icp_cli_t *cli, const char *format, ...)
{
    va_list args;
    if (cli->quiet) return;
    va_start(args, format);
    print_message("", apr_pvsprintf(cli->pool, format, args), cli->pool);
    va_end(args);
}

void icp_warn(const icp_cli_t *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_message("icpadmin: warning: ", apr_pvsprintf(cli->pool, format, args), cli->pool);
    va_end(args);
}

void icp_print_error(const icp_cli_t *cli, const icp_error_t *error)
{
    print_message("icpadmin: ", error->message, cli->pool);
    if (error->remedy) print_message("  ", error->remedy, cli->pool);
}

void icp_progress(const icp_cli_t *cli, const char *text)
{
    if (cli->quiet || !isatty(STDERR_FILENO)) return;
    int terminal = icp_columns_of_terminal(STDERR_FILENO);
    text = text ? icp_printable(text, cli->pool) : "";
    fprintf(stderr, "\r\033[K%.*s", (int)(terminal ? icp_columns_fitting(text, terminal - 1) : strlen(text)), text);
    fflush(stderr);
}

const char *icp_time_text(apr_time_t time, apr_pool_t *pool)
{
    apr_time_exp_t local;
    if (!time || apr_time_exp_lt(&local, time)) return "-";
    return apr_psprintf(pool, "%04d-%02d-%02d %02d:%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                        local.tm_hour, local.tm_min);
}

json_t *icp_time_json(apr_time_t time)
{
    return time ? json_integer(apr_time_sec(time)) : json_null();
}

json_t *icp_text_json(const char *text)
{
    json_t *string = text ? json_string(text) : NULL;
    return string ? string : json_null();
}

json_t *icp_texts_json(const apr_array_header_t *texts)
{
    json_t *array = json_array();
    for (int i = 0; texts && i < texts->nelts; i++) {
        json_array_append_new(array, icp_text_json(APR_ARRAY_IDX(texts, i, const char *)));
    }
    return array;
}

const char *icp_join(const apr_array_header_t *texts, apr_pool_t *pool)
{
    apr_size_t length = 1;
    if (!texts || !texts->nelts) return "-";
    for (int i = 0; i < texts->nelts; i++) {
        length += strlen(APR_ARRAY_IDX(texts, i, const char *)) + 2;
    }
    char *joined = apr_palloc(pool, length), *end = joined;
    for (int i = 0; i < texts->nelts; i++) {
        end = stpcpy(stpcpy(end, i ? ", " : ""), APR_ARRAY_IDX(texts, i, const char *));
    }
    return joined;
}

icp_error_t *icp_output_finish(apr_pool_t *pool)
{
    errno = 0;
    int failed = ferror(stdout);
    if (fflush(stdout)) failed = 1;
    if (!failed) return NULL;
    return icp_error(pool, ICP_FAULT, "the command itself was carried out; only what it printed is incomplete",
                     "cannot write to standard output: %s", errno ? strerror(errno) : "a write failed");
}
