/* libhtp is given the whole body at once: fed in pieces, its version 0.5.42 loses a byte of the data where a piece ends between the bytes
 * of CR CR LF, and fails where one ends in a line of headers. So nothing is buffered inside it either, and a file is one stretch
 * of the body. What it keeps for each part and header is bounded before it starts. */
#include "multipart.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <htp/htp.h>
#include <htp/htp_multipart.h>

/* One body being taken apart. */
typedef struct parsing_t {
    icp_multipart_t *form;
    apr_array_header_t *sources; /* htp_file_t *: where each of form->files comes from */
    int is_torn;                 /* a file came in pieces, as the last one does that is broken off */
    apr_pool_t *pool;
} parsing_t;

static htp_cfg_t *the_settings;
static __thread parsing_t *the_parsing; /* libhtp's call-back for files has no baton */

static apr_status_t forget_settings(void *unused)
{
    htp_config_destroy(the_settings);
    the_settings = NULL;
    return APR_SUCCESS;
}

static const char *text_of(bstr *string, apr_pool_t *pool)
{
    if (!string) return "";
    apr_size_t length = bstr_len(string);
    char *text = apr_pstrmemdup(pool, (const char *)bstr_ptr(string), length);
    for (apr_size_t i = 0; i < length; i++) {
        if (!text[i]) text[i] = 1; /* no text is cut short unnoticed */
    }
    return text;
}

/* Called with a file's bytes, and at its end without any. */
static int take_file(htp_file_data_t *data)
{
    parsing_t *parsing = the_parsing;
    int count = parsing->sources->nelts;
    if (!count || APR_ARRAY_IDX(parsing->sources, count - 1, htp_file_t *) != data->file) {
        APR_ARRAY_PUSH(parsing->sources, htp_file_t *) = data->file;
        *(icp_multipart_file_t *)apr_array_push(parsing->form->files) = (icp_multipart_file_t){
            .field = "", .name = text_of(data->file->filename, parsing->pool), .bytes = data->data ? (const char *)data->data : "", .length = data->len};
    }
    else if (data->len) {
        parsing->is_torn = 1;
    }
    return HTP_OK;
}

icp_error_t *icp_multipart_prepare(apr_pool_t *pool)
{
    if (the_settings) return NULL;
    the_settings = htp_config_create();
    if (!the_settings) return icp_error(pool, ICP_FAULT, NULL, "libhtp cannot be set up");
    htp_config_register_request_file_data(the_settings, take_file);
    apr_pool_cleanup_register(pool, NULL, forget_settings, apr_pool_cleanup_null);
    return NULL;
}

const char *icp_multipart_field(const icp_multipart_t *form, const char *name)
{
    const char *value = apr_table_get(form->fields, name);
    return value ? value : "";
}

/* --- bounds ---------------------------------------------------------------------------------------------- */

/* From the line at `at` to the empty one that ends the headers, or to the end of the body; NULL: neither is near. */
static const char *skip_headers(const char *at, const char *end)
{
    for (int lines = 0; lines <= ICP_MULTIPART_HEAD_MAX; lines++) {
        const char *line = memchr(at, '\n', end - at);
        if (!line) return end;
        at = line + 1;
        if (end - at >= 1 && *at == '\n') return at;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') return at;
    }
    return NULL;
}

/* Delimiters are looked for after every LF, which is at least wherever libhtp sees one. */
static int is_bounded(const char *body, apr_size_t length, bstr *boundary, apr_pool_t *pool)
{
    const char *end = body + length, *at = body;
    apr_size_t size = bstr_len(boundary) + 3;
    const char *delimiter = apr_pstrcat(pool, "\n--", apr_pstrmemdup(pool, (const char *)bstr_ptr(boundary), size - 3), NULL);
    if (length >= size - 1 && !memcmp(body, delimiter + 1, size - 1)) at = skip_headers(body + size - 1, end);
    for (int parts = 0; at && parts <= ICP_MULTIPART_PARTS_MAX; parts++) {
        at = memmem(at, end - at, delimiter, size);
        if (!at) return 1;
        at = skip_headers(at + size, end);
    }
    return 0;
}

/* --- parts ----------------------------------------------------------------------------------------------- */

/* The names of all parts, and the values of those that are no files. */
static void collect(parsing_t *parsing, const htp_multipart_t *body)
{
    size_t count = htp_list_size(body->parts);
    for (size_t i = 0; i < count; i++) {
        htp_multipart_part_t *part = htp_list_get(body->parts, i);
        const char *name = text_of(part->name, parsing->pool);
        if (part->type == MULTIPART_PART_TEXT) apr_table_addn(parsing->form->fields, name, text_of(part->value, parsing->pool));
        for (int file = 0; part->type == MULTIPART_PART_FILE && file < parsing->sources->nelts; file++) {
            if (APR_ARRAY_IDX(parsing->sources, file, htp_file_t *) == part->file) {
                APR_ARRAY_IDX(parsing->form->files, file, icp_multipart_file_t).field = name;
            }
        }
    }
}

/* NULL: it is no form's type. Its letters may be of either case (RFC 9110, 8.3.1), for which libhtp does not look. */
static bstr *find_boundary(const char *type, uint64_t *flags)
{
    bstr *header = type ? bstr_dup_c(type) : NULL, *boundary = NULL;
    if (!header) return NULL;
    unsigned char *letters = bstr_ptr(header);
    for (size_t i = 0; i < bstr_len(header) && letters[i] != ';'; i++) letters[i] = (unsigned char)apr_tolower(letters[i]);
    int is_found = htp_mpartp_find_boundary(header, &boundary, flags) == HTP_OK && !(*flags & HTP_MULTIPART_HBOUNDARY_INVALID);
    bstr_free(header);
    if (is_found) return boundary;
    if (boundary) bstr_free(boundary);
    return NULL;
}

static int feed(parsing_t *parsing, htp_mpartp_t *parser, const char *body, apr_size_t length)
{
    /* Seen from browsers that are in order: none. Each is an attempt to be read in two ways, or a body broken off. */
    static const uint64_t wrong = HTP_MULTIPART_CD_SYNTAX_INVALID | HTP_MULTIPART_CD_TYPE_INVALID | HTP_MULTIPART_CD_PARAM_REPEATED
                                  | HTP_MULTIPART_NUL_BYTE | HTP_MULTIPART_PART_UNKNOWN | HTP_MULTIPART_PART_HEADER_REPEATED
                                  | HTP_MULTIPART_PART_HEADER_INVALID | HTP_MULTIPART_PART_AFTER_LAST_BOUNDARY | HTP_MULTIPART_INCOMPLETE
                                  | HTP_MULTIPART_BBOUNDARY_NLWS_AFTER;
    the_parsing = parsing;
    int is_read = htp_mpartp_parse(parser, body, length) == HTP_OK;
    is_read &= htp_mpartp_finalize(parser) == HTP_OK;
    the_parsing = NULL;
    const htp_multipart_t *parts = htp_mpartp_get_multipart(parser);
    collect(parsing, parts);
    return is_read && !parsing->is_torn && !(parts->flags & wrong) && (parts->flags & HTP_MULTIPART_SEEN_LAST_BOUNDARY);
}

icp_multipart_e icp_multipart_parse(icp_multipart_t **form, const char *type, const char *body, apr_size_t length, apr_pool_t *pool)
{
    uint64_t flags = 0;
    parsing_t parsing = {.pool = pool};
    *form = parsing.form = apr_pcalloc(pool, sizeof **form);
    parsing.form->fields = apr_table_make(pool, 40);
    parsing.form->files = apr_array_make(pool, 4, sizeof(icp_multipart_file_t));
    parsing.sources = apr_array_make(pool, 4, sizeof(htp_file_t *));

    bstr *boundary = find_boundary(type, &flags);
    if (!boundary) return ICP_MULTIPART_OTHER;
    if (!is_bounded(body, length, boundary, pool)) {
        bstr_free(boundary);
        return ICP_MULTIPART_LARGE;
    }
    htp_mpartp_t *parser = htp_mpartp_create(the_settings, boundary, flags);
    if (!parser) {
        bstr_free(boundary);
        return ICP_MULTIPART_BROKEN;
    }
    int is_whole = feed(&parsing, parser, body, length);
    htp_mpartp_destroy(parser);
    return is_whole ? ICP_MULTIPART_WHOLE : ICP_MULTIPART_BROKEN;
}
