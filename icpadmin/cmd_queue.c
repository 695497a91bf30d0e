/* `icpadmin queue`: what needs a person, oldest first, each with the command that settles it. The rules are in
 * judge_open and judge_suspended. */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "audit.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "overview.h"
#include "sightings.h"
#include "site.h"
#include "verdict.h"

typedef struct item_t {
    const char *site, *why, *command;
    apr_time_t since;
} item_t;

typedef struct queue_t {
    const icp_cli_t *cli;
    apr_hash_t *sightings; /* icp_sighting_t * by site */
    apr_array_header_t *items;
} queue_t;

static void add(queue_t *queue, const icp_standing_t *standing, apr_time_t since, const char *why, const char *command)
{
    item_t item = {apr_pstrdup(queue->cli->pool, standing->site), why, command, since};
    APR_ARRAY_PUSH(queue->items, item_t) = item;
}

static const char *format_command(const queue_t *queue, const char *format, const icp_standing_t *standing)
{
    return apr_psprintf(queue->cli->pool, format, standing->site);
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
static const icp_sighting_t *news(const queue_t *queue, const icp_standing_t *standing, apr_time_t since)
{
    const icp_sighting_t *sighting = apr_hash_get(queue->sightings, standing->site, APR_HASH_KEY_STRING);
    return sighting && sighting->at > since && sighting->at > standing->last_at ? sighting : NULL;
}

static const char *look_text(const queue_t *queue, const icp_standing_t *standing)
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
    return apr_psprintf(queue->cli->pool, "%s: %s", text, standing->reason);
}

static void judge_suspended(queue_t *queue, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(queue, standing, standing->since);
    const char *enable = format_command(queue, "icpadmin enable %s", standing);
    int looked = standing->last_at > standing->since;
    if (is(standing->suspended, "order") || !standing->active_numbers) return;
    if (standing->last_at >= standing->since && is(standing->verdict, "displayed"))
        add(queue, standing, standing->first_at, "suspended, and its page shows the number", enable);
    else if (sighting && is(sighting->verdict, "displayed")) {
        add(queue, standing, sighting->at, "suspended, and live traffic saw the number", enable);
    }
    else if (looked && (is(standing->verdict, "hidden") || is(standing->verdict, "unreadable"))) {
        add(queue, standing, standing->first_at, look_text(queue, standing),
            format_command(queue, "icpadmin enable %s --attest NUMBER --note TEXT", standing));
    }
    else if (!looked && (is(standing->suspended, "unlicensed") || is(standing->suspended, "cancelled"))) {
        add(queue, standing, standing->since, "suspended, and an active license is on file now", enable);
    }
}

static void judge_open(queue_t *queue, const icp_standing_t *standing)
{
    const icp_sighting_t *sighting = news(queue, standing, standing->created_at);
    icp_verdict_e verdict = standing->verdict ? icp_verdict_parse(standing->verdict) : ICP_VERDICT_COUNT;
    int reviewed = standing->reviewed_at >= standing->first_at;
    if (icp_verdict_fails(verdict)) {
        add(queue, standing, standing->first_at, look_text(queue, standing),
            apr_psprintf(queue->cli->pool, "icpadmin suspend %s --reason %s", standing->site, standing->verdict));
    }
    else if ((verdict == ICP_HIDDEN || verdict == ICP_UNREADABLE) && !reviewed) {
        add(queue, standing, standing->first_at, look_text(queue, standing),
            format_command(queue, "icpadmin queue --seen %s --note TEXT", standing));
    }
    else if (sighting && !is(sighting->verdict, "displayed") &&
             !is(sighting->verdict, standing->verdict ? standing->verdict : "")) {
        add(queue, standing, sighting->at,
            apr_pstrcat(queue->cli->pool, "live traffic gave the verdict ", sighting->verdict, NULL),
            format_command(queue, "icpadmin check %s", standing));
    }
    if (standing->active_numbers) return;
    const char *number = shown_number(standing, queue->cli->pool);
    if (number) {
        add(queue, standing, standing->first_at,
            apr_pstrcat(queue->cli->pool, "no license on file, and it shows ", number, NULL),
            apr_psprintf(queue->cli->pool,
                         "icpadmin license add %s --holder NAME && icpadmin site edit %s --license %s", number,
                         standing->site, number));
    }
    else {
        add(queue, standing, standing->created_at, "served without a license",
            format_command(queue, "icpadmin site edit %s --license NUMBER", standing));
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

static int oldest_first(const void *left, const void *right)
{
    const item_t *a = left, *b = right;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    return strcmp(a->site, b->site);
}

static void print_item(const icp_cli_t *cli, icp_list_t *list, const item_t *item)
{
    if (!cli->json) {
        icp_list_row(list, icp_time_text(item->since, cli->pool), item->site, item->why, item->command, NULL);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "site", icp_text_json(item->site));
    json_object_set_new(object, "since", icp_time_json(item->since));
    json_object_set_new(object, "why", icp_text_json(item->why));
    json_object_set_new(object, "command", icp_text_json(item->command));
    icp_list_object(list, object);
}

typedef struct review_t {
    const apr_array_header_t *names;
    const char *note;
} review_t;

static icp_error_t *change_review(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const review_t *review = baton;
    for (int i = 0; i < review->names->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, reg, APR_ARRAY_IDX(review->names, i, const char *), pool));
        if (!is(site->verdict, "hidden") && !is(site->verdict, "unreadable")) {
            return icp_error(pool, ICP_REFUSED, "only a page that is hidden or unreadable is for a person to judge",
                             "%s is not in the queue for its page", site->name);
        }
        json_t *after = json_object();
        json_object_set_new(after, "verdict", icp_text_json(site->verdict));
        icp_error_t *error = icp_audit_event(reg, "site.review", site->name, NULL, after, review->note, pool);
        json_decref(after);
        if (error) return error;
    }
    return NULL;
}

static icp_error_t *review(icp_cli_t *cli)
{
    review_t review = {icp_option_all(cli, "seen"), icp_option(cli, "note")};
    if (!review.note || !*review.note) {
        return icp_error(cli->pool, ICP_USAGE, "add --note TEXT: what you saw", "--seen needs --note");
    }
    ICP_TRY(icp_names_confirm(cli, "take off the queue", "sites", review.names));
    ICP_TRY(icp_register_change(cli->reg, change_review, &review, cli->pool));
    if (cli->json) {
        json_t *object = json_object();
        json_object_set_new(object, "seen", icp_texts_json(review.names));
        icp_print_object(object);
    }
    for (int i = 0; i < review.names->nelts; i++) {
        icp_say(cli, "%s is off the queue until its page changes", APR_ARRAY_IDX(review.names, i, const char *));
    }
    return NULL;
}

static icp_error_t *run_queue(icp_cli_t *cli)
{
    queue_t queue = {cli, apr_hash_make(cli->pool), apr_array_make(cli->pool, 32, sizeof(item_t))};
    if (icp_option(cli, "seen")) return review(cli);
    const char *file = icp_option(cli, "sightings");
    if (!file) file = icp_register_companion(cli->register_path, "sightings/sightings.db", cli->pool);
    icp_error_t *error = icp_sightings_each(file, NULL, keep_sighting, queue.sightings, cli->pool);
    if (error && error->status != ICP_NOT_FOUND)
        icp_warn(cli, "what live traffic showed cannot be read: %s", error->message);
    ICP_TRY(icp_standing_each(cli->reg, judge, &queue, cli->pool));
    qsort(queue.items->elts, (size_t)queue.items->nelts, sizeof(item_t), oldest_first);
    icp_list_t *list = icp_list_begin(cli, "SINCE|SITE|WHAT|COMMAND");
    for (int i = 0; i < queue.items->nelts; i++) {
        print_item(cli, list, &APR_ARRAY_IDX(queue.items, i, item_t));
    }
    icp_list_end(list, "nothing needs a person");
    return NULL;
}

static const icp_option_t options[] = {
    {"seen", "SITE", ICP_OPTION_MANY, "take an open site off the queue: you looked at its page and it is right"},
    {"note", "TEXT", 0, "with --seen: what you saw, for the audit log"},
    {"sightings", "FILE", 0, "what live traffic showed (default: sightings/sightings.db beside the register)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_queue = {
    .noun = "queue",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "list what needs a person, oldest first, with the command that settles it",
    .details = "Pages that fail or that no machine can judge, suspended sites whose page seems right, open ones where "
               "live traffic saw something else than the newest look, and sites served without a license.\n\n"
               "--seen records that a person found a hidden or unreadable page to be right; the site comes back when "
               "the verdict changes.",
    .json = "an array; each has site, since, why, command; with --seen an object with seen",
    .example = "icpadmin queue\nicpadmin queue --seen shop.example.cn --note 'number is in the footer image'",
    .options = options,
    .run = run_queue,
};
