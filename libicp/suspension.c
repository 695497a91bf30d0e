#include "suspension.h"

#include <string.h>

#include <apr_strings.h>

#include "audit.h"
#include "exemption.h"
#include "license_number.h"
#include "policy.h"
#include "reason.h"
#include "site.h"
#include "site_message.h"
#include "text.h"

static icp_error_t *refuse_reason(const char *reason, apr_pool_t *pool)
{
    const char *known = "";
    for (int i = 0; i < ICP_REASON_COUNT; i++)
        known = apr_pstrcat(pool, known, i ? ", " : "", icp_reason_names[i], NULL);
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "say one of %s", known), "'%s' is no reason for a suspension",
                     icp_text_printable(reason, 60, pool));
}

icp_error_t *icp_suspension_open(icp_suspension_t **result, icp_register_t *reg, const char *name, const char *reason,
                                 const char *note, apr_pool_t *pool)
{
    icp_site_t *site;
    if (icp_reason_index(reason) < 0) return refuse_reason(reason, pool);
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    return icp_suspension_open_site(result, reg, site, reason, note, pool);
}

icp_error_t *icp_suspension_open_site(icp_suspension_t **result, icp_register_t *reg, const icp_site_t *site,
                                      const char *reason, const char *note, apr_pool_t *pool)
{
    icp_stmt_t *stmt;

    if (icp_reason_index(reason) < 0) return refuse_reason(reason, pool);
    if (site->suspension) {
        return icp_error(pool, ICP_REFUSED, NULL, "%s is suspended already, since %s: %s, case %" APR_INT64_T_FMT,
                         site->name, icp_text_time(site->suspension->opened_at, pool), site->suspension->reason,
                         site->suspension->id);
    }
    icp_suspension_t *suspension = apr_pcalloc(pool, sizeof *suspension);
    suspension->reason = apr_pstrdup(pool, reason);
    suspension->opened_at = apr_time_from_sec(apr_time_sec(reg->now));
    suspension->opened_by = reg->actor;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SUSPENSION_OPEN, "isis", site->id, reason,
                             (apr_int64_t)apr_time_sec(reg->now), reg->actor));
    ICP_TRY(icp_stmt_run(stmt));
    suspension->id = icp_db_last_id(reg->db);

    json_t *after = json_pack("{s:I, s:s}", "case", (json_int_t)suspension->id, "reason", reason);
    icp_error_t *error = icp_audit_event(reg, "site.suspend", site->name, NULL, after, note, pool);
    json_decref(after);
    if (!error) error = icp_site_message_suspended(reg, site, suspension, pool);
    *result = suspension;
    return error;
}

/* "沪ICP备05012345号-3 or 沪ICP备05012345号-4" */
static const char *expected_text(const icp_site_t *site, apr_pool_t *pool)
{
    const char *text = "";
    for (int i = 0; i < site->expected->nelts; i++) {
        text = apr_pstrcat(pool, text, i ? " or " : "", APR_ARRAY_IDX(site->expected, i, const char *), NULL);
    }
    return text;
}

#define PUT_ON_FILE "put its license on file with 'icpadmin license add' and give the site its number with 'icpadmin site edit'"

static icp_error_t *no_active_license(const icp_site_t *site, apr_pool_t *pool)
{
    if (!site->numbers->nelts) return icp_error(pool, ICP_REFUSED, PUT_ON_FILE, "%s has no active license on file", site->name);
    const char *number = APR_ARRAY_IDX(site->numbers, 0, const char *);
    return icp_error(pool, ICP_REFUSED,
                     apr_psprintf(pool, "if the authority has given it back: icpadmin license reinstate %s; if it has a new one, " PUT_ON_FILE, number),
                     "%s has no active license: that of %s was ended", site->name, number);
}

/* What every way to close a suspension asks for: it is open, the site has an active license, the look is this site's
 * and was made since the suspension, whatever the clock says. */
static icp_error_t *may_close(icp_site_t **result, icp_register_t *reg, const char *name, const icp_look_t *look,
                              apr_pool_t *pool)
{
    icp_site_t *site;
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    if (!site->suspension) {
        return icp_error(pool, ICP_REFUSED, NULL, "%s is not suspended", site->name);
    }
    if (!site->expected->nelts) return no_active_license(site, pool);
    if (strcmp(look->site, site->name) != 0 || look->case_id != site->suspension->id) {
        return icp_error(pool, ICP_REFUSED, "look at the live page again",
                         "the inspection is not one of %s since its suspension", site->name);
    }
    *result = site;
    return NULL;
}

/* Nonzero in *yes if the number is of an active license of the site; a suffix must be one on file, where the site has
 * any. */
static icp_error_t *is_expected(int *yes, icp_register_t *reg, const icp_site_t *site, const icp_number_t *number,
                                int with_suffix)
{
    icp_stmt_t *stmt;
    int row;
    *yes = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_LICENSE_ACTIVE, "is", site->id, number->license));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        apr_int64_t suffix = icp_stmt_int(stmt, 0);
        if (!with_suffix || !number->suffix || !suffix || suffix == number->suffix) *yes = 1;
    }
}

static icp_error_t *close_open(icp_register_t *reg, const icp_site_t *site, const icp_look_t *look, const char *ground,
                               const char *number, const char *note, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SUSPENSION_CLOSE, "iis", site->suspension->id,
                             (apr_int64_t)apr_time_sec(reg->now), reg->actor));
    ICP_TRY(icp_stmt_run(stmt));

    json_t *before =
        json_pack("{s:I, s:s, s:I}", "case", (json_int_t)site->suspension->id, "reason", site->suspension->reason,
                  "since", (json_int_t)apr_time_sec(site->suspension->opened_at));
    json_t *after =
        json_pack("{s:I, s:s, s:s, s:s, s:s?, s:s?, s:i, s:I}", "case", (json_int_t)site->suspension->id, "ground", ground,
                  "number", number, "verdict", icp_verdict_name(look->inspection->verdict), "url", look->url, "address",
                  look->address, "status", look->status, "seen_at", (json_int_t)apr_time_sec(look->at));
    icp_error_t *error = icp_audit_event(reg, "site.enable", site->name, before, after, note, pool);
    json_decref(before);
    json_decref(after);
    return error ? error : icp_site_message_enabled(reg, site, site->suspension, number, pool);
}

/* "missing", or "unreadable (no answer from 127.0.0.1)" */
static const char *verdict_text(const icp_look_t *look, apr_pool_t *pool)
{
    const icp_inspection_t *inspection = look->inspection;
    const char *name = icp_verdict_name(inspection->verdict);
    if (inspection->verdict != ICP_UNREADABLE) return name;
    return apr_psprintf(pool, "%s (%s)", name, look->fault ? look->fault : icp_unreadable_name(inspection->unreadable));
}

static int may_attest(icp_verdict_e verdict)
{
    return verdict == ICP_UNREADABLE || verdict == ICP_HIDDEN || verdict == ICP_MISSING;
}

icp_error_t *icp_suspension_close(icp_register_t *reg, const char *name, const icp_look_t *look, apr_pool_t *pool)
{
    icp_site_t *site;
    const icp_inspection_t *inspection = look->inspection;
    int expected = 0;

    ICP_TRY(may_close(&site, reg, name, look, pool));
    const char *wanted = expected_text(site, pool);
    if (inspection->verdict != ICP_DISPLAYED) {
        const char *attest =
            may_attest(inspection->verdict)
                ? apr_psprintf(pool,
                               "; if a person sees it on the page: icpadmin enable %s --attest NUMBER --note TEXT",
                               site->name)
                : "";
        return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "the owner puts %s on the home page%s", wanted, attest),
                         "the home page of %s is judged %s", site->name, verdict_text(look, pool));
    }
    const char *matched = inspection->matched ? inspection->matched : "no number of its own";
    if (inspection->matched) {
        ICP_TRY(is_expected(&expected, reg, site, icp_number_parse(inspection->matched, pool), 0));
    }
    if (!expected) {
        return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "the owner puts %s on the home page", wanted),
                         "the home page of %s shows %s, which is not of an active license of this site", site->name,
                         matched);
    }
    return close_open(reg, site, look, "inspection", inspection->matched, NULL, pool);
}

icp_error_t *icp_suspension_attest(icp_register_t *reg, const char *name, const icp_look_t *look, const char *number,
                                   const char *note, apr_pool_t *pool)
{
    icp_site_t *site;
    icp_number_t *parsed;
    int expected;

    ICP_TRY(may_close(&site, reg, name, look, pool));
    if (!may_attest(look->inspection->verdict)) {
        const char *remedy = look->inspection->verdict == ICP_DISPLAYED
                                 ? apr_psprintf(pool, "no attestation is needed: icpadmin enable %s", site->name)
                                 : apr_psprintf(pool, "the owner puts %s on the home page", expected_text(site, pool));
        return icp_error(pool, ICP_REFUSED, remedy, "the home page of %s is judged %s, which a person cannot overrule",
                         site->name, verdict_text(look, pool));
    }
    if (!*icp_text_trim(note, pool)) {
        return icp_error(pool, ICP_REFUSED, "say in --note where on the page the number was seen",
                         "an attestation needs a note");
    }
    if (!icp_text_plain(note)) {
        return icp_error(pool, ICP_USAGE, "say it without line breaks and control characters",
                         "the note of an attestation is one line");
    }
    ICP_TRY(icp_license_parse(&parsed, number, pool));
    if (parsed->service) {
        return icp_error(pool, ICP_REFUSED,
                         apr_psprintf(pool, "quote %s as the page shows it", expected_text(site, pool)),
                         "%s is an app's number, not a website's", parsed->text);
    }
    ICP_TRY(is_expected(&expected, reg, site, parsed, 1));
    if (!expected) {
        return icp_error(pool, ICP_REFUSED,
                         apr_psprintf(pool, "the number to be seen is %s", expected_text(site, pool)),
                         "%s is not of an active license of %s", parsed->text, site->name);
    }
    ICP_TRY(close_open(reg, site, look, "attested", parsed->text, note, pool));
    if (!icp_verdict_fails(look->inspection->verdict)) return NULL;
    apr_int64_t days; /* or the next look that sees the same would turn it off again */
    ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_ATTESTED_DAYS, pool));
    return icp_exemption_grant(reg, site->name, icp_verdict_name(look->inspection->verdict), days, note, pool);
}

icp_error_t *icp_suspension_history(apr_array_header_t **list, icp_register_t *reg, const char *name, apr_pool_t *pool)
{
    icp_site_t *site;
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    *list = apr_array_make(pool, 4, sizeof(icp_suspension_t));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SUSPENSION_HISTORY, "i", site->id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_suspension_t *suspension = apr_array_push(*list);
        *suspension = (icp_suspension_t){.id = icp_stmt_int(stmt, 0),
                                         .reason = icp_stmt_text(stmt, 1, pool),
                                         .opened_at = apr_time_from_sec(icp_stmt_int(stmt, 2)),
                                         .opened_by = icp_stmt_text(stmt, 3, pool),
                                         .closed_at = apr_time_from_sec(icp_stmt_int(stmt, 4)),
                                         .closed_by = icp_stmt_text(stmt, 5, pool)};
    }
}
