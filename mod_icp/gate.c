/* The decision. A request is gated when its Host belongs to a suspended site, or when the vhost that serves it does and the Host
 * is no other registered site's. What a vhost belongs to is worked out once for each snapshot and kept in a byte, so that a
 * request for an open site under one of its first names costs a comparison of strings. */
#include "gate.h"

#include <string.h>

#include <apr_strings.h>
#include <http_log.h>

#include "admit.h"
#include "bearer.h"
#include "notice.h"
#include "shared.h"
#include "view.h"

APLOG_USE_MODULE(icp);

/* --- what a vhost belongs to ------------------------------------------------------------------------ */

enum {
    JUDGED = 1,
    NONE_SUSPENDED = 2, /* of the vhost's sites */
    REGISTERED = 4,     /* it has at least one */
    HOST_IS_SERVED = 8  /* a request whose Host is the first of its names is let through; the next bits: the second … */
};
#define NAMES 5 /* so many of a vhost's names have a bit */

/* The sites of a vhost one after the other, `i` from 0: ICPSite's, ServerName's, the aliases'. NULL: this name is no site's. */
static const icp_snapshot_site_t *vhost_site(const icp_snapshot_t *snapshot, const icp_conf_t *conf, int i)
{
    if (i == 0) return conf->site ? icp_snapshot_by_name(snapshot, conf->site) : NULL;
    return icp_snapshot_by_pattern(snapshot, APR_ARRAY_IDX(conf->hosts, i - 1, const char *));
}

static const icp_snapshot_site_t *suspended_site(const icp_snapshot_t *snapshot, const icp_conf_t *conf)
{
    for (int i = 0; i <= conf->hosts->nelts; i++) {
        const icp_snapshot_site_t *site = vhost_site(snapshot, conf, i);
        if (site && site->suspended) return site;
    }
    return NULL;
}

static const icp_snapshot_site_t *first_site(const icp_snapshot_t *snapshot, const icp_conf_t *conf)
{
    for (int i = 0; i <= conf->hosts->nelts; i++) {
        const icp_snapshot_site_t *site = vhost_site(snapshot, conf, i);
        if (site) return site;
    }
    return NULL;
}

/* Does the configuration give the vhost this Host, or does a request for it only end up there? */
static int names_host(const icp_conf_t *conf, const char *host)
{
    const apr_array_header_t *patterns = conf->server->wild_names;
    for (int i = 0; i < conf->hosts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->hosts, i, const char *), host)) return 1;
    }
    for (int i = 0; patterns && i < patterns->nelts; i++) {
        if (!ap_strcasecmp_match(host, APR_ARRAY_IDX(patterns, i, const char *))) return 1;
    }
    return 0;
}

/* --- the decision ----------------------------------------------------------------------------------- */

typedef struct decision_t {
    int gated;
    const icp_snapshot_site_t *site; /* whose suspension it is; NULL: no registered site's */
} decision_t;

static decision_t decide(const icp_snapshot_t *snapshot, const icp_conf_t *conf, const char *host, unsigned judged)
{
    const icp_snapshot_site_t *own = host && *host ? icp_snapshot_by_host(snapshot, host, strlen(host)) : NULL;
    if (own && own->suspended) return (decision_t){1, own};
    if (!(judged & NONE_SUSPENDED) && (!own || !names_host(conf, host))) {
        return (decision_t){1, suspended_site(snapshot, conf)};
    }
    if (!own && !(judged & REGISTERED) && conf->unregistered_notice) return (decision_t){1, NULL};
    return (decision_t){0, own};
}

static __attribute__((noinline)) unsigned judge(icp_view_t *view, icp_conf_t *conf)
{
    unsigned judged = JUDGED;
    if (!suspended_site(view->snapshot, conf)) judged |= NONE_SUSPENDED;
    if (first_site(view->snapshot, conf)) judged |= REGISTERED;
    for (int i = 0; i < conf->hosts->nelts && i < NAMES; i++) {
        const char *host = APR_ARRAY_IDX(conf->hosts, i, const char *);
        if (!decide(view->snapshot, conf, host, judged).gated) judged |= (unsigned)HOST_IS_SERVED << i;
    }
    icp_view_keep(&conf->judged, view->epoch, judged);
    return judged;
}

/* --- what comes of it ------------------------------------------------------------------------------- */

static void note(request_rec *r, const char *state)
{
    apr_table_addn(r->notes, ICP_GATE_NOTE, state);
}

static const char *const *copy_texts(const char *const *texts, int count, apr_pool_t *pool)
{
    const char **copy = apr_palloc(pool, sizeof *copy * (apr_size_t)(count ? count : 1));
    for (int i = 0; i < count; i++) copy[i] = apr_pstrdup(pool, texts[i]);
    return copy;
}

static icp_snapshot_site_t *copy_site(const icp_snapshot_site_t *site, apr_pool_t *pool)
{
    icp_snapshot_site_t *copy = apr_pmemdup(pool, site, sizeof *site);
    copy->name = apr_pstrdup(pool, site->name);
    copy->reason = apr_pstrdup(pool, site->reason);
    copy->expected = copy_texts(site->expected, site->expected_count, pool);
    return copy;
}

/* Once a minute for each site, or near enough: two sites of one slot take turns. */
static int is_due(apr_int64_t site_id, apr_time_t now)
{
    static atomic_llong told[256];
    long long mine = (site_id << 32) | (apr_time_sec(now) / 60 & 0xffffffff);
    return atomic_exchange(&told[site_id & 255], mine) != mine;
}

static int observe(request_rec *r, const icp_snapshot_site_t *site)
{
    icp_tokens_t unused;
    icp_bearer_take(&unused, r);
    icp_count(&icp_shared->counts.observed);
    note(r, "observe");
    if (is_due(site ? site->id : 0, r->request_time)) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "ICPEngine Observe: with On this request for %s would get the notice (%s%s)",
                      r->hostname ? r->hostname : r->server->server_hostname, site ? "suspended: " : "of no registered site",
                      site ? site->reason : "");
    }
    return DECLINED;
}

static int answer(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site)
{
    icp_notice_case_t notice = {.reason = "unregistered"};
    if (site) {
        notice = (icp_notice_case_t){.site = site->name, .reason = site->reason, .since = site->since, .case_id = site->case_id,
                                     .expected_count = site->expected_count, .expected = site->expected};
    }
    int reason = site ? icp_reason_index(site->reason) : ICP_REASON_COUNT;
    if (reason >= 0) icp_count(&icp_shared->counts.notices[reason]);
    note(r, "suspended");
    return icp_notice_send(r, conf, &notice);
}

static int gate(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site)
{
    if (conf->engine == ICP_ENGINE_OBSERVE) return observe(r, site);
    switch (icp_admit(r, conf, site)) {
    case ICP_ADMIT_EXEMPT:
        note(r, "exempt");
        return DECLINED;
    case ICP_ADMIT_PASS:
        note(r, "pass");
        return DECLINED;
    case ICP_ADMIT_MOVED:
        note(r, "pass");
        return OK;
    case ICP_ADMIT_NO:
    case ICP_ADMIT_OPEN:
        break;
    }
    return answer(r, conf, site);
}

static int let_in(request_rec *r)
{
    icp_mark(r, &icp_mark_open); /* its note is made for the log, which is cheaper than to have it copied about */
    return DECLINED;
}

static __attribute__((noinline)) int weigh(request_rec *r, icp_conf_t *conf)
{
    icp_slot_t *slot;
    icp_view_t *view = icp_view_acquire((unsigned)r->connection->id, &slot);
    unsigned judged = icp_view_known(&conf->judged, view->epoch);
    decision_t decision = decide(view->snapshot, conf, r->hostname, judged ? judged : judge(view, conf));
    const icp_snapshot_site_t *site = decision.gated && decision.site ? copy_site(decision.site, r->pool) : NULL;
    icp_publish_release(slot);
    return decision.gated ? gate(r, conf, site) : let_in(r);
}

/* What most requests are: for a name of the vhost that is known to be served. */
static int is_served(const icp_conf_t *conf, const char *host, unsigned judged)
{
    const char *const *name = (const char *const *)conf->hosts->elts;
    for (judged /= HOST_IS_SERVED; judged; judged >>= 1, name++) {
        if ((judged & 1) && !strcmp(host, *name)) return 1;
    }
    return 0;
}

int icp_gate_quick_handler(request_rec *r, int lookup)
{
    if (lookup || r->main) return DECLINED;
    icp_conf_t *conf = icp_conf(r->server);
    if (conf->engine == ICP_ENGINE_OFF) return DECLINED;

    icp_view_follow();
    unsigned judged = icp_view_known(&conf->judged, atomic_load(&icp_view_now.epoch));
    return r->hostname && is_served(conf, r->hostname, judged) ? let_in(r) : weigh(r, conf);
}

int icp_gate_handler(request_rec *r)
{
    const icp_conf_t *conf = icp_conf(r->server);
    if (conf->engine != ICP_ENGINE_ON || !icp_admit_strayed(r, conf)) return DECLINED;
    if (r->main) return HTTP_FORBIDDEN;
    apr_table_unset(r->notes, ICP_GATE_NOTE);
    return icp_gate_quick_handler(r, 0);
}

int icp_gate_log(request_rec *r)
{
    while (r->next) r = r->next; /* the one whose notes are logged */
    if (icp_mark_of(r) == &icp_mark_open) note(r, "open");
    return DECLINED;
}

/* --- for the rest of the module ---------------------------------------------------------------------- */

const icp_snapshot_site_t *icp_gate_site(request_rec *r)
{
    icp_slot_t *slot;
    icp_view_t *view = icp_view_acquire((unsigned)r->connection->id, &slot);
    const icp_snapshot_site_t *site = NULL;
    if (r->hostname && *r->hostname) site = icp_snapshot_by_host(view->snapshot, r->hostname, strlen(r->hostname));
    if (!site) site = first_site(view->snapshot, icp_conf(r->server));
    if (site) site = copy_site(site, r->pool);
    icp_publish_release(slot);
    return site;
}

void icp_gate_health(icp_gate_health_t *health, apr_pool_t *pool)
{
    icp_slot_t *slot;
    icp_view_t *view = icp_view_acquire(0, &slot);
    icp_snapshot_facts(view->snapshot, &health->facts);
    icp_publish_release(slot);
    health->fault = icp_view_fault(&health->fault_since, pool);
}

apr_array_header_t *icp_gate_suspended(int room, apr_pool_t *pool)
{
    icp_slot_t *slot;
    const icp_snapshot_site_t **newest = apr_palloc(pool, sizeof *newest * (apr_size_t)room);
    apr_array_header_t *list = apr_array_make(pool, room, sizeof(icp_snapshot_site_t));
    icp_view_t *view = icp_view_acquire(0, &slot);
    int count = icp_snapshot_suspended(view->snapshot, newest, room);
    for (int i = 0; i < count; i++) APR_ARRAY_PUSH(list, icp_snapshot_site_t) = *copy_site(newest[i], pool);
    icp_publish_release(slot);
    return list;
}

static int is_registered(const icp_snapshot_t *snapshot, const server_rec *server)
{
    return first_site(snapshot, icp_conf(server)) != NULL;
}

int icp_gate_unregistered(const char **examples, server_rec *main_server, apr_pool_t *pool)
{
    icp_slot_t *slot;
    icp_view_t *view = icp_view_acquire(0, &slot);
    int count = 0;
    /* Beside vhosts the main server is where stray requests end, and no site. */
    for (server_rec *server = main_server->next ? main_server->next : main_server; server; server = server->next) {
        const icp_conf_t *conf = icp_conf(server);
        if (conf->engine == ICP_ENGINE_OFF || conf->unregistered_notice || is_registered(view->snapshot, server)) continue;
        if (count++ < 3) {
            *examples = apr_pstrcat(pool, count > 1 ? *examples : "", count > 1 ? ", " : "",
                                    conf->site ? conf->site : server->server_hostname, NULL);
        }
    }
    icp_publish_release(slot);
    return count;
}
