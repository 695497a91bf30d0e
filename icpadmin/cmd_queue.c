/* `icpadmin queue`: what needs a person, oldest first, each with the command that settles it. */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "audit.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "queue.h"
#include "site.h"

static icp_queue_source_fn *const sources[] = {
    icp_queue_sites,
    icp_queue_exemptions,
    icp_queue_sweeps,
    icp_queue_applications,
    icp_queue_domains,
    icp_queue_messages,
};

icp_error_t *icp_queue_gather(icp_queue_t *queue, const icp_cli_t *cli)
{
    queue->items = apr_array_make(cli->pool, 32, sizeof(icp_queue_item_t));
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++) ICP_TRY(sources[i](queue, cli));
    return NULL;
}

static int oldest_first(const void *left, const void *right)
{
    const icp_queue_item_t *a = left, *b = right;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    int order = strcmp(a->kind, b->kind);
    if (!order) order = strcmp(a->subject, b->subject);
    return order ? order : strcmp(a->why, b->why);
}

/* Which of them were asked for. */
typedef struct filter_t {
    const apr_array_header_t *kinds, *sites;
} filter_t;

static int named(const apr_array_header_t *names, const char *name)
{
    for (int i = 0; name && i < names->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(names, i, const char *), name)) return 1;
    }
    return 0;
}

static int wanted(const filter_t *filter, const icp_queue_item_t *item)
{
    if (filter->kinds->nelts && !named(filter->kinds, item->kind) && !named(filter->kinds, item->flag)) return 0;
    return !filter->sites->nelts || (!strcmp(item->kind, "site") && named(filter->sites, item->subject));
}

/* The command has a line of its own: it is to be pasted, whole. */
static void print_item(const icp_cli_t *cli, icp_list_t *list, const icp_queue_item_t *item)
{
    if (!cli->json) {
        icp_say(cli, "%s  %s%s%s: %s", icp_time_text(item->since, cli->pool), strcmp(item->kind, "site") ? item->kind : "",
                strcmp(item->kind, "site") ? " " : "", item->subject, item->why);
        icp_say(cli, "    %s", item->command);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "kind", icp_text_json(item->kind));
    json_object_set_new(object, "flag", icp_text_json(item->flag));
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
    apr_hash_t *sightings;
} review_t;

/* Off the queue are pages that a person may find to be right: those no machine can judge, and those where visitors get
 * another one. A page that fails is put right, exempted or suspended. */
static icp_error_t *change_review(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    const review_t *review = baton;
    for (int i = 0; i < review->names->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, reg, APR_ARRAY_IDX(review->names, i, const char *), pool));
        const icp_sighting_t *sighting = apr_hash_get(review->sightings, site->name, APR_HASH_KEY_STRING);
        int differs = sighting && icp_queue_differs(site->verdict, sighting->verdict);
        int unclear = !strcmp(site->verdict, "hidden") || !strcmp(site->verdict, "unreadable");
        if (!unclear && !(differs && !strcmp(site->verdict, "displayed"))) {
            return icp_error(pool, ICP_REFUSED,
                             "a person judges what is hidden or unreadable, or what icpadmin sees and visitors do not",
                             "%s is not in the queue for such a page", site->name);
        }
        json_t *after = json_object();
        json_object_set_new(after, "verdict", icp_text_json(site->verdict));
        if (differs) json_object_set_new(after, "sighting", icp_text_json(sighting->verdict));
        icp_error_t *error = icp_audit_event(reg, "site.review", site->name, NULL, after, review->note, pool);
        json_decref(after);
        if (error) return error;
    }
    return NULL;
}

static icp_error_t *review(icp_cli_t *cli)
{
    review_t review = {icp_option_all(cli, "seen"), icp_option(cli, "note"), NULL};
    if (!review.note || !*review.note) {
        return icp_error(cli->pool, ICP_USAGE, "add --note TEXT: what you saw", "--seen needs --note");
    }
    review.sightings = icp_queue_sightings(cli);
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

/* What --kind takes even where nothing of it is there. */
static const char *const known[] = {"site",   "sweep",      "application",        "domain", "calendar",     "message",    "failing",
                                    "hidden", "unreadable", "differs-by-visitor", "enable", "shows-number", "unlicensed", "exemption-ends",
                                    NULL};

static icp_error_t *check_kinds(const filter_t *filter, const icp_queue_t *queue, const icp_cli_t *cli)
{
    for (int i = 0; i < filter->kinds->nelts; i++) {
        const char *kind = APR_ARRAY_IDX(filter->kinds, i, const char *), *const *word = known;
        int found = 0;
        while (*word && strcmp(*word, kind)) word++;
        for (int k = 0; k < queue->items->nelts && !found; k++) {
            const icp_queue_item_t *item = &APR_ARRAY_IDX(queue->items, k, icp_queue_item_t);
            found = !strcmp(item->kind, kind) || (item->flag && !strcmp(item->flag, kind));
        }
        if (!*word && !found)
            return icp_error(cli->pool, ICP_USAGE, "icpadmin help queue lists them", "there is no kind or flag `%s`", kind);
    }
    return NULL;
}

static icp_error_t *read_filter(filter_t *filter, const icp_cli_t *cli)
{
    const apr_array_header_t *given = icp_option_all(cli, "site");
    apr_array_header_t *names = apr_array_make(cli->pool, 2, sizeof(const char *));
    for (int i = 0; i < given->nelts; i++) {
        icp_site_t *site;
        ICP_TRY(icp_site_get(&site, cli->reg, APR_ARRAY_IDX(given, i, const char *), cli->pool));
        APR_ARRAY_PUSH(names, const char *) = site->name;
    }
    *filter = (filter_t){icp_option_all(cli, "kind"), names};
    return NULL;
}

static icp_error_t *run_queue(icp_cli_t *cli)
{
    icp_queue_t queue;
    filter_t filter;
    int shown = 0;
    if (icp_option(cli, "seen")) return review(cli);
    ICP_TRY(read_filter(&filter, cli));
    ICP_TRY(icp_queue_gather(&queue, cli));
    ICP_TRY(check_kinds(&filter, &queue, cli));
    qsort(queue.items->elts, (size_t)queue.items->nelts, sizeof(icp_queue_item_t), oldest_first);
    icp_list_t *list = icp_list_begin(cli, NULL);
    for (int i = 0; i < queue.items->nelts; i++) {
        const icp_queue_item_t *item = &APR_ARRAY_IDX(queue.items, i, icp_queue_item_t);
        if (!wanted(&filter, item)) continue;
        print_item(cli, list, item);
        shown++;
    }
    if (cli->json) icp_list_end(list, NULL);
    if (!shown) icp_remark(cli, "nothing %sneeds a person", queue.items->nelts ? "of that " : "");
    return NULL;
}

static const icp_option_t options[] = {
    {"kind", "KIND", ICP_OPTION_MANY, "only what is of this kind, or has this flag"},
    {"site", "SITE", ICP_OPTION_MANY, "only what concerns this site's pages"},
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
    .details =
        "Each item has two lines: since when, what it is about and why; and the command that settles it, to be pasted into "
        "a shell as it stands once you have looked. Commands that state what you saw (--seen, --attest) are yours: run them "
        "only if you saw it.\n\n"
        "Sites, by flag: `failing`, unless sweeps that enforce the policy run and will see to it, or the site is exempt; "
        "`exemption-ends`, where somebody vouched for a failing page and that runs out within a week; `hidden` and `unreadable`, which no machine can judge; `differs-by-visitor`, where live "
        "traffic and icpadmin's own look disagree whether the number is displayed (a page shown to checkers only, to some "
        "regions, or one that was changed since: the first command looks again); `enable`, suspended but its page seems "
        "right; `shows-number` and `unlicensed`, served without a license.\n\n"
        "Domains: documents of .cn registrations that are missing or have come in, an answer of the registry that is overdue. "
        "The calendar: a list of holidays that is about to end. Messages: those that were given up (`given-up`), and mail or events "
        "that do not leave (`stalled`).\n\n"
        "--seen records that a person found a hidden or unreadable page to be right, or one that visitors get and icpadmin "
        "does not; the site comes back when either verdict changes. A page that fails is not taken off by a word.",
    .json = "an array; each has kind (site, sweep, application, domain, calendar, message), flag (or null), subject, since, why, command, "
            "and for a site site; with --seen an object with seen",
    .example = "icpadmin queue\nicpadmin queue --kind differs-by-visitor\n"
               "icpadmin queue --seen shop.example.cn --note 'number is in the footer image'",
    .options = options,
    .run = run_queue,
};
