/* What the commands about applications share: how one is printed, and clients' pages brought up to date after a change. */
#ifndef ICP_CLI_APPLICATION_H
#define ICP_CLI_APPLICATION_H

#include <jansson.h>

#include "application.h"
#include "command.h"
#include "term.h"

/* reference, kind, state, holder ... with when something is due. */
json_t *icp_application_json(const icp_application_t *application, const icp_due_t *due);

/* After a step: prints the application with --json, else "APP-000012: STATE"; then publishes. */
icp_error_t *icp_application_done(icp_cli_t *cli, const apr_array_header_t *applications);

/* Brings clients' pages up to date. */
icp_error_t *icp_application_publish(icp_cli_t *cli);

/* The argument's application, read outside of a change. */
icp_error_t *icp_application_argument(icp_application_t **application, const icp_cli_t *cli);

/* The path of a field, of that website where it is one of websites. */
const char *icp_application_field(const icp_form_field_t *field, apr_size_t website, apr_pool_t *pool);

/* ICP_USAGE: its form has no field or document of this path; lists those that it has. */
icp_error_t *icp_application_field_option(const char *path, const icp_application_t *application, apr_pool_t *pool);

/* ICP_USAGE lists the states. */
icp_error_t *icp_application_state_option(icp_app_state_e *state, const char *name, apr_pool_t *pool);

#endif
