/* sightings.db: the newest verdict that live traffic gave for each site. Written by the worker user in a folder of its
 * own, so a hint and never a decision; staff read it as what it is, a file that customers' code can have written. */
#ifndef ICP_SIGHTINGS_H
#define ICP_SIGHTINGS_H

#include "db.h"

typedef struct icp_sighting_t {
    const char *site;    /* name in the register */
    const char *verdict;
    const char *detail;  /* JSON as icp_inspection_json makes it */
    apr_time_t at;
} icp_sighting_t;

/* Writer (a worker): one transaction for the batch, one row per site; an older sighting never replaces a newer, but
 * for one of a time that is yet to come. Creates the file, and begins a damaged one anew. */
icp_error_t *icp_sightings_write(const char *path, const icp_sighting_t *batch, int count, apr_pool_t *pool);

/* Reader (staff, as root, in a folder where others may put what they like): opens the one file, nothing beside it, and creates or changes
 * nothing; refuses what is not a plain file; waits at most 2 s for a lock. Texts are bounded in length and made printable. */
typedef icp_error_t *icp_sighting_fn(const icp_sighting_t *sighting, void *baton, apr_pool_t *pool);
icp_error_t *icp_sightings_each(const char *path, const char *site, icp_sighting_fn *fn, void *baton, apr_pool_t *pool);

#endif
