#include "reading.h"

#include <apr_strings.h>
#include <http_log.h>

#include "coding.h"
#include "json.h"
#include "looks.h"
#include "shared.h"
#include "sighting_queue.h"

APLOG_USE_MODULE(icp);

struct icp_reading_t {
    request_rec *r;
    const icp_snapshot_site_t *site;
    apr_pool_t *pool;       /* of the page reader, gone as soon as it has judged; NULL once ended */
    icp_coding_t *coding;   /* NULL: the bytes come as they are */
    icp_page_t *page;       /* a full read, */
    icp_learn_t *learn;     /* which also learns what confirms it; */
    icp_confirm_t *confirm; /* or a confirmation */
    int full;               /* no more bytes are wanted */
    int bad_coding;
};

static void report(icp_reading_t *reading, const icp_page_report_t *seen)
{
    const icp_snapshot_site_t *site = reading->site;
    icp_expectation_t expected = {(const char **)site->expected, site->expected_count};
    const icp_inspection_t *inspection = icp_verdict_judge(seen, &expected, NULL, reading->pool);
    const char *verdict = icp_verdict_name(inspection->verdict);
    icp_count(&icp_shared->counts.inspections[inspection->verdict]);
    icp_patterns_t patterns = {0};

    json_t *json = icp_inspection_json(inspection);
    icp_sighting_t sighting = {site->name, verdict, icp_json_text(json, JSON_COMPACT, reading->pool), apr_time_now()};
    if (sighting.detail) icp_sighting_queue_put(&sighting);
    json_decref(json);

    if (reading->learn && inspection->verdict == ICP_DISPLAYED && inspection->matched) {
        icp_learn_finish(reading->learn, inspection->matched, &patterns);
    }
    if (icp_looks_settle(site->id, inspection->verdict, patterns.count ? &patterns : NULL)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, reading->r, "icp: home page of %s: %s", site->name, verdict);
    }
}

static void report_encoded(icp_reading_t *reading)
{
    icp_page_report_t encoded = {.charset = "", .unreadable = ICP_UNREADABLE_ENCODED};
    encoded.mentions = apr_array_make(reading->pool, 0, sizeof(icp_mention_t));
    report(reading, &encoded);
}

/* The sink of what has been decoded. */
static int take(void *baton, const char *bytes, apr_size_t length)
{
    icp_reading_t *reading = baton;
    if (reading->confirm) {
        reading->full = icp_confirm_feed(reading->confirm, bytes, length);
    }
    else {
        icp_learn_feed(reading->learn, bytes, length);
        reading->full = !icp_page_feed(reading->page, bytes, length);
    }
    return !reading->full;
}

icp_reading_t *icp_reading_begin(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site,
                                 const char *encoding)
{
    icp_patterns_t patterns;
    int around;
    icp_look_kind_e kind = icp_looks_claim(site->id, site->expectation, conf->inspect_interval, &patterns, &around);
    if (kind == ICP_LOOK_NONE) return NULL;

    icp_reading_t *reading = apr_pcalloc(r->pool, sizeof *reading);
    reading->r = r;
    reading->site = site;
    apr_pool_create(&reading->pool, r->pool);
    if (encoding) {
        reading->coding = icp_coding_create(encoding, take, reading, reading->pool);
        if (!reading->coding) {
            if (kind == ICP_LOOK_FULL) report_encoded(reading);
            apr_pool_destroy(reading->pool);
            return NULL;
        }
    }
    if (kind == ICP_LOOK_CONFIRM) {
        reading->confirm = apr_palloc(reading->pool, sizeof *reading->confirm);
        icp_confirm_begin(reading->confirm, apr_pmemdup(reading->pool, &patterns, sizeof patterns));
    }
    else {
        reading->page = icp_page_create(r->content_type, conf->inspect_limit, reading->pool);
        reading->learn = icp_learn_create(site->expected, site->expected_count, around, reading->pool);
    }
    return reading;
}

int icp_reading_feed(icp_reading_t *reading, const char *bytes, apr_size_t length)
{
    if (!reading->pool || reading->full) return 0;
    if (!reading->coding) return take(reading, bytes, length);
    if (icp_coding_feed(reading->coding, bytes, length) == ICP_CODING_BAD) {
        reading->bad_coding = 1;
        reading->full = 1;
    }
    return !reading->full;
}

void icp_reading_end(icp_reading_t *reading, icp_reading_end_e end)
{
    if (!reading->pool) return;
    int whole = reading->full || (end == ICP_END_WHOLE && (!reading->coding || icp_coding_ended(reading->coding)));

    if (end == ICP_END_UNKNOWN && !reading->full) {
        if (reading->page) icp_looks_release(reading->site->id);
    }
    else if (reading->confirm) {
        if (!reading->full || reading->bad_coding) icp_looks_miss(reading->site->id);
    }
    else if (reading->bad_coding) {
        report_encoded(reading);
    }
    else {
        report(reading, icp_page_finish(reading->page, whole));
    }
    apr_pool_destroy(reading->pool);
    reading->pool = NULL;
}
