/* Passes: made, checked, and every way in which one is none. */
#include <stdio.h>
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
static const icp_pass_key_t key = {{"0123456789abcdef0123456789abcde", "another"}, 1};

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

static int passes(const char *token, apr_int64_t suspension, apr_time_t now)
{
    icp_pass_t pass = {ICP_PASS_OWNER, suspension, 3, 0, 0};
    return icp_pass_check(&key, token, strlen(token), &pass, now);
}

/* An owner's for suspension 42, epoch 3, that ends so many seconds after NOW. */
static const char *make(const icp_pass_key_t *with, int seconds)
{
    icp_pass_t pass = {ICP_PASS_OWNER, 42, 3, NOW + apr_time_from_sec(seconds), 0};
    return icp_pass_make(with, &pass, pool);
}

START_TEST(test_round_trip)
{
    const char *token = make(&key, 60);
    icp_pass_t pass = {ICP_PASS_OWNER, 42, 3, 0, 0}, other = pass;
    ck_assert(icp_pass_check(&key, token, strlen(token), &pass, NOW));
    ck_assert_int_eq(pass.expiry, NOW + apr_time_from_sec(60));
    ck_assert(passes(token, 42, NOW + apr_time_from_sec(60) - 1));
    ck_assert(!passes(token, 42, NOW + apr_time_from_sec(60)));
    ck_assert(!passes(token, 43, NOW));
    ck_assert(passes(token, 42, 0)); /* the clock was put back */
    ck_assert_uint_eq(strspn(token, "0123456789abcdefo."), strlen(token));

    const char *next = make(&key, 60);
    ck_assert_str_ne(token, next);
    ck_assert(icp_pass_check(&key, next, strlen(next), &other, NOW));
    ck_assert_uint_ne(pass.nonce, other.nonce);
}
END_TEST

START_TEST(test_kind_and_epoch)
{
    const char *token = make(&key, 60);
    icp_pass_t checker = {ICP_PASS_CHECK, 42, 3, 0, 0}, older = {ICP_PASS_OWNER, 42, 2, 0, 0}, newer = {ICP_PASS_OWNER, 42, 4, 0, 0};
    ck_assert(!icp_pass_check(&key, token, strlen(token), &checker, NOW));
    ck_assert(!icp_pass_check(&key, token, strlen(token), &older, NOW));
    ck_assert(!icp_pass_check(&key, token, strlen(token), &newer, NOW));
    checker.expiry = NOW + APR_USEC_PER_SEC;
    token = icp_pass_make(&key, &checker, pool);
    ck_assert(icp_pass_check(&key, token, strlen(token), &checker, NOW));
    ck_assert(!passes(token, 42, NOW));
    icp_pass_t extreme = {ICP_PASS_OWNER, APR_INT64_C(999999999999999999), 0xffffffffu, NOW + 1000000, 0};
    token = icp_pass_make(&key, &extreme, pool);
    ck_assert(icp_pass_check(&key, token, strlen(token), &extreme, NOW));
}
END_TEST

START_TEST(test_keys)
{
    icp_pass_key_t before = {{"the one before"}, 1}, other = {{"another one"}, 1}, rotated = {{"a new one", "the one before"}, 2},
                   again = {{"the newest", "a new one"}, 2};
    icp_pass_t pass = {ICP_PASS_OWNER, 42, 3, 0, 0};
    const char *old = make(&before, 9), *both = make(&rotated, 9), *newest = make(&again, 9);
#define GOOD(with, token) icp_pass_check(&(with), token, strlen(token), &pass, NOW)
    ck_assert(!GOOD(other, old) && !GOOD(other, both));
    /* Before httpd has read the new key and after, and the other way round. */
    ck_assert(GOOD(before, old) && GOOD(before, both) && GOOD(rotated, old) && GOOD(rotated, both));
    /* A second rotation drops the oldest. */
    ck_assert(!GOOD(again, old) && GOOD(again, both) && GOOD(rotated, newest) && !GOOD(before, newest));
#undef GOOD
}
END_TEST

START_TEST(test_every_changed_byte)
{
    char *token = apr_pstrdup(pool, make(&key, 1));
    icp_pass_t pass = {ICP_PASS_OWNER, 42, 3, 0, 0};
    size_t length = strlen(token);
    for (size_t i = 0; i < length; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char kept = token[i];
            token[i] = (char)byte;
            ck_assert_int_eq(icp_pass_check(&key, token, length, &pass, NOW), kept == (char)byte);
            token[i] = kept;
        }
    }
    for (size_t shorter = 0; shorter < length; shorter++) ck_assert(!icp_pass_check(&key, token, shorter, &pass, NOW));
    ck_assert(!passes(apr_pstrcat(pool, token, "0", NULL), 42, NOW));
    ck_assert(!passes(apr_pstrcat(pool, token, " ", NULL), 42, NOW));
    ck_assert(!passes(apr_pstrcat(pool, token, strrchr(token, '.'), strrchr(token, '.'), NULL), 42, NOW));
}
END_TEST

START_TEST(test_grammar)
{
    static const char *const none[] = {"",
                                       ".",
                                       "2",
                                       "2.",
                                       "2.o",
                                       "2.o.",
                                       "2.o.42",
                                       "2.o.42.3",
                                       "2.o.42.3.9999999999",
                                       "2.o.42.3.9999999999.",
                                       "2.o..3.9999999999.a",
                                       "1.42.9999999999.x",
                                       "2.o.042.3.9999999999.0123456789abcdef",
                                       "2.o.-1.3.9999999999.a.b",
                                       "2.o.42.3.9999999999.0123456789abcdef",
                                       "2.o.42.3.9999999999.0123456789abcdef.",
                                       "2.o.99999999999999999999.3.1.a.b",
                                       "2.o.42.3.99999999999999999999.a.b"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) ck_assert_msg(!passes(none[i], 42, NOW), "%s", none[i]);
    char *giant = apr_pcalloc(pool, 100001);
    memset(giant, '1', 100000);
    ck_assert(!passes(giant, 42, NOW));
    memcpy(giant, "2.o.42.3.", 9);
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
    ck_assert_int_eq(one.count, 1);
    ck_assert_mem_eq(one.bytes[0], two.bytes[0], sizeof one.bytes[0]);
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

static void write_file(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
    ck_assert_int_eq(chmod(file, 0600), 0);
}

START_TEST(test_key_files_that_are_none)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"
    static const char *const good[] = {HEX, HEX "\n", HEX "\n" HEX, HEX "\n" HEX "\n"};
    static const char *const bad[] = {"", "\n", HEX "0", HEX " ", HEX "\r\n", HEX HEX, HEX "\n\n", HEX "\n" HEX "\n" HEX "\n", "x" HEX,
                                      HEX "\nzz", "g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"};
#undef HEX
    icp_pass_key_t read;
    const char *file = apr_pstrcat(pool, folder, "/pass.key", NULL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        write_file(file, good[i]);
        ck_assert_ptr_null(icp_pass_key_read(&read, file, pool));
        ck_assert_int_eq(read.count, i < 2 ? 1 : 2);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(file, bad[i]);
        icp_error_t *error = icp_pass_key_read(&read, file, pool);
        ck_assert_msg(error && error->remedy && error->status == ICP_FAULT, "%s", bad[i]);
    }
}
END_TEST

START_TEST(test_rotation)
{
    icp_pass_key_t first, second, third, alone;
    struct stat info;
    const char *file = apr_pstrcat(pool, folder, "/pass.key", NULL), *next = apr_pstrcat(pool, file, ".next", NULL);
    ck_assert_ptr_nonnull(icp_pass_key_prepare(file, next, 0, pool)); /* there is none to keep */
    ck_assert_ptr_null(icp_pass_key_create(file, pool));
    ck_assert_ptr_null(icp_pass_key_read(&first, file, pool));
    write_file(next, "left by a crash");
    ck_assert_ptr_null(icp_pass_key_prepare(file, next, 0, pool));
    ck_assert_int_eq(stat(next, &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
    ck_assert_int_eq(rename(next, file), 0);
    ck_assert_ptr_null(icp_pass_key_read(&second, file, pool));
    ck_assert_int_eq(second.count, 2);
    ck_assert_mem_eq(second.bytes[1], first.bytes[0], sizeof first.bytes[0]);
    ck_assert_mem_ne(second.bytes[0], first.bytes[0], sizeof first.bytes[0]);
    ck_assert_ptr_null(icp_pass_key_prepare(file, next, 0, pool));
    ck_assert_ptr_null(icp_pass_key_read(&third, next, pool));
    ck_assert_int_eq(third.count, 2);
    ck_assert_mem_eq(third.bytes[1], second.bytes[0], sizeof first.bytes[0]);
    ck_assert_ptr_null(icp_pass_key_prepare(file, next, 1, pool));
    ck_assert_ptr_null(icp_pass_key_read(&alone, next, pool));
    ck_assert_int_eq(alone.count, 1);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("pass");
    TCase *tests = tcase_create("pass");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_round_trip);
    tcase_add_test(tests, test_kind_and_epoch);
    tcase_add_test(tests, test_keys);
    tcase_add_test(tests, test_every_changed_byte);
    tcase_add_test(tests, test_grammar);
    tcase_add_test(tests, test_key_file);
    tcase_add_test(tests, test_key_files_that_are_none);
    tcase_add_test(tests, test_rotation);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
