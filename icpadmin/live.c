/* Between the commands and fetch.c. It records nothing. */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "options.h"
#include "output.h"
#include "pass.h"
#include "policy.h"

#define AHEAD 128 /* sites that are read from the register at a time */

struct icp_live_t {
    const icp_cli_t *cli;
    icp_fetch_settings_t settings;
    icp_pass_key_t key;
    int has_key;
    /* Of the look under way: */
    const apr_array_header_t *sites;
    int position, visit;
    apr_array_header_t *orders; /* icp_fetch_order_t: read from the register, the next one last */
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

/* What the policy says, unless the option of the same name says otherwise. */
static icp_error_t *setting(int *value, icp_register_t *reg, const icp_cli_t *cli, icp_policy_e policy)
{
    const icp_policy_rule_t *rule = &icp_policy_rules[policy];
    apr_int64_t number;
    ICP_TRY(icp_policy_number(&number, reg, policy, cli->pool));
    ICP_TRY(icp_option_number(&number, cli, rule->name, rule->least, rule->most));
    *value = (int)number;
    return NULL;
}

static icp_error_t *read_settings(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    icp_live_t *live = baton;
    icp_fetch_settings_t *settings = &live->settings;
    apr_int64_t days, bytes;
    int off, on;
    ICP_TRY(setting(&settings->parallel, reg, live->cli, ICP_POLICY_PARALLEL));
    ICP_TRY(setting(&settings->per_address, reg, live->cli, ICP_POLICY_PER_ADDRESS));
    ICP_TRY(setting(&settings->timeout, reg, live->cli, ICP_POLICY_TIMEOUT));
    ICP_TRY(setting(&settings->retries, reg, live->cli, ICP_POLICY_RETRIES));
    ICP_TRY(icp_policy_is(&off, reg, ICP_POLICY_SUFFIX, "off", pool));
    ICP_TRY(icp_policy_is(&on, reg, ICP_POLICY_SUFFIX, "on", pool));
    ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_EVIDENCE_DAYS, pool));
    ICP_TRY(icp_policy_number(&bytes, reg, ICP_POLICY_EVIDENCE_BYTES, pool));
    settings->evidence = days != 0;
    settings->keep = (apr_size_t)bytes;
    settings->policy.suffix = off ? ICP_SUFFIX_OFF : on ? ICP_SUFFIX_ON : ICP_SUFFIX_WARN;
    return NULL;
}

static const char *pass_for(const icp_site_t *site, void *baton, apr_pool_t *pool)
{
    const icp_live_t *live = baton;
    if (!site->suspension) return NULL;
    icp_pass_t pass = {ICP_PASS_CHECK, site->suspension->id, site->suspension->pass_epoch,
                       apr_time_now() + apr_time_from_sec(ICP_PASS_CHECK_SECONDS), 0};
    return icp_pass_make(&live->key, &pass, pool);
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
    ICP_TRY(icp_register_read(cli->reg, read_settings, live, cli->pool));
    const char *file = icp_register_companion(cli->register_path, "pass.key", cli->pool);
    icp_error_t *error = icp_pass_key_read(&live->key, file, cli->pool);
    if (error) icp_warn(cli, "suspended sites cannot be looked at: %s", error->message);
    live->has_key = !error;
    *result = live;
    return NULL;
}

void icp_live_stop(icp_live_t *live, const volatile sig_atomic_t *stop)
{
    live->settings.stop = stop;
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

static void add_order(icp_live_t *live, const icp_site_t *site, const char *url, apr_pool_t *pool)
{
    icp_fetch_order_t order = {site, url, pool};
    APR_ARRAY_PUSH(live->orders, icp_fetch_order_t) = order;
}

/* Each by each: host names, schemes. A home page that is a URL is one itself. */
static icp_error_t *add_visits(icp_live_t *live, icp_register_t *reg, const char *name)
{
    static const char *const schemes[] = {"http://", "https://"};
    icp_site_t *site;
    ICP_TRY(icp_site_get(&site, reg, name, live->cli->pool));
    for (int i = 0; i < site->hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(site->hosts, i, const char *);
        for (int k = 0; k < 2 && *site->homepage == '/'; k++) {
            apr_pool_t *pool;
            apr_pool_create(&pool, live->cli->pool);
            add_order(live, site,
                      apr_pstrcat(pool, schemes[k], strncmp(host, "*.", 2) ? "" : "www",
                                  strncmp(host, "*.", 2) ? host : host + 1, site->homepage, NULL),
                      pool);
        }
    }
    if (*site->homepage != '/') {
        apr_pool_t *pool;
        apr_pool_create(&pool, live->cli->pool);
        add_order(live, site, site->homepage, pool);
    }
    return NULL;
}

static icp_error_t *add_look(icp_live_t *live, icp_register_t *reg, const char *name)
{
    apr_pool_t *pool;
    icp_site_t *site;
    apr_pool_create(&pool, live->cli->pool);
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    add_order(live, site, NULL, pool);
    return NULL;
}

static icp_error_t *read_ahead(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    icp_live_t *live = baton;
    for (int i = 0; i < AHEAD && live->position < live->sites->nelts; i++) {
        const char *name = APR_ARRAY_IDX(live->sites, live->position++, const char *);
        icp_error_t *error = live->visit ? add_visits(live, reg, name) : add_look(live, reg, name);
        if (error && error->status != ICP_NOT_FOUND) return error;
    }
    icp_fetch_order_t *orders = (icp_fetch_order_t *)live->orders->elts, order;
    for (int i = 0, k = live->orders->nelts - 1; i < k; i++, k--) { /* they are taken from the end */
        order = orders[i];
        orders[i] = orders[k];
        orders[k] = order;
    }
    return NULL;
}

static icp_error_t *next_order(icp_fetch_order_t *order, void *baton)
{
    icp_live_t *live = baton;
    while (!live->orders->nelts && live->position < live->sites->nelts) {
        ICP_TRY(icp_register_read(live->cli->reg, read_ahead, live, live->cli->pool));
    }
    const icp_fetch_order_t *next = apr_array_pop(live->orders);
    if (next) *order = *next;
    return NULL;
}

static icp_error_t *hand_over(icp_fetched_t *fetched, void *baton)
{
    const icp_live_t *live = baton;
    return live->done(fetched, live->baton);
}

static icp_error_t *run(icp_live_t *live, const icp_fetch_settings_t *settings, const apr_array_header_t *sites,
                        icp_fetch_done_fn *done, void *baton)
{
    live->sites = sites;
    live->position = 0;
    live->orders = apr_array_make(live->cli->pool, AHEAD, sizeof(icp_fetch_order_t));
    live->done = done;
    live->baton = baton;
    return icp_fetch_all(settings, next_order, hand_over, live, live->cli->pool);
}

icp_error_t *icp_live_look(icp_live_t *live, const apr_array_header_t *sites, icp_fetch_done_fn *done, void *baton)
{
    icp_fetch_settings_t settings = live->settings;
    if (live->has_key) settings.pass = pass_for;
    settings.pass_baton = live;
    live->visit = 0;
    return run(live, &settings, sites, done, baton);
}

icp_error_t *icp_live_visit(icp_live_t *live, const apr_array_header_t *sites, icp_fetch_done_fn *done, void *baton)
{
    icp_fetch_settings_t settings = live->settings;
    settings.retries = 0;
    live->visit = 1;
    return run(live, &settings, sites, done, baton);
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
