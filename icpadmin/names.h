/* The things a command is done to: names from the command line or standard input, and the question before many change.
 */
#ifndef ICP_NAMES_H
#define ICP_NAMES_H

#include "command.h"

/* cli->arguments, each once; `-` among them reads names from standard input, one a line, empty lines left out. */
icp_error_t *icp_names_read(apr_array_header_t **names, const icp_cli_t *cli);

/* Before a change to more than one: asks on a terminal ("This will suspend 3 sites: ..."), ICP_USAGE without --yes
 * elsewhere, ICP_REFUSED if the answer is no. One name, --yes and --dry-run pass. `what`: "suspend", `kind`: "sites".
 */
icp_error_t *icp_names_confirm(const icp_cli_t *cli, const char *what, const char *kind,
                               const apr_array_header_t *names);

#endif
