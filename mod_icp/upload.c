/* Feeds the request's body to libhtp's parser and collects what it finds: see upload.h. */
#include "upload.h"

#include <stdlib.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <htp/htp.h>
#include <htp/htp_multipart.h>

#include "document.h"

APLOG_USE_MODULE(icp);

#define DISCARD_LIMIT (64 * 1024 * 1024) /* bytes of a body that are read for the answer's sake */

/* One body being read. */
typedef struct reading_t {
    icp_upload_t *upload;
    htp_mpartp_t *parser;
    htp_file_t *file; /* the part whose bytes came last */
    apr_array_header_t *sources; /* htp_file_t *: where each of upload->files comes from */
    char *buffer;
    apr_size_t used, room;
    apr_pool_t *pool;
} reading_t;

static htp_cfg_t *the_settings;
static apr_uint32_t the_count; /* bodies kept by this child now */
static __thread reading_t *the_reading; /* libhtp's call-back for files has no baton */

static apr_status_t forget_settings(void *unused)
{
    htp_config_destroy(the_settings);
    the_settings = NULL;
    return APR_SUCCESS;
}

static apr_status_t release(void *buffer)
{
    free(buffer);
    return APR_SUCCESS;
}

static apr_status_t leave(void *unused)
{
    apr_atomic_dec32(&the_count);
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

/* The bytes of the file before go to its entry; their memory lives as long as the request. */
static void finish_file(reading_t *reading)
{
    if (!reading->file) return;
    icp_upload_file_t *entry = &APR_ARRAY_IDX(reading->upload->files, reading->upload->files->nelts - 1, icp_upload_file_t);
    entry->bytes = reading->buffer ? reading->buffer : "";
    entry->length = reading->used;
    if (reading->buffer) apr_pool_cleanup_register(reading->pool, reading->buffer, release, apr_pool_cleanup_null);
    reading->buffer = NULL;
    reading->used = reading->room = 0;
    reading->file = NULL;
}

static int take_file_data(htp_file_data_t *data)
{
    reading_t *reading = the_reading;
    if (data->file != reading->file) {
        finish_file(reading);
        reading->file = data->file;
        APR_ARRAY_PUSH(reading->sources, htp_file_t *) = data->file;
        *(icp_upload_file_t *)apr_array_push(reading->upload->files) = (icp_upload_file_t){.field = "", .bytes = "", .name = text_of(data->file->filename, reading->pool)};
    }
    icp_upload_file_t *entry = &APR_ARRAY_IDX(reading->upload->files, reading->upload->files->nelts - 1, icp_upload_file_t);
    if (!data->data || !data->len || entry->too_large) return HTP_OK;
    if (reading->used + data->len > ICP_DOCUMENT_LIMIT) {
        entry->too_large = 1;
        reading->used = 0;
        return HTP_OK;
    }
    if (reading->used + data->len > reading->room) {
        apr_size_t room = reading->room ? 2 * reading->room : 65536;
        while (room < reading->used + data->len) room *= 2;
        char *larger = realloc(reading->buffer, room);
        if (!larger) return HTP_ERROR;
        reading->buffer = larger;
        reading->room = room;
    }
    memcpy(reading->buffer + reading->used, data->data, data->len);
    reading->used += data->len;
    return HTP_OK;
}

icp_error_t *icp_upload_prepare(apr_pool_t *pool)
{
    if (the_settings) return NULL;
    the_settings = htp_config_create();
    if (!the_settings) return icp_error(pool, ICP_FAULT, NULL, "libhtp cannot be set up");
    htp_config_register_request_file_data(the_settings, take_file_data);
    apr_pool_cleanup_register(pool, NULL, forget_settings, apr_pool_cleanup_null);
    return NULL;
}

const char *icp_upload_field(const icp_upload_t *upload, const char *name)
{
    const char *value = apr_table_get(upload->fields, name);
    return value ? value : "";
}

/* The names of all parts, and the values of those that are no files. */
static void collect(reading_t *reading)
{
    htp_multipart_t *body = htp_mpartp_get_multipart(reading->parser);
    size_t count = htp_list_size(body->parts);
    for (size_t i = 0; i < count; i++) {
        htp_multipart_part_t *part = htp_list_get(body->parts, i);
        const char *name = text_of(part->name, reading->pool);
        if (part->type == MULTIPART_PART_TEXT) apr_table_addn(reading->upload->fields, name, text_of(part->value, reading->pool));
        for (int file = 0; part->type == MULTIPART_PART_FILE && file < reading->sources->nelts; file++) {
            if (APR_ARRAY_IDX(reading->sources, file, htp_file_t *) == part->file) {
                APR_ARRAY_IDX(reading->upload->files, file, icp_upload_file_t).field = name;
            }
        }
    }
}

static htp_mpartp_t *make_parser(const char *type)
{
    bstr *header = type ? bstr_dup_c(type) : NULL, *boundary = NULL;
    uint64_t flags = 0;
    htp_mpartp_t *parser = NULL;
    if (header && htp_mpartp_find_boundary(header, &boundary, &flags) == HTP_OK && !(flags & HTP_MULTIPART_HBOUNDARY_INVALID)) {
        parser = htp_mpartp_create(the_settings, boundary, flags);
        if (!parser) bstr_free(boundary);
    }
    else if (boundary) {
        bstr_free(boundary);
    }
    if (header) bstr_free(header);
    return parser;
}

static int is_too_much(htp_mpartp_t *parser, apr_off_t taken)
{
    return taken > ICP_UPLOAD_LIMIT || htp_list_size(htp_mpartp_get_multipart(parser)->parts) > ICP_UPLOAD_PARTS_MAX;
}

/* Reads on to the end; `parser` NULL: only for the answer's sake. */
static int feed(request_rec *r, htp_mpartp_t *parser, int status)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t taken = 0;
    int at_end = 0;
    while (!at_end && taken <= DISCARD_LIMIT) {
        apr_status_t rv = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);
        if (rv != APR_SUCCESS) {
            status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            r->connection->keepalive = AP_CONN_CLOSE;
            break;
        }
        at_end = APR_BRIGADE_EMPTY(brigade);
        for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade); bucket = APR_BUCKET_NEXT(bucket)) {
            const char *data;
            apr_size_t length;
            if (APR_BUCKET_IS_EOS(bucket)) at_end = 1;
            if (APR_BUCKET_IS_METADATA(bucket) || apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) continue;
            taken += length;
            if (status == OK && htp_mpartp_parse(parser, data, length) != HTP_OK) status = HTTP_BAD_REQUEST;
            if (status == OK && is_too_much(parser, taken)) status = HTTP_REQUEST_ENTITY_TOO_LARGE;
        }
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    if (!at_end) r->connection->keepalive = AP_CONN_CLOSE;
    return status;
}

int icp_upload_read(icp_upload_t **result, request_rec *r)
{
    /* Seen from browsers that are in order; each is an attempt to be read in two ways, or a body broken off. */
    static const uint64_t wrong = HTP_MULTIPART_CD_SYNTAX_INVALID | HTP_MULTIPART_CD_TYPE_INVALID | HTP_MULTIPART_CD_PARAM_REPEATED
                                  | HTP_MULTIPART_NUL_BYTE | HTP_MULTIPART_PART_UNKNOWN | HTP_MULTIPART_PART_HEADER_REPEATED
                                  | HTP_MULTIPART_PART_HEADER_INVALID | HTP_MULTIPART_PART_AFTER_LAST_BOUNDARY | HTP_MULTIPART_INCOMPLETE;
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    reading_t reading = {.pool = r->pool};
    *result = reading.upload = apr_pcalloc(r->pool, sizeof **result);
    reading.upload->fields = apr_table_make(r->pool, 40);
    reading.upload->files = apr_array_make(r->pool, 4, sizeof(icp_upload_file_t));
    reading.sources = apr_array_make(r->pool, 4, sizeof(htp_file_t *));

    if (apr_atomic_inc32(&the_count) >= ICP_UPLOADS_MAX) {
        apr_atomic_dec32(&the_count);
        return feed(r, NULL, HTTP_SERVICE_UNAVAILABLE);
    }
    apr_pool_cleanup_register(r->pool, NULL, leave, apr_pool_cleanup_null);
    if (length && apr_atoi64(length) > ICP_UPLOAD_LIMIT) return feed(r, NULL, HTTP_REQUEST_ENTITY_TOO_LARGE);
    reading.parser = make_parser(apr_table_get(r->headers_in, "Content-Type"));
    if (!reading.parser) return feed(r, NULL, HTTP_UNSUPPORTED_MEDIA_TYPE);

    the_reading = &reading;
    int status = feed(r, reading.parser, OK);
    if (htp_mpartp_finalize(reading.parser) != HTP_OK && status == OK) status = HTTP_BAD_REQUEST;
    the_reading = NULL;
    finish_file(&reading);
    collect(&reading);
    uint64_t flags = htp_mpartp_get_multipart(reading.parser)->flags;
    if (status == OK && ((flags & wrong) || !(flags & HTP_MULTIPART_SEEN_LAST_BOUNDARY))) status = HTTP_BAD_REQUEST;
    if (status == HTTP_BAD_REQUEST) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "a form's body is malformed (libhtp's flags 0x%" APR_UINT64_T_HEX_FMT ")", (apr_uint64_t)flags);
    }
    htp_mpartp_destroy(reading.parser);
    return status;
}
