/* Policies: defaults, what is refused, all or nothing; and messages, which depend on them. */
#include "records_fixture.h"

#include "message.h"
#include "policy.h"

typedef struct wish_t {
    const char *name, *value;
} wish_t;

static icp_error_t *set(icp_register_t *r, void *baton, apr_pool_t *p)
{
    const wish_t *wish = baton;
    icp_policy_e policy;
    ICP_TRY(icp_policy_find(&policy, wish->name, p));
    return icp_policy_set(r, policy, wish->value, p);
}

static icp_error_t *try(const char *name, const char *value)
{
    wish_t wish = {name, value};
    return icp_register_change(reg, set, &wish, pool);
}

static const char *value_of(icp_policy_e policy, int *is_set)
{
    const char *value;
    ok(icp_policy_text(&value, is_set, reg, policy, pool));
    return value;
}

START_TEST(test_every_default_is_a_value)
{
    for (int i = 0; i < ICP_POLICY_COUNT; i++) ok(try(icp_policy_rules[i].name, icp_policy_rules[i].fallback));
}
END_TEST

START_TEST(test_set_and_unset)
{
    int is_set;
    apr_int64_t number;
    ck_assert_str_eq(value_of(ICP_POLICY_CHECKS, &is_set), "2");
    ck_assert_int_eq(is_set, 0);
    ok(try("checks", "0"));
    ck_assert_str_eq(value_of(ICP_POLICY_CHECKS, &is_set), "0");
    ck_assert_int_eq(is_set, 1);
    ok(icp_policy_number(&number, reg, ICP_POLICY_CHECKS, pool));
    ck_assert_int_eq(number, 0);
    ok(try("checks", NULL));
    ck_assert_str_eq(value_of(ICP_POLICY_CHECKS, &is_set), "2");
    ck_assert_int_eq(is_set, 0);
    ok(try("provider", ""));
    ok(try("provider", "示例主机"));
    ck_assert_str_eq(value_of(ICP_POLICY_PROVIDER, NULL), "示例主机");
}
END_TEST

START_TEST(test_refused)
{
    static const char *const bad[] = {"", "x", "-1", "101", "2x", " 2", "+2", "2 ", "99999999999999999999", NULL};
    for (int i = 0; bad[i]; i++) fails(try("checks", bad[i]), ICP_USAGE, "no value for checks");
    fails(try("mail", "smt"), ICP_USAGE, "no value for mail");
    fails(try("mail", "smtp|command"), ICP_USAGE, "no value for mail");
    fails(try("provider", "two\nlines"), ICP_USAGE, "no such text");
    fails(try("provider", "\xff"), ICP_USAGE, "no such text");
    fails(try("chekcs", "1"), ICP_USAGE, "no policy `chekcs`");
}
END_TEST

static icp_error_t *post(icp_register_t *r, void *recipient, apr_pool_t *p)
{
    return icp_message_post(r, "site.suspended", "shop.example.cn", recipient, NULL, p);
}

static int posted(const char *way)
{
    apr_int64_t count;
    ok(icp_db_integer(&count, reg->db, apr_psprintf(pool, "SELECT count(*) FROM private.outbox WHERE way = '%s'", way)));
    return (int)count;
}

START_TEST(test_messages_are_posted_where_they_can_leave)
{
    ok(icp_register_change(reg, post, "owner@example.cn", pool));
    ck_assert_int_eq(posted("mail") + posted("event"), 0);
    ok(try("mail", "smtp"));
    ok(icp_register_change(reg, post, "owner@example.cn", pool));
    ok(icp_register_change(reg, post, "", pool));
    ok(icp_register_change(reg, post, NULL, pool));
    ck_assert_int_eq(posted("mail"), 1);
    ck_assert_int_eq(posted("event"), 0);
    ok(try("on-event", "/usr/bin/true"));
    ok(icp_register_change(reg, post, "owner@example.cn", pool));
    ck_assert_int_eq(posted("mail"), 2);
    ck_assert_int_eq(posted("event"), 1);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");
    tcase_add_checked_fixture(tests, open_register, remove_register);
    tcase_add_test(tests, test_every_default_is_a_value);
    tcase_add_test(tests, test_set_and_unset);
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_messages_are_posted_where_they_can_leave);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed != 0;
}
