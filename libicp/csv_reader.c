#include "csv_reader.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <csv.h>
#include <unistr.h>

typedef struct reader_t {
    struct csv_parser parser;
    apr_array_header_t *fields; /* const char *: of the record under way */
    icp_csv_record_t record;
    int ended; /* records that ended in the bytes just parsed */
    icp_csv_fn *fn;
    void *baton;
    apr_pool_t *pool;
    icp_error_t *error;
} reader_t;

static void begin_record(reader_t *reader)
{
    apr_pool_clear(reader->pool);
    reader->fields = apr_array_make(reader->pool, 8, sizeof(const char *));
    reader->record.fault = reader->record.remedy = NULL;
}

static void take_field(void *bytes, size_t length, void *baton)
{
    reader_t *reader = baton;
    if (u8_check(bytes, length)) {
        reader->record.fault = "it is not UTF-8";
        reader->record.remedy = "in a spreadsheet, save it as 'CSV UTF-8'";
    }
    else if (memchr(bytes, '\0', length)) {
        reader->record.fault = "it contains a NUL byte";
        reader->record.remedy = "save it as text, in UTF-8";
    }
    APR_ARRAY_PUSH(reader->fields, const char *) = apr_pstrmemdup(reader->pool, bytes, length);
}

static void hand_over(reader_t *reader)
{
    reader->record.fields = reader->record.fault ? NULL : (const char **)reader->fields->elts;
    reader->record.count = reader->record.fault ? 0 : reader->fields->nelts;
    if (!reader->error) reader->error = reader->fn(&reader->record, reader->baton, reader->pool);
    begin_record(reader);
}

static void end_record(int terminator, void *baton)
{
    reader_t *reader = baton;
    reader->ended = 1;
    hand_over(reader);
}

static icp_error_t *start_parser(reader_t *reader, apr_pool_t *pool)
{
    if (csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) == 0) return NULL;
    return icp_error(pool, ICP_FAULT, NULL, "the CSV reader cannot start");
}

/* The record that began at reader->record.line cannot be read; what follows is read anew. */
static icp_error_t *give_up_record(reader_t *reader, const char *fault, const char *remedy, apr_pool_t *pool)
{
    csv_free(&reader->parser);
    ICP_TRY(start_parser(reader, pool));
    begin_record(reader);
    reader->record.fault = fault;
    reader->record.remedy = remedy;
    hand_over(reader);
    return NULL;
}

/* The end of the line at `text`, its terminator included: LF, CRLF or CR. */
static const char *line_end(const char *text, const char *end)
{
    const char *lf = memchr(text, '\n', end - text);
    const char *cr = memchr(text, '\r', (lf ? lf : end) - text);
    if (cr && cr + 1 != lf) return cr + 1;
    return lf ? lf + 1 : end;
}

static icp_error_t *read_lines(reader_t *reader, const char *text, apr_size_t length, apr_pool_t *pool)
{
    const char *end = text + length, *next;
    apr_int64_t line = 1;
    int within = 0; /* the record has begun on an earlier line */

    begin_record(reader);
    for (const char *at = text; at < end && !reader->error; at = next, line++) {
        next = line_end(at, end);
        if (!within) reader->record.line = line;
        reader->record.bytes = next - text;
        reader->ended = 0;
        apr_size_t size = next - at;
        if (csv_parse(&reader->parser, at, size, take_field, end_record, reader) != size) {
            ICP_TRY(give_up_record(reader, "a quotation mark stands where none can be",
                                   "put the whole field between quotation marks, and double each one inside it", pool));
            within = 0;
            continue;
        }
        int blank = at[0] == '\n' || at[0] == '\r';
        within = !reader->ended && (within || !blank);
    }
    if (!reader->error && csv_fini(&reader->parser, take_field, end_record, reader) != 0) {
        ICP_TRY(give_up_record(reader, "a quoted field is not closed by the end of the file",
                               "write the quotation mark that ends it, or leave out the one that begins it", pool));
    }
    return reader->error;
}

icp_error_t *icp_csv_each(const char *text, apr_size_t length, icp_csv_fn *fn, void *baton, apr_pool_t *pool)
{
    static const char bom[] = "\xEF\xBB\xBF";
    reader_t reader = {.fn = fn, .baton = baton};
    if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0)) {
        return icp_error(pool, ICP_USAGE, "save it as 'CSV UTF-8'", "the file is in UTF-16");
    }
    if (length >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        length -= 3;
    }
    ICP_TRY(start_parser(&reader, pool));
    apr_pool_create(&reader.pool, pool);
    icp_error_t *error = read_lines(&reader, text, length, pool);
    csv_free(&reader.parser);
    return error;
}
