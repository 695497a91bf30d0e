/* Directives and what they set. The two lists below are the one place that names them: config.c makes the defaults, the
 * merge and the command table from them. */
#ifndef MOD_ICP_CONFIG_H
#define MOD_ICP_CONFIG_H

#include <stdatomic.h>

#include <httpd.h>
#include <http_config.h>

#include "pass.h"

extern module AP_MODULE_DECLARE_DATA icp_module;

typedef struct icp_template_t icp_template_t; /* template.h */

typedef enum icp_engine_e { ICP_ENGINE_OFF, ICP_ENGINE_OBSERVE, ICP_ENGINE_ON } icp_engine_e;

/* X(directive, how many arguments, setter, first field, last field, default of the first field, usage) */
#define ICP_SERVER_DIRECTIVES(X)                                                                                       \
    X(ICPEngine, TAKE1, set_engine, engine, engine, ICP_ENGINE_OFF, "On, Observe (log what would be gated) or Off")    \
    X(ICPSite, TAKE1, set_site, site, site, NULL, "name of this virtual host's site in the register")                  \
    X(ICPUnregistered, TAKE1, set_unregistered, unregistered_notice, unregistered_notice, 0,                           \
      "Serve or Notice: what a request gets that is for no registered site")                                           \
    X(ICPHomepage, ITERATE, set_homepage, homepages, homepages, &only_root, "paths that are the home page")            \
    X(ICPInspect, TAKE1, set_inspect, inspect, inspect, 1, "On or Off: look at home pages as they leave")              \
    X(ICPInspectInterval, TAKE1, set_interval, inspect_interval, inspect_interval, apr_time_from_sec(60),              \
      "seconds between full reads of a site's home page; 0: every response")                                           \
    X(ICPInspectLimit, TAKE1, set_limit, inspect_limit, inspect_limit, 2097152, "bytes of a home page that are read")  \
    X(ICPNotice, TAKE1, set_notice, notice, notice, NULL, "template file of the notice")                               \
    X(ICPNoticeStatus, TAKE1, set_notice_status, notice_status, notice_status, 451, "451, 503, 403 or 200")            \
    X(ICPProvider, TAKE2, set_provider, provider_name, provider_url, NULL, "name and URL of the hosting provider")     \
    X(ICPContact, TAKE1, set_contact, contact, contact, NULL, "how a client reaches the provider, in words")           \
    X(ICPFaq, TAKE1, set_faq, faq, faq, NULL, "URL of the questions and answers")                                      \
    X(ICPApply, TAKE1, set_apply, apply, apply, NULL, "URL of the application form")                                   \
    X(ICPApplyLimit, TAKE1, set_apply_limit, apply_limit, apply_limit, 10,                                             \
      "applications that an address may send in an hour; 0: any number")                                               \
    X(ICPExempt, ITERATE, set_exempt, exempt, exempt, &only_acme, "path prefixes that are never gated")

/* X(directive, setter, field, usage): of the main server only */
#define ICP_MAIN_DIRECTIVES(X)                                                                    \
    X(ICPRegister, set_register, register_path, "file of the register")                           \
    X(ICPSightings, set_sightings, sightings_path, "file of the sightings")                       \
    X(ICPHolidays, set_holidays, holidays_path, "file of holidays and make-up days")              \
    X(ICPPassKey, set_pass_key, pass_key_path, "file of the key that passes are signed with")

/* Per server, merged: every field has its final value after post_config. */
typedef struct icp_conf_t {
    server_rec *server;
    atomic_uint_fast64_t judged; /* the gate's: what it found out about the vhost's own sites; see icp_view_known */
    apr_uint32_t given;         /* a bit for each directive that stands here */
    const apr_array_header_t *hosts; /* const char *: ServerName and each ServerAlias in normal form, but not the
                                      * patterns that no register could hold ("www.*") */
    int engine;                 /* icp_engine_e */
    const char *site;           /* ICPSite, as the register writes names; NULL: ServerName and ServerAlias only */
    int unregistered_notice;    /* ICPUnregistered Notice */
    const apr_array_header_t *homepages; /* const char *: paths */
    int inspect;
    apr_interval_time_t inspect_interval;
    apr_off_t inspect_limit;
    icp_template_t *notice;     /* NULL: built in */
    int notice_status;
    const char *provider_name, *provider_url, *contact, *faq, *apply; /* NULL where not set */
    int apply_limit;            /* per address and hour; 0: none */
    const apr_array_header_t *exempt; /* const char *: path prefixes */
} icp_conf_t;

/* Of the main server only. */
typedef struct icp_main_conf_t {
    const char *register_path, *sightings_path, *pass_key_path; /* absolute; pass_key_path NULL: passes are off */
    const char *holidays_path;  /* NULL: the form knows of no holidays */
    icp_pass_key_t pass_key;
    int has_pass_key;
    int any_engine;             /* some server has On or Observe */
} icp_main_conf_t;

static inline icp_conf_t *icp_conf(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &icp_module);
}

icp_main_conf_t *icp_main_conf(void);

extern const command_rec icp_commands[];
void *icp_conf_create(apr_pool_t *pool, server_rec *server);
void *icp_conf_merge(apr_pool_t *pool, void *base, void *add);

/* post_config: fills in what follows from other directives. */
void icp_conf_finish(apr_pool_t *pool, server_rec *main_server);

/* What ICPExempt is without a directive. */
#define ICP_ACME_PREFIX "/.well-known/acme-challenge/"

#endif
