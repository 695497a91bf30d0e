/* Terms of applications, counted from Monday 2 March 2026 by a calendar that knows weekends only. */
#include <stdlib.h>

#include <apr_general.h>
#include <check.h>

#include "term.h"

static apr_pool_t *pool;
static icp_terms_t terms = {.review_days = 2, .filing_days = 3, .bureau_days = 20, .bureau_days_zhejiang = 30, .correct_days = 45, .sms_hours = 24};

static icp_day_t day(const char *text)
{
    icp_day_t result;
    ck_assert_ptr_null(icp_day_parse(&result, text, pool));
    return result;
}

/* Due to the last moment of `last`, in Beijing. */
static void check_due(icp_app_state_e state, const char *province, const char *last)
{
    icp_application_t application = {.state = state, .province = province, .due_from = icp_day_begin(day("2026-03-02")) + 1};
    application.state_at = application.due_from;
    icp_due_t due = icp_term_due(&terms, &application, application.due_from);
    ck_assert_str_eq(icp_day_text(icp_day_of(due.at), pool), last);
    ck_assert_int_eq(due.at, icp_day_begin(day(last) + 1) - 1);
    ck_assert(!icp_term_due(&terms, &application, due.at).overdue);
    ck_assert(icp_term_due(&terms, &application, due.at + 1).overdue);
}

START_TEST(test_days)
{
    check_due(ICP_APP_IS_RECEIVED, "沪", "2026-03-04");
    check_due(ICP_APP_IS_FILED, "沪", "2026-03-05");
    check_due(ICP_APP_IS_BUREAU_REVIEW, "沪", "2026-03-30");
    check_due(ICP_APP_IS_BUREAU_REVIEW, "浙", "2026-04-13");
    check_due(ICP_APP_IS_FILED, "浙", "2026-03-05");
    check_due(ICP_APP_IS_REJECTED, "浙", "2026-04-16"); /* days of the calendar */
}
END_TEST

START_TEST(test_hours_and_nothing)
{
    icp_application_t application = {.state = ICP_APP_IS_SMS_PENDING, .province = "浙", .due_from = icp_day_begin(day("2026-03-02"))};
    ck_assert_int_eq(icp_term_due(&terms, &application, application.due_from).at, icp_day_begin(day("2026-03-03")));
    application.state = ICP_APP_IS_APPROVED;
    icp_due_t due = icp_term_due(&terms, &application, icp_day_begin(day("2030-01-01")));
    ck_assert(!due.at && !due.overdue && !due.waiting);
    ck_assert_str_eq(icp_term_text(&application, &due, pool), "");
}
END_TEST

int main(void)
{
    icp_calendar_t *calendar;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (icp_calendar_load(&calendar, "no such list", pool)) return EXIT_FAILURE;
    terms.calendar = calendar;
    Suite *suite = suite_create("term");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, test_days);
    tcase_add_test(cases, test_hours_and_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
