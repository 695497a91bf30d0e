/* Passes as they come with a request, and what they do to its answer. The decision what a pass is worth is admit.c's. */
#ifndef MOD_ICP_BEARER_H
#define MOD_ICP_BEARER_H

#include <apr_tables.h>
#include <httpd.h>

#include "pass.h"

typedef struct icp_tokens_t {
    const char *header, *query;        /* NULL: none */
    const apr_array_header_t *cookies; /* const char * */
} icp_tokens_t;

/* Takes every token out of the request: neither the site's own code nor a log gets to see it. */
void icp_bearer_take(icp_tokens_t *tokens, request_rec *r);

/* Answers with a redirect to the same URL, without the token, that sets it as a cookie until `expiry`. */
void icp_bearer_move_to_cookie(request_rec *r, const char *token, apr_time_t expiry);

/* What comes of a request that a pass lets through is for its bearer alone: keeps mod_cache away from it. */
void icp_bearer_keep_private(request_rec *r);

/* The header of an answer that a pass let through; takes the place of what the site said about caches. */
void icp_bearer_banner(request_rec *r, apr_time_t expiry);

#endif
