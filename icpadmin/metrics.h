/* What only staff may count, as Prometheus reads it: httpd's workers, who answer icp-status?metrics, do not see private.db. */
#ifndef ICP_METRICS_H
#define ICP_METRICS_H

#include "command.h"
#include "overview.h"

/* On standard output, text format 0.0.4. `problems`: how many `icpadmin status` names. */
icp_error_t *icp_metrics_print(const icp_cli_t *cli, const icp_overview_t *overview, int problems);

#endif
