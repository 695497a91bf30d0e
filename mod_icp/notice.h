/* The ICP requirement page: what a visitor of a suspended site gets, in the form and language he asks for. */
#ifndef MOD_ICP_NOTICE_H
#define MOD_ICP_NOTICE_H

#include "config.h"
#include "error.h"

typedef struct icp_notice_case_t {
    const char *site;    /* name in the register; NULL: no registered site (ICPUnregistered Notice) */
    const char *reason;  /* the suspension's reason word; "unregistered" where site is NULL */
    apr_time_t since;    /* 0: not known */
    apr_int64_t case_id; /* 0: none */
    int expected_count;
    const char *const *expected; /* numbers the site must show, normal form */
} icp_notice_case_t;

/* While the configuration is read, before any icp_notice_load: makes the built-in pages, once per `pool`. */
icp_error_t *icp_notice_prepare(apr_pool_t *pool);

/* For ICPNotice: a page of the operator's, that may show the built-in parts. The error names file and line. */
icp_error_t *icp_notice_load(icp_template_t **page, const char *file, apr_pool_t *pool);

/* Writes the whole response to any method and returns what quick_handler returns. The site's own error documents,
 * filters and conditions have no part in it. */
int icp_notice_send(request_rec *r, const icp_conf_t *conf, const icp_notice_case_t *notice_case);

#endif
