/* Suspensions end on the ground of the live page or of a person's word, and on no other; what looks at pages found is
 * kept. */
#include "exemption.h"
#include "policy.h"
#include "reason.h"
#include "records_fixture.h"

static icp_error_t *enable(const char *site, icp_look_t *seen)
{
    return change(step_close, (step_t){.a = site, .data = seen});
}

static icp_error_t *attest(const char *site, icp_verdict_e verdict, const char *number, const char *note)
{
    return change(step_attest, (step_t){.a = site, .b = number, .c = note, .data = look(site, verdict, NULL)});
}

static void suspended_site(void)
{
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("沪ICP备05012346号", "甲", NULL));
    ok(add_site("a.cn", NULL, "沪ICP备05012345号-3", 0));
    ok(suspend("a.cn", "missing"));
}

START_TEST(test_open)
{
    icp_site_t *site;
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_site("a.cn", "*.b.cn", "沪ICP备05012345号-3", 0));
    fails(suspend("a.cn", "ugly"), ICP_USAGE, "ugly");
    fails(suspend("x.cn", "order"), ICP_NOT_FOUND, "x.cn");
    ok(change(step_suspend, (step_t){.a = "*.B.cn", .b = "order", .c = "letter 12/2026"}));
    site = get_site("a.cn");
    ck_assert_str_eq(site->suspension->reason, "order");
    ck_assert_str_eq(site->suspension->opened_by, "tester");
    ck_assert_int_gt(site->suspension->opened_at, apr_time_now() - apr_time_from_sec(60));
    ck_assert(has_event("site.suspend a.cn null {\"case\":1,\"reason\":\"order\"} letter 12/2026"));
    fails(suspend("a.cn", "missing"), ICP_REFUSED, "order");
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        const char *name = apr_psprintf(pool, "r%d.cn", i);
        ok(add_site(name, NULL, "沪ICP备05012345号", 0));
        ok(suspend(name, icp_reason_names[i]));
    }
}
END_TEST

START_TEST(test_displayed_enables)
{
    apr_array_header_t *history;
    suspended_site();
    ok(enable("A.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3")));
    ck_assert_ptr_null(get_site("a.cn")->suspension);
    ck_assert(has_event("\"ground\":\"inspection\",\"number\":\"沪ICP备05012345号-3\""));
    fails(enable("a.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3")), ICP_REFUSED, "not suspended");
    ok(suspend("a.cn", "order"));
    ok(icp_suspension_history(&history, reg, "a.cn", pool));
    ck_assert_int_eq(history->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(history, 0, icp_suspension_t).closed_by, "tester");
    ck_assert_int_eq(APR_ARRAY_IDX(history, 1, icp_suspension_t).closed_at, 0);
}
END_TEST

START_TEST(test_license_number_is_enough)
{
    suspended_site();
    ok(enable("a.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号")));
}
END_TEST

START_TEST(test_nothing_else_enables)
{
    suspended_site();
    ok(add_site("b.cn", NULL, "沪ICP备05012345号-4", 0));
    for (icp_verdict_e verdict = ICP_MISSING; verdict < ICP_VERDICT_COUNT; verdict++) {
        fails(enable("a.cn", look("a.cn", verdict, NULL)), ICP_REFUSED, icp_verdict_name(verdict));
        fails(enable("a.cn", look("a.cn", verdict, "沪ICP备05012345号-3")), ICP_REFUSED, icp_verdict_name(verdict));
    }
    fails(enable("a.cn", look("a.cn", ICP_DISPLAYED, NULL)), ICP_REFUSED, "no number of its own");
    fails(enable("a.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012346号-3")), ICP_REFUSED, "沪ICP备05012346号-3");
    fails(enable("a.cn", look("b.cn", ICP_DISPLAYED, "沪ICP备05012345号-3")), ICP_REFUSED, "inspection");
    icp_look_t *old = look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3");
    old->case_id = 0;
    fails(enable("a.cn", old), ICP_REFUSED, "since its suspension");
    ck_assert_str_eq(suspended_for("a.cn"), "missing");
    ck_assert(!has_event("site.enable"));
}
END_TEST

/* A look belongs to the suspension that it was made under: not to the next one of the same second, and to it also where the clock was
 * put back in between. */
START_TEST(test_a_look_of_this_suspension)
{
    suspended_site();
    icp_look_t *first = look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3");
    ok(enable("a.cn", first));
    ok(suspend("a.cn", "order"));
    fails(enable("a.cn", first), ICP_REFUSED, "since its suspension");
    icp_look_t *second = look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3");
    second->at -= apr_time_from_sec(86400);
    ok(enable("a.cn", second));
    ck_assert(has_event("\"address\":\"127.0.0.1:80\""));
}
END_TEST

/* The license may have ended between the look and the change. */
START_TEST(test_license_at_this_moment)
{
    suspended_site();
    icp_look_t *seen = look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3");
    ok(change(step_license_end, (step_t){.a = "沪ICP备05012345号", .b = "cancelled"}));
    icp_error_t *error = enable("a.cn", seen);
    fails(error, ICP_REFUSED, "no active license");
    ck_assert_ptr_nonnull(strstr(error->remedy, "icpadmin license add"));
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-3", "footer"), ICP_REFUSED, "no active license");

    icp_site_edit_t edit = {.name = "a.cn", .add_numbers = list("沪ICP备05012346号"), .serve_unlicensed = -1};
    ok(change(step_site_edit, (step_t){.data = &edit}));
    fails(enable("a.cn", seen), ICP_REFUSED, "沪ICP备05012345号-3");
    ok(enable("a.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012346号")));
}
END_TEST

START_TEST(test_no_license_at_all)
{
    ok(add_site("a.cn", NULL, NULL, 0));
    fails(enable("a.cn", look("a.cn", ICP_DISPLAYED, NULL)), ICP_REFUSED, "no active license");
    fails(attest("a.cn", ICP_MISSING, "沪ICP备05012345号", "seen"), ICP_REFUSED, "no active license");
}
END_TEST

START_TEST(test_attest)
{
    static const icp_verdict_e may[] = {ICP_UNREADABLE, ICP_HIDDEN, ICP_MISSING},
                               may_not[] = {ICP_DISPLAYED, ICP_INCORRECT, ICP_INVALID};
    suspended_site();
    for (int i = 0; i < 3; i++)
        fails(attest("a.cn", may_not[i], "沪ICP备05012345号-3", "footer"), ICP_REFUSED, icp_verdict_name(may_not[i]));
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-3", NULL), ICP_REFUSED, "note");
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-3", " \xE3\x80\x80\n"), ICP_REFUSED, "note");
    for (int i = 0; i < 3; i++) fails(attest("a.cn", may[i], "沪ICP备05012345号-3", "a\nb"), ICP_USAGE, "one line");
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012346号", "footer"), ICP_REFUSED, "沪ICP备05012346号");
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-4", "footer"), ICP_REFUSED, "-4");
    fails(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-3A", "footer"), ICP_REFUSED, "app");
    fails(attest("a.cn", ICP_HIDDEN, "nonsense", "footer"), ICP_USAGE, "nonsense");
    for (int i = 0; i < 3; i++) {
        ok(attest("a.cn", may[i], "沪icp备05012345-3", "an image at the bottom"));
        ck_assert_str_eq(suspended_for("a.cn"), "");
        ok(suspend("a.cn", "missing"));
    }
    ck_assert(has_event("\"ground\":\"attested\",\"number\":\"沪ICP备05012345号-3\""));
    ck_assert(has_event("an image at the bottom"));
    ok(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号", "footer"));
}
END_TEST

static icp_error_t *step_policy(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_policy_set(r, ICP_POLICY_ATTESTED_DAYS, ((step_t *)baton)->a, p);
}

static int exempted_days(void)
{
    apr_array_header_t *exemptions;
    ok(icp_exemption_list(&exemptions, reg, "a.cn", 0, pool));
    if (!exemptions->nelts) return 0;
    const icp_exemption_t *exemption = &APR_ARRAY_IDX(exemptions, exemptions->nelts - 1, icp_exemption_t);
    return (int)(apr_time_sec(exemption->until - exemption->from) / 86400);
}

/* Only of a verdict that suspends, and as long as the policy says. */
START_TEST(test_what_an_attestation_exempts)
{
    suspended_site();
    ok(change(step_policy, (step_t){.a = "0"}));
    ok(attest("a.cn", ICP_MISSING, "沪ICP备05012345号-3", "footer"));
    ck_assert_int_eq(exempted_days(), 0);
    ok(suspend("a.cn", "missing"));
    ok(change(step_policy, (step_t){.a = NULL}));
    ok(attest("a.cn", ICP_HIDDEN, "沪ICP备05012345号-3", "footer"));
    ck_assert_int_eq(exempted_days(), 0);
    ok(suspend("a.cn", "missing"));
    ok(attest("a.cn", ICP_MISSING, "沪ICP备05012345号-3", "footer"));
    ck_assert_int_eq(exempted_days(), 90);
}
END_TEST

static icp_error_t *step_record(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    return icp_inspection_record(r, step->data, (icp_recorded_e *)step->a, p);
}

static int record(icp_look_t *seen)
{
    icp_recorded_e changed = ICP_RECORDED_OVERTAKEN;
    ok(change(step_record, (step_t){.a = (const char *)&changed, .data = seen}));
    return changed;
}

START_TEST(test_runs_of_one_verdict)
{
    icp_run_t *run;
    suspended_site();
    apr_int64_t id = get_site("a.cn")->id;
    ok(icp_inspection_newest(&run, reg, id, pool));
    ck_assert_ptr_null(run);
    ck_assert_int_eq(record(look("a.cn", ICP_MISSING, NULL)), 1);
    ck_assert_int_eq(record(look("a.cn", ICP_MISSING, NULL)), 0);
    ok(icp_inspection_newest(&run, reg, id, pool));
    ck_assert_str_eq(run->verdict, "missing");
    ck_assert_int_eq(run->looks, 2);
    ck_assert_int_eq(record(look("a.cn", ICP_UNREADABLE, NULL)), 1);
    ok(icp_inspection_newest(&run, reg, id, pool));
    ck_assert_str_eq(run->reason, "script");
    ck_assert_int_eq(run->looks, 1);
    ck_assert_ptr_nonnull(strstr(run->detail, "\"verdict\":\"unreadable\""));
    ck_assert_str_eq(get_site("a.cn")->verdict, "unreadable");
    ck_assert(has_event("site.verdict a.cn null {"));
    ck_assert(has_event("site.verdict a.cn {\"verdict\":\"missing\"} {"));
    ck_assert_str_eq(suspended_for("a.cn"), "missing"); /* a look by itself neither suspends nor enables */
}
END_TEST

START_TEST(test_dry_run)
{
    suspended_site();
    reg->dry_run = 1;
    ok(enable("a.cn", look("a.cn", ICP_DISPLAYED, "沪ICP备05012345号-3")));
    ck_assert_str_eq(suspended_for("a.cn"), "missing");
    ck_assert(!has_event("site.enable"));
}
END_TEST

int main(void)
{
    return run_tests("suspension",
                     (const TTest *const[]){test_open, test_displayed_enables, test_license_number_is_enough,
                                            test_nothing_else_enables, test_a_look_of_this_suspension,
                                            test_license_at_this_moment, test_no_license_at_all, test_attest,
                                            test_what_an_attestation_exempts, test_runs_of_one_verdict, test_dry_run,
                                            NULL},
                     1);
}
