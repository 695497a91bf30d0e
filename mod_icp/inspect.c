/* The inspection filter. It may look at a response and nothing else: every bucket goes on as it came, in the brigade it
 * came in, and a fault here never becomes the response's (rule 4). It sits behind SSI, substitute and proxy-html and before
 * DEFLATE and BROTLI, so that it sees the page as the site's software finished it. */
#include "inspect.h"

#include <unistd.h>

#include <apr_portable.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "gate.h"
#include "looks.h"
#include "reading.h"
#include "sighting_queue.h"
#include "tee_bucket.h"

#define FILTER_NAME "ICP_INSPECT"
#define FILTER_TYPE ((ap_filter_type)(AP_FTYPE_CONTENT_SET - 3))

/* What the filter knows of one response. Lives in r->pool. */
typedef struct context_t {
    request_rec *r;
    icp_reading_t *reading;
    icp_tee_t tee;
    int pending; /* tee buckets that nobody has read yet */
    int ended;   /* EOS has passed */
    int broken;  /* an error bucket has passed, or a file could not be read */
    int full;    /* the reading wants no more */
} context_t;

static ap_filter_rec_t *filter_handle;

/* --- what a response is ------------------------------------------------------------------------ */

/* Every path begins with '/', so the second byte tells most of them apart without a call. */
static int listed(const icp_conf_t *conf, const char *path)
{
    const char *const *homepages = (const char *const *)conf->homepages->elts;
    for (int i = 0; i < conf->homepages->nelts; i++) {
        if (path[0] == '/' && path[1] == homepages[i][1] && !strcmp(path, homepages[i])) return 1;
    }
    return 0;
}

/* By the path the visitor asked for, as sent or as httpd decoded it. mod_dir's fast redirect overwrites the latter, so a spelling of a
 * folder such as "//" is looked at here; a true internal redirect makes a new request. */
static __attribute__((noinline)) int is_homepage(request_rec *r, const icp_conf_t *conf)
{
    request_rec *first = r;
    while (first->prev) first = first->prev;
    const char *path = first->parsed_uri.path ? first->parsed_uri.path : "/";
    if (listed(conf, path) || listed(conf, first->uri)) return 1;
    if (path[0] != '/' || (path[1] != '/' && path[1] != '.' && path[1] != '%')) return 0;

    char *plain = apr_pstrdup(r->pool, path);
    return ap_normalize_path(plain, AP_NORMALIZE_MERGE_SLASHES | AP_NORMALIZE_DECODE_UNRESERVED)
           && ap_unescape_url(plain) == OK && listed(conf, plain);
}

static void insert(request_rec *r)
{
    const icp_conf_t *conf = icp_conf(r->server);
    if (conf->engine == ICP_ENGINE_OFF || !conf->inspect || r->method_number != M_GET || r->header_only || r->main
        || !is_homepage(r, conf)) {
        return;
    }
    ap_add_output_filter_handle(filter_handle, NULL, r, r->connection);
}

static int is_html(const char *type)
{
    static const char *const html[] = {"text/html", "application/xhtml+xml"};
    for (unsigned i = 0; type && i < sizeof html / sizeof *html; i++) {
        apr_size_t length = strlen(html[i]);
        if (!ap_cstr_casecmpn(type, html[i], length) && (!type[length] || ap_strchr_c("; \t", type[length]))) return 1;
    }
    return 0;
}

static const char *header(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_out, name);
    return value ? value : apr_table_get(r->err_headers_out, name);
}

/* Does this response count as the home page? Known only when its first bytes come. */
static int counts(request_rec *r)
{
    return r->status == HTTP_OK && !r->header_only && is_html(r->content_type) && !header(r, "Content-Range");
}

/* --- looking at buckets ------------------------------------------------------------------------- */

static void feed(void *baton, const char *bytes, apr_size_t length)
{
    context_t *context = baton;
    if (!icp_reading_feed(context->reading, bytes, length)) context->full = 1;
}

static void tee_closed(void *baton, int whole)
{
    context_t *context = baton;
    if (whole) context->pending--; /* else it stays pending: what was in it is not known */
}

/* A file's bytes by pread, so that the bucket stays a file and can still go out by sendfile. */
static void feed_file(context_t *context, apr_bucket *bucket)
{
    apr_bucket_file *file = bucket->data;
    apr_os_file_t descriptor;
    char buffer[16 * 1024];
    apr_off_t at = bucket->start;
    apr_size_t left = bucket->length;

    apr_os_file_get(&descriptor, file->fd);
    while (left && !context->full) {
        ssize_t got = pread(descriptor, buffer, left < sizeof buffer ? left : sizeof buffer, at);
        if (got <= 0) {
            context->broken = 1;
            return;
        }
        feed(context, buffer, got);
        at += got;
        left -= got;
    }
}

static int in_memory(const apr_bucket *bucket)
{
    return APR_BUCKET_IS_HEAP(bucket) || APR_BUCKET_IS_TRANSIENT(bucket) || APR_BUCKET_IS_POOL(bucket)
           || APR_BUCKET_IS_IMMORTAL(bucket)
#if APR_HAS_MMAP
           || APR_BUCKET_IS_MMAP(bucket)
#endif
        ;
}

static void look(context_t *context, apr_bucket_brigade *brigade)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        if (APR_BUCKET_IS_EOS(bucket)) {
            context->ended = 1;
            return;
        }
        if (AP_BUCKET_IS_ERROR(bucket)) context->broken = 1;
        if (APR_BUCKET_IS_METADATA(bucket) || context->full) continue;

        if (context->pending || !(in_memory(bucket) || APR_BUCKET_IS_FILE(bucket))) {
            /* Not here yet, or behind something that is not: seen when somebody reads it, in its order. */
            bucket = icp_tee_wrap(bucket, &context->tee, context->r->pool);
            context->pending++;
        }
        else if (APR_BUCKET_IS_FILE(bucket)) {
            feed_file(context, bucket);
        }
        else {
            const char *bytes;
            apr_size_t length;
            if (apr_bucket_read(bucket, &bytes, &length, APR_NONBLOCK_READ) == APR_SUCCESS) {
                feed(context, bytes, length);
            }
        }
    }
}

/* --- the filter ---------------------------------------------------------------------------------- */

static void finish(context_t *context)
{
    icp_reading_end(context->reading, context->broken                          ? ICP_END_CUT
                                      : context->ended && !context->pending ? ICP_END_WHOLE
                                                                               : ICP_END_UNKNOWN);
}

static apr_status_t finish_at_cleanup(void *data)
{
    finish(data);
    return APR_SUCCESS;
}

static context_t *begin(request_rec *r)
{
    if (!counts(r)) return NULL;
    const icp_snapshot_site_t *site = icp_gate_site(r);
    if (!site) return NULL;

    const char *encoding = header(r, "Content-Encoding");
    if (!encoding) encoding = r->content_encoding;
    icp_reading_t *reading = icp_reading_begin(r, icp_conf(r->server), site, encoding);
    if (!reading) return NULL;

    context_t *context = apr_pcalloc(r->pool, sizeof *context);
    context->r = r;
    context->reading = reading;
    context->tee.data = feed;
    context->tee.closed = tee_closed;
    context->tee.baton = context;
    apr_pool_pre_cleanup_register(r->pool, context, finish_at_cleanup);
    return context;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    context_t *context = f->ctx;
    if (!context) {
        if (APR_BRIGADE_EMPTY(brigade)) return ap_pass_brigade(f->next, brigade);
        context = f->ctx = begin(f->r);
        if (!context) {
            ap_remove_output_filter(f);
            return ap_pass_brigade(f->next, brigade);
        }
    }

    look(context, brigade);
    if (context->ended || context->full) ap_remove_output_filter(f);
    apr_status_t rv = ap_pass_brigade(f->next, brigade);
    if ((context->ended && !context->pending) || context->full) finish(context);
    return rv;
}

void icp_inspect_register(void)
{
    filter_handle = ap_register_output_filter(FILTER_NAME, filter, NULL, FILTER_TYPE);
    ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_MIDDLE);
}

void icp_inspect_child_init(apr_pool_t *pool, server_rec *server)
{
    icp_looks_init(pool);
    icp_sighting_queue_init(pool, server, icp_main_conf()->sightings_path);
}

void icp_inspect_flush(apr_pool_t *scratch_pool)
{
    icp_sighting_queue_write(scratch_pool);
}
