/* JSON values (jansson) and pools: what lives as long as one, and text in one. */
#ifndef ICP_JSON_H
#define ICP_JSON_H

#include <apr_pools.h>
#include <jansson.h>

/* `json` itself (may be NULL), whose reference is given up with `pool`. */
json_t *icp_json_keep(json_t *json, apr_pool_t *pool);

/* Its text, in `pool`; `flags` are jansson's. NULL: there is no value, or it cannot be written. */
const char *icp_json_text(const json_t *json, size_t flags, apr_pool_t *pool);

#endif
