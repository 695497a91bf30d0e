/* The queue's sites: pages that fail or that no machine can judge, suspended ones whose page seems right, open ones where live
 * traffic saw something else. The rules are in judge_open and judge_suspended. */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

#include "options.h"
#include "output.h"
#include "overview.h"
#include "queue.h"
#include "sightings.h"
#include "verdict.h"

typedef struct sites_t {
    icp_queue_t *queue;
    apr_pool_t *pool;
    apr_hash_t *sightings; /* icp_sighting_t * by site */
} sites_t;

static void add(const sites_t *sites, const icp_standing_t *standing, apr_time_t since, const char *why, const char *command)
{
    icp_queue_add(sites->queue, since, "site", standing->site, why, command);
}

static const char *format_command(const sites_t *sites, const char *format, const icp_standing_t *standing)
{
    return apr_psprintf(sites->pool, format, standing->site);
}

/* The first number that the newest look saw displayed; NULL. */
static const char *shown_number(const icp_standing_t *standing, apr_pool_t *pool)
{
    json_t *detail = standing->detail ? json_loads(standing->detail, 0, NULL) : NULL;
    const char *number = json_string_value(json_array_get(json_object_get(detail, "displayed"), 0));
    number = number ? apr_pstrdup(pool, number) : NULL;
    json_decref(detail);
    return number;
}

static int is(const char *verdict, const char *word)
{
    return verdict && !strcmp(verdict, word);
}

/* The sighting, if it is newer than what icpadmin last saw itself. */
static const icp_sighting_t *news(const sites_t *sites, const icp_standing_t *standing, apr_time_t since)
{
    const icp_sighting_t *sighting = apr_hash_get(sites->sightings, standing->site, APR_HASH_KEY_STRING);
    return sighting && sighting->at > since && sighting->at > standing->last_at ? sighting : NULL;
}

static const char *look_text(const sites_t *sites, const icp_standing_t *standing)
{
    static const char *const texts[ICP_VERDICT_COUNT] = {
        [ICP_DISPLAYED] = "its page shows its number",
        [ICP_MISSING] = "its page shows no number",
        [ICP_INCORRECT] = "its page shows a number that is not its own",
        [ICP_INVALID] = "what its page shows is no valid number",
        [ICP_HIDDEN] = "a number is in its page, but not displayed",
        [ICP_UNREADABLE] = "its page cannot be judged by machine",
    };
    icp_verdict_e verdict = icp_verdict_parse(standing->verdict);
    const char *text = verdict < ICP_VERDICT_COUNT ? texts[verdict] : standing->verdict;
    if (!standing->reason || !*standing->reason) return text;
    return apr_psprintf(sites->pool, "%s: %s", text, standing->reason);
}

static void judge_suspended(const sites_t *sites, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(sites, standing, standing->since);
    const char *enable = format_command(sites, "icpadmin enable %s", standing);
    int looked = standing->last_at > standing->since;
    if (is(standing->suspended, "order") || !standing->active_numbers) return;
    if (standing->last_at >= standing->since && is(standing->verdict, "displayed"))
        add(sites, standing, standing->first_at, "suspended, and its page shows the number", enable);
    else if (sighting && is(sighting->verdict, "displayed")) {
        add(sites, standing, sighting->at, "suspended, and live traffic saw the number", enable);
    }
    else if (looked && (is(standing->verdict, "hidden") || is(standing->verdict, "unreadable"))) {
        add(sites, standing, standing->first_at, look_text(sites, standing),
            format_command(sites, "icpadmin enable %s --attest NUMBER --note TEXT", standing));
    }
    else if (!looked && (is(standing->suspended, "unlicensed") || is(standing->suspended, "cancelled"))) {
        add(sites, standing, standing->since, "suspended, and an active license is on file now", enable);
    }
}

static void judge_open(const sites_t *sites, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(sites, standing, standing->created_at);
    icp_verdict_e verdict = standing->verdict ? icp_verdict_parse(standing->verdict) : ICP_VERDICT_COUNT;
    int reviewed = standing->reviewed_at >= standing->first_at;
    if (icp_verdict_fails(verdict)) {
        add(sites, standing, standing->first_at, look_text(sites, standing),
            apr_psprintf(sites->pool, "icpadmin suspend %s --reason %s", standing->site, standing->verdict));
    }
    else if ((verdict == ICP_HIDDEN || verdict == ICP_UNREADABLE) && !reviewed) {
        add(sites, standing, standing->first_at, look_text(sites, standing),
            format_command(sites, "icpadmin queue --seen %s --note TEXT", standing));
    }
    else if (sighting && !is(sighting->verdict, "displayed") &&
             !is(sighting->verdict, standing->verdict ? standing->verdict : "")) {
        add(sites, standing, sighting->at,
            apr_pstrcat(sites->pool, "live traffic gave the verdict ", sighting->verdict, NULL),
            format_command(sites, "icpadmin check %s", standing));
    }
    if (standing->active_numbers) return;
    const char *number = shown_number(standing, sites->pool);
    if (number) {
        add(sites, standing, standing->first_at,
            apr_pstrcat(sites->pool, "no license on file, and it shows ", number, NULL),
            apr_psprintf(sites->pool,
                         "icpadmin license add %s --holder NAME && icpadmin site edit %s --license %s", number,
                         standing->site, number));
    }
    else {
        add(sites, standing, standing->created_at, "served without a license",
            format_command(sites, "icpadmin site edit %s --license NUMBER", standing));
    }
}

static icp_error_t *judge(const icp_standing_t *standing, void *baton, apr_pool_t *pool)
{
    if (standing->suspended)
        judge_suspended(baton, standing);
    else
        judge_open(baton, standing);
    return NULL;
}

static icp_error_t *keep_sighting(const icp_sighting_t *sighting, void *baton, apr_pool_t *pool)
{
    apr_hash_t *sightings = baton;
    apr_pool_t *keep = apr_hash_pool_get(sightings);
    icp_sighting_t *copy = apr_pmemdup(keep, sighting, sizeof *sighting);
    copy->site = apr_pstrdup(keep, sighting->site);
    copy->verdict = apr_pstrdup(keep, sighting->verdict);
    copy->detail = NULL;
    apr_hash_set(sightings, copy->site, APR_HASH_KEY_STRING, copy);
    return NULL;
}

icp_error_t *icp_queue_sites(icp_queue_t *queue, const icp_cli_t *cli)
{
    sites_t sites = {queue, cli->pool, apr_hash_make(cli->pool)};
    const char *file = icp_option(cli, "sightings");
    if (!file) file = icp_register_companion(cli->register_path, "sightings/sightings.db", cli->pool);
    icp_error_t *error = icp_sightings_each(file, NULL, keep_sighting, sites.sightings, cli->pool);
    if (error && error->status != ICP_NOT_FOUND)
        icp_warn(cli, "what live traffic showed cannot be read: %s", error->message);
    return icp_standing_each(cli->reg, judge, &sites, cli->pool);
}
