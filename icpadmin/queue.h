/* The queue: what needs a person. Each source looks at one kind of thing and adds what it finds; cmd_queue.c puts it in
 * order. The command of an item settles it as it stands, pasted into a shell: shell_line.h makes it. */
#ifndef ICP_QUEUE_H
#define ICP_QUEUE_H

#include "command.h"
#include "sightings.h"

typedef struct icp_queue_item_t {
    const char *kind, *flag, *subject, *why, *command;
    apr_time_t since;
} icp_queue_item_t;

typedef struct icp_queue_t {
    apr_array_header_t *items; /* icp_queue_item_t */
} icp_queue_t;

/* `kind` of what it is about ("site", "sweep", "application", "domain", "calendar", "message") and its name, why it is here, and the one
 * line that settles it. Texts are copied. */
void icp_queue_add(icp_queue_t *queue, apr_time_t since, const char *kind, const char *subject, const char *why,
                   const char *command);

/* The same with a flag: one word that programs look for and --kind takes, such as "differs-by-visitor". */
void icp_queue_flag(icp_queue_t *queue, apr_time_t since, const char *kind, const char *flag, const char *subject,
                    const char *why, const char *command);

/* A source adds what it finds. */
typedef icp_error_t *icp_queue_source_fn(icp_queue_t *queue, const icp_cli_t *cli);
icp_queue_source_fn icp_queue_sites, icp_queue_exemptions, icp_queue_sweeps, icp_queue_applications, icp_queue_domains,
    icp_queue_messages;

/* All that there is now, in no order. */
icp_error_t *icp_queue_gather(icp_queue_t *queue, const icp_cli_t *cli);

/* Does live traffic tell another story than icpadmin's own look? Both were judged, and one of them found the number displayed. */
int icp_queue_differs(const char *own, const char *sighted);

/* What live traffic showed: an icp_sighting_t by site. What cannot be read is a warning, and there is nothing then. */
struct apr_hash_t *icp_queue_sightings(const icp_cli_t *cli);

#endif
