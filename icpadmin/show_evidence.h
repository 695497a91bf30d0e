/* What is kept of a site's failing pages, for `icpadmin site show --evidence`: listed, and written out. */
#ifndef ICP_SHOW_EVIDENCE_H
#define ICP_SHOW_EVIDENCE_H

#include "evidence.h"
#include "output.h"

/* With --json each is one of the array's objects; else a table is printed. */
json_t *icp_show_evidence_json(const apr_array_header_t *evidence);
void icp_show_evidence_table(const icp_cli_t *cli, const apr_array_header_t *evidence);

/* Writes each look's page, headers and fact sheet into `folder`, which is made if it is not there. Nothing is written over: a
 * name that exists refuses all. The audit log says who took it out before anything is written. A page that was altered or is
 * gone is a warning and leaves ICP_FAULT in cli->status; its facts are written all the same. */
icp_error_t *icp_show_evidence_save(icp_cli_t *cli, const apr_array_header_t *evidence, const char *folder);

#endif
