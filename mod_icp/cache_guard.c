/* mod_cache has no word for 'do not serve this': its variable no-cache keeps it from storing alone, and a request's Cache-Control may be
 * ignored by configuration. But it leaves alone what is no GET, so that is how such a request looks while mod_cache's own hook runs. */
#include "cache_guard.h"

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>

#include "admit.h"

static int hide(request_rec *r)
{
    if (r->method_number == M_GET && icp_admit_is_bearer(r)) r->method_number = M_INVALID;
    return DECLINED;
}

static int show(request_rec *r)
{
    if (r->method_number == M_INVALID && icp_admit_is_bearer(r)) r->method_number = ap_method_number_of(r->method);
    return DECLINED;
}

static int quick_hide(request_rec *r, int lookup)
{
    (void)lookup;
    return hide(r);
}

static int quick_show(request_rec *r, int lookup)
{
    (void)lookup;
    return show(r);
}

void icp_cache_guard_register(void)
{
    static const char *const cache[] = {"mod_cache.c", NULL};
    if (!ap_find_linked_module("mod_cache.c")) return;
    ap_hook_quick_handler(quick_hide, NULL, cache, APR_HOOK_FIRST);
    ap_hook_quick_handler(quick_show, cache, NULL, APR_HOOK_FIRST);
    ap_hook_handler(hide, NULL, cache, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(show, cache, NULL, APR_HOOK_REALLY_FIRST);
}
