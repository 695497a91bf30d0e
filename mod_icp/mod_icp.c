/* The module: which hooks it takes, and what happens when httpd starts, restarts and forks. Each step is another file's. */
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>

#include "gate.h"
#include "inspect.h"
#include "log.h"
#include "notice.h"
#include "status.h"

APLOG_USE_MODULE(icp);

static void print_log(icp_log_level_e level, const char *message, void *server)
{
    static const int levels[] = {APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_DEBUG};
    ap_log_error(APLOG_MARK, levels[level], 0, server, "%s", message);
}

static int start_up_error(server_rec *server, const icp_error_t *error)
{
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "%s%s%s", error->message, error->remedy ? "; " : "",
                 error->remedy ? error->remedy : "");
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
    icp_error_t *error;

    /* 1. What follows from the directives alone; in the first pass, which checks the configuration, no more. */
    icp_log_install(print_log, server);
    icp_conf_finish(pconf, server);
    if ((error = icp_notice_prepare(pconf)) || (error = icp_status_check(ptemp))) return start_up_error(server, error);
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !icp_main_conf()->any_engine) return OK;

    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *server)
{
    icp_inspect_child_init(pchild, server);
}

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(icp_status_handler, NULL, NULL, APR_HOOK_MIDDLE);
    icp_inspect_register();
}

module AP_MODULE_DECLARE_DATA __attribute__((visibility("default"))) icp_module = {
    STANDARD20_MODULE_STUFF,
    NULL, /* per-directory configuration: there is none, and so no .htaccess */
    NULL,
    icp_conf_create,
    icp_conf_merge,
    icp_commands,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
