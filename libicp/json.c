#include "json.h"

static apr_status_t release(void *json)
{
    json_decref(json);
    return APR_SUCCESS;
}

json_t *icp_json_keep(json_t *json, apr_pool_t *pool)
{
    if (json) apr_pool_cleanup_register(pool, json, release, apr_pool_cleanup_null);
    return json;
}

const char *icp_json_text(const json_t *json, size_t flags, apr_pool_t *pool)
{
    size_t length = json ? json_dumpb(json, NULL, 0, flags) : 0;
    if (!length) return NULL;
    char *text = apr_palloc(pool, length + 1);
    json_dumpb(json, text, length, flags);
    text[length] = '\0';
    return text;
}
