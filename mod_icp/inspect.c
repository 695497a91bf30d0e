/* The inspection filter. It may look at a response and nothing else: every bucket goes on as it came, in the brigade it
 * came in, and a fault here never becomes the response's (rule 4). It sits behind SSI, substitute and proxy-html and before
 * DEFLATE and BROTLI, so that it sees the page as the site's software finished it. */
#include "inspect.h"

#include <unistd.h>

#include <apr_portable.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "gate.h"
#include "looks.h"
#include "sighting_queue.h"
#include "tee_bucket.h"

APLOG_USE_MODULE(icp);

#define FILTER_NAME "ICP_INSPECT"
#define FILTER_TYPE ((ap_filter_type)(AP_FTYPE_CONTENT_SET - 3))

/* One response being read. Lives in r->pool; the page reader in a pool of its own, gone as soon as it has judged. */
typedef struct reading_t {
    request_rec *r;
    const icp_snapshot_site_t *site;
    apr_pool_t *page_pool;
    icp_page_t *page; /* NULL once judged or given up */
    icp_tee_t tee;
    int pending;      /* tee buckets that nobody has read yet */
    int ended;        /* EOS has passed */
    int broken;       /* the response ended before its end */
    int full;         /* the reader wants no more */
} reading_t;

static ap_filter_rec_t *filter_handle;

/* --- what a response is ------------------------------------------------------------------------ */

static int listed(const icp_conf_t *conf, const char *path)
{
    for (int i = 0; i < conf->homepages->nelts; i++) {
        if (!strcmp(path, APR_ARRAY_IDX(conf->homepages, i, const char *))) return 1;
    }
    return 0;
}

/* By the path the visitor asked for: mod_dir's fast redirect overwrites r->uri, a true internal redirect makes a new
 * request. Only a path that could be another spelling of a listed one is decoded; all others cost one comparison. */
static int is_homepage(request_rec *r, const icp_conf_t *conf)
{
    request_rec *first = r;
    while (first->prev) first = first->prev;
    const char *path = first->parsed_uri.path ? first->parsed_uri.path : "/";
    if (listed(conf, path)) return 1;
    if (!ap_strchr_c(path, '%') && (path[0] != '/' || (path[1] != '/' && path[1] != '.'))) return 0;

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

static int is_encoded(request_rec *r)
{
    const char *encoding = header(r, "Content-Encoding");
    if (!encoding) encoding = r->content_encoding;
    return encoding && ap_cstr_casecmp(encoding, "identity") != 0;
}

/* --- judging ------------------------------------------------------------------------------------- */

static void report(reading_t *reading, const icp_page_report_t *seen)
{
    const icp_snapshot_site_t *site = reading->site;
    icp_expectation_t expected = {(const char **)site->expected, site->expected_count};
    const icp_inspection_t *inspection = icp_verdict_judge(seen, &expected, NULL, reading->page_pool);
    const char *verdict = icp_verdict_name(inspection->verdict);

    json_t *json = icp_inspection_json(inspection);
    char *detail = json_dumps(json, JSON_COMPACT);
    if (detail) {
        icp_sighting_t sighting = {site->name, verdict, detail, apr_time_now()};
        icp_sighting_queue_put(&sighting);
        free(detail);
    }
    json_decref(json);

    if (icp_looks_settle(site->id, inspection->verdict)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, reading->r, "icp: home page of %s: %s", site->name, verdict);
    }
}

static void finish(reading_t *reading)
{
    if (!reading->page) return;
    int whole = reading->ended && !reading->pending && !reading->broken;
    if (whole || reading->full || reading->broken) {
        report(reading, icp_page_finish(reading->page, whole || reading->full));
    }
    else {
        /* The visitor went away: that says nothing about the site. */
        icp_looks_release(reading->site->id);
    }
    reading->page = NULL;
    apr_pool_destroy(reading->page_pool);
}

static apr_status_t finish_at_cleanup(void *data)
{
    finish(data);
    return APR_SUCCESS;
}

/* --- looking at buckets ------------------------------------------------------------------------- */

static void feed(void *baton, const char *bytes, apr_size_t length)
{
    reading_t *reading = baton;
    if (reading->page && !reading->full && !icp_page_feed(reading->page, bytes, length)) reading->full = 1;
}

static void tee_closed(void *baton, int whole)
{
    reading_t *reading = baton;
    if (whole) reading->pending--; /* else it stays pending: what was in it is not known */
}

/* A file's bytes by pread, so that the bucket stays a file and can still go out by sendfile. */
static void feed_file(reading_t *reading, apr_bucket *bucket)
{
    apr_bucket_file *file = bucket->data;
    apr_os_file_t descriptor;
    char buffer[16 * 1024];
    apr_off_t at = bucket->start;
    apr_size_t left = bucket->length;

    apr_os_file_get(&descriptor, file->fd);
    while (left && !reading->full) {
        ssize_t got = pread(descriptor, buffer, left < sizeof buffer ? left : sizeof buffer, at);
        if (got <= 0) {
            reading->broken = 1;
            return;
        }
        feed(reading, buffer, got);
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

static void look(reading_t *reading, apr_bucket_brigade *brigade)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        if (APR_BUCKET_IS_EOS(bucket)) {
            reading->ended = 1;
            return;
        }
        if (AP_BUCKET_IS_ERROR(bucket)) reading->broken = 1;
        if (APR_BUCKET_IS_METADATA(bucket) || reading->full) continue;

        if (reading->pending || !(in_memory(bucket) || APR_BUCKET_IS_FILE(bucket))) {
            /* Not here yet, or behind something that is not: seen when somebody reads it, in its order. */
            bucket = icp_tee_wrap(bucket, &reading->tee, reading->r->pool);
            reading->pending++;
        }
        else if (APR_BUCKET_IS_FILE(bucket)) {
            feed_file(reading, bucket);
        }
        else {
            const char *bytes;
            apr_size_t length;
            if (apr_bucket_read(bucket, &bytes, &length, APR_NONBLOCK_READ) == APR_SUCCESS) {
                feed(reading, bytes, length);
            }
        }
    }
}

/* --- the filter ---------------------------------------------------------------------------------- */

/* The reading of this response, or NULL if it gets none. */
static reading_t *begin(request_rec *r)
{
    const icp_conf_t *conf = icp_conf(r->server);
    if (!counts(r)) return NULL;
    const icp_snapshot_site_t *site = icp_gate_site(r);
    if (!site || !icp_looks_claim(site->id, site->expectation, conf->inspect_interval)) return NULL;

    reading_t *reading = apr_pcalloc(r->pool, sizeof *reading);
    reading->r = r;
    reading->site = site;
    reading->tee.data = feed;
    reading->tee.closed = tee_closed;
    reading->tee.baton = reading;
    apr_pool_create(&reading->page_pool, r->pool);
    if (is_encoded(r)) {
        icp_page_report_t encoded = {.charset = "", .unreadable = ICP_UNREADABLE_ENCODED};
        encoded.mentions = apr_array_make(reading->page_pool, 0, sizeof(icp_mention_t));
        report(reading, &encoded);
        apr_pool_destroy(reading->page_pool);
        return NULL;
    }
    reading->page = icp_page_create(r->content_type, conf->inspect_limit, reading->page_pool);
    apr_pool_pre_cleanup_register(r->pool, reading, finish_at_cleanup);
    return reading;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    reading_t *reading = f->ctx;
    if (!reading) {
        if (APR_BRIGADE_EMPTY(brigade)) return ap_pass_brigade(f->next, brigade);
        reading = f->ctx = begin(f->r);
        if (!reading) {
            ap_remove_output_filter(f);
            return ap_pass_brigade(f->next, brigade);
        }
    }

    look(reading, brigade);
    if (reading->ended || reading->full) ap_remove_output_filter(f);
    apr_status_t rv = ap_pass_brigade(f->next, brigade);
    if ((reading->ended && !reading->pending) || reading->full) finish(reading);
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
