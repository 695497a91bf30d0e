/* The module: which hooks it takes, and what happens when httpd starts, restarts and forks. Each step is another file's. */
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mpm_common.h>

#include "admit.h"
#include "apply.h"
#include "cache_guard.h"
#include "faq.h"
#include "gate.h"
#include "inspect.h"
#include "keeper.h"
#include "log.h"
#include "notice.h"
#include "shared.h"
#include "status.h"
#include "trust.h"
#include "view.h"
#include "watch.h"

APLOG_USE_MODULE(icp);

static void print_log(icp_log_level_e level, const char *message, void *server)
{
    static const int levels[] = {APLOG_ERR, APLOG_WARNING, APLOG_NOTICE, APLOG_DEBUG};
    ap_log_error(APLOG_MARK, levels[level], 0, server, "%s", message);
}

static int is_first_pass(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

/* At a start httpd ends; at a restart that would take every site off the air, so what was wrong is said and lived with. */
static int fault(server_rec *server, const icp_error_t *error)
{
    int is_restart = ap_state_query(AP_SQ_CONFIG_GEN) > 1;
    ap_log_error(APLOG_MARK, is_restart ? APLOG_ERR : APLOG_CRIT, 0, server, "%s%s%s", error->message, error->remedy ? "; " : "",
                 error->remedy ? error->remedy : "");
    return is_restart ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static icp_error_t *read_pass_key(apr_pool_t *pool)
{
    icp_main_conf_t *conf = icp_main_conf();
    if (!conf->pass_key_path) return NULL;
    icp_error_t *error = icp_pass_key_read(&conf->pass_key, conf->pass_key_path, pool);
    conf->has_pass_key = !error;
    return error;
}

static void warn_of_unregistered(server_rec *server, apr_pool_t *pool)
{
    const char *examples;
    int count = icp_gate_unregistered(&examples, server, pool);
    if (!count) return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "%d virtual host%s to no registered site and %s served (%s%s); register them, or set ICPUnregistered Notice",
                 count, count == 1 ? " belongs" : "s belong", count == 1 ? "is" : "are", examples, count > 3 ? ", ..." : "");
}

/* Also for httpd -t, which goes no further: so it says what would keep httpd from starting. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
    icp_error_t *error;
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_DUMP) return OK;
    if ((error = icp_status_check(ptemp))) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, server, "%s; %s", error->message, error->remedy);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* Both passes at the start go through all of it: what fails in the first is reported before httpd detaches from the terminal. */
static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
    icp_main_conf_t *conf = icp_main_conf();
    icp_error_t *error;

    /* 1. What follows from the directives alone. */
    icp_log_install(print_log, server);
    icp_conf_finish(pconf, server);
    if ((error = icp_shared_start(ptemp)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;
    if ((error = icp_apply_start(pconf, server)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;
    if ((error = icp_faq_prepare(pconf)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;
    if (!conf->any_engine) return OK;
    if ((error = icp_notice_prepare(pconf)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;

    /* 2. The thread that looks once a second. */
    if ((error = icp_watch_start(pconf, ptemp)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;

    /* 3. What only root can do: the key of the passes, and a look at who may write. */
    if ((error = read_pass_key(ptemp)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;
    if ((error = icp_trust_check(conf->register_path, ptemp)) && fault(server, error)) return HTTP_INTERNAL_SERVER_ERROR;

    /* 4. The register, shared by all children until it changes. There is no living without it. */
    if ((error = icp_view_start(pconf, server))) {
        fault(server, error);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (is_first_pass()) return OK;
    warn_of_unregistered(server, ptemp);
    icp_keeper_start(pconf, conf->register_path, server);
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *server)
{
    if (!icp_main_conf()->any_engine) return;
    icp_view_child_init(server);
    icp_inspect_child_init(pchild, server);
    icp_watch_child_init(pchild);
}

/* One hook for all, and as little as can be for what is none of them: every request comes through here. */
static int handler(request_rec *r)
{
    if (!icp_gate_is_through(r)) {
        int rv = icp_gate_handler(r);
        if (rv != DECLINED) return rv;
    }
    if (!r->handler || *r->handler != 'i') return DECLINED;
    int rv = icp_status_handler(r);
    if (rv == DECLINED) rv = icp_apply_handler(r);
    return rv != DECLINED ? rv : icp_faq_handler(r);
}

/* Does a directive of the configuration, or an argument of one, hold this word? */
static int is_mentioned(const char *word, const ap_directive_t *list)
{
    for (const ap_directive_t *at = list; at; at = at->next) {
        if (ap_strcasestr(at->directive, word) || (at->args && ap_strcasestr(at->args, word)) || is_mentioned(word, at->first_child)) return 1;
    }
    return 0;
}

/* The configuration has been read, but none of it done: hooks that nothing in it asks for are not taken, so no request pays for them. */
static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    icp_cache_guard_register();
    if (is_mentioned("ICPPassKey", ap_conftree)) icp_admit_register();
    if (is_mentioned(ICP_GATE_NOTE, ap_conftree)) ap_hook_log_transaction(icp_gate_log, NULL, NULL, APR_HOOK_REALLY_FIRST);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, NULL, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_monitor(icp_watch_parent, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_quick_handler(icp_gate_quick_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    icp_inspect_register();
    icp_status_register();
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
