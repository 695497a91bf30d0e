#include "shared.h"

#include <errno.h>
#include <sys/mman.h>

#include <httpd.h>
#include <http_config.h>

icp_shared_t *icp_shared;

/* Another build may lay it out otherwise. */
#define RETAINED_KEY "mod_icp's shared memory, " __DATE__ " " __TIME__

icp_error_t *icp_shared_start(apr_pool_t *pool)
{
    icp_shared_t **retained = ap_retained_data_get(RETAINED_KEY);
    if (!retained) retained = ap_retained_data_create(RETAINED_KEY, sizeof *retained);
    if (!*retained) {
        void *memory = mmap(NULL, sizeof **retained, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) return icp_error_os(pool, errno, "no memory can be shared with httpd's children");
        *retained = memory;
        (*retained)->since = apr_time_now();
    }
    icp_shared = *retained;
    return NULL;
}
