/* The queue: what needs a person. Each source looks at one kind of thing and adds what it finds; cmd_queue.c puts it in
 * order. */
#ifndef ICP_QUEUE_H
#define ICP_QUEUE_H

#include "command.h"

typedef struct icp_queue_t icp_queue_t;

/* `kind` of what it is about ("site", "sweep", "application", "domain", "calendar", "message") and its name, why it is here, and the one
 * line that settles it. Texts are copied. */
void icp_queue_add(icp_queue_t *queue, apr_time_t since, const char *kind, const char *subject, const char *why,
                   const char *command);

/* The sources. */
icp_error_t *icp_queue_sites(icp_queue_t *queue, const icp_cli_t *cli);
icp_error_t *icp_queue_domains(icp_queue_t *queue, const icp_cli_t *cli);

#endif
