/* Gathers the body from httpd's input filters, within bounds: see upload.h. */
#include "upload.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>

APLOG_USE_MODULE(icp);

#define DISCARD_LIMIT (64 * 1024 * 1024) /* bytes of a body that are read for the answer's sake */
#define FIRST_ROOM 65536

typedef struct body_t {
    char *bytes;
    apr_size_t length, room;
} body_t;

static _Atomic apr_uint32_t the_senders[ICP_UPLOADS_MAX]; /* of the bodies that this child keeps now; 0: none */

static apr_status_t release(void *body)
{
    free(((body_t *)body)->bytes);
    return APR_SUCCESS;
}

static apr_status_t leave(void *place)
{
    atomic_store((_Atomic apr_uint32_t *)place, 0);
    return APR_SUCCESS;
}

/* A place for a body, as long as `pool`. First taken, then counted, so that of several at once at most as many as may stay. */
static int enter(apr_uint32_t address, apr_pool_t *pool)
{
    int place = -1, same = 0;
    for (int i = 0; i < ICP_UPLOADS_MAX && place < 0; i++) {
        apr_uint32_t none = 0;
        if (atomic_compare_exchange_strong(&the_senders[i], &none, address)) place = i;
    }
    for (int i = 0; i < ICP_UPLOADS_MAX; i++) same += atomic_load(&the_senders[i]) == address;
    if (place >= 0 && same > ICP_UPLOADS_OF_ONE) leave(&the_senders[place]);
    else if (place >= 0) apr_pool_cleanup_register(pool, (void *)&the_senders[place], leave, apr_pool_cleanup_null);
    return place >= 0 && same <= ICP_UPLOADS_OF_ONE;
}

/* As much as the limit allows; its memory is the heap's, which gives large pieces back. */
static int keep(body_t *body, const char *data, apr_size_t length)
{
    int fits = length <= ICP_UPLOAD_LIMIT - body->length;
    if (!fits) length = ICP_UPLOAD_LIMIT - body->length;
    if (length > body->room - body->length) {
        apr_size_t room = body->room ? body->room : FIRST_ROOM;
        while (room < body->length + length) room *= 2;
        char *larger = realloc(body->bytes, room);
        if (!larger) return HTTP_SERVICE_UNAVAILABLE;
        body->bytes = larger;
        body->room = room;
    }
    if (length) memcpy(body->bytes + body->length, data, length);
    body->length += length;
    return fits ? OK : HTTP_REQUEST_ENTITY_TOO_LARGE;
}

/* Reads on to the end; with another `status` than OK only for the answer's sake. */
static int gather(body_t *body, request_rec *r, int status)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_off_t taken = 0;
    int at_end = 0;
    while (!at_end && taken <= DISCARD_LIMIT) {
        apr_status_t rv = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);
        if (rv != APR_SUCCESS) {
            status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            break;
        }
        at_end = APR_BRIGADE_EMPTY(brigade);
        for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade); bucket = APR_BUCKET_NEXT(bucket)) {
            const char *data;
            apr_size_t length;
            if (APR_BUCKET_IS_EOS(bucket)) at_end = 1;
            if (APR_BUCKET_IS_METADATA(bucket)) continue;
            if (apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) {
                status = HTTP_BAD_REQUEST;
                continue;
            }
            taken += length;
            if (status == OK) status = keep(body, data, length);
        }
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    if (!at_end) r->connection->keepalive = AP_CONN_CLOSE;
    return status;
}

int icp_upload_read(icp_multipart_t **form, request_rec *r, apr_uint32_t address, apr_pool_t *pool)
{
    static const int statuses[] = {[ICP_MULTIPART_WHOLE] = OK, [ICP_MULTIPART_BROKEN] = HTTP_BAD_REQUEST,
                                   [ICP_MULTIPART_LARGE] = HTTP_REQUEST_ENTITY_TOO_LARGE, [ICP_MULTIPART_OTHER] = HTTP_UNSUPPORTED_MEDIA_TYPE};
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    body_t *body = apr_pcalloc(pool, sizeof *body);
    int status = length && apr_atoi64(length) > ICP_UPLOAD_LIMIT ? HTTP_REQUEST_ENTITY_TOO_LARGE : OK;
    if (!enter(address, pool)) status = HTTP_SERVICE_UNAVAILABLE;
    apr_pool_cleanup_register(pool, body, release, apr_pool_cleanup_null);
    status = gather(body, r, status);
    int found = statuses[icp_multipart_parse(form, apr_table_get(r->headers_in, "Content-Type"), body->bytes ? body->bytes : "", body->length, pool)];
    if (status == OK) status = found;
    if (status == HTTP_BAD_REQUEST) ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "a form's body is malformed, or broken off");
    return status;
}
