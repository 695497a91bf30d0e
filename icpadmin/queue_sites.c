/* The queue's sites: pages that fail or that no machine can judge, suspended ones whose page seems right, open ones where live
 * traffic saw something else, and what is served without a license. The rules are in judge_open and judge_suspended. */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

#include "exemption.h"
#include "license.h"
#include "options.h"
#include "output.h"
#include "overview.h"
#include "queue.h"
#include "shell_line.h"
#include "site.h"
#include "streak.h"
#include "sweep.h"
#include "verdict.h"

#define SAME_TIME apr_time_from_sec(600) /* a page has hardly changed meanwhile */

typedef struct sites_t {
    icp_queue_t *queue;
    const icp_cli_t *cli;
    apr_pool_t *pool;
    apr_hash_t *sightings; /* icp_sighting_t * by site */
    icp_measure_t measure;
    int enforced; /* sweeps that enforce the policy run */
} sites_t;

static void add(const sites_t *sites, const icp_standing_t *standing, apr_time_t since, const char *flag, const char *why,
                const char *command)
{
    icp_queue_flag(sites->queue, since, "site", flag, standing->site, why, command);
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

static const char *verdict_text(const char *word)
{
    static const char *const texts[ICP_VERDICT_COUNT] = {
        [ICP_DISPLAYED] = "its page shows its number",
        [ICP_MISSING] = "its page shows no number",
        [ICP_INCORRECT] = "its page shows a number that is not its own",
        [ICP_INVALID] = "what its page shows is no valid number",
        [ICP_HIDDEN] = "a number is in its page, but not displayed",
        [ICP_UNREADABLE] = "its page cannot be judged by machine",
    };
    icp_verdict_e verdict = icp_verdict_parse(word);
    return verdict < ICP_VERDICT_COUNT ? texts[verdict] : word;
}

static const char *look_text(const sites_t *sites, const icp_standing_t *standing)
{
    const char *text = verdict_text(standing->verdict);
    if (!standing->reason || !*standing->reason) return text;
    return apr_psprintf(sites->pool, "%s: %s", text, standing->reason);
}

int icp_queue_differs(const char *own, const char *sighted)
{
    icp_verdict_e a = own ? icp_verdict_parse(own) : ICP_VERDICT_COUNT, b = icp_verdict_parse(sighted);
    if (a >= ICP_VERDICT_COUNT || b >= ICP_VERDICT_COUNT || a == ICP_UNREADABLE || b == ICP_UNREADABLE) return 0;
    return (a == ICP_DISPLAYED) != (b == ICP_DISPLAYED);
}

static void judge_suspended(const sites_t *sites, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(sites, standing, standing->since);
    const char *enable = icp_shell_line(sites->cli, "enable", standing->site, NULL);
    int looked = standing->last_at > standing->since;
    if (is(standing->suspended, "order") || !standing->active_numbers) return;
    if (standing->last_at >= standing->since && is(standing->verdict, "displayed"))
        add(sites, standing, standing->first_at, "enable", "suspended, and its page shows the number", enable);
    else if (sighting && is(sighting->verdict, "displayed")) {
        add(sites, standing, sighting->at, "enable", "suspended, and live traffic saw the number", enable);
    }
    else if (looked && (is(standing->verdict, "hidden") || is(standing->verdict, "unreadable"))) {
        add(sites, standing, standing->first_at, standing->verdict,
            apr_pstrcat(sites->pool, "suspended; ", look_text(sites, standing), NULL),
            icp_shell_line(sites->cli, "enable", standing->site, "--attest", standing->number, "--note",
                           "seen on the live page", NULL));
    }
    else if (!looked && (is(standing->suspended, "unlicensed") || is(standing->suspended, "cancelled"))) {
        add(sites, standing, standing->since, "enable", "suspended, and an active license is on file now", enable);
    }
}

static const char *seen_command(const sites_t *sites, const icp_standing_t *standing, const char *note)
{
    return icp_shell_line(sites->cli, "queue", "--seen", standing->site, "--note", note, NULL);
}

/* Nonzero if the item is added: then the page's own verdict needs no other. */
static int judge_difference(const sites_t *sites, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(sites, standing, standing->created_at);
    if (!sighting || !icp_queue_differs(standing->verdict, sighting->verdict)) return 0;
    if (standing->reviewed_at >= standing->first_at && is(standing->reviewed_sighting, sighting->verdict)) return 0;
    const char *why = apr_psprintf(sites->pool, "visitors get another page: %s; icpadmin saw that %s",
                                   verdict_text(sighting->verdict), verdict_text(standing->verdict));
    int changed_since = sighting->at > standing->last_at + SAME_TIME || is(sighting->verdict, "displayed");
    add(sites, standing, sighting->at, "differs-by-visitor", why,
        changed_since ? icp_shell_line(sites->cli, "check", standing->site, NULL)
                      : seen_command(sites, standing, "looked at it as a visitor: its number is displayed"));
    return 1;
}

/* What the policy does by itself needs nobody. */
static icp_error_t *judge_failing(const sites_t *sites, const icp_standing_t *standing)
{
    icp_ruling_t ruling;
    icp_exemption_t *exemption;
    icp_site_t *site;
    ICP_TRY(icp_site_get(&site, sites->cli->reg, standing->site, sites->pool));
    ICP_TRY(icp_exemption_in_force(&exemption, sites->cli->reg, site->id, standing->verdict, apr_time_now(), sites->pool));
    if (exemption) return NULL;
    ICP_TRY(icp_streak_ruling(&ruling, sites->cli->reg, standing->site, &sites->measure, sites->pool));
    if (ruling.kind == ICP_RULING_OUTDATED) {
        add(sites, standing, standing->first_at, "failing", "it must show another number since the look, and shows that",
            icp_shell_line(sites->cli, "check", standing->site, NULL));
        return NULL;
    }
    if (sites->enforced && ruling.kind == ICP_RULING_WAIT) return NULL;
    add(sites, standing, standing->first_at, "failing", look_text(sites, standing),
        icp_shell_line(sites->cli, "suspend", standing->site, "--reason", standing->verdict, NULL));
    return NULL;
}

static icp_error_t *judge_page(const sites_t *sites, const icp_standing_t *standing)
{
    icp_verdict_e verdict = standing->verdict ? icp_verdict_parse(standing->verdict) : ICP_VERDICT_COUNT;
    if (icp_verdict_fails(verdict)) return judge_failing(sites, standing);
    if ((verdict == ICP_HIDDEN || verdict == ICP_UNREADABLE) && standing->reviewed_at < standing->first_at) {
        add(sites, standing, standing->first_at, standing->verdict, look_text(sites, standing),
            seen_command(sites, standing, "looked at it in a browser: its number is displayed"));
    }
    return NULL;
}

/* What the law asks for settles it; so does a license, where the number that the page shows is on file. */
static icp_error_t *judge_license(const sites_t *sites, const icp_standing_t *standing)
{
    const char *number = shown_number(standing, sites->pool);
    icp_license_t *license = NULL;
    if (number) {
        icp_error_t *error = icp_license_get(&license, sites->cli->reg, number, sites->pool);
        if (error && error->status == ICP_FAULT) return error;
        if (error) license = NULL;
    }
    const char *suspend = icp_shell_line(sites->cli, "suspend", standing->site, "--reason", "unlicensed", NULL);
    if (!number)
        add(sites, standing, standing->created_at, "unlicensed", "served without a license", suspend);
    else if (license && is(license->status, "active")) {
        add(sites, standing, standing->first_at, "shows-number",
            apr_psprintf(sites->pool, "no license is its own, and it shows %s, which is on file", number),
            icp_shell_line(sites->cli, "site", "edit", standing->site, "--license", number, NULL));
    }
    else {
        add(sites, standing, standing->first_at, "shows-number",
            apr_psprintf(sites->pool, "no license is its own, and it shows %s, which is %s: if it is genuine, icpadmin license %s",
                         number, license ? license->status : "not on file", license ? "reinstate" : "add"),
            suspend);
    }
    return NULL;
}

static icp_error_t *judge_open(const sites_t *sites, const icp_standing_t *standing)
{
    if (!standing->active_numbers) return judge_license(sites, standing);
    return judge_difference(sites, standing) ? NULL : judge_page(sites, standing);
}

static icp_error_t *judge(const icp_standing_t *standing, void *baton, apr_pool_t *pool)
{
    if (!standing->suspended) return judge_open(baton, standing);
    judge_suspended(baton, standing);
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

apr_hash_t *icp_queue_sightings(const icp_cli_t *cli)
{
    apr_hash_t *sightings = apr_hash_make(cli->pool);
    const char *file = icp_option(cli, "sightings");
    if (!file) file = icp_register_companion(cli->register_path, "sightings/sightings.db", cli->pool);
    icp_error_t *error = icp_sightings_each(file, NULL, keep_sighting, sightings, cli->pool);
    if (error && error->status != ICP_NOT_FOUND) icp_warn(cli, "what live traffic showed cannot be read: %s", error->message);
    return sightings;
}

icp_error_t *icp_queue_sites(icp_queue_t *queue, const icp_cli_t *cli)
{
    sites_t sites = {.queue = queue, .cli = cli, .pool = cli->pool, .sightings = icp_queue_sightings(cli)};
    icp_sweep_t *sweep;
    ICP_TRY(icp_measure_read(&sites.measure, cli->reg, cli->pool));
    ICP_TRY(icp_sweep_newest(&sweep, cli->reg, 1, cli->pool));
    sites.enforced = sweep && (sweep->ended_at ? sweep->ended_at : sweep->started_at) > apr_time_now() - ICP_SWEEP_DUE;
    return icp_standing_each(cli->reg, judge, &sites, cli->pool);
}
