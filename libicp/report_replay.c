#include "report_replay.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "exemption.h"

static const char *keep(const icp_report_replay_t *replay, const char *text)
{
    return text ? apr_pstrdup(replay->pool, text) : NULL;
}

static const char *joined(const icp_report_replay_t *replay, const json_t *texts)
{
    const char *line = "";
    for (size_t i = 0; i < json_array_size(texts); i++) {
        line = apr_pstrcat(replay->pool, line, i ? " " : "", json_string_value(json_array_get(texts, i)), NULL);
    }
    return line;
}

icp_report_known_t *icp_report_site(const icp_report_replay_t *replay, const char *name)
{
    icp_report_known_t *known = apr_hash_get(replay->sites, name, APR_HASH_KEY_STRING);
    if (known) return known;
    known = apr_pcalloc(replay->pool, sizeof *known);
    known->site = (icp_report_site_t){.name = keep(replay, name), .hosts = "", .numbers = "", .holders = ""};
    apr_hash_set(replay->sites, known->site.name, APR_HASH_KEY_STRING, known);
    return known;
}

icp_report_case_t *icp_report_case(const icp_report_replay_t *replay, apr_int64_t id)
{
    icp_report_case_t *found = apr_hash_get(replay->cases, &id, sizeof id);
    if (found) return found;
    found = apr_pcalloc(replay->pool, sizeof *found);
    found->id = id;
    apr_hash_set(replay->cases, &found->id, sizeof found->id, found);
    return found;
}

static void replay_remove(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    icp_report_known_t *known = icp_report_site(replay, event->subject);
    known->on_file = 0;
    known->site.verdict = NULL;
    if (event->at >= replay->report->from) replay->report->removed++;
}

static void replay_site(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    icp_report_known_t *known = icp_report_site(replay, event->subject);
    if (!strcmp(event->action, "site.add")) known->site.since = event->at;
    known->on_file = 1;
    known->site.hosts = joined(replay, json_object_get(after, "hosts"));
    known->site.numbers = joined(replay, json_object_get(after, "numbers"));
}

static void replay_verdict(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    icp_report_known_t *known = icp_report_site(replay, event->subject);
    const char *before = known->site.verdict;
    known->site.verdict = keep(replay, json_string_value(json_object_get(after, "verdict")));
    if (event->at < replay->report->from || !known->site.verdict) return;
    icp_report_turn_t turn = {event->at, known->site.name, before, known->site.verdict};
    APR_ARRAY_PUSH(replay->report->turns, icp_report_turn_t) = turn;
}

static void replay_suspend(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    apr_int64_t id = json_integer_value(json_object_get(after, "case"));
    if (!id) return; /* kept over a restore: the table has it, or the event that closes it */
    icp_report_case_t *opened = icp_report_case(replay, id);
    opened->site = keep(replay, event->subject);
    opened->reason = keep(replay, json_string_value(json_object_get(after, "reason")));
    if (!opened->reason) opened->reason = "";
    opened->opened_at = event->at;
    opened->opened_by = keep(replay, event->actor);
    opened->note = keep(replay, event->note);
}

static void replay_enable(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    icp_report_case_t *closed = icp_report_case(replay, json_integer_value(json_object_get(after, "case")));
    if (!closed->site) {
        json_t *before = json_loads(event->before, 0, NULL);
        closed->site = keep(replay, event->subject);
        closed->reason = keep(replay, json_string_value(json_object_get(before, "reason")));
        closed->opened_at = apr_time_from_sec(json_integer_value(json_object_get(before, "since")));
        closed->opened_by = "";
        json_decref(before);
    }
    if (!closed->reason) closed->reason = "";
    closed->closed_at = event->at;
    closed->closed_by = keep(replay, event->actor);
    closed->ground = keep(replay, json_string_value(json_object_get(after, "ground")));
    closed->number = keep(replay, json_string_value(json_object_get(after, "number")));
    closed->closing = keep(replay, event->note);
}

static void replay_license(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    const char *status = json_string_value(json_object_get(after, "status"));
    const char *holder = json_string_value(json_object_get(after, "holder"));
    if (!strcmp(event->action, "license.remove"))
        apr_hash_set(replay->licenses, event->subject, APR_HASH_KEY_STRING, NULL);
    if (!status) return; /* of an import */
    icp_report_license_t *license = apr_hash_get(replay->licenses, event->subject, APR_HASH_KEY_STRING);
    if (!license) {
        license = apr_pcalloc(replay->pool, sizeof *license);
        license->number = keep(replay, event->subject);
        license->holder = "";
        apr_hash_set(replay->licenses, license->number, APR_HASH_KEY_STRING, license);
    }
    if (!license->status || strcmp(license->status, status)) license->since = event->at;
    license->status = keep(replay, status);
    if (holder) license->holder = keep(replay, holder);
}

/* Licenses are of a holder by its name, which `before` has as it was. */
static void replay_holder(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    const char *name = keep(replay, json_string_value(json_object_get(after, "name")));
    for (apr_hash_index_t *at = apr_hash_first(NULL, replay->licenses); name && at; at = apr_hash_next(at)) {
        icp_report_license_t *license = apr_hash_this_val(at);
        if (!strcmp(license->holder, event->subject)) license->holder = name;
    }
}

static void replay_warn(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    if (event->at < replay->report->from) return;
    icp_report_warning_t warning = {.site = keep(replay, event->subject),
                                    .verdict = keep(replay, json_string_value(json_object_get(after, "verdict"))),
                                    .deadline = apr_time_from_sec(json_integer_value(json_object_get(after, "deadline"))),
                                    .at = event->at,
                                    .mails = json_integer_value(json_object_get(after, "mails"))};
    APR_ARRAY_PUSH(replay->report->warnings, icp_report_warning_t) = warning;
}

static void replay_review(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    if (event->at < replay->report->from) return;
    icp_report_review_t review = {event->at,
                                  keep(replay, event->subject),
                                  keep(replay, event->actor),
                                  keep(replay, json_string_value(json_object_get(after, "verdict"))),
                                  keep(replay, json_string_value(json_object_get(after, "sighting"))),
                                  keep(replay, event->note)};
    APR_ARRAY_PUSH(replay->report->reviews, icp_report_review_t) = review;
}

/* Added: `after` has it; removed: `before`. */
static void replay_exemption(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after)
{
    json_t *before = json_loads(event->before, 0, NULL);
    apr_int64_t id = json_integer_value(json_object_get(json_is_object(after) ? after : before, "exemption"));
    icp_report_exemption_t *exemption = apr_hash_get(replay->exemptions, &id, sizeof id);
    json_decref(before);
    if (!exemption) {
        if (!json_is_object(after)) return;
        exemption = apr_pcalloc(replay->pool, sizeof *exemption);
        *exemption = (icp_report_exemption_t){.id = id,
                                              .site = strcmp(event->subject, ICP_EXEMPTION_EVERY_SITE) ? keep(replay, event->subject) : NULL,
                                              .verdict = keep(replay, json_string_value(json_object_get(after, "verdict"))),
                                              .by = keep(replay, event->actor),
                                              .note = keep(replay, event->note),
                                              .from = apr_time_from_sec(json_integer_value(json_object_get(after, "from"))),
                                              .until = apr_time_from_sec(json_integer_value(json_object_get(after, "until")))};
        apr_hash_set(replay->exemptions, &exemption->id, sizeof exemption->id, exemption);
        return;
    }
    exemption->removed_at = event->at;
    exemption->removed_by = keep(replay, event->actor);
}

icp_error_t *icp_report_replay(const icp_event_t *event, void *baton, apr_pool_t *pool)
{
    static const struct {
        const char *action;
        void (*replay)(icp_report_replay_t *replay, const icp_event_t *event, const json_t *after);
    } kinds[] = {{"site.add", replay_site},         {"site.edit", replay_site},     {"site.remove", replay_remove},
                 {"site.verdict", replay_verdict},  {"site.suspend", replay_suspend}, {"site.enable", replay_enable},
                 {"site.warn", replay_warn},        {"site.review", replay_review}, {"exemption.add", replay_exemption},
                 {"exemption.remove", replay_exemption}, {"holder.edit", replay_holder}};
    icp_report_replay_t *replay = baton;
    if (event->at >= replay->report->until) return NULL;
    json_t *after = json_loads(event->after, JSON_DECODE_ANY, NULL);
    if (!strncmp(event->action, "license.", 8)) replay_license(replay, event, after);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strcmp(event->action, kinds[i].action)) kinds[i].replay(replay, event, after);
    }
    json_decref(after);
    return NULL;
}
