/* See outcome.h. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "live.h"

static const char *findings_text(const icp_inspection_t *inspection, apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < ICP_FINDING_COUNT; i++) {
        if (inspection->findings & (1u << i)) APR_ARRAY_PUSH(names, const char *) = icp_finding_name((icp_finding_e)i);
    }
    return icp_join(names, pool);
}

icp_outcome_t *icp_outcome_look(apr_array_header_t *list, const icp_cli_t *cli, const icp_fetched_t *fetched)
{
    const icp_inspection_t *inspection = fetched->look.inspection;
    const icp_suspension_t *suspension = fetched->site->suspension;
    icp_outcome_t *found = apr_array_push(list);
    memset(found, 0, sizeof *found);
    found->site = apr_pstrdup(cli->pool, fetched->site->name);
    found->verdict = inspection->verdict;
    found->suspended = suspension ? apr_pstrdup(cli->pool, suspension->reason) : NULL;
    if (cli->json) {
        found->object = icp_live_json(fetched);
        return found;
    }
    const char *remark = fetched->look.fault;
    if (!remark && inspection->verdict == ICP_UNREADABLE) {
        remark = inspection->seen->detail ? inspection->seen->detail : icp_unreadable_name(inspection->unreadable);
    }
    found->numbers = inspection->displayed->nelts ? icp_join(inspection->displayed, cli->pool) : "-";
    found->findings = inspection->findings ? findings_text(inspection, cli->pool) : "-";
    found->remark = remark ? apr_pstrdup(cli->pool, remark) : "-";
    return found;
}

static const char *join_json(const json_t *texts, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));
    size_t i;
    const json_t *text;
    json_array_foreach(texts, i, text) APR_ARRAY_PUSH(words, const char *) = json_string_value(text);
    return icp_join(words, pool);
}

icp_outcome_t *icp_outcome_on_file(apr_array_header_t *list, const icp_cli_t *cli, const icp_seen_t *seen)
{
    icp_outcome_t *found = apr_array_push(list);
    json_t *object = json_loads(seen->detail, 0, NULL);
    memset(found, 0, sizeof *found);
    found->site = seen->site;
    found->verdict = icp_verdict_parse(seen->verdict);
    found->suspended = seen->suspended;
    if (!object) object = json_object();
    if (cli->json) {
        if (!json_integer_value(json_object_get(object, "status"))) json_object_set_new(object, "status", json_null());
        if (!json_object_get(object, "fault")) json_object_set_new(object, "fault", json_null());
        json_object_set_new(object, "site", icp_text_json(seen->site));
        json_object_set_new(object, "at", icp_time_json(seen->at));
        json_object_set_new(object, "suspended", icp_text_json(seen->suspended));
        found->object = object;
        return found;
    }
    const char *remark = json_string_value(json_object_get(object, "fault"));
    if (!remark && found->verdict == ICP_UNREADABLE) {
        const char *detail = json_string_value(json_object_get(object, "detail"));
        remark = detail ? detail : seen->reason;
    }
    found->numbers = join_json(json_object_get(object, "displayed"), cli->pool);
    found->findings = join_json(json_object_get(object, "findings"), cli->pool);
    found->remark = remark ? apr_pstrdup(cli->pool, remark) : "-";
    json_decref(object);
    return found;
}

static const char *ruling_text(const icp_outcome_t *found, apr_pool_t *pool)
{
    const icp_ruling_t *ruling = &found->ruling;
    if (found->case_id) return apr_psprintf(pool, "suspended, case " ICP_CASE_FORMAT, found->case_id);
    switch (ruling->kind) {
    case ICP_RULING_PERSON: return "for a person";
    case ICP_RULING_UNREACHED: return "no page came";
    case ICP_RULING_SUSPENDED: return "suspended already";
    case ICP_RULING_UNLICENSED: return "no license on file";
    case ICP_RULING_OUTDATED: return "shows what is its number by now";
    case ICP_RULING_OVERTAKEN: return "enabled, removed or looked at since";
    case ICP_RULING_EXEMPT:
        return apr_psprintf(pool, "exempt until %s: %s", icp_time_text(ruling->until, pool), ruling->note);
    case ICP_RULING_WAIT:
        return apr_psprintf(pool, "not before %s (failing look %" APR_INT64_T_FMT "%s)", icp_time_text(ruling->until, pool),
                            ruling->looks, !ruling->warned ? "" : ruling->mails ? ", holder warned" : ", nobody warned: no mail");
    case ICP_RULING_SUSPEND: return "suspend now";
    default: return "-";
    }
}

static json_t *ruling_json(const icp_outcome_t *found)
{
    const icp_ruling_t *ruling = &found->ruling;
    json_t *object = json_object();
    json_object_set_new(object, "ruling", icp_text_json(icp_ruling_name(ruling->kind)));
    json_object_set_new(object, "until", icp_time_json(ruling->until));
    json_object_set_new(object, "note", icp_text_json(ruling->note));
    json_object_set_new(object, "looks", json_integer(ruling->looks));
    json_object_set_new(object, "since", icp_time_json(ruling->since));
    json_object_set_new(object, "case", found->case_id ? json_integer(found->case_id) : json_null());
    return object;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const icp_outcome_t *)left)->site, ((const icp_outcome_t *)right)->site);
}

void icp_outcome_sort(apr_array_header_t *list)
{
    qsort(list->elts, (size_t)list->nelts, sizeof(icp_outcome_t), by_name);
}

void icp_outcome_print(const icp_cli_t *cli, apr_array_header_t *list, int policy)
{
    icp_list_t *table = icp_list_begin(cli, policy ? "SITE|VERDICT|SUSPENDED|POLICY|NUMBERS|FINDINGS|REMARKS"
                                                   : "SITE|VERDICT|SUSPENDED|NUMBERS|FINDINGS|REMARKS");
    icp_outcome_sort(list);
    for (int i = 0; i < list->nelts; i++) {
        const icp_outcome_t *found = &APR_ARRAY_IDX(list, i, icp_outcome_t);
        const char *suspended = found->suspended ? found->suspended : "-", *verdict = icp_verdict_name(found->verdict);
        if (found->object) {
            if (found->case_id) json_object_set_new(found->object, "suspended", icp_text_json(verdict));
            if (policy) json_object_set_new(found->object, "policy", ruling_json(found));
            icp_list_object(table, found->object);
        }
        else if (policy) {
            icp_list_row(table, found->site, verdict, suspended, ruling_text(found, cli->pool), found->numbers,
                         found->findings, found->remark, NULL);
        }
        else
            icp_list_row(table, found->site, verdict, suspended, found->numbers, found->findings, found->remark, NULL);
    }
    icp_list_end(table, "no site on file");
}
