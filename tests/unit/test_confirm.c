/* The byte search between full reads: every split point, borders, and what it must notice. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "confirm.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const char *const numbers[] = {"沪ICP备05012345号-1", "粤B2-20090191-2"};

static const char page[] =
    "<!DOCTYPE html><title>店</title><p>many words, 0501 and 2345 and 05012344 among them</p>"
    "<footer><a href=\"https://beian.miit.gov.cn/\">沪ICP备05012345号-1</a> | &copy; 2024</footer></html>";

static void learn(const char *text, apr_size_t length, apr_size_t step, const char *number, icp_patterns_t *patterns)
{
    icp_learn_t *state = icp_learn_create(numbers, 2, 24, pool);
    for (apr_size_t at = 0; at < length; at += step) {
        icp_learn_feed(state, text + at, length - at < step ? length - at : step);
    }
    icp_learn_finish(state, number, patterns);
}

static int confirmed(const icp_patterns_t *patterns, const char *text, apr_size_t length, apr_size_t cut)
{
    icp_confirm_t confirm;
    icp_confirm_begin(&confirm, patterns);
    int first = icp_confirm_feed(&confirm, text, cut);
    return icp_confirm_feed(&confirm, text + cut, length - cut) || first;
}

START_TEST(every_split_confirms)
{
    icp_patterns_t patterns;
    learn(page, sizeof page - 1, sizeof page, numbers[0], &patterns);
    ck_assert_int_eq(patterns.count, 1);
    for (apr_size_t cut = 0; cut < sizeof page; cut++) ck_assert(confirmed(&patterns, page, sizeof page - 1, cut));

    icp_confirm_t bytewise;
    icp_confirm_begin(&bytewise, &patterns);
    int found = 0;
    for (apr_size_t i = 0; i < sizeof page - 1; i++) found = icp_confirm_feed(&bytewise, page + i, 1);
    ck_assert(found);
}
END_TEST

START_TEST(what_was_judged_must_be_there)
{
    icp_patterns_t patterns;
    learn(page, sizeof page - 1, sizeof page, numbers[0], &patterns);
    char *changed = apr_pstrdup(pool, page);
    char *number = strstr(changed, "备05012345") + strlen("备");
    for (int i = 0; i < 8; i++) {
        char kept = number[i];
        number[i] = '9';
        for (apr_size_t cut = 0; cut < sizeof page; cut += 3) ck_assert(!confirmed(&patterns, changed, sizeof page - 1, cut));
        number[i] = kept;
    }
    ck_assert(!confirmed(&patterns, page, number - changed + 5, 0));
    ck_assert(!confirmed(&patterns, "", 0, 0));

    /* The same digits elsewhere are not the bytes that were judged. */
    const char *comment = "<!-- 05012345 --><script>x = '沪ICP备05012345号-1'</script>";
    ck_assert(!confirmed(&patterns, comment, strlen(comment), 9));
}
END_TEST

START_TEST(learning_does_not_depend_on_the_split)
{
    /* Long enough for several windows, with the number across their borders. */
    for (apr_size_t at = 4040; at < 4140; at += 7) {
        apr_size_t length = 9000;
        char *text = apr_palloc(pool, length);
        memset(text, 'x', length);
        memcpy(text + at, "沪ICP备05012345号-1", strlen("沪ICP备05012345号-1"));
        icp_patterns_t whole, parts;
        learn(text, length, length, numbers[0], &whole);
        ck_assert_int_eq(whole.count, 1);
        for (apr_size_t step = 1; step < 5000; step = step * 3 + 1) {
            learn(text, length, step, numbers[0], &parts);
            ck_assert_int_eq(parts.count, 1);
            ck_assert_int_eq(parts.pattern[0].length, whole.pattern[0].length);
            ck_assert(!memcmp(parts.pattern[0].bytes, whole.pattern[0].bytes, whole.pattern[0].length));
        }
        ck_assert(confirmed(&whole, text, length, at + 5));
    }
}
END_TEST

START_TEST(several_occurrences_must_all_stay)
{
    const char *twice = "<!-- 沪ICP备05012345号 --> text text text text text text text text <p>沪ICP备05012345号-1</p>";
    const char *hidden = "<!-- 沪ICP备05012345号 --> text text text text text text text text <p></p>";
    icp_patterns_t patterns;
    learn(twice, strlen(twice), 5, numbers[0], &patterns);
    ck_assert_int_eq(patterns.count, 2);
    for (apr_size_t cut = 0; cut <= strlen(twice); cut++) ck_assert(confirmed(&patterns, twice, strlen(twice), cut));
    ck_assert(!confirmed(&patterns, hidden, strlen(hidden), 10));
}
END_TEST

START_TEST(other_spellings_cannot_be_confirmed)
{
    icp_patterns_t patterns;
    const char *spaced = "<p>沪 ICP 备 0501 2345 号 - 1</p>";
    learn(spaced, strlen(spaced), 4, numbers[0], &patterns);
    ck_assert_int_eq(patterns.count, 0);

    const char *many = "05012345 05012345 05012345 05012345 05012345";
    learn(many, strlen(many), 4, numbers[0], &patterns);
    ck_assert_int_eq(patterns.count, 0);

    /* The other number's digits are learnt too, and told apart. */
    const char *telecom = "<b>粤B2-20090191-2</b>";
    learn(telecom, strlen(telecom), 4, numbers[1], &patterns);
    ck_assert_int_eq(patterns.count, 1);
    learn(telecom, strlen(telecom), 4, numbers[0], &patterns);
    ck_assert_int_eq(patterns.count, 0);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("confirm");
    TCase *tcase = tcase_create("confirm");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, every_split_confirms);
    tcase_add_test(tcase, what_was_judged_must_be_there);
    tcase_add_test(tcase, learning_does_not_depend_on_the_split);
    tcase_add_test(tcase, several_occurrences_must_all_stay);
    tcase_add_test(tcase, other_spellings_cannot_be_confirmed);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
