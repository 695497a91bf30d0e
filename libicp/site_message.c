#include "site_message.h"

#include <string.h>

#include <apr_strings.h>

#include "display.h"
#include "host.h"
#include "message.h"
#include "text.h"

static const char *joined(const apr_array_header_t *texts, const char *between, int are_hosts, apr_pool_t *pool)
{
    const char *result = "";
    for (int i = 0; texts && i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);
        result = apr_pstrcat(pool, result, i ? between : "", are_hosts ? icp_host_display(text, pool) : text, NULL);
    }
    return result;
}

static void set(json_t *facts, const char *name, const char *value)
{
    if (value && *value) json_object_set_new(facts, name, json_string(value));
}

/* The numbers that icpadmin's newest look saw displayed. */
static icp_error_t *set_seen(json_t *facts, icp_register_t *reg, const icp_site_t *site, apr_pool_t *pool)
{
    icp_run_t *run;
    apr_array_header_t *numbers = apr_array_make(pool, 4, sizeof(const char *));
    ICP_TRY(icp_inspection_newest(&run, reg, site->id, pool));
    json_t *detail = run && run->detail ? json_loads(run->detail, 0, NULL) : NULL, *number;
    size_t i;
    json_array_foreach (json_object_get(detail, "displayed"), i, number) {
        if (json_is_string(number)) APR_ARRAY_PUSH(numbers, const char *) = json_string_value(number);
    }
    set(facts, "seen", joined(numbers, ", ", 0, pool));
    json_decref(detail);
    return NULL;
}

static icp_error_t *make_facts(json_t **result, icp_register_t *reg, const icp_site_t *site, const icp_suspension_t *suspension,
                               apr_pool_t *pool)
{
    json_t *facts = *result = json_object();
    const char *name = icp_host_display(site->name, pool);
    const char *home = site->homepage && *site->homepage ? site->homepage : "/";
    set(facts, "site", name);
    set(facts, "hosts", joined(site->hosts, ", ", 1, pool));
    if (*home != '/') set(facts, "url", home);
    else if (strchr(site->name, '.')) set(facts, "url", apr_pstrcat(pool, "http://", name, home, NULL));
    set(facts, "expected",
        joined(icp_display_numbers((const char *const *)site->expected->elts, site->expected->nelts, pool), " / ", 0, pool));
    set(facts, "reason", suspension->reason);
    set(facts, "case", apr_psprintf(pool, ICP_CASE_FORMAT, suspension->id));
    set(facts, "since", icp_text_time_china(suspension->opened_at, pool));
    return set_seen(facts, reg, site, pool);
}

static icp_error_t *tell(icp_register_t *reg, const char *event, const icp_site_t *site, const icp_suspension_t *suspension,
                         const char *number, apr_pool_t *pool)
{
    json_t *facts;
    icp_error_t *error = make_facts(&facts, reg, site, suspension, pool);
    set(facts, "number", number);
    if (!error) error = icp_message_post_site(NULL, reg, event, site->id, site->name, facts, pool);
    json_decref(facts);
    return error;
}

icp_error_t *icp_site_message_suspended(icp_register_t *reg, const icp_site_t *site, const icp_suspension_t *suspension,
                                        apr_pool_t *pool)
{
    return tell(reg, "site.suspended", site, suspension, NULL, pool);
}

icp_error_t *icp_site_message_enabled(icp_register_t *reg, const icp_site_t *site, const icp_suspension_t *suspension,
                                      const char *number, apr_pool_t *pool)
{
    return tell(reg, "site.enabled", site, suspension, number, pool);
}
