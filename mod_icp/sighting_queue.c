#include "sighting_queue.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>

APLOG_USE_MODULE(icp);

/* Two pools take turns: one gathers while what the other holds is written, then is cleared. */
typedef struct batch_t {
    apr_pool_t *pool;
    apr_hash_t *by_site;
} batch_t;

static apr_thread_mutex_t *queue_mutex;
static server_rec *queue_server;
static const char *queue_path;
static batch_t batches[2];
static batch_t *gathering;
static int failing; /* the last write failed and was said */

static void clear(batch_t *batch)
{
    apr_pool_clear(batch->pool);
    batch->by_site = apr_hash_make(batch->pool);
}

void icp_sighting_queue_init(apr_pool_t *pool, server_rec *server, const char *path)
{
    apr_thread_mutex_create(&queue_mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    queue_server = server;
    queue_path = path;
    for (int i = 0; i < 2; i++) {
        apr_pool_create(&batches[i].pool, pool);
        clear(&batches[i]);
    }
    gathering = &batches[0];
    failing = 0;
}

/* Under the mutex. The order tells which is newer, and not their times: the clock may have been set back between them. */
static void put(const icp_sighting_t *sighting)
{
    apr_pool_t *pool = gathering->pool;
    icp_sighting_t *copy = apr_palloc(pool, sizeof *copy);
    copy->site = apr_pstrdup(pool, sighting->site);
    copy->verdict = apr_pstrdup(pool, sighting->verdict);
    copy->detail = apr_pstrdup(pool, sighting->detail);
    copy->at = sighting->at;
    apr_hash_set(gathering->by_site, copy->site, APR_HASH_KEY_STRING, copy);
}

void icp_sighting_queue_put(const icp_sighting_t *sighting)
{
    apr_thread_mutex_lock(queue_mutex);
    put(sighting);
    apr_thread_mutex_unlock(queue_mutex);
}

static icp_sighting_t *as_array(const batch_t *batch, int *count, apr_pool_t *pool)
{
    icp_sighting_t *array = apr_palloc(pool, apr_hash_count(batch->by_site) * sizeof *array);
    *count = 0;
    for (apr_hash_index_t *i = apr_hash_first(pool, batch->by_site); i; i = apr_hash_next(i)) {
        void *sighting;
        apr_hash_this(i, NULL, NULL, &sighting);
        array[(*count)++] = *(icp_sighting_t *)sighting;
    }
    return array;
}

void icp_sighting_queue_write(apr_pool_t *scratch_pool)
{
    apr_thread_mutex_lock(queue_mutex);
    batch_t *full = gathering;
    int any = apr_hash_count(full->by_site) > 0;
    if (any) gathering = full == &batches[0] ? &batches[1] : &batches[0];
    apr_thread_mutex_unlock(queue_mutex);
    if (!any) return;

    int count;
    icp_sighting_t *array = as_array(full, &count, scratch_pool);
    icp_error_t *error = icp_sightings_write(queue_path, array, count, scratch_pool);
    if (error) {
        if (!failing) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, queue_server,
                         "icp: sightings wait, they cannot be written to %s: %s%s%s", queue_path, error->message,
                         error->remedy ? "; " : "", error->remedy ? error->remedy : "");
        }
        apr_thread_mutex_lock(queue_mutex);
        for (int i = 0; i < count; i++) {
            if (!apr_hash_get(gathering->by_site, array[i].site, APR_HASH_KEY_STRING)) put(&array[i]);
        }
        apr_thread_mutex_unlock(queue_mutex);
    }
    else if (failing) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, queue_server, "icp: sightings are written to %s again", queue_path);
    }
    failing = error != NULL;
    clear(full);
}
