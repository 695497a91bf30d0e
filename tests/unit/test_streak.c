/* What counts as a failing look, when a streak of them suspends, and when the holder is told. */
#include "exemption.h"
#include "records_fixture.h"
#include "streak.h"

#define DAY 86400
#define NUMBER "沪ICP备05012345号"

static icp_measure_t measure;
static apr_int64_t start;

static icp_look_t *look_at(apr_int64_t at, icp_verdict_e verdict, const char *shown)
{
    icp_look_t *made = look("a.cn", verdict, shown);
    made->at = apr_time_from_sec(at);
    return made;
}

static icp_error_t *step_look(icp_register_t *r, void *baton, apr_pool_t *p)
{
    const step_t *step = baton;
    ICP_TRY(icp_streak_look((icp_ruling_t *)step->a, r, step->data, &measure, p));
    return step->flag ? icp_error(p, ICP_REFUSED, "none", "taken back") : NULL;
}

static icp_ruling_t take(icp_look_t *seen)
{
    icp_ruling_t ruling;
    ok(change(step_look, (step_t){.a = (const char *)&ruling, .data = seen}));
    return ruling;
}

static icp_ruling_t missing(apr_int64_t after)
{
    return take(look_at(start + after, ICP_MISSING, NULL));
}

static void licensed_site(void)
{
    measure = (icp_measure_t){.checks = 2, .hours = 24, .warn = 1};
    start = apr_time_sec(apr_time_now());
    ok(add_license(NUMBER, "甲", NULL));
    ok(add_site("a.cn", NULL, NUMBER "-3", 0));
}

START_TEST(test_both_bounds_to_the_second)
{
    licensed_site();
    icp_ruling_t ruling = missing(0);
    ck_assert_int_eq(ruling.kind, ICP_RULING_WAIT);
    ck_assert_int_eq(ruling.looks, 1);
    ck_assert_int_eq(apr_time_sec(ruling.until), start + DAY);
    ck_assert_int_eq(missing(DAY - 1).kind, ICP_RULING_WAIT);
    ruling = missing(DAY);
    ck_assert_int_eq(ruling.kind, ICP_RULING_SUSPEND);
    ck_assert_int_eq(ruling.looks, 3);
    ok(icp_streak_ruling(&ruling, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(ruling.kind, ICP_RULING_SUSPEND);
    fails(icp_streak_ruling(&ruling, reg, "x.cn", &measure, pool), ICP_NOT_FOUND, "x.cn");
}
END_TEST

START_TEST(test_hours_alone_are_not_enough)
{
    licensed_site();
    measure.checks = 3;
    missing(0);
    ck_assert_int_eq(missing(30 * DAY).kind, ICP_RULING_WAIT);
    ck_assert_int_eq(missing(30 * DAY).kind, ICP_RULING_SUSPEND);
}
END_TEST

START_TEST(test_the_first_look_suspends_and_warns_nobody)
{
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    icp_ruling_t ruling = missing(0);
    ck_assert_int_eq(ruling.kind, ICP_RULING_SUSPEND);
    ck_assert(!ruling.warned);
}
END_TEST

START_TEST(test_what_ends_a_streak_and_what_does_not)
{
    static const icp_verdict_e ends[] = {ICP_DISPLAYED, ICP_HIDDEN, ICP_UNREADABLE};
    licensed_site();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(missing(100 * i).looks, 1);
        icp_ruling_t ruling = take(look_at(start + 100 * i + 1, ends[i], NULL));
        ck_assert_int_eq(ruling.kind, ends[i] == ICP_DISPLAYED ? ICP_RULING_NONE : ICP_RULING_PERSON);
    }
    ck_assert_int_eq(missing(400).looks, 1);
    icp_look_t *none = look_at(start + 401, ICP_UNREADABLE, NULL);
    ((icp_inspection_t *)none->inspection)->unreadable = ICP_UNREADABLE_UNREACHED;
    ck_assert_int_eq(take(none).kind, ICP_RULING_UNREACHED);
    ck_assert_int_eq(missing(402).looks, 2);
    ck_assert_int_eq(take(look_at(start + 403, ICP_INCORRECT, NULL)).looks, 3);
    ck_assert_int_eq(take(look_at(start + 404, ICP_INVALID, NULL)).looks, 4);
}
END_TEST

START_TEST(test_suspended_looks_do_not_count_and_enabling_begins_anew)
{
    licensed_site();
    missing(0);
    ok(suspend("a.cn", "missing"));
    ck_assert_int_eq(missing(1).kind, ICP_RULING_SUSPENDED);
    ok(change(step_close, (step_t){.a = "a.cn", .data = look_at(start + 60, ICP_DISPLAYED, NUMBER "-3")}));
    icp_ruling_t ruling = missing(61);
    ck_assert_int_eq(ruling.looks, 1);
    ck_assert(ruling.warned);
}
END_TEST

static icp_error_t *step_exempt(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_exemption_grant(r, "a.cn", "missing", 1, "staff's leave", p);
}

START_TEST(test_exempt_and_unlicensed_looks_do_not_count)
{
    licensed_site();
    ok(change(step_exempt, (step_t){.flag = 0}));
    ck_assert_int_eq(missing(60).kind, ICP_RULING_EXEMPT);
    ck_assert_int_eq(missing(120).kind, ICP_RULING_EXEMPT);
    ck_assert_int_eq(missing(2 * DAY).looks, 1);
    ok(add_site("u.cn", NULL, NULL, 1));
    ck_assert_int_eq(take(look("u.cn", ICP_MISSING, NULL)).kind, ICP_RULING_UNLICENSED);
}
END_TEST

START_TEST(test_warned_once_also_when_taken_back_before)
{
    icp_ruling_t ruling;
    licensed_site();
    fails(change(step_look, (step_t){.a = (const char *)&ruling, .data = look_at(start, ICP_MISSING, NULL), .flag = 1}),
          ICP_REFUSED, "taken back");
    reg->dry_run = 1;
    ck_assert(missing(1).warned);
    reg->dry_run = 0;
    ruling = missing(2);
    ck_assert(ruling.warned);
    ck_assert_int_eq(ruling.looks, 1);
    ck_assert(!missing(3).warned);
    take(look_at(start + 4, ICP_DISPLAYED, NUMBER));
    measure.warn = 0;
    ck_assert(!missing(5).warned);
}
END_TEST

/* The clock was ahead at the first look and has been set since: what is ruled is what is on file. */
START_TEST(test_a_clock_that_goes_back)
{
    icp_ruling_t on_file;
    licensed_site();
    missing(3600);
    icp_ruling_t ruling = missing(0);
    ok(icp_streak_ruling(&on_file, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(apr_time_sec(on_file.since), start);
    ck_assert_int_eq(apr_time_sec(ruling.since), start);
    ck_assert_int_eq(missing(DAY).kind, ICP_RULING_SUSPEND);
}
END_TEST

START_TEST(test_a_number_that_became_its_own)
{
    icp_ruling_t ruling;
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    ok(add_license("沪ICP备05012346号", "甲", NULL));
    ck_assert_int_eq(take(look_at(start, ICP_INCORRECT, "沪ICP备05012346号-1")).kind, ICP_RULING_SUSPEND);
    icp_site_edit_t edit = {.name = "a.cn", .add_numbers = list("沪ICP备05012346号"), .serve_unlicensed = -1};
    ok(change(step_site_edit, (step_t){.data = &edit}));
    ok(icp_streak_ruling(&ruling, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(ruling.kind, ICP_RULING_OUTDATED);
}
END_TEST

/* Staff acted, or somebody looked again, while this page was on its way into the register. */
START_TEST(test_a_look_that_was_overtaken)
{
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    icp_look_t *before = look("a.cn", ICP_MISSING, NULL);
    ok(suspend("a.cn", "order"));
    ok(change(step_close, (step_t){.a = "a.cn", .data = look("a.cn", ICP_DISPLAYED, NUMBER "-3")}));
    before->at = apr_time_now(); /* of the same second, also by the clock */
    ck_assert_int_eq(take(before).kind, ICP_RULING_OVERTAKEN);
    ck_assert_int_eq(missing(0).kind, ICP_RULING_SUSPEND);

}
END_TEST

START_TEST(test_a_look_older_than_the_newest)
{
    icp_ruling_t ruling;
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    take(look_at(start - 50, ICP_DISPLAYED, NUMBER));
    ck_assert_int_eq(missing(-60).kind, ICP_RULING_OVERTAKEN);
    ck_assert_str_eq(get_site("a.cn")->verdict, "displayed");
    ck_assert_int_eq(missing(-50).kind, ICP_RULING_SUSPEND);
    take(look_at(start - 60, ICP_DISPLAYED, NUMBER));
    ok(icp_streak_ruling(&ruling, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(ruling.looks, 1);
}
END_TEST

START_TEST(test_a_look_at_a_site_that_was_added_anew)
{
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    icp_look_t *before = look("a.cn", ICP_MISSING, NULL);
    ok(change(step_site_remove, (step_t){.a = "a.cn"}));
    ok(add_site("a.cn", NULL, NUMBER "-3", 0));
    ck_assert_int_eq(take(before).kind, ICP_RULING_OVERTAKEN);
    ck_assert_str_eq(get_site("a.cn")->verdict, "");
}
END_TEST

START_TEST(test_exempt_since_the_look)
{
    icp_ruling_t ruling;
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    ck_assert_int_eq(missing(-60).kind, ICP_RULING_SUSPEND);
    ok(change(step_exempt, (step_t){.flag = 0}));
    ok(icp_streak_ruling(&ruling, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(ruling.kind, ICP_RULING_EXEMPT);
}
END_TEST

START_TEST(test_the_ruling_is_on_the_newest_look)
{
    icp_ruling_t ruling;
    licensed_site();
    measure.checks = 1;
    measure.hours = 0;
    missing(-60);
    take(look_at(start - 30, ICP_INCORRECT, "沪ICP备05012399号-1"));
    ok(icp_streak_ruling(&ruling, reg, "a.cn", &measure, pool));
    ck_assert_int_eq(ruling.verdict, ICP_INCORRECT);
    ck_assert_int_eq(apr_time_sec(ruling.at), start - 30);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_both_bounds_to_the_second,
                                  test_hours_alone_are_not_enough,
                                  test_the_first_look_suspends_and_warns_nobody,
                                  test_what_ends_a_streak_and_what_does_not,
                                  test_suspended_looks_do_not_count_and_enabling_begins_anew,
                                  test_exempt_and_unlicensed_looks_do_not_count,
                                  test_warned_once_also_when_taken_back_before,
                                  test_a_clock_that_goes_back,
                                  test_a_number_that_became_its_own,
                                  test_a_look_that_was_overtaken,
                                  test_a_look_older_than_the_newest,
                                  test_a_look_at_a_site_that_was_added_anew,
                                  test_exempt_since_the_look,
                                  test_the_ruling_is_on_the_newest_look,
                                  NULL};
    return run_tests("streak", tests, 1);
}
