/* `icpadmin queue`: what needs a person, oldest first, each with the command that settles it. */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "queue.h"
#include "site.h"

typedef struct item_t {
    const char *kind, *subject, *why, *command;
    apr_time_t since;
} item_t;

struct icp_queue_t {
    apr_array_header_t *items;
};

void icp_queue_add(icp_queue_t *queue, apr_time_t since, const char *kind, const char *subject, const char *why,
                   const char *command)
{
    apr_pool_t *pool = queue->items->pool;
    item_t item = {apr_pstrdup(pool, kind), apr_pstrdup(pool, subject), apr_pstrdup(pool, why), apr_pstrdup(pool, command),
                   since};
    APR_ARRAY_PUSH(queue->items, item_t) = item;
}

static int oldest_first(const void *left, const void *right)
{
    const item_t *a = left, *b = right;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    return strcmp(a->subject, b->subject);
}

static void print_item(const icp_cli_t *cli, icp_list_t *list, const item_t *item)
{
    if (!cli->json) {
        icp_list_row(list, icp_time_text(item->since, cli->pool), item->subject, item->why, item->command, NULL);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "kind", icp_text_json(item->kind));
    json_object_set_new(object, "subject", icp_text_json(item->subject));
    if (!strcmp(item->kind, "site")) json_object_set_new(object, "site", icp_text_json(item->subject));
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
        if (strcmp(site->verdict, "hidden") && strcmp(site->verdict, "unreadable")) {
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
    icp_queue_t queue = {apr_array_make(cli->pool, 32, sizeof(item_t))};
    if (icp_option(cli, "seen")) return review(cli);
    ICP_TRY(icp_queue_sites(&queue, cli));
    ICP_TRY(icp_queue_domains(&queue, cli));
    qsort(queue.items->elts, (size_t)queue.items->nelts, sizeof(item_t), oldest_first);
    icp_list_t *list = icp_list_begin(cli, "SINCE|SUBJECT|WHAT|COMMAND");
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
               "live traffic saw something else than the newest look, and sites served without a license. Documents of .cn "
               "registrations that are missing or have come in, an answer of the registry that is overdue, and a list of "
               "holidays that is about to end.\n\n"
               "--seen records that a person found a hidden or unreadable page to be right; the site comes back when "
               "the verdict changes.",
    .json = "an array; each has kind (site, sweep, application, domain, calendar, message), subject, since, why, command, and for a site "
            "site; with --seen an object with seen",
    .example = "icpadmin queue\nicpadmin queue --seen shop.example.cn --note 'number is in the footer image'",
    .options = options,
    .run = run_queue,
};
