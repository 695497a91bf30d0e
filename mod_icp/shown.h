/* What the status page shows, gathered once for whichever form it takes, and the words that its forms share. */
#ifndef MOD_ICP_SHOWN_H
#define MOD_ICP_SHOWN_H

#include <apr_tables.h>
#include <httpd.h>

#include "gate.h"
#include "survey.h"

typedef struct icp_shown_t {
    icp_gate_health_t health;
    icp_survey_t survey;
    const apr_array_header_t *suspended; /* icp_snapshot_site_t, newest first */
} icp_shown_t;

typedef struct icp_counter_t {
    const char *metric, *label, *value, *help; /* of one metric one after the other; `label` NULL: it has none */
    apr_int64_t count;
} icp_counter_t;

/* The counters of all children, as icp_counter_t. */
apr_array_header_t *icp_status_counters(apr_pool_t *pool);

/* The word for an icp_verdict_e; for ICP_VERDICT_COUNT: that no look was made. */
const char *icp_status_verdict(int verdict);

/* The forms. That of the sites follows icp_status_send_metrics. */
void icp_status_send_html(request_rec *r, const icp_shown_t *shown);
void icp_status_send_json(request_rec *r, const icp_shown_t *shown);
void icp_status_send_metrics(request_rec *r, const icp_shown_t *shown);
void icp_status_send_site_metrics(request_rec *r, const icp_shown_t *shown);

#endif
