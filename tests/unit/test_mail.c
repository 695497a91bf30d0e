/* Addresses, and mails as they travel: whatever is in them, lines are ASCII, short, and end where they should. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_base64.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "address.h"
#include "mail.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const char *address_of(const char *text)
{
    const char *address;
    icp_error_t *error = icp_address_parse(&address, text, pool);
    return error ? apr_pstrcat(pool, "! ", error->message, NULL) : address;
}

START_TEST(test_addresses)
{
    static const char *const good[][2] = {{"a@example.cn", "a@example.cn"},
                                          {"  a.b+c@EXAMPLE.cn. ", "a.b+c@example.cn"},
                                          {"o'neill_x=1@mail.example.cn", "o'neill_x=1@mail.example.cn"},
                                          {"a@商店.中国", "a@xn--czrs0t.xn--fiqs8s"},
                                          {"root@localhost", "root@localhost"}};
    static const char *const bad[][2] = {{"", "no @"},
                                         {"a", "no @"},
                                         {"@example.cn", "nothing stands before"},
                                         {"a@", "no domain"},
                                         {"a b@example.cn", "before the @"},
                                         {"a@b@example.cn", "before the @"},
                                         {"\"a b\"@example.cn", "before the @"},
                                         {"a\r\nRCPT TO:<b@example.cn", "before the @"},
                                         {"a@example.cn\r\nBcc: b", "no domain"},
                                         {"a@example.cn>", "no domain"},
                                         {"a@example.cn:25", "no domain"},
                                         {"a@127.0.0.1", "no name"},
                                         {"a@[::1]", "no domain"},
                                         {"a@*.example.cn", "no domain"},
                                         {".a@example.cn", "a dot"},
                                         {"a.@example.cn", "a dot"},
                                         {"a..b@example.cn", "a dot"},
                                         {"张三@example.cn", "only ASCII"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) ck_assert_str_eq(address_of(good[i][0]), good[i][1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(*address_of(bad[i][0]) == '!' && strstr(address_of(bad[i][0]), bad[i][1]), "%s: %s", bad[i][0], address_of(bad[i][0]));
    }
    char *local = apr_pcalloc(pool, 80);
    memset(local, 'a', 64);
    ck_assert_int_ne(*address_of(apr_pstrcat(pool, local, "@b.cn", NULL)), '!');
    ck_assert_int_eq(*address_of(apr_pstrcat(pool, local, "a@b.cn", NULL)), '!');
}
END_TEST

START_TEST(test_addresses_with_a_name)
{
    const char *name, *address;
    ck_assert_ptr_null(icp_address_parse_named(&name, &address, " 示例云  <a@Example.cn> ", pool));
    ck_assert_str_eq(name, "示例云");
    ck_assert_str_eq(address, "a@example.cn");
    ck_assert_ptr_null(icp_address_parse_named(&name, &address, "\"A, <B>\" <a@example.cn>", pool));
    ck_assert_str_eq(name, "A, <B>");
    ck_assert_ptr_null(icp_address_parse_named(&name, &address, "a@example.cn", pool));
    ck_assert_str_eq(name, "");
    ck_assert_ptr_nonnull(icp_address_parse_named(&name, &address, "A <a@example.cn", pool));
    ck_assert_ptr_nonnull(icp_address_parse_named(&name, &address, "A\nB <a@example.cn>", pool));
    ck_assert_ptr_nonnull(icp_address_parse_named(&name, &address, "<a@example.cn> B", pool));
}
END_TEST

static const char *compose(const char *name, const char *subject, const char *text)
{
    icp_mail_t mail = {name, "support@example.cn", "a@example.cn", subject, text, "id@example.cn", apr_time_from_sec(1795500000)};
    return icp_mail_compose(&mail, pool);
}

/* Every line ASCII, ended by CRLF, and at most 76 characters. */
static void check_lines(const char *text)
{
    for (const char *line = text, *end; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        ck_assert_ptr_nonnull(end);
        ck_assert_msg(end - line <= 76, "%d: %.80s", (int)(end - line), line);
        for (const char *at = line; at < end; at++) ck_assert_msg(*at >= ' ' && *at < 127, "byte %d in %.80s", *at, line);
    }
}

/* The field's value with encoded words decoded and lines joined, as RFC 2047 has it. */
static const char *field(const char *text, const char *name)
{
    const char *at = strstr(text, apr_pstrcat(pool, "\r\n", name, ": ", NULL)) + strlen(name) + 4, *result = "";
    while (*at) {
        if (!strncmp(at, "\r\n ", 3)) {
            at += strncmp(at, "\r\n =?", 5) ? 2 : 3; /* white space between encoded words is none */
        }
        else if (!strncmp(at, "\r\n", 2)) break;
        else if (!strncmp(at, "=?UTF-8?B?", 10)) {
            const char *end = strstr(at, "?=");
            char *plain = apr_pcalloc(pool, 100);
            apr_base64_decode(plain, apr_pstrmemdup(pool, at + 10, (apr_size_t)(end - at - 10)));
            result = apr_pstrcat(pool, result, plain, NULL);
            at = end + 2;
        }
        else result = apr_psprintf(pool, "%s%c", result, *at++);
    }
    return result;
}

static const char *text_of(const char *message)
{
    const char *body = strstr(message, "\r\n\r\n") + 4;
    char *joined = apr_pcalloc(pool, strlen(body) + 1), *to = joined;
    for (; *body; body++) {
        if (*body != '\r' && *body != '\n') *to++ = *body;
    }
    char *plain = apr_pcalloc(pool, strlen(joined) + 1);
    apr_base64_decode(plain, joined);
    return plain;
}

START_TEST(test_plain_mail)
{
    const char *message = compose("", "Hello", "One\nTwo\n");
    check_lines(message);
    ck_assert_str_eq(field(message, "Subject"), "Hello");
    ck_assert_str_eq(field(message, "From"), "<support@example.cn>");
    ck_assert_str_eq(field(message, "To"), "<a@example.cn>");
    ck_assert_str_eq(field(message, "Message-ID"), "<id@example.cn>");
    ck_assert_str_eq(text_of(message), "One\r\nTwo\r\n");
    ck_assert_str_eq(text_of(compose("", "x", "One\r\n.\r\n\rTwo")), "One\r\n.\r\nTwo");
    ck_assert_str_eq(text_of(compose("", "x", "")), "");
}
END_TEST

START_TEST(test_date)
{
    setenv("TZ", "Asia/Shanghai", 1);
    tzset();
    ck_assert_ptr_nonnull(strstr(compose("", "x", "x"), "Date: Tue, 24 Nov 2026 14:00:00 +0800\r\n"));
    setenv("TZ", "America/St_Johns", 1);
    tzset();
    ck_assert_ptr_nonnull(strstr(compose("", "x", "x"), "Date: Tue, 24 Nov 2026 02:30:00 -0330\r\n"));
}
END_TEST

START_TEST(test_names_and_subjects_of_every_kind)
{
    static const char *const texts[] = {"上海某某商贸有限公司网站已暂停访问，请尽快在首页底部显示备案号：沪ICP备05012345号-3", "A, \"B\" \\ C", "=?UTF-8?B?AAAA?=", "é",
                                        "plain but longer than what may stand on one line of a header field, all in all", "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀", "<>@,;:"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *message = compose(texts[i], texts[i], texts[i]);
        check_lines(message);
        ck_assert_str_eq(field(message, "Subject"), texts[i]);
        ck_assert_str_eq(text_of(message), texts[i]);
    }
    check_lines(compose("A, \"B\" \\ C", "x", "x"));
    ck_assert_ptr_nonnull(strstr(compose("A, \"B\" \\ C", "x", "x"), "From: \"A, \\\"B\\\" \\\\ C\"\r\n <support@example.cn>\r\n"));
    for (int length = 0; length < 200; length++) { /* every place where a character can meet the end of a word */
        char *text = apr_pcalloc(pool, 700);
        memset(text, 'a', (size_t)length % 7);
        for (int i = 0; i < length; i++) strcat(text, i % 3 ? "号" : "b");
        const char *message = compose(text, text, text);
        check_lines(message);
        ck_assert_str_eq(field(message, "Subject"), text);
        ck_assert_str_eq(text_of(message), text);
    }
}
END_TEST

START_TEST(test_no_line_of_the_header_ends_early)
{
    const char *message = compose("A\r\nBcc: x@example.cn", "B\nBcc: x@example.cn\r\n\r\nText", "x");
    check_lines(message);
    ck_assert_str_eq(field(message, "Subject"), "B Bcc: x@example.cn    Text");
    ck_assert_ptr_null(strstr(message, "\nBcc"));
    check_lines(compose("\xff\xfe", "\x80 a \xe5\x8f", "x"));
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("mail");
    TCase *tests = tcase_create("mail");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_addresses);
    tcase_add_test(tests, test_addresses_with_a_name);
    tcase_add_test(tests, test_plain_mail);
    tcase_add_test(tests, test_date);
    tcase_add_test(tests, test_names_and_subjects_of_every_kind);
    tcase_add_test(tests, test_no_line_of_the_header_ends_early);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
