/* Between the commands and fetch.c. It records nothing. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "options.h"
#include "output.h"
#include "pass.h"

#define PARALLEL 16
#define PASS_SECONDS 60

struct icp_live_t {
    const icp_cli_t *cli;
    icp_fetch_settings_t settings;
    icp_pass_key_t key;
    int has_key;
    const apr_array_header_t *sites; /* of the look under way */
    int position, as_public;
    icp_fetch_done_fn *done;
    void *baton;
};

static icp_error_t *read_connects(apr_array_header_t *connects, const icp_cli_t *cli)
{
    const apr_array_header_t *given = icp_option_all(cli, "connect");
    for (int i = 0; i < given->nelts; i++) {
        ICP_TRY(icp_fetch_connect(connects, APR_ARRAY_IDX(given, i, const char *), cli->pool));
    }
    const char *environment = getenv("ICP_CONNECT");
    char *state = NULL, *text = apr_pstrdup(cli->pool, environment ? environment : "");
    for (char *word = apr_strtok(text, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        ICP_TRY(icp_fetch_connect(connects, word, cli->pool));
    }
    return NULL;
}

icp_error_t *icp_live_prepare(icp_live_t **result, const icp_cli_t *cli)
{
    icp_live_t *live = apr_pcalloc(cli->pool, sizeof *live);
    apr_int64_t limit = ICP_FETCH_LIMIT;
    live->cli = cli;
    live->settings.connects = apr_array_make(cli->pool, 4, sizeof(icp_connect_t));
    ICP_TRY(read_connects(live->settings.connects, cli));
    ICP_TRY(icp_option_number(&limit, cli, "limit", 1, APR_INT64_C(1) << 30));
    live->settings.limit = (apr_size_t)limit;
    live->settings.parallel = PARALLEL;
    const char *file = icp_register_companion(cli->register_path, "pass.key", cli->pool);
    icp_error_t *error = icp_pass_key_read(&live->key, file, cli->pool);
    if (error) icp_warn(cli, "suspended sites cannot be looked at: %s", error->message);
    live->has_key = !error;
    *result = live;
    return NULL;
}

icp_error_t *icp_live_sites(apr_array_header_t **sites, const icp_cli_t *cli, const apr_array_header_t *names)
{
    apr_hash_t *known = apr_hash_make(cli->pool);
    *sites = apr_array_make(cli->pool, names->nelts, sizeof(const char *));
    for (int i = 0; i < names->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, cli->reg, APR_ARRAY_IDX(names, i, const char *), cli->pool));
        if (apr_hash_get(known, site->name, APR_HASH_KEY_STRING)) continue;
        apr_hash_set(known, site->name, APR_HASH_KEY_STRING, site);
        APR_ARRAY_PUSH(*sites, const char *) = site->name;
    }
    return NULL;
}

static icp_error_t *next_order(icp_fetch_order_t *order, void *baton, apr_pool_t *pool)
{
    icp_live_t *live = baton;
    while (live->position < live->sites->nelts) {
        icp_site_t *site;
        icp_error_t *error =
            icp_site_get(&site, live->cli->reg, APR_ARRAY_IDX(live->sites, live->position++, const char *), pool);
        if (error && error->status == ICP_NOT_FOUND) continue;
        if (error) return error;
        order->site = site;
        if (site->suspension && live->has_key && !live->as_public) {
            order->pass = icp_pass_make(&live->key, site->id, apr_time_now() + apr_time_from_sec(PASS_SECONDS), pool);
        }
        return NULL;
    }
    return NULL;
}

static icp_error_t *hand_over(icp_fetched_t *fetched, void *baton)
{
    const icp_live_t *live = baton;
    return live->done(fetched, live->baton);
}

icp_error_t *icp_live_look(icp_live_t *live, const apr_array_header_t *sites, int as_public, icp_fetch_done_fn *done,
                           void *baton)
{
    live->sites = sites;
    live->position = 0;
    live->as_public = as_public;
    live->done = done;
    live->baton = baton;
    return icp_fetch_all(&live->settings, next_order, hand_over, live, live->cli->pool);
}

json_t *icp_live_json(const icp_fetched_t *fetched)
{
    const icp_look_t *look = &fetched->look;
    json_t *object = json_object(), *inspection = icp_inspection_json(look->inspection);
    json_object_set_new(object, "site", icp_text_json(fetched->site->name));
    json_object_set_new(object, "url", icp_text_json(look->url));
    json_object_set_new(object, "status", look->status ? json_integer(look->status) : json_null());
    json_object_set_new(object, "fault", icp_text_json(look->fault));
    json_object_set_new(object, "at", icp_time_json(look->at));
    json_object_set_new(object, "suspended",
                        icp_text_json(fetched->site->suspension ? fetched->site->suspension->reason : NULL));
    json_object_update(object, inspection);
    json_decref(inspection);
    return object;
}
