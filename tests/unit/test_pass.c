/* Passes: made, checked, and every way in which one is none. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "pass.h"

#define NOW apr_time_from_sec(1800000000)

static apr_pool_t *pool;
static char folder[] = "/tmp/icp-pass-XXXXXX";
static const icp_pass_key_t key = {"0123456789abcdef0123456789abcde"};

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    ck_assert_int_eq(system(apr_psprintf(pool, "rm -r %s", folder)), 0);
    apr_pool_destroy(pool);
}

static int passes(const char *token, apr_int64_t site, apr_time_t now)
{
    return icp_pass_check(&key, token, strlen(token), site, now, NULL);
}

START_TEST(test_round_trip)
{
    apr_time_t expiry = 0;
    const char *token = icp_pass_make(&key, 42, NOW + apr_time_from_sec(60), pool);
    ck_assert(icp_pass_check(&key, token, strlen(token), 42, NOW, &expiry));
    ck_assert_int_eq(expiry, NOW + apr_time_from_sec(60));
    ck_assert(passes(token, 42, NOW + apr_time_from_sec(60) - 1));
    ck_assert(!passes(token, 42, NOW + apr_time_from_sec(60)));
    ck_assert(!passes(token, 43, NOW));
    ck_assert_str_ne(token, icp_pass_make(&key, 42, NOW + apr_time_from_sec(60), pool));
    ck_assert_uint_eq(strspn(token, "0123456789abcdef."), strlen(token));
}
END_TEST

START_TEST(test_other_key)
{
    icp_pass_key_t other = key;
    other.bytes[31] ^= 1;
    ck_assert(!passes(icp_pass_make(&other, 42, NOW + APR_USEC_PER_SEC, pool), 42, NOW));
}
END_TEST

START_TEST(test_every_changed_byte)
{
    char *token = apr_pstrdup(pool, icp_pass_make(&key, 42, NOW + APR_USEC_PER_SEC, pool));
    size_t length = strlen(token);
    for (size_t i = 0; i < length; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char kept = token[i];
            token[i] = (char)byte;
            ck_assert_int_eq(icp_pass_check(&key, token, length, 42, NOW, NULL), kept == (char)byte);
            token[i] = kept;
        }
    }
    for (size_t shorter = 0; shorter < length; shorter++)
        ck_assert(!icp_pass_check(&key, token, shorter, 42, NOW, NULL));
    ck_assert(!passes(apr_pstrcat(pool, token, "0", NULL), 42, NOW));
    ck_assert(!passes(apr_pstrcat(pool, token, " ", NULL), 42, NOW));
}
END_TEST

START_TEST(test_grammar)
{
    static const char *const none[] = {"",
                                       ".",
                                       "1",
                                       "1.",
                                       "1.42",
                                       "1.42.",
                                       "1.42.9999999999",
                                       "1..9999999999.",
                                       "2.42.9999999999.x",
                                       "1.042.1.a.b",
                                       "1.-1.1.a.b",
                                       "1.99999999999999999999.1.a.b",
                                       "1.1.99999999999999999999.a.b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) ck_assert_msg(!passes(none[i], 42, NOW), "%s", none[i]);
    char *giant = apr_pcalloc(pool, 100001);
    memset(giant, '1', 100000);
    ck_assert(!passes(giant, 42, NOW));
}
END_TEST

START_TEST(test_key_file)
{
    icp_pass_key_t one, two;
    struct stat info;
    const char *file = apr_pstrcat(pool, folder, "/pass.key", NULL);
    ck_assert_ptr_nonnull(icp_pass_key_read(&one, file, pool));
    ck_assert_ptr_null(icp_pass_key_create(file, pool));
    ck_assert_int_eq(stat(file, &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
    ck_assert_ptr_null(icp_pass_key_read(&one, file, pool));
    ck_assert_ptr_null(icp_pass_key_read(&two, file, pool));
    ck_assert_mem_eq(one.bytes, two.bytes, sizeof one.bytes);
    ck_assert_ptr_nonnull(icp_pass_key_create(file, pool));

    ck_assert_int_eq(chmod(file, 0640), 0);
    ck_assert_ptr_nonnull(strstr(icp_pass_key_read(&one, file, pool)->remedy, "chmod"));
    ck_assert_int_eq(chmod(file, 0600), 0);
    ck_assert_int_eq(truncate(file, 63), 0);
    ck_assert_ptr_nonnull(icp_pass_key_read(&one, file, pool));

    const char *link = apr_pstrcat(pool, folder, "/link", NULL);
    ck_assert_int_eq(symlink(file, link), 0);
    ck_assert_ptr_nonnull(icp_pass_key_read(&one, link, pool));
    ck_assert_ptr_nonnull(icp_pass_key_read(&one, folder, pool));
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("pass");
    TCase *tests = tcase_create("pass");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_other_key);
    tcase_add_test(tests, test_every_changed_byte);
    tcase_add_test(tests, test_grammar);
    tcase_add_test(tests, test_key_file);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
