/* One site being fetched: from URL to URL until there is a page or a reason why there is none. fetch.c decides when.
 */
#ifndef ICP_TRANSFER_H
#define ICP_TRANSFER_H

#include <curl/curl.h>

#include "fetch.h"

/* A libcurl handle with its buffers; serves one transfer after another. */
typedef struct icp_client_t icp_client_t;
icp_client_t *icp_client_create(apr_pool_t *pool); /* NULL: libcurl gives none. It ends with `pool`. */

typedef struct icp_transfer_t icp_transfer_t;

icp_transfer_t *icp_transfer_create(const icp_fetch_settings_t *settings, const icp_fetch_order_t *order);

/* Where its next request goes: an address without port. */
const char *icp_transfer_address(const icp_transfer_t *transfer);

/* The handle to be run for its next request; icp_transfer_of finds the transfer that a handle is run for. */
CURL *icp_transfer_begin(icp_transfer_t *transfer, icp_client_t *client);
icp_transfer_t *icp_transfer_of(CURL *easy);

/* Takes what the request gave, and lets go of the handle. */
typedef enum icp_transfer_next_e {
    ICP_TRANSFER_DONE,  /* icp_transfer_fetched has it */
    ICP_TRANSFER_GO_ON, /* with another request */
    ICP_TRANSFER_WAIT   /* *pause, then from the beginning */
} icp_transfer_next_e;
icp_error_t *icp_transfer_end(icp_transfer_next_e *next, apr_interval_time_t *pause, icp_client_t **client,
                              icp_transfer_t *transfer, CURLcode result);

icp_fetched_t *icp_transfer_fetched(icp_transfer_t *transfer);

#endif
