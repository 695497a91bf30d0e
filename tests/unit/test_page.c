/* The page reader: where mentions stand, that no split of the bytes matters, and limits. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_fnmatch.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "verdict.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const icp_page_report_t *read_in(const char *bytes, apr_size_t length, apr_size_t step, apr_size_t limit, int complete)
{
    icp_page_t *page = icp_page_create("text/html", limit, pool);
    for (apr_size_t at = 0; at < length; at += step) icp_page_feed(page, bytes + at, length - at < step ? length - at : step);
    return icp_page_finish(page, complete);
}

static const icp_page_report_t *read_text(const char *text)
{
    return read_in(text, strlen(text), strlen(text) + 1, 0, 1);
}

static const icp_mention_t *mention(const icp_page_report_t *report, int i)
{
    ck_assert_int_lt(i, report->mentions->nelts);
    return &APR_ARRAY_IDX(report->mentions, i, icp_mention_t);
}

/* Everything that the report says, in one text. */
static const char *told(const icp_page_report_t *report)
{
    const char *all = apr_psprintf(pool, "%s %d %d %s %" APR_SIZE_T_FMT " %" APR_SIZE_T_FMT, report->charset, report->unreadable, report->cut,
                                   report->detail ? report->detail : "", report->bytes, report->text_bytes);
    for (int i = 0; i < report->mentions->nelts; i++) {
        const icp_mention_t *m = mention(report, i);
        all = apr_psprintf(pool, "%s\n%s %d %d %s %s %s %d", all, m->number.text, m->where, m->line, m->element ? m->element : "",
                           m->context, m->link ? m->link : "", m->in_footer);
    }
    return all;
}

START_TEST(a_mention_says_where_it_stands)
{
    const icp_page_report_t *report = read_text("<title>沪ICP备05012345号</title>\n<!-- 粤ICP备11018762号-2\n-->\n<p>文字\n"
                                                "<a href='https://beian.miit.gov.cn/?a&amp;b'>沪ICP备05012345号-1</a> 后面</p>"
                                                "<img alt=京ICP备11018762号><div style='display: none'>京ICP证030173号</div>");
    ck_assert_int_eq(report->mentions->nelts, 5);
    ck_assert_int_eq(mention(report, 0)->where, ICP_WHERE_TITLE);
    ck_assert_int_eq(mention(report, 1)->where, ICP_WHERE_COMMENT);
    ck_assert_int_eq(mention(report, 1)->line, 2);
    const icp_mention_t *shown = mention(report, 2);
    ck_assert_int_eq(shown->where, ICP_WHERE_DISPLAYED);
    ck_assert_int_eq(shown->line, 5);
    ck_assert_str_eq(shown->link, "https://beian.miit.gov.cn/?a&b");
    ck_assert_str_eq(shown->context, "文字 沪ICP备05012345号-1 后面");
    ck_assert_ptr_null(shown->element);
    ck_assert_int_eq(mention(report, 3)->where, ICP_WHERE_ATTRIBUTE);
    ck_assert_str_eq(mention(report, 3)->element, "img alt");
    ck_assert_int_eq(mention(report, 4)->where, ICP_WHERE_HIDDEN);
    ck_assert_str_eq(mention(report, 4)->element, "div style=display:none");
}
END_TEST

START_TEST(a_copy_of_the_report_outlives_the_page)
{
    static const char text[] = "<title>沪ICP备05012345号</title><a href='https://beian.miit.gov.cn/'>沪ICP备05012345号-1</a> 后面"
                               "<div style='display: none'>京ICP证030173号</div>ICP备案中<iframe src=other></iframe>";
    apr_pool_t *scratch;
    apr_pool_create(&scratch, pool);
    icp_page_t *page = icp_page_create("text/html", 0, scratch);
    icp_page_feed(page, text, strlen(text));
    const icp_page_report_t *report = icp_page_finish(page, 1), *copy = icp_page_report_copy(report, pool);
    const char *before = told(report);
    ck_assert_int_eq(report->mentions->nelts, 4);
    apr_pool_clear(scratch);
    memset(apr_palloc(scratch, 65536), 'x', 65536); /* what is not copied is gone */
    ck_assert_str_eq(told(copy), before);
    ck_assert_str_eq(mention(copy, 1)->number.license, "沪ICP备05012345号");
    ck_assert_str_eq(mention(copy, 1)->number.province, "沪");
}
END_TEST

START_TEST(a_footer_is_known_by_name_and_by_place)
{
    char *filler = apr_pcalloc(pool, 60001);
    memset(filler, 'x', 60000);
    const char *number = "<p>沪ICP备05012345号</p>";
    ck_assert_int_eq(mention(read_text(apr_pstrcat(pool, number, "<p>", filler, NULL)), 0)->in_footer, 0);
    ck_assert_int_eq(mention(read_text(apr_pstrcat(pool, "<p>", filler, number, NULL)), 0)->in_footer, 1);
    ck_assert_int_eq(mention(read_text(apr_pstrcat(pool, "<div class='Site-Footer'>", number, "</div><p>", filler, NULL)), 0)->in_footer, 1);
}
END_TEST

/* Every file of the corpus, cut in many ways. */
START_TEST(no_split_matters)
{
    static const apr_size_t steps[] = {1, 2, 3, 7, 61, 1023, 4095, 4096, 4097, 16384};
    apr_pool_t *list;
    apr_array_header_t *names;
    apr_pool_create(&list, NULL);
    ck_assert_int_eq(apr_match_glob("tests/corpus/pages/*.html", &names, list), APR_SUCCESS);
    ck_assert_int_gt(names->nelts, 100);
    for (int n = 0; n < names->nelts; n++) {
        const char *name = apr_pstrcat(list, "tests/corpus/pages/", APR_ARRAY_IDX(names, n, const char *), NULL);
        apr_file_t *file;
        apr_size_t length = 1 << 20;
        ck_assert_int_eq(apr_file_open(&file, name, APR_READ, 0, pool), APR_SUCCESS);
        char *bytes = apr_palloc(pool, length);
        if (apr_file_read(file, bytes, &length)) length = 0;
        const char *whole = told(read_in(bytes, length, length + 1, 0, 1));
        for (apr_size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            ck_assert_msg(strcmp(whole, told(read_in(bytes, length, steps[i], 0, 1))) == 0, "%s in steps of %d", name, (int)steps[i]);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(list);
}
END_TEST

START_TEST(what_lies_beyond_the_limit_is_not_read)
{
    const char *text = "<p>沪ICP备05012345号</p><p>京ICP备11018762号</p>";
    icp_page_t *page = icp_page_create(NULL, 34, pool);
    ck_assert_int_eq(icp_page_feed(page, text, 20), 1);
    ck_assert_int_eq(icp_page_feed(page, text + 20, strlen(text) - 20), 0);
    const icp_page_report_t *report = icp_page_finish(page, 1);
    ck_assert_int_eq(report->bytes, 34);
    ck_assert_int_eq(report->cut, 1);
    ck_assert_int_eq(report->unreadable, ICP_UNREADABLE_LIMIT);
    ck_assert_int_eq(report->mentions->nelts, 1);

    ck_assert_int_eq(read_in(text, strlen(text), 9, strlen(text), 1)->cut, 0);
    ck_assert_int_eq(read_in(text, strlen(text), 9, 0, 0)->unreadable, ICP_UNREADABLE_TRUNCATED);
}
END_TEST

START_TEST(only_html_is_read)
{
    static const char *const html[] = {NULL, "", "text/html", "TEXT/HTML ; charset=x", "application/xhtml+xml"};
    static const char *const other[] = {"text/plain", "text/htmlx", "application/json", "image/png"};
    for (int i = 0; i < 5; i++) ck_assert_int_ne(icp_page_finish(icp_page_create(html[i], 0, pool), 1)->unreadable, ICP_UNREADABLE_TYPE);
    for (int i = 0; i < 4; i++) {
        icp_page_t *page = icp_page_create(other[i], 0, pool);
        ck_assert_int_eq(icp_page_feed(page, "x", 1), 0);
        ck_assert_int_eq(icp_page_finish(page, 1)->unreadable, ICP_UNREADABLE_TYPE);
    }
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("page");
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_mention_says_where_it_stands);
    tcase_add_test(tests, a_copy_of_the_report_outlives_the_page);
    tcase_add_test(tests, a_footer_is_known_by_name_and_by_place);
    tcase_add_test(tests, no_split_matters);
    tcase_add_test(tests, what_lies_beyond_the_limit_is_not_read);
    tcase_add_test(tests, only_html_is_read);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
