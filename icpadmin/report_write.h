/* A month's report as a file: what libicp/report.h read, written for a spreadsheet or for paper. */
#ifndef ICP_REPORT_WRITE_H
#define ICP_REPORT_WRITE_H

#include <stdio.h>

#include "report.h"

/* CSV by RFC 4180, one record a line, its kind in the first column. Begins with a byte order mark: without it Excel in China takes
 * the file for GBK. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
void icp_report_csv(FILE *out, const icp_report_t *report, apr_pool_t *pool);

/* One HTML page that needs nothing else, in Chinese and English; every text escaped. */
void icp_report_html(FILE *out, const icp_report_t *report, apr_pool_t *pool);

/* Hours and minutes, "26:05"; of a suspension until it closed, or until the report's end. */
const char *icp_report_duration(const icp_report_case_t *found, const icp_report_t *report, apr_pool_t *pool);

#endif
