/* The template engine: one pass turns a text into a list of steps, and showing it walks the list. No step can be added,
 * and no name resolved, once a template is made: a bad template is found when the server starts, never by a visitor. */
#include "template.h"

#include <stdarg.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <unistr.h>

typedef enum step_e { STEP_TEXT, STEP_VALUE, STEP_IF, STEP_UNLESS, STEP_PART, STEP_END } step_e;

typedef struct step_t {
    step_e what;
    const char *text;  /* STEP_TEXT */
    apr_size_t length;
    int index;         /* VALUE, IF, UNLESS: of the name */
    int part;          /* PART: its first step */
    int end;           /* IF, UNLESS: the step after the section */
} step_t;

typedef struct part_t {
    const char *name;
    int first;
} part_t;

/* The steps of the parts come with those of the page: a part ends with STEP_END, the page with the last one. */
struct icp_template_t {
    apr_array_header_t *steps, *parts; /* step_t, part_t */
    int page;                          /* first step of the page itself */
};

/* An open section or definition. */
typedef struct open_t {
    const char *name;
    int line, step; /* step: -1 for a definition */
} open_t;

typedef struct parser_t {
    const char *source, *text, *end, *at;
    int line; /* of `at` */
    const char *const *names;
    icp_template_t *template;
    apr_array_header_t *page, *open; /* step_t of the page, which come last; open_t */
    apr_array_header_t *into;        /* where steps go: the page's or the template's (while in a definition) */
    apr_pool_t *pool;
} parser_t;

static icp_error_t *fault(const parser_t *parser, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static icp_error_t *fault(const parser_t *parser, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = apr_pvsprintf(parser->pool, format, args);
    va_end(args);
    return icp_error(parser->pool, ICP_USAGE, "docs/notice.md lists every placeholder of pages, docs/mail.md of mails", "%s line %d: %s", parser->source,
                     line, what);
}

static step_t *add_step(apr_array_header_t *steps, step_e what)
{
    step_t *step = apr_array_push(steps);
    memset(step, 0, sizeof *step);
    step->what = what;
    return step;
}

static void add_text(parser_t *parser, const char *text, const char *end)
{
    if (end > text) {
        step_t *step = add_step(parser->into, STEP_TEXT);
        step->text = text;
        step->length = end - text;
    }
}

static int count_lines(const char *text, const char *end)
{
    int lines = 0;
    while ((text = memchr(text, '\n', end - text)) != NULL) {
        lines++;
        text++;
    }
    return lines;
}

static int find_name(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], name)) return i;
    }
    return -1;
}

static const part_t *find_part(const icp_template_t *template, const char *name)
{
    for (int i = 0; i < template->parts->nelts; i++) {
        const part_t *part = &APR_ARRAY_IDX(template->parts, i, part_t);
        if (!strcmp(part->name, name)) return part;
    }
    return NULL;
}

static int is_sign(char c)
{
    return c && strchr("#^</>!", c);
}

/* A tag alone on its line takes the line with it: moves *before to the line's start and *after to the next line's. */
static void take_line(const parser_t *parser, const char **before, const char **after)
{
    const char *start = *before, *end = *after;
    while (start > parser->text && (start[-1] == ' ' || start[-1] == '\t')) start--;
    while (end < parser->end && (*end == ' ' || *end == '\t' || *end == '\r')) end++;
    if ((start == parser->text || start[-1] == '\n') && (end == parser->end || *end == '\n')) {
        *before = start;
        *after = end < parser->end ? end + 1 : end;
    }
}

static icp_error_t *close_section(parser_t *parser, const char *name)
{
    const open_t *open = apr_array_pop(parser->open);
    if (!open) return fault(parser, parser->line, "{{/%s}} closes nothing", name);
    if (strcmp(open->name, name)) {
        return fault(parser, parser->line, "{{/%s}} stands where {{/%s}} is due, for line %d", name, open->name, open->line);
    }
    if (open->step < 0) {
        add_step(parser->into, STEP_END);
        parser->into = parser->page;
    }
    else {
        APR_ARRAY_IDX(parser->into, open->step, step_t).end = parser->into->nelts;
    }
    return NULL;
}

static icp_error_t *open_section(parser_t *parser, char sign, const char *name)
{
    int index = find_name(parser->names, name);
    if (index < 0) return fault(parser, parser->line, "{{%c%s}}: there is no placeholder of that name", sign, name);
    open_t *open = apr_array_push(parser->open);
    *open = (open_t){name, parser->line, parser->into->nelts};
    add_step(parser->into, sign == '#' ? STEP_IF : STEP_UNLESS)->index = index;
    return NULL;
}

static icp_error_t *open_part(parser_t *parser, const char *name)
{
    if (parser->open->nelts) return fault(parser, parser->line, "{{<%s}}: a part cannot be defined inside a section", name);
    if (find_part(parser->template, name)) {
        return fault(parser, parser->line, "{{<%s}}: there is a part of that name already", name);
    }
    parser->into = parser->template->steps;
    part_t *part = apr_array_push(parser->template->parts);
    *part = (part_t){name, parser->into->nelts};
    open_t *open = apr_array_push(parser->open);
    *open = (open_t){name, parser->line, -1};
    return NULL;
}

static icp_error_t *use_part(parser_t *parser, const char *name)
{
    const part_t *part = find_part(parser->template, name);
    const open_t *outermost = parser->open->nelts ? &APR_ARRAY_IDX(parser->open, 0, open_t) : NULL;
    if (!part || (outermost && outermost->step < 0 && !strcmp(outermost->name, name))) {
        return fault(parser, parser->line, "{{>%s}}: no part of that name stands above", name);
    }
    add_step(parser->into, STEP_PART)->part = part->first;
    return NULL;
}

static icp_error_t *add_tag(parser_t *parser, char sign, const char *name)
{
    switch (sign) {
    case '!': return NULL;
    case '/': return close_section(parser, name);
    case '<': return open_part(parser, name);
    case '>': return use_part(parser, name);
    case '#':
    case '^': return open_section(parser, sign, name);
    default: break;
    }
    int index = find_name(parser->names, name);
    if (index < 0) return fault(parser, parser->line, "{{%s}}: there is no placeholder of that name", name);
    add_step(parser->into, STEP_VALUE)->index = index;
    return NULL;
}

/* Reads the tag whose braces open at `tag`, with the text before it. */
static icp_error_t *read_tag(parser_t *parser, const char *tag)
{
    const char *close = memmem(tag, parser->end - tag, "}}", 2);
    parser->line += count_lines(parser->at, tag);
    if (!close) return fault(parser, parser->line, "{{ without }}");

    const char *inner = tag + 2, *before = tag, *after = close + 2;
    char sign = *inner;
    const char *name = "";
    if (is_sign(sign)) inner++;
    if (sign != '!') {
        apr_size_t length = close - inner;
        if (!length || strspn(inner, "abcdefghijklmnopqrstuvwxyz0123456789-") < length) {
            return fault(parser, parser->line, "{{%.*s}} is no tag", (int)(close - tag - 2), tag + 2);
        }
        name = apr_pstrmemdup(parser->pool, inner, length);
    }
    if (is_sign(sign) && sign != '>') take_line(parser, &before, &after);
    if (before > parser->at) add_text(parser, parser->at, before);
    ICP_TRY(add_tag(parser, sign, name));
    parser->line += count_lines(tag, after);
    parser->at = after;
    return NULL;
}

static icp_error_t *check_text(parser_t *parser)
{
    apr_size_t length = parser->end - parser->text;
    if (!length) return fault(parser, 1, "the template is empty");
    if (length > ICP_TEMPLATE_LIMIT) return fault(parser, 1, "the template is over %d KB", ICP_TEMPLATE_LIMIT / 1024);
    const char *bad = (const char *)u8_check((const uint8_t *)parser->text, length);
    if (!bad) bad = memchr(parser->text, '\0', length);
    if (bad) return fault(parser, 1 + count_lines(parser->text, bad), "the template is not UTF-8 text");
    return NULL;
}

icp_error_t *icp_template_parse(icp_template_t **result, const char *source, const char *text, apr_size_t length,
                                const char *const *names, const icp_template_t *parts, apr_pool_t *pool)
{
    icp_template_t *template = apr_pcalloc(pool, sizeof *template);
    parser_t parser = {source, text, text + length, text, 1, names, template, NULL, NULL, NULL, pool};
    ICP_TRY(check_text(&parser));
    template->steps = parts ? apr_array_copy(pool, parts->steps) : apr_array_make(pool, 64, sizeof(step_t));
    template->parts = parts ? apr_array_copy(pool, parts->parts) : apr_array_make(pool, 8, sizeof(part_t));
    parser.page = parser.into = apr_array_make(pool, 64, sizeof(step_t));
    parser.open = apr_array_make(pool, 8, sizeof(open_t));

    const char *tag;
    while ((tag = memmem(parser.at, parser.end - parser.at, "{{", 2)) != NULL) {
        ICP_TRY(read_tag(&parser, tag));
    }
    add_text(&parser, parser.at, parser.end);
    if (parser.open->nelts) {
        const open_t *open = apr_array_pop(parser.open);
        return fault(&parser, open->line, "{{/%s}} is missing for the section that opens here", open->name);
    }

    template->page = template->steps->nelts;
    for (int i = 0; i < parser.page->nelts; i++) {
        step_t *step = &APR_ARRAY_IDX(parser.page, i, step_t);
        if (step->what == STEP_IF || step->what == STEP_UNLESS) step->end += template->page;
    }
    apr_array_cat(template->steps, parser.page);
    add_step(template->steps, STEP_END);
    *result = template;
    return NULL;
}

icp_error_t *icp_template_load(icp_template_t **result, const char *file, const char *const *names,
                               const icp_template_t *parts, apr_pool_t *pool)
{
    apr_file_t *handle;
    apr_status_t rv = apr_file_open(&handle, file, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT, pool);
    if (rv != APR_SUCCESS) return icp_error_os(pool, rv, "cannot open the template %s", file);

    char *text = apr_palloc(pool, ICP_TEMPLATE_LIMIT + 1);
    apr_size_t length = 0;
    rv = apr_file_read_full(handle, text, ICP_TEMPLATE_LIMIT + 1, &length);
    apr_file_close(handle);
    if (rv != APR_SUCCESS && rv != APR_EOF) return icp_error_os(pool, rv, "cannot read the template %s", file);
    return icp_template_parse(result, file, text, length, names, parts, pool);
}

typedef struct writer_t {
    const step_t *steps;
    const char *const *values;
    icp_escape_e escape;
    char *out;
    apr_size_t length, room;
    apr_pool_t *pool;
} writer_t;

static void put(writer_t *writer, const char *text, apr_size_t length)
{
    if (!length) return;
    if (length > writer->room - writer->length) {
        writer->room = 2 * writer->room + length;
        char *more = apr_palloc(writer->pool, writer->room);
        if (writer->length) memcpy(more, writer->out, writer->length);
        writer->out = more;
    }
    memcpy(writer->out + writer->length, text, length);
    writer->length += length;
}

static void put_html(writer_t *writer, const char *text)
{
    for (;;) {
        apr_size_t plain = strcspn(text, "<>&\"'");
        put(writer, text, plain);
        text += plain;
        switch (*text++) {
        case '<': put(writer, "&lt;", 4); break;
        case '>': put(writer, "&gt;", 4); break;
        case '&': put(writer, "&amp;", 5); break;
        case '"': put(writer, "&quot;", 6); break;
        case '\'': put(writer, "&#39;", 5); break;
        default: return;
        }
    }
}

static void walk(writer_t *writer, int at);

static void put_part(writer_t *writer, int first)
{
    apr_size_t start = writer->length;
    walk(writer, first);
    while (writer->length > start && writer->out[writer->length - 1] == '\n') writer->length--;
}

static void walk(writer_t *writer, int at)
{
    for (;;) {
        const step_t *step = &writer->steps[at++];
        const char *value = writer->values[step->index] ? writer->values[step->index] : "";
        switch (step->what) {
        case STEP_TEXT: put(writer, step->text, step->length); break;
        case STEP_IF: if (!*value) at = step->end; break;
        case STEP_UNLESS: if (*value) at = step->end; break;
        case STEP_PART: put_part(writer, step->part); break;
        case STEP_END: return;
        case STEP_VALUE:
            if (writer->escape == ICP_ESCAPE_HTML) put_html(writer, value);
            else put(writer, value, strlen(value));
            break;
        }
    }
}

const char *icp_template_render(const icp_template_t *template, const char *part, const char *const *values,
                                icp_escape_e escape, apr_pool_t *pool)
{
    writer_t writer = {(const step_t *)template->steps->elts, values, escape, NULL, 0, 0, pool};
    if (part) put_part(&writer, find_part(template, part)->first);
    else walk(&writer, template->page);
    put(&writer, "", 1);
    return writer.out;
}
