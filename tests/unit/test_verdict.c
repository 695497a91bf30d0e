/* The judgement: every verdict, what goes before what, and the findings. Pages are written out, so that the reader is judged along with it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "verdict.h"

#define OURS "沪ICP备05012345号-1"
#define THEIRS "京ICP备11018762号-2"
#define MINISTRY "<a href=\"https://beian.miit.gov.cn/\">"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const icp_page_report_t *see(const char *body, int complete)
{
    const char *text = apr_pstrcat(pool, "<meta charset=utf-8><p>本店出售各种日用商品，欢迎光临。</p>", body, NULL);
    icp_page_t *page = icp_page_create(NULL, 0, pool);
    icp_page_feed(page, text, strlen(text));
    return icp_page_finish(page, complete);
}

static icp_inspection_t *judge(const icp_page_report_t *seen, const char *expected, icp_suffix_rule_e rule)
{
    icp_expectation_t wanted = {&expected, expected ? 1 : 0};
    icp_policy_t policy = {rule};
    return icp_verdict_judge(seen, &wanted, &policy, pool);
}

static const struct { const char *body, *expected; icp_verdict_e whole, cut; } verdicts[] = {
    {"<p>" OURS "</p>", OURS, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>" OURS "</p>", NULL, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>沪ICP备05012345号</p>", OURS, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>沪ICP备05012345号-7</p>", OURS, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>" OURS "</p>", "沪ICP备05012345号", ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>沪ICP备05012345号-2A</p>", OURS, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>" THEIRS "</p>", OURS, ICP_INCORRECT, ICP_UNREADABLE},
    {"<p>沪ICP证050123号</p>", OURS, ICP_INCORRECT, ICP_UNREADABLE},
    {"<p>" THEIRS " " OURS "</p>", OURS, ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>沪ICP备123号</p>", OURS, ICP_INVALID, ICP_UNREADABLE},
    {"<p>沪ICP备123号</p>", NULL, ICP_INVALID, ICP_UNREADABLE},
    {"<p>京ICP备12345678号</p>", NULL, ICP_INVALID, ICP_UNREADABLE},
    {"<p>京ICP备12345678号</p>", OURS, ICP_INVALID, ICP_UNREADABLE},
    {"<p>京ICP备12345678号</p>", "京ICP备12345678号-1", ICP_DISPLAYED, ICP_DISPLAYED},
    {"<p>沪公网安备31010102000001号</p>", OURS, ICP_MISSING, ICP_UNREADABLE},
    {"", OURS, ICP_MISSING, ICP_UNREADABLE},
    {"<!--" OURS "-->", OURS, ICP_HIDDEN, ICP_HIDDEN},
    {"<!--" OURS "-->", NULL, ICP_HIDDEN, ICP_HIDDEN},
    {"<!--" THEIRS "-->", OURS, ICP_HIDDEN, ICP_UNREADABLE},
    {"<!--" OURS "--><p>" THEIRS "</p>", OURS, ICP_HIDDEN, ICP_HIDDEN},
    {"<!--" THEIRS "--><p>" THEIRS "</p>", OURS, ICP_INCORRECT, ICP_UNREADABLE},
    {"<!--" OURS "--><p>沪ICP备123号</p>", OURS, ICP_HIDDEN, ICP_HIDDEN},
    {"<script src=/foot.js></script>", OURS, ICP_UNREADABLE, ICP_UNREADABLE},
    {"<script src=/foot.js></script><p>" THEIRS "</p>", OURS, ICP_INCORRECT, ICP_UNREADABLE},
    {"<img src=/beian.png>", OURS, ICP_UNREADABLE, ICP_UNREADABLE},
    {"<img src=/beian.png><p>沪ICP备123号</p>", OURS, ICP_INVALID, ICP_UNREADABLE},
};

START_TEST(each_verdict)
{
    const icp_page_report_t *whole = see(verdicts[_i].body, 1), *cut = see(verdicts[_i].body, 0);
    ck_assert_str_eq(icp_verdict_name(judge(whole, verdicts[_i].expected, ICP_SUFFIX_WARN)->verdict), icp_verdict_name(verdicts[_i].whole));
    ck_assert_str_eq(icp_verdict_name(judge(cut, verdicts[_i].expected, ICP_SUFFIX_WARN)->verdict), icp_verdict_name(verdicts[_i].cut));
}
END_TEST

#define BIT(finding) (1u << ICP_FINDING_##finding)

static const struct { const char *body, *expected; unsigned findings; } findings[] = {
    {MINISTRY OURS "</a>", OURS, 0},
    {"<a href=' //BEIAN.miit.gov.cn/x'>" OURS "</a>", OURS, 0},
    {OURS, OURS, BIT(LINK_MISSING)},
    {"<a href='http://www.beian.miit.gov.cn'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='https://beian.miit.gov.cn.example.cn/'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='https://example.cn/?beian.miit.gov.cn'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='https://beian.miit.gov.cn@example.cn/'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='/beian.miit.gov.cn'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='javascript:void(0)'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"<a href='https:\n\\\\beian.miit.gov.cn:443/'>" OURS "</a>", OURS, 0},
    {"<a href='https:/beian.miit.gov.cn/'>" OURS "</a>", OURS, BIT(LINK_WRONG)}, /* a path of the page's own host */
    {"<a href='https://beian.miit.gov.cn.'>" OURS "</a>", OURS, BIT(LINK_WRONG)},
    {"沪ICP备" MINISTRY "05012345</a>号-1", OURS, 0},
    {OURS "<p>" MINISTRY OURS "</a>", OURS, 0},
    {MINISTRY "沪ICP备05012345号-7</a>", OURS, BIT(SUFFIX_DIFFERS)},
    {MINISTRY "沪ICP备05012345号</a>", OURS, BIT(SUFFIX_MISSING)},
    {MINISTRY "粤ICP备05012345号</a>", "粤ICP备05012345号", 0},
    {MINISTRY "粤ICP备05012345号-3</a>", "粤ICP备05012345号", 0}, /* nothing is missing */
    {MINISTRY "沪ICP备05012345号-2A</a>", OURS, BIT(SUFFIX_DIFFERS) | BIT(APP_NUMBER)},
    {MINISTRY "川ICP备10200063号-1</a>", "蜀ICP备10200063号-1", BIT(ALIAS_PROVINCE)},
    {MINISTRY OURS "</a> " THEIRS, OURS, BIT(SEVERAL_NUMBERS)},
    {MINISTRY OURS "</a> 京ICP证030173号", OURS, 0},
    {MINISTRY OURS "</a> 沪ICP备XXXXXXXX号", OURS, BIT(PLACEHOLDER)},
    {MINISTRY OURS "</a> ICP备12345678号", OURS, BIT(PLACEHOLDER)},
    {MINISTRY "粤B2-20090191-2</a>", "粤B2-20090191-2", 0},
};

START_TEST(each_finding)
{
    icp_inspection_t *inspection = judge(see(findings[_i].body, 1), findings[_i].expected, ICP_SUFFIX_WARN);
    ck_assert_int_eq(inspection->verdict, ICP_DISPLAYED);
    ck_assert_msg(inspection->findings == findings[_i].findings, "%s: %x", findings[_i].body, inspection->findings);
}
END_TEST

START_TEST(the_suffix_rule_is_policy)
{
    const icp_page_report_t *seen = see("沪ICP备05012345号", 1);
    ck_assert_int_eq(judge(seen, OURS, ICP_SUFFIX_OFF)->findings & BIT(SUFFIX_MISSING), 0);
    ck_assert_int_eq(judge(seen, OURS, ICP_SUFFIX_WARN)->verdict, ICP_DISPLAYED);
    ck_assert_int_eq(judge(seen, OURS, ICP_SUFFIX_ON)->verdict, ICP_INCORRECT);
    ck_assert_ptr_null(judge(seen, OURS, ICP_SUFFIX_ON)->matched);
    ck_assert_int_eq(judge(seen, "沪ICP备05012345号", ICP_SUFFIX_ON)->verdict, ICP_DISPLAYED);
}
END_TEST

START_TEST(one_of_several_expected_is_enough)
{
    const char *numbers[] = {THEIRS, OURS};
    icp_expectation_t expected = {numbers, 2};
    icp_inspection_t *inspection = icp_verdict_judge(see(OURS, 1), &expected, NULL, pool);
    ck_assert_int_eq(inspection->verdict, ICP_DISPLAYED);
    ck_assert_str_eq(inspection->matched, OURS);
}
END_TEST

START_TEST(the_object_that_programs_get)
{
    icp_inspection_t *inspection = judge(see("<p>" OURS "<p>" OURS "<p>沪ICP备XXXXXXXX号<!--" THEIRS "-->", 1), OURS, ICP_SUFFIX_WARN);
    json_t *object = icp_inspection_json(inspection);
    char *text = json_dumps(object, JSON_COMPACT);
    ck_assert_str_eq(text, "{\"verdict\":\"displayed\",\"displayed\":[\"" OURS "\"],\"hidden\":[{\"number\":\"" THEIRS "\",\"where\":\"comment\"}],"
                           "\"invalid\":[\"沪ICP备XXXXXXXX号\"],\"findings\":[\"placeholder\",\"link-missing\"],\"charset\":\"utf-8\"}");
    free(text);
    json_decref(object);
}
END_TEST

START_TEST(words_and_back)
{
    for (int i = 0; i < ICP_VERDICT_COUNT; i++) ck_assert_int_eq(icp_verdict_parse(icp_verdict_name((icp_verdict_e)i)), i);
    ck_assert_int_eq(icp_verdict_parse("nonsense"), ICP_VERDICT_COUNT);
    ck_assert(icp_verdict_fails(ICP_MISSING) && icp_verdict_fails(ICP_INCORRECT) && icp_verdict_fails(ICP_INVALID));
    ck_assert(!icp_verdict_fails(ICP_DISPLAYED) && !icp_verdict_fails(ICP_HIDDEN) && !icp_verdict_fails(ICP_UNREADABLE));
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("verdict");
    TCase *tests = tcase_create("verdict");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, each_verdict, 0, (int)(sizeof verdicts / sizeof *verdicts));
    tcase_add_loop_test(tests, each_finding, 0, (int)(sizeof findings / sizeof *findings));
    tcase_add_test(tests, the_suffix_rule_is_policy);
    tcase_add_test(tests, one_of_several_expected_is_enough);
    tcase_add_test(tests, the_object_that_programs_get);
    tcase_add_test(tests, words_and_back);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
