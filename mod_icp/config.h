/* Directives and what they set. The list below is the one place that names them: it gives the struct, the
 * defaults, the merge and the command table (config.c). */
#ifndef MOD_ICP_CONFIG_H
#define MOD_ICP_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "pass.h"

typedef struct icp_template_t icp_template_t; /* template.h */

typedef enum icp_engine_e { ICP_ENGINE_OFF, ICP_ENGINE_OBSERVE, ICP_ENGINE_ON } icp_engine_e;

/* Per server, merged: every field has its final value after post_config. */
typedef struct icp_conf_t {
    server_rec *server;
    int index;                  /* 0..n-1 over all servers: where the gate keeps what this vhost belongs to */
    int engine;                 /* icp_engine_e */
    const char *site;           /* ICPSite, as the register writes names; NULL: ServerName and ServerAlias only */
    int unregistered_notice;    /* ICPUnregistered Notice */
    apr_array_header_t *homepages; /* const char *: paths */
    int inspect;
    apr_interval_time_t inspect_interval;
    apr_off_t inspect_limit;
    icp_template_t *notice;     /* NULL: built in */
    int notice_status;
    const char *provider_name, *provider_url, *contact, *faq, *apply; /* NULL where not set */
    apr_array_header_t *exempt; /* const char *: path prefixes */
} icp_conf_t;

/* Of the main server only. */
typedef struct icp_main_conf_t {
    const char *register_path, *sightings_path, *pass_key_path; /* absolute; pass_key_path NULL: passes are off */
    icp_pass_key_t pass_key;
    int has_pass_key;
    int servers;                /* how many icp_conf_t */
    int any_engine;             /* some server has On or Observe */
} icp_main_conf_t;

icp_conf_t *icp_conf(const server_rec *server);
icp_main_conf_t *icp_main_conf(void);

extern const command_rec icp_commands[];
void *icp_conf_create(apr_pool_t *pool, server_rec *server);
void *icp_conf_merge(apr_pool_t *pool, void *base, void *add);

#endif
