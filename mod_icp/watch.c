/* The call-backs. They look, and leave the work to view.c and to the queue of sightings. */
#include "watch.h"

#include <pthread.h>

#include <apr_optional.h>
#include <mod_watchdog.h>

#include "inspect.h"
#include "view.h"

#define NAME "_icp_" /* a watchdog, and so a thread, of its own: waiting for a lock here holds up nobody else's */

/* mod_watchdog's threads go on until the process ends, after the child's pool. */
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;
static int ended;
static unsigned slices; /* of a tenth of a second; in each the bell is heard, in every tenth all else is looked at */

static apr_status_t look(int state, void *data, apr_pool_t *pool)
{
    if (state != AP_WATCHDOG_STATE_RUNNING) return APR_SUCCESS;
    pthread_mutex_lock(&looking);
    if (!ended && slices++ % 10) {
        icp_view_listen();
    }
    else if (!ended) {
        icp_view_look();
        icp_inspect_flush(pool);
    }
    pthread_mutex_unlock(&looking);
    return APR_SUCCESS;
}

static apr_status_t end(void *pchild)
{
    pthread_mutex_lock(&looking);
    ended = 1;
    icp_inspect_flush(pchild);
    pthread_mutex_unlock(&looking);
    return APR_SUCCESS;
}

void icp_watch_child_init(apr_pool_t *pchild)
{
    apr_pool_pre_cleanup_register(pchild, pchild, end);
}

icp_error_t *icp_watch_start(apr_pool_t *pconf, apr_pool_t *ptemp)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    apr_status_t rv;

    if (!get_instance || !add) {
        return icp_error(ptemp, ICP_NOT_FOUND, "load it: LoadModule watchdog_module modules/mod_watchdog.so",
                         "ICPEngine needs mod_watchdog, which is not loaded");
    }
    rv = get_instance(&watchdog, NAME, 0, 0, pconf);
    if (rv == APR_SUCCESS) rv = add(watchdog, AP_WD_TM_SLICE, NULL, look);
    return rv == APR_SUCCESS ? NULL : icp_error_os(ptemp, rv, "mod_watchdog gives ICPEngine no call-back");
}

int icp_watch_parent(apr_pool_t *pool, server_rec *server)
{
    if (icp_main_conf()->any_engine) icp_view_look();
    return OK;
}
