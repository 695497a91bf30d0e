/* Host names: one normal form for every way a person, a configuration or a client writes them. */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "host.h"

static apr_pool_t *pool;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static const struct {
    const char *text, *normal;
} good[] = {
    {"shop.example.cn", "shop.example.cn"},
    {"Shop.Example.CN.:8080", "shop.example.cn"},
    {"localhost", "localhost"},
    {"商店.中国", "xn--czrs0t.xn--fiqs8s"},
    {"XN--CZRS0T.xn--fiqs8s", "xn--czrs0t.xn--fiqs8s"},
    {"www。example．cn｡", "www.example.cn"},
    {"ＷＷＷ.ｅｘａｍｐｌｅ.cn", "www.example.cn"},
    {"BÜCHER.example", "xn--bcher-kva.example"},
    {"faß.de", "xn--fa-hia.de"},
    {"*.Example.cn", "*.example.cn"},
    {"*。例子。cn", "*.xn--fsqu00a.cn"},
    {"_dmarc.example.cn", "_dmarc.example.cn"},
    {"a_b.例子.cn", "a_b.xn--fsqu00a.cn"},
    {"r3---sn.example.cn", "r3---sn.example.cn"},
    {"1.2.3.4:80", "1.2.3.4"},
    {"[2001:DB8:0:0::1]:443", "2001:db8::1"},
    {"2001:db8::1", "2001:db8::1"},
    {"[::1]", "::1"},
};

static const char *const bad[] = {
    "",          ".",           "*",
    "*.",        "a..b",        ".a.cn",
    "a.cn..",    "foo.*.cn",    "*foo.cn",
    "*.*.cn",    "http://a.cn", "a.cn/x",
    "user@a.cn", "a.cn?x",      "a b.cn",
    "a.cn ",     "a\tb.cn",     "a.cn:",
    "a.cn:x",    "a.cn:123456", "[::1",
    "[a.cn]",    "[::1]x",      "1:2:3",
    "1.2.3",     "1.2.3.256",   "1.2.3.4.5",
    "*.1.2.3.4", "\xff\xfe.cn", "a,b.cn",
    "a'b.cn",    "a%41.cn",     "例子\xe3\x80\x80.cn",
};

START_TEST(test_good)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *normal = NULL, *again = NULL;
        icp_error_t *error = icp_host_normalise(&normal, good[i].text, 1, pool);
        ck_assert_msg(!error, "%s", error ? error->message : "");
        ck_assert_str_eq(normal, good[i].normal);
        ck_assert_ptr_null(icp_host_normalise(&again, normal, 1, pool));
        ck_assert_str_eq(again, normal);
    }
}
END_TEST

START_TEST(test_bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *normal = NULL;
        icp_error_t *error = icp_host_normalise(&normal, bad[i], 1, pool);
        ck_assert_msg(error && error->status == ICP_USAGE && error->remedy, "'%s' was taken for %s", bad[i], normal);
    }
}
END_TEST

START_TEST(test_lengths)
{
    const char *normal;
    char label[65], name[300];
    memset(label, 'a', 64);
    label[64] = '\0';
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, apr_pstrcat(pool, label, ".cn", NULL), 0, pool));
    ck_assert_ptr_null(icp_host_normalise(&normal, apr_pstrcat(pool, label + 1, ".cn", NULL), 0, pool));

    for (int i = 0; i < 253; i++) name[i] = i % 2 ? '.' : 'a';
    name[253] = '\0';
    ck_assert_ptr_null(icp_host_normalise(&normal, name, 0, pool));
    ck_assert_ptr_null(icp_host_normalise(&normal, apr_pstrcat(pool, name, ".", NULL), 0, pool));
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, apr_pstrcat(pool, "a", name, NULL), 0, pool));
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, apr_pstrcat(pool, "b.", name, NULL), 0, pool));
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, apr_pstrcat(pool, "*.", name, NULL), 1, pool));
    char *endless = apr_pcalloc(pool, 100001);
    memset(endless, 'a', 100000);
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, endless, 0, pool));
}
END_TEST

START_TEST(test_wildcard_only_where_allowed)
{
    const char *normal;
    ck_assert_ptr_nonnull(icp_host_normalise(&normal, "*.example.cn", 0, pool));
}
END_TEST

START_TEST(test_covers)
{
    ck_assert(icp_host_covers("*.example.cn", "a.example.cn"));
    ck_assert(icp_host_covers("*.example.cn", "b.a.example.cn"));
    ck_assert(!icp_host_covers("*.example.cn", "example.cn"));
    ck_assert(!icp_host_covers("*.example.cn", "badexample.cn"));
    ck_assert(!icp_host_covers("*.example.cn", ".example.cn"));
    ck_assert(!icp_host_covers("example.cn", "a.example.cn"));
}
END_TEST

START_TEST(test_display)
{
    ck_assert_str_eq(icp_host_display("xn--czrs0t.xn--fiqs8s", pool), "商店.中国");
    ck_assert_str_eq(icp_host_display("*.xn--fsqu00a.cn", pool), "*.例子.cn");
    ck_assert_str_eq(icp_host_display("shop.example.cn", pool), "shop.example.cn");
    ck_assert_str_eq(icp_host_display("xn--a.cn", pool), "xn--a.cn");
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("host");
    TCase *tests = tcase_create("host");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_good);
    tcase_add_test(tests, test_bad);
    tcase_add_test(tests, test_lengths);
    tcase_add_test(tests, test_wildcard_only_where_allowed);
    tcase_add_test(tests, test_covers);
    tcase_add_test(tests, test_display);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
