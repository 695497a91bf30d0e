/* Sightings on their way from the requests that made them to sightings.db: a request only leaves one here, the
 * watchdog's call-back writes them in one batch. One per site: a newer one takes an older one's place. */
#ifndef MOD_ICP_SIGHTING_QUEUE_H
#define MOD_ICP_SIGHTING_QUEUE_H

#include <httpd.h>

#include "sightings.h"

/* Once per child; `path` of sightings.db. */
void icp_sighting_queue_init(apr_pool_t *pool, server_rec *server, const char *path);

/* Copies the sighting. Any thread. */
void icp_sighting_queue_put(const icp_sighting_t *sighting);

/* Writes what has gathered. What cannot be written stays for the next call and is said once in the error log. */
void icp_sighting_queue_write(apr_pool_t *scratch_pool);

#endif
