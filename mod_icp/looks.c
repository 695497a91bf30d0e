/* A hash under a mutex: it is asked for home pages only, and holds one small entry per site that this child served. */
#include "looks.h"

#include <apr_hash.h>
#include <apr_thread_mutex.h>

#define AROUND_FIRST 32

typedef struct look_t {
    apr_int64_t site_id;
    apr_uint32_t expectation;
    apr_time_t due;           /* the time from which a response gets the next full read */
    icp_verdict_e verdict;    /* of the last one; ICP_VERDICT_COUNT before the first */
    int around;               /* bytes to learn beside the digits */
    int missed;               /* the last confirmation failed */
    icp_patterns_t *patterns; /* NULL until a page could be confirmed */
} look_t;

static apr_pool_t *looks_pool;
static apr_thread_mutex_t *looks_mutex;
static apr_hash_t *looks;

void icp_looks_init(apr_pool_t *pool)
{
    apr_pool_create(&looks_pool, pool);
    apr_thread_mutex_create(&looks_mutex, APR_THREAD_MUTEX_DEFAULT, looks_pool);
    looks = apr_hash_make(looks_pool);
}

static look_t *find(apr_int64_t site_id)
{
    look_t *look = apr_hash_get(looks, &site_id, sizeof site_id);
    if (!look) {
        look = apr_pcalloc(looks_pool, sizeof *look);
        look->site_id = site_id;
        look->verdict = ICP_VERDICT_COUNT;
        look->around = AROUND_FIRST;
        apr_hash_set(looks, &look->site_id, sizeof look->site_id, look);
    }
    return look;
}

icp_look_kind_e icp_looks_claim(apr_int64_t site_id, apr_uint32_t expectation, apr_interval_time_t interval,
                                icp_patterns_t *patterns, int *around)
{
    apr_time_t now = apr_time_now();
    icp_look_kind_e kind = ICP_LOOK_NONE;

    apr_thread_mutex_lock(looks_mutex);
    look_t *look = find(site_id);
    /* A clock set back must not keep a site unread until it has caught up. */
    if (now >= look->due || look->due - now > interval || look->expectation != expectation) {
        look->due = now + interval;
        look->expectation = expectation;
        *around = look->around;
        kind = ICP_LOOK_FULL;
    }
    else if (look->patterns && look->patterns->count) {
        *patterns = *look->patterns;
        kind = ICP_LOOK_CONFIRM;
    }
    apr_thread_mutex_unlock(looks_mutex);
    return kind;
}

void icp_looks_release(apr_int64_t site_id)
{
    apr_thread_mutex_lock(looks_mutex);
    find(site_id)->due = 0;
    apr_thread_mutex_unlock(looks_mutex);
}

void icp_looks_miss(apr_int64_t site_id)
{
    apr_thread_mutex_lock(looks_mutex);
    look_t *look = find(site_id);
    look->due = 0;
    look->missed = 1;
    apr_thread_mutex_unlock(looks_mutex);
}

int icp_looks_settle(apr_int64_t site_id, icp_verdict_e verdict, const icp_patterns_t *patterns)
{
    apr_thread_mutex_lock(looks_mutex);
    look_t *look = find(site_id);
    int changed = look->verdict != verdict;
    /* Missed and yet displayed: something beside the number changes from page to page, so learn less of it. */
    if (look->missed && verdict == ICP_DISPLAYED) look->around /= 2;
    look->missed = 0;
    look->verdict = verdict;
    if (patterns && !look->patterns) look->patterns = apr_palloc(looks_pool, sizeof *look->patterns);
    if (patterns) *look->patterns = *patterns;
    else if (look->patterns) look->patterns->count = 0;
    apr_thread_mutex_unlock(looks_mutex);
    return changed;
}
