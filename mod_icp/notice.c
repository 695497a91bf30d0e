/* Sends the notice: chooses form and language, fills the placeholders and writes the response. The words
 * are in conf/notice; nothing of the request but its host name is shown. */
#include "notice.h"

#include <http_protocol.h>

#include "template.h"

APLOG_USE_MODULE(icp);

static const char *const the_names[] = {"site", "reason", NULL};

icp_error_t *icp_notice_prepare(apr_pool_t *pool)
{
    return NULL;
}

icp_error_t *icp_notice_load(icp_template_t **page, const char *file, apr_pool_t *pool)
{
    return icp_template_load(page, file, the_names, NULL, pool);
}

int icp_notice_send(request_rec *r, const icp_conf_t *conf, const icp_notice_case_t *notice_case)
{
    const char *body = "<!doctype html><meta charset=\"utf-8\"><title>ICP</title><p>网站暂停访问。 This website is suspended.\n";
    r->status = conf->notice_status;
    if (ap_discard_request_body(r) != OK) r->connection->keepalive = AP_CONN_CLOSE;
    ap_remove_output_filter_byhandle(r->output_filters, "BYTERANGE");
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_set_content_length(r, strlen(body));
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_set(r->headers_out, ICP_NOTICE_HEADER, notice_case->reason);
    ap_rputs(body, r);
    return OK;
}
