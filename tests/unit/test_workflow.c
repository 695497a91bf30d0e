/* The way of an application: every state by every step, for whom and for which kinds. */
#include <apr_general.h>
#include <check.h>
#include <string.h>

#include "workflow.h"

/* What the table must say, written down a second time: "from step to by", by of s(taff), c(lient), t(ime). */
static const char *const expected[] = {
    "received review reviewing s",      "received withdraw withdrawn sc",   "corrected review reviewing s",
    "corrected withdraw withdrawn sc",  "reviewing return returned s",      "reviewing file filed s",
    "reviewing withdraw withdrawn sc",  "returned correct corrected sc",    "returned withdraw withdrawn sc",
    "filed return returned s",          "filed sms sms-pending s",          "filed withdraw withdrawn sc",
    "sms-pending return returned s",    "sms-pending confirm confirmed s",  "sms-pending expire returned t",
    "sms-pending withdraw withdrawn sc", "confirmed bureau bureau-review s", "confirmed withdraw withdrawn sc",
    "bureau-review approve approved s", "bureau-review reject rejected s",  "rejected correct corrected sc",
    "rejected withdraw withdrawn sc",   "rejected expire expired t",
};
#define EXPECTED (int)(sizeof expected / sizeof *expected)

static apr_pool_t *pool;

static const char *found(icp_form_kind_e kind, icp_app_state_e state, icp_app_step_e step)
{
    static const unsigned whose[] = {ICP_BY_STAFF, ICP_BY_CLIENT, ICP_BY_CLOCK};
    static char text[100];
    const icp_app_row_t *row = NULL;
    char by[4] = "";
    for (int i = 0; i < 3; i++) {
        const icp_app_row_t *his = icp_app_row(kind, state, step, whose[i]);
        if (!his) continue;
        row = his;
        strncat(by, i == 0 ? "s" : i == 1 ? "c" : "t", 2);
    }
    if (!row) return NULL;
    snprintf(text, sizeof text, "%s %s %s %s", icp_app_states[state].name, icp_app_step_names[step], icp_app_states[row->to].name, by);
    return text;
}

static int is_expected(const char *text)
{
    for (int i = 0; i < EXPECTED; i++) {
        if (!strcmp(expected[i], text)) return 1;
    }
    return 0;
}

START_TEST(test_every_state_by_every_step)
{
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        int rows = 0, extra = 0, cancels = icp_app_cancels((icp_form_kind_e)kind);
        for (int state = 0; state < ICP_APP_STATE_COUNT; state++) {
            for (int step = 0; step < ICP_APP_STEP_COUNT; step++) {
                const char *text = found((icp_form_kind_e)kind, (icp_app_state_e)state, (icp_app_step_e)step);
                if (!text) continue;
                rows++;
                if (!strcmp(text, "filed confirm confirmed s")) extra = 1; /* cancellations get no code */
                else ck_assert_msg(is_expected(text) && !(cancels && strstr(text, "filed sms")), "%s: %s", icp_form_kinds[kind].value, text);
            }
        }
        ck_assert_int_eq(extra, cancels);
        ck_assert_int_eq(rows, EXPECTED); /* in place of it */
    }
}
END_TEST

START_TEST(test_final_states_have_no_way_out)
{
    for (int state = 0; state < ICP_APP_STATE_COUNT; state++) {
        const char *possible = icp_app_possible(ICP_FORM_FIRST, (icp_app_state_e)state, ~0u, pool);
        ck_assert_int_eq(possible == NULL, icp_app_states[state].final);
    }
}
END_TEST

START_TEST(test_possible_steps_in_words)
{
    ck_assert_str_eq(icp_app_possible(ICP_FORM_FIRST, ICP_APP_IS_REVIEWING, ICP_BY_STAFF, pool), "return, file or withdraw");
    ck_assert_str_eq(icp_app_possible(ICP_FORM_FIRST, ICP_APP_IS_CONFIRMED, ICP_BY_STAFF, pool), "bureau or withdraw");
    ck_assert_str_eq(icp_app_possible(ICP_FORM_FIRST, ICP_APP_IS_RECEIVED, ICP_BY_CLIENT, pool), "withdraw");
    ck_assert_ptr_null(icp_app_possible(ICP_FORM_FIRST, ICP_APP_IS_BUREAU_REVIEW, ICP_BY_CLIENT, pool));
}
END_TEST

START_TEST(test_names_there_and_back)
{
    for (int i = 0; i < ICP_APP_STATE_COUNT; i++) ck_assert_int_eq((int)icp_app_state(icp_app_states[i].name), i);
    for (int i = 0; i < ICP_APP_STEP_COUNT; i++) ck_assert_int_eq((int)icp_app_step(icp_app_step_names[i]), i);
    ck_assert_int_eq((int)icp_app_state("draft"), ICP_APP_STATE_COUNT);
    ck_assert_int_eq((int)icp_app_step(""), ICP_APP_STEP_COUNT);
}
END_TEST

START_TEST(test_what_the_client_is_told)
{
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        for (int state = 0; state < ICP_APP_STATE_COUNT; state++) {
            const char *const *next = icp_app_next((icp_form_kind_e)kind, (icp_app_state_e)state);
            ck_assert(*next[ICP_LANGUAGE_EN] && *next[ICP_LANGUAGE_ZH]);
        }
    }
    ck_assert_ptr_nonnull(strstr(icp_app_next(ICP_FORM_FIRST, ICP_APP_IS_APPROVED)[ICP_LANGUAGE_EN], "bottom of its home page"));
    ck_assert_ptr_null(strstr(icp_app_next(ICP_FORM_CANCEL_LICENSE, ICP_APP_IS_APPROVED)[ICP_LANGUAGE_EN], "home page"));
    ck_assert_ptr_null(strstr(icp_app_next(ICP_FORM_CANCEL_WEBSITE, ICP_APP_IS_FILED)[ICP_LANGUAGE_EN], "SMS"));
}
END_TEST

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    Suite *suite = suite_create("workflow");
    TCase *tcase = tcase_create("workflow");
    tcase_add_test(tcase, test_every_state_by_every_step);
    tcase_add_test(tcase, test_final_states_have_no_way_out);
    tcase_add_test(tcase, test_possible_steps_in_words);
    tcase_add_test(tcase, test_names_there_and_back);
    tcase_add_test(tcase, test_what_the_client_is_told);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
