/* The call-backs. They look, and leave the work to view.c and to the queue of sightings. */
#include "watch.h"

#include <apr_optional.h>
#include <mod_watchdog.h>

#include "inspect.h"
#include "view.h"

#define NAME "_icp_" /* a watchdog, and so a thread, of its own: waiting for a lock here holds up nobody else's */

static apr_status_t look(int state, void *data, apr_pool_t *pool)
{
    if (state == AP_WATCHDOG_STATE_RUNNING) icp_view_look();
    if (state != AP_WATCHDOG_STATE_STARTING) icp_inspect_flush(pool);
    return APR_SUCCESS;
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
    if (rv == APR_SUCCESS) rv = add(watchdog, AP_WD_TM_INTERVAL, NULL, look);
    return rv == APR_SUCCESS ? NULL : icp_error_os(ptemp, rv, "mod_watchdog gives ICPEngine no call-back");
}

int icp_watch_parent(apr_pool_t *pool, server_rec *server)
{
    if (icp_main_conf()->any_engine) icp_view_look();
    return OK;
}
