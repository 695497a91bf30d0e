/* Working days, by the list that is installed and by bad ones. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "log.h"
#include "workday.h"

#define INSTALLED "conf/holidays.tsv"

static apr_pool_t *pool;
static icp_calendar_t *calendar;
static int warnings;

static void ok(const icp_error_t *error)
{
    ck_assert_msg(!error, "%s", error ? error->message : "");
}

static void count_warning(icp_log_level_e level, const char *message, void *baton)
{
    warnings += level == ICP_LOG_WARNING;
}

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    warnings = 0;
    icp_log_install(count_warning, NULL);
    ok(icp_calendar_load(&calendar, INSTALLED, pool));
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static icp_day_t day(const char *text)
{
    icp_day_t result;
    ok(icp_day_parse(&result, text, pool));
    return result;
}

static void check_works(const char *text, int works)
{
    ck_assert_msg(icp_calendar_works(calendar, day(text)) == works, "%s", text);
}

static void check_add(const char *from, int count, const char *to, int estimated)
{
    int guess;
    const char *found = icp_day_text(icp_calendar_add(calendar, day(from), count, &guess), pool);
    ck_assert_msg(!strcmp(found, to), "%s and %d working days is %s, not %s", from, count, found, to);
    ck_assert_msg(guess == estimated, "%s and %d: estimate %d", from, count, guess);
}

static icp_calendar_t *load(const char *text, icp_error_t **error)
{
    char name[] = "/tmp/icp-holidays-XXXXXX";
    icp_calendar_t *result;
    int fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    *error = icp_calendar_load(&result, name, pool);
    unlink(name);
    return result;
}

static void refuses(const char *text, int line, const char *words)
{
    icp_error_t *error;
    load(text, &error);
    ck_assert_msg(error != NULL, "taken: %s", text);
    ck_assert_int_eq(error->status, ICP_USAGE);
    ck_assert_msg(strstr(error->message, apr_psprintf(pool, " line %d: ", line)) != NULL, "%s", error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "\"%s\" is not in: %s", words, error->message);
    ck_assert_ptr_nonnull(strstr(error->message, "/tmp/icp-holidays-"));
}

START_TEST(test_the_kinds_of_days)
{
    check_works("2026-11-24", 1); /* Tuesday */
    check_works("2026-11-28", 0); /* Saturday */
    check_works("2026-11-29", 0); /* Sunday */
    check_works("2026-02-13", 1); /* Friday before Spring Festival; the Saturday after it makes up */
    check_works("2026-02-14", 1);
    check_works("2026-02-15", 0);
    check_works("2026-02-23", 0);
    check_works("2026-02-24", 1);
    check_works("2026-02-28", 1);
    check_works("2026-09-20", 1);
    check_works("2026-10-01", 0);
    check_works("2026-10-07", 0);
    check_works("2026-10-08", 1);
    check_works("2025-10-08", 0); /* National Day and Mid-Autumn Festival in one */
    check_works("2024-06-10", 0); /* a Monday; the weekend before is not listed */
    check_works("2027-01-01", 1); /* not in the file */
}
END_TEST

START_TEST(test_days_off_add_up)
{
    static const struct {
        int year, off;
    } years[] = {{2024, 115}, {2025, 117}, {2026, 117}};
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        icp_day_t at = day(apr_psprintf(pool, "%d-01-01", years[i].year)),
                  end = day(apr_psprintf(pool, "%d-12-31", years[i].year));
        int off = 0;
        for (; at <= end; at++) off += !icp_calendar_works(calendar, at);
        ck_assert_msg(off == years[i].off, "%d has %d days off", years[i].year, off);
    }
}
END_TEST

START_TEST(test_adding)
{
    check_add("2026-11-24", 1, "2026-11-25", 0);
    check_add("2026-11-24", 20, "2026-12-22", 0);
    check_add("2026-11-27", 1, "2026-11-30", 0);
    check_add("2026-02-13", 1, "2026-02-14", 0); /* a Saturday that makes up */
    check_add("2026-02-14", 1, "2026-02-24", 0); /* nine days of Spring Festival */
    check_add("2026-02-10", 20, "2026-03-16", 0);
    check_add("2026-09-30", 1, "2026-10-08", 0);
    check_add("2025-12-31", 1, "2026-01-04", 0); /* a Sunday that makes up, over a year's end */
    check_add("2026-02-16", 0, "2026-02-24", 0); /* nothing to wait for, but no working day */
    check_add("2026-02-13", 0, "2026-02-13", 0);
    check_add("2026-12-20", 20, "2027-01-15", 1); /* over the end of what is known */
    check_add("2026-12-31", 1, "2027-01-01", 1);
    check_add("2023-12-29", 1, "2024-01-02", 1); /* and from before its beginning: 1 January 2024 is known */
}
END_TEST

START_TEST(test_between_is_the_inverse_of_adding)
{
    int guess;
    icp_day_t start = day("2024-01-02");
    for (int count = 1; count < 600; count += 7) {
        icp_day_t end = icp_calendar_add(calendar, start, count, NULL);
        ck_assert_int_eq(icp_calendar_between(calendar, start, end, NULL), count);
    }
    ck_assert_int_eq(icp_calendar_between(calendar, day("2026-02-14"), day("2026-02-24"), &guess), 1);
    ck_assert_int_eq(guess, 0);
    ck_assert_int_eq(icp_calendar_between(calendar, day("2026-02-24"), day("2026-02-13"), &guess), -2);
    ck_assert_int_eq(icp_calendar_between(calendar, day("2026-02-24"), day("2026-02-24"), &guess), 0);
    ck_assert_int_eq(icp_calendar_between(calendar, day("2026-12-30"), day("2027-01-04"), &guess), 3);
    ck_assert_int_eq(guess, 1);
}
END_TEST

static void check_holiday(const char *from, int within, const char *en, const char *first, const char *last)
{
    icp_holiday_t holiday;
    int found = icp_calendar_long_holiday(&holiday, calendar, day(from), within);
    ck_assert_msg(found == (en != NULL), "%s within %d", from, within);
    if (!found) return;
    ck_assert_str_eq(holiday.en, en);
    ck_assert_str_eq(icp_day_text(holiday.first, pool), first);
    ck_assert_str_eq(icp_day_text(holiday.last, pool), last);
}

START_TEST(test_long_holidays)
{
    icp_holiday_t holiday;
    check_holiday("2026-09-28", 10, "National Day", "2026-10-01", "2026-10-07");
    check_holiday("2026-10-07", 0, "National Day", "2026-10-01", "2026-10-07"); /* its last day */
    check_holiday("2026-10-08", 100, NULL, NULL, NULL);
    check_holiday("2026-02-05", 9, NULL, NULL, NULL);
    check_holiday("2026-02-05", 10, "Spring Festival", "2026-02-15", "2026-02-23");
    check_holiday("2024-06-01", 10, "Dragon Boat Festival", "2024-06-08",
                  "2024-06-10");                       /* a Monday and the weekend before it */
    check_holiday("2024-12-20", 20, NULL, NULL, NULL); /* 1 January 2025 is a Wednesday: one day off */
    check_holiday("2023-12-01", 40, "New Year's Day", "2023-12-30",
                  "2024-01-01"); /* begins in a year that is not listed */
    ck_assert_int_eq(icp_calendar_long_holiday(&holiday, calendar, day("2026-09-22"), 3), 1);
    ck_assert_str_eq(holiday.zh, "中秋节");
}
END_TEST

START_TEST(test_years)
{
    ck_assert_int_eq(icp_calendar_wants(calendar, day("2023-06-01")), 2023);
    ck_assert_int_eq(icp_calendar_wants(calendar, day("2024-06-01")), 0);
    ck_assert_int_eq(icp_calendar_wants(calendar, day("2026-06-01")), 0);
    ck_assert_int_eq(icp_calendar_wants(calendar, day("2027-06-01")), 2027);
    ck_assert_int_eq(icp_calendar_last_year(calendar), 2026);

    /* A New Year's holiday that begins in the old year does not make that year, nor the new one, complete. */
    icp_error_t *error;
    icp_calendar_t *part = load("2022-12-31..2023-01-02\t元旦\toff\n", &error);
    ok(error);
    ck_assert_int_eq(icp_calendar_wants(part, day("2022-06-01")), 2022);
    ck_assert_int_eq(icp_calendar_wants(part, day("2023-06-01")), 2023);
    ck_assert_int_eq(icp_calendar_last_year(part), 0);
    part = load("2025-10-02..2025-10-08\t国庆节\toff\n", &error); /* nor does an October without the National Day */
    ok(error);
    ck_assert_int_eq(icp_calendar_last_year(part), 0);
}
END_TEST

START_TEST(test_beijing_whatever_the_server_s_zone)
{
    static const char *const zones[] = {"UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Shanghai"};
    apr_time_t midnight = apr_time_from_sec(1790956800); /* 2026-10-02 16:00:00 UTC */
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        ck_assert_str_eq(icp_day_text(icp_day_of(midnight), pool), "2026-10-03");
        ck_assert_str_eq(icp_day_text(icp_day_of(midnight - 1), pool), "2026-10-02");
        ck_assert_int_eq(icp_day_begin(day("2026-10-03")), midnight);
        ck_assert_str_eq(icp_day_text(icp_day_of(apr_time_from_sec(1798732800)), pool), "2027-01-01"); /* 2026-12-31 16:00 UTC */
    }
    ck_assert_int_eq(icp_day_of(-apr_time_from_sec(8 * 3600) - 1), -1);
    ck_assert_int_eq(icp_day_of(0), 0);
}
END_TEST

START_TEST(test_what_is_no_day)
{
    static const char *const texts[] = {
        "",           "2026-02-29", "2026-13-01", "2026-00-10",  "2026-1-1",   "2026-01-32", "1999-12-31",
        "2200-01-01", "26-01-01",   "2026/01/01", "2026-01-01 ", "2026--1-01", "----------", "99999999999"};
    icp_day_t result;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        icp_error_t *error = icp_day_parse(&result, texts[i], pool);
        ck_assert_msg(error && error->status == ICP_USAGE && error->remedy, "'%s'", texts[i]);
    }
    ck_assert_str_eq(icp_day_text(day("2024-02-29"), pool), "2024-02-29");
}
END_TEST

START_TEST(test_months)
{
    static const char *const pairs[][2] = {{"2024-02", "2024-03-01"}, {"2026-01", "2026-02-01"}, {"2026-04", "2026-05-01"}, {"2026-12", "2027-01-01"}};
    static const char *const bad[] = {"", "2026", "2026-13", "2026-00", "2026-1", "2026-1x", "x", "2026-01-01", "1999-12"};
    icp_day_t first, next;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        ok(icp_month_parse(&first, &next, pairs[i][0], pool));
        ck_assert_str_eq(icp_day_text(first, pool), apr_pstrcat(pool, pairs[i][0], "-01", NULL));
        ck_assert_str_eq(icp_day_text(next, pool), pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        icp_error_t *error = icp_month_parse(&first, &next, bad[i], pool);
        ck_assert_msg(error && error->status == ICP_USAGE && error->remedy, "'%s'", bad[i]);
    }
}
END_TEST

START_TEST(test_bad_lists_name_the_line)
{
    refuses("# fine\n\n2026-10-01\t国庆节\n", 3, "three or four fields");
    refuses("2026-10-01\t国庆节\toff\tNational Day\tmore\n", 1, "three or four fields");
    refuses("2026-10-01 国庆节 off\n", 1, "three or four fields");
    refuses("2026-02-30\t春节\toff\n", 1, "'2026-02-30' is no day");
    refuses("2026-10-01..2026-10-32\t国庆节\toff\n", 1, "'2026-10-32' is no day");
    refuses("2026-10-07..2026-10-01\t国庆节\toff\n", 1, "before the first");
    refuses("2026-10-01..2027-10-07\t国庆节\toff\n", 1, "more than a month");
    refuses("2026-10-01\t国庆节\tfree\n", 1, "off or work");
    refuses("2026-10-01\t \toff\n", 1, "no name");
    refuses("2026-10-01\t\xFF\toff\n", 1, "not UTF-8");
    refuses("2026-10-01\t国\x1B[31m\toff\n", 1, "not UTF-8");
    refuses("2026-10-09\t国庆节\twork\n", 1, "2026-10-09 is no Saturday or Sunday");
    refuses("2026-10-01..2026-10-07\t国庆节\toff\n2026-10-10\t国庆节\twork\n2026-10-03\t中秋节\toff\n", 3,
            "2026-10-03 stands in line 1 already");
}
END_TEST

START_TEST(test_editors_of_all_kinds)
{
    icp_error_t *error;
    icp_calendar_t *list =
        load("\xEF\xBB\xBF# by an editor that begins with a mark\r\n2027-10-01\t国庆节\toff\r\n2027-10-02\t国庆节\toff",
             &error);
    ok(error);
    ck_assert(!icp_calendar_works(list, day("2027-10-01")));
    ck_assert_int_eq(icp_calendar_wants(list, day("2027-06-01")), 0);
    icp_holiday_t holiday;
    ck_assert_int_eq(icp_calendar_long_holiday(&holiday, list, day("2027-10-01"), 0), 1); /* Friday, and the weekend */
    ck_assert_str_eq(holiday.en, "国庆节"); /* no English name: the Chinese one */
    load("", &error);
    ok(error);
}
END_TEST

START_TEST(test_no_list)
{
    ok(icp_calendar_load(&calendar, "/nonexistent/holidays.tsv", pool));
    ok(icp_calendar_load(&calendar, "/nonexistent/holidays.tsv", pool));
    ck_assert_int_eq(warnings, 1);
    check_works("2026-10-01", 1);
    check_works("2026-10-03", 0);
    check_add("2026-09-30", 1, "2026-10-01", 1);
    check_holiday("2026-09-28", 30, NULL, NULL, NULL);
    icp_error_t *error = icp_calendar_load(&calendar, "/tmp", pool);
    ck_assert_ptr_nonnull(error); /* a folder */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_the_kinds_of_days,
                                  test_days_off_add_up,
                                  test_adding,
                                  test_between_is_the_inverse_of_adding,
                                  test_long_holidays,
                                  test_years,
                                  test_beijing_whatever_the_server_s_zone,
                                  test_what_is_no_day, test_months,
                                  test_bad_lists_name_the_line,
                                  test_editors_of_all_kinds,
                                  test_no_list};
    apr_initialize();
    Suite *suite = suite_create("workday");
    TCase *tcase = tcase_create("workday");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
