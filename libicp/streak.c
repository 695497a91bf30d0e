/* See streak.h. */
#include "streak.h"

#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "exemption.h"
#include "message.h"
#include "policy.h"
#include "site.h"
#include "text.h"

static const char *const names[ICP_RULING_COUNT] = {"none",     "person", "unreached", "suspended", "unlicensed",
                                                    "outdated", "overtaken", "exempt", "wait",      "suspend"};

/* A site, its newest look, and its streak. */
typedef struct standing_t {
    apr_int64_t id;
    const char *suspended, *verdict, *reason, *detail;
    apr_time_t at;
    int licensed;
    apr_int64_t looks;
    apr_time_t since;
    int warned;
} standing_t;

const char *icp_ruling_name(icp_ruling_e kind)
{
    return names[kind];
}

icp_error_t *icp_measure_read(icp_measure_t *measure, icp_register_t *reg, apr_pool_t *pool)
{
    ICP_TRY(icp_policy_number(&measure->checks, reg, ICP_POLICY_CHECKS, pool));
    ICP_TRY(icp_policy_number(&measure->hours, reg, ICP_POLICY_HOURS, pool));
    ICP_TRY(icp_policy_is(&measure->warn, reg, ICP_POLICY_WARN, "on", pool));
    if (measure->checks < 1) measure->checks = 1;
    return NULL;
}

static icp_error_t *read_standing(standing_t *standing, icp_register_t *reg, const char *site, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_STREAK_STANDING, "s", site));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) {
        return icp_error(pool, ICP_NOT_FOUND, "icpadmin site list shows those on file", "no site is on file as %s",
                         icp_text_printable(site, ICP_TEXT_NAME_MAX, pool));
    }
    *standing = (standing_t){.id = icp_stmt_int(stmt, 0),
                             .suspended = icp_stmt_text(stmt, 1, pool),
                             .verdict = icp_stmt_text(stmt, 2, pool),
                             .reason = icp_stmt_text(stmt, 3, pool),
                             .detail = icp_stmt_text(stmt, 4, pool),
                             .at = apr_time_from_sec(icp_stmt_int(stmt, 5)),
                             .licensed = (int)icp_stmt_int(stmt, 6),
                             .looks = icp_stmt_int(stmt, 7),
                             .since = apr_time_from_sec(icp_stmt_int(stmt, 8)),
                             .warned = !icp_stmt_null(stmt, 9)};
    icp_stmt_reset(stmt);
    return NULL;
}

/* Nonzero in *yes if one of the numbers that the look found displayed is the site's by now. */
static icp_error_t *shows_its_number(int *yes, icp_register_t *reg, const char *name, const char *detail, apr_pool_t *pool)
{
    icp_site_t *site;
    json_t *object, *text;
    size_t i;
    int exactly;
    *yes = 0;
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    ICP_TRY(icp_policy_is(&exactly, reg, ICP_POLICY_SUFFIX, "on", pool));
    object = json_loads(detail, 0, NULL);
    json_array_foreach(json_object_get(object, "displayed"), i, text)
    {
        const char *word = json_string_value(text);
        const icp_number_t *shown = word ? icp_number_parse(apr_pstrdup(pool, word), pool) : NULL;
        for (int k = 0; shown && k < site->expected->nelts; k++) {
            const icp_number_t *own = icp_number_parse(APR_ARRAY_IDX(site->expected, k, const char *), pool);
            *yes |= exactly ? !strcmp(shown->text, own->text) : icp_number_same_license(shown, own);
        }
    }
    json_decref(object);
    return NULL;
}

/* What holds before the streak is asked: SUSPEND if nothing does. */
static icp_error_t *rule_out(icp_ruling_t *ruling, icp_register_t *reg, const standing_t *standing, apr_pool_t *pool)
{
    icp_verdict_e verdict = standing->verdict ? icp_verdict_parse(standing->verdict) : ICP_DISPLAYED;
    icp_exemption_t *exemption;
    memset(ruling, 0, sizeof *ruling);
    ruling->verdict = verdict;
    ruling->at = standing->at;
    if (!icp_verdict_fails(verdict)) {
        int unreached = standing->reason && !strcmp(standing->reason, icp_unreadable_name(ICP_UNREADABLE_UNREACHED));
        ruling->kind = verdict == ICP_DISPLAYED ? ICP_RULING_NONE : unreached ? ICP_RULING_UNREACHED : ICP_RULING_PERSON;
        return NULL;
    }
    ruling->kind = standing->suspended ? ICP_RULING_SUSPENDED : ICP_RULING_UNLICENSED;
    if (standing->suspended || !standing->licensed) return NULL;
    ruling->kind = ICP_RULING_SUSPEND;
    ICP_TRY(icp_exemption_in_force(&exemption, reg, standing->id, standing->verdict, standing->at, pool));
    if (!exemption && standing->at < reg->now) { /* granted since */
        ICP_TRY(icp_exemption_in_force(&exemption, reg, standing->id, standing->verdict, reg->now, pool));
    }
    if (!exemption) return NULL;
    ruling->kind = ICP_RULING_EXEMPT;
    ruling->until = exemption->until;
    ruling->note = exemption->note;
    return NULL;
}

static void measure_streak(icp_ruling_t *ruling, const standing_t *standing, const icp_measure_t *measure)
{
    ruling->looks = standing->looks;
    ruling->since = standing->since;
    ruling->until = standing->since + apr_time_from_sec(measure->hours * 3600);
    if (standing->looks < measure->checks || standing->at < ruling->until) ruling->kind = ICP_RULING_WAIT;
}

icp_error_t *icp_streak_ruling(icp_ruling_t *ruling, icp_register_t *reg, const char *site, const icp_measure_t *measure,
                               apr_pool_t *pool)
{
    standing_t standing;
    int its_own;
    ICP_TRY(read_standing(&standing, reg, site, pool));
    ICP_TRY(rule_out(ruling, reg, &standing, pool));
    if (ruling->kind != ICP_RULING_SUSPEND) return NULL;
    measure_streak(ruling, &standing, measure);
    ICP_TRY(shows_its_number(&its_own, reg, site, standing.detail, pool));
    if (its_own) ruling->kind = ICP_RULING_OUTDATED;
    return NULL;
}

static const char *join(const apr_array_header_t *texts, apr_pool_t *pool)
{
    const char *text = "";
    for (int i = 0; i < texts->nelts; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", APR_ARRAY_IDX(texts, i, const char *), NULL);
    }
    return text;
}

/* The numbers that a visitor sees, or what is meant as one. */
static const char *seen_text(const icp_inspection_t *inspection, apr_pool_t *pool)
{
    const char *text = join(inspection->displayed, pool);
    const apr_array_header_t *mentions = inspection->seen->mentions;
    for (int i = 0; !*text && i < mentions->nelts; i++) {
        const icp_mention_t *mention = &APR_ARRAY_IDX(mentions, i, icp_mention_t);
        if (mention->where == ICP_WHERE_DISPLAYED) text = mention->number.text;
    }
    return text;
}

static icp_error_t *warn(icp_ruling_t *ruling, icp_register_t *reg, const icp_look_t *look, const standing_t *standing,
                         apr_pool_t *pool)
{
    icp_site_t *site;
    icp_stmt_t *stmt;
    ICP_TRY(icp_site_get(&site, reg, look->site, pool));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_STREAK_WARNED, "ii", standing->id,
                             (apr_int64_t)apr_time_sec(reg->now)));
    ICP_TRY(icp_stmt_run(stmt));
    const char *deadline = ruling->until > ruling->since ? icp_text_time_china(ruling->until, pool) : "";
    const char *verdict = icp_verdict_name(look->inspection->verdict), *url = look->url ? look->url : "";
    const char *since = icp_text_time_china(ruling->since, pool);
    json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "site", site->name, "verdict", verdict,
                              "url", url, "seen", seen_text(look->inspection, pool), "expected", join(site->expected, pool),
                              "since", since, "deadline", deadline);
    icp_error_t *error = icp_message_post_site(&ruling->mails, reg, "site.warned", site->id, site->name, facts, pool);
    json_decref(facts);
    if (error) return error;
    json_t *after = json_pack("{s:s, s:s, s:I, s:I, s:i}", "verdict", verdict, "url", url, "since", (json_int_t)apr_time_sec(ruling->since),
                              "deadline", (json_int_t)(*deadline ? apr_time_sec(ruling->until) : 0),
                              "mails", ruling->mails);
    error = icp_audit_event(reg, "site.warn", site->name, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static int suspends_at_once(const icp_measure_t *measure)
{
    return measure->checks <= 1 && !measure->hours;
}

icp_error_t *icp_streak_look(icp_ruling_t *ruling, icp_register_t *reg, const icp_look_t *look,
                             const icp_measure_t *measure, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    standing_t standing;
    const icp_inspection_t *inspection = look->inspection;
    icp_recorded_e how;
    ICP_TRY(icp_inspection_record(reg, look, &how, pool));
    *ruling = (icp_ruling_t){.kind = ICP_RULING_OVERTAKEN, .verdict = inspection->verdict, .at = look->at};
    if (how == ICP_RECORDED_OVERTAKEN) return NULL;
    if (!icp_verdict_fails(inspection->verdict)) {
        ruling->kind = inspection->verdict == ICP_DISPLAYED ? ICP_RULING_NONE : ICP_RULING_PERSON;
        if (inspection->verdict == ICP_UNREADABLE && inspection->unreadable == ICP_UNREADABLE_UNREACHED) {
            ruling->kind = ICP_RULING_UNREACHED;
            return NULL;
        }
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_STREAK_END, "s", look->site));
        return icp_stmt_run(stmt);
    }
    ICP_TRY(read_standing(&standing, reg, look->site, pool));
    standing.at = apr_time_from_sec(apr_time_sec(look->at));
    ICP_TRY(rule_out(ruling, reg, &standing, pool));
    if (ruling->kind != ICP_RULING_SUSPEND) return NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_STREAK_GROW, "ii", standing.id,
                             (apr_int64_t)apr_time_sec(look->at)));
    ICP_TRY(icp_stmt_run(stmt));
    if (!standing.looks++ || standing.at < standing.since) standing.since = standing.at; /* as it is on file */
    measure_streak(ruling, &standing, measure);
    ruling->warned = measure->warn && !standing.warned && !suspends_at_once(measure);
    return ruling->warned ? warn(ruling, reg, look, &standing, pool) : NULL;
}
