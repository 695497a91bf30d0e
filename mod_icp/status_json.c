/* The status page in JSON, for programs. */
#include "shown.h"

#include <unistd.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <jansson.h>

#include "json.h"
#include "shared.h"

static json_t *time_json(apr_time_t time)
{
    return time ? json_integer(apr_time_sec(time)) : json_null();
}

static json_t *survey_json(const icp_shown_t *shown, apr_pool_t *pool)
{
    const icp_survey_t *survey = &shown->survey;
    json_t *verdicts = json_object(), *suspensions = json_array(), *sightings = json_array(), *counts = json_object();
    for (int i = 0; i <= ICP_VERDICT_COUNT; i++) json_object_set_new(verdicts, icp_status_verdict(i), json_integer(survey->verdicts[i]));
    for (int i = 0; i < shown->suspended->nelts; i++) {
        const icp_snapshot_site_t *site = &APR_ARRAY_IDX(shown->suspended, i, icp_snapshot_site_t);
        json_array_append_new(suspensions, json_pack("{s:s, s:I, s:s, s:o}", "site", site->name, "case", (json_int_t)site->case_id, "reason",
                                                     site->reason, "since", time_json(site->since)));
    }
    for (int i = 0; i < survey->sighting_count; i++) {
        const icp_survey_sighting_t *sighting = &survey->sightings[i];
        json_array_append_new(sightings, json_pack("{s:s, s:s, s:o}", "site", sighting->site, "verdict", sighting->verdict, "at",
                                                   time_json(sighting->at)));
    }
    const apr_array_header_t *list = icp_status_counters(pool);
    for (int i = 0; i < list->nelts; i++) {
        const icp_counter_t *counter = &APR_ARRAY_IDX(list, i, icp_counter_t);
        const char *name = counter->label ? apr_pstrcat(pool, counter->metric, ".", counter->value, NULL) : counter->metric;
        json_object_set_new(counts, name, json_integer(counter->count));
    }
    json_t *sweep = json_null();
    if (survey->sweep_started) {
        sweep = json_pack("{s:o, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "started_at", time_json(survey->sweep_started),
                          "ended_at", time_json(survey->sweep_ended), "enforce", survey->sweep_enforces, "total",
                          (json_int_t)survey->sweep_total, "done", (json_int_t)survey->sweep_done, "compliant",
                          (json_int_t)survey->sweep_compliant, "failing", (json_int_t)survey->sweep_failing, "for_person",
                          (json_int_t)survey->sweep_for_person, "to_suspend", (json_int_t)survey->sweep_to_suspend, "suspended",
                          (json_int_t)survey->sweep_suspended, "braked", survey->sweep_braked);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?}", "verdicts", verdicts, "suspensions", suspensions, "sweep", sweep,
                     "sightings", sightings, "counters", counts, "counted_since", time_json(icp_shared->since), "surveyed_at",
                     time_json(survey->at), "survey_fault", *survey->fault ? survey->fault : NULL, "sightings_fault",
                     *survey->sightings_fault ? survey->sightings_fault : NULL);
}

void icp_status_send_json(request_rec *r, const icp_shown_t *shown)
{
    const icp_gate_health_t *health = &shown->health;
    const icp_snapshot_facts_t *facts = &health->facts;
    json_t *reasons = json_object();
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        json_object_set_new(reasons, icp_reason_names[i], json_integer(facts->by_reason[i]));
    }
    json_t *object = json_pack("{s:i, s:b, s:{s:s, s:b, s:s?, s:o, s:I, s:I, s:I}, s:I, s:I, s:I, s:o}",
                               "pid", (int)getpid(), "passes", icp_main_conf()->has_pass_key,
                               "register", "path", icp_main_conf()->register_path, "current", !health->fault,
                               "fault", health->fault,
                               "fault_since", health->fault ? json_integer(apr_time_sec(health->fault_since)) : json_null(),
                               "revision", (json_int_t)facts->revision, "read_at", (json_int_t)apr_time_sec(facts->read_at),
                               "bytes", (json_int_t)facts->bytes,
                               "sites", (json_int_t)facts->sites, "hosts", (json_int_t)facts->hosts,
                               "suspended", (json_int_t)facts->suspended, "by_reason", reasons);
    json_t *survey = survey_json(shown, r->pool);
    json_object_update(object, survey);
    json_decref(survey);
    const char *text = icp_json_text(object, JSON_INDENT(2), r->pool);
    json_decref(object);
    ap_set_content_type(r, "application/json");
    ap_rputs(text ? text : "{}", r);
    ap_rputs("\n", r);
}
