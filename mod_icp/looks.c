/* A hash under a mutex: it is asked for home pages only, and holds one small entry per site that this child served. */
#include "looks.h"

#include <apr_hash.h>
#include <apr_thread_mutex.h>

typedef struct look_t {
    apr_int64_t site_id;
    apr_uint32_t expectation;
    apr_time_t due;        /* the time from which a response gets the next full read */
    icp_verdict_e verdict; /* of the last one; ICP_VERDICT_COUNT before the first */
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
    return apr_hash_get(looks, &site_id, sizeof site_id);
}

static look_t *find_or_add(apr_int64_t site_id)
{
    look_t *look = find(site_id);
    if (!look) {
        look = apr_pcalloc(looks_pool, sizeof *look);
        look->site_id = site_id;
        look->verdict = ICP_VERDICT_COUNT;
        apr_hash_set(looks, &look->site_id, sizeof look->site_id, look);
    }
    return look;
}

int icp_looks_claim(apr_int64_t site_id, apr_uint32_t expectation, apr_interval_time_t interval)
{
    apr_time_t now = apr_time_now();

    apr_thread_mutex_lock(looks_mutex);
    look_t *look = find_or_add(site_id);
    /* A clock set back must not keep a site unread until it has caught up. */
    int claimed = now >= look->due || look->due - now > interval || look->expectation != expectation;
    if (claimed) {
        look->due = now + interval;
        look->expectation = expectation;
    }
    apr_thread_mutex_unlock(looks_mutex);
    return claimed;
}

void icp_looks_release(apr_int64_t site_id)
{
    apr_thread_mutex_lock(looks_mutex);
    find_or_add(site_id)->due = 0;
    apr_thread_mutex_unlock(looks_mutex);
}

int icp_looks_settle(apr_int64_t site_id, icp_verdict_e verdict)
{
    apr_thread_mutex_lock(looks_mutex);
    look_t *look = find_or_add(site_id);
    int changed = look->verdict != verdict;
    look->verdict = verdict;
    apr_thread_mutex_unlock(looks_mutex);
    return changed;
}
