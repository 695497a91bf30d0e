/* One response being looked at: a full read that ends in a sighting, or a confirmation that ends in nothing if all is well. */
#ifndef MOD_ICP_READING_H
#define MOD_ICP_READING_H

#include "config.h"
#include "snapshot.h"

typedef struct icp_reading_t icp_reading_t;

/* NULL if this response gets no look: read a moment ago, or encoded in a way that cannot be undone (which is
 * then the sighting). `encoding`: its Content-Encoding, NULL for none. Lives in r->pool. */
icp_reading_t *icp_reading_begin(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site,
                                 const char *encoding);

/* The body's bytes as they go to the client; 0 once no more are wanted. Harmless after the end. */
int icp_reading_feed(icp_reading_t *reading, const char *bytes, apr_size_t length);

typedef enum icp_reading_end_e {
    ICP_END_WHOLE,   /* the response came to its end */
    ICP_END_CUT,     /* the site's software or its server broke it off */
    ICP_END_UNKNOWN  /* the visitor went away: says nothing about the site */
} icp_reading_end_e;

/* Judges, and gives the page's memory back. Only the first call counts. */
void icp_reading_end(icp_reading_t *reading, icp_reading_end_e end);

#endif
