/* Templates: what each tag shows, what is refused and with which line, and that no value gets out unescaped. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "template.h"

static apr_pool_t *pool;

static const char *const names[] = {"full", "empty", "none", "evil", "two-words", NULL};
static const char *const values[] = {"F", "", NULL, "<a href=\"x\" id='y'>&amp;</a>", "甲"};
static const char evil_html[] = "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;";

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static icp_template_t *parse(const char *text, const icp_template_t *parts)
{
    icp_template_t *template;
    icp_error_t *error = icp_template_parse(&template, "page.html", text, strlen(text), names, parts, pool);
    ck_assert_msg(!error, "%s: %s", text, error ? error->message : "");
    return template;
}

static const char *show(const char *text, icp_escape_e escape)
{
    return icp_template_render(parse(text, NULL), NULL, values, escape, pool);
}

static const struct {
    const char *text, *shown;
} pages[] = {
    {"plain", "plain"},
    {"}} { } {", "}} { } {"},
    {"{{full}}", "F"},
    {"a{{full}}b{{empty}}c{{none}}d{{two-words}}e", "aFbcd甲e"},
    {"{{#full}}yes{{/full}}{{#empty}}no{{/empty}}{{#none}}no{{/none}}", "yes"},
    {"{{^full}}no{{/full}}{{^empty}}yes{{/empty}}{{^none}}yes{{/none}}", "yesyes"},
    {"{{#full}}a{{#empty}}b{{#full}}c{{/full}}{{/empty}}d{{^empty}}e{{/empty}}{{/full}}f", "adef"},
    {"{{#empty}}{{full}}{{/empty}}", ""},
    /* parts */
    {"{{<p}}[{{full}}]{{/p}}a{{>p}}b{{>p}}", "a[F]b[F]"},
    {"{{<p}}x{{/p}}{{<q}}{{>p}}{{>p}}{{/q}}{{>q}}", "xx"},
    {"{{<p}}x{{/p}}", ""},
    {"{{<p}}{{#full}}x{{/full}}{{^full}}y{{/full}}{{/p}}{{#full}}{{>p}}{{/full}}", "x"},
    {"{{<full}}part{{/full}}{{full}}{{>full}}", "Fpart"},
    {"{{<p}}\none\n{{/p}}\n<h1>{{>p}}</h1>\n{{>p}}\nend", "<h1>one</h1>\none\nend"},
    /* lines that hold a tag and nothing else */
    {"a\n{{#full}}\nb\n{{/full}}\nc", "a\nb\nc"},
    {"a\r\n  {{#full}} \r\nb\r\n{{/full}}\r\nc", "a\r\nb\r\nc"},
    {"{{#empty}}\nb\n{{/empty}}\n", ""},
    {"a {{#full}}\nb{{/full}}", "a \nb"},
    {"{{! a remark\nof two lines }}\na{{!x}}b", "ab"},
    {"\n{{full}}\n", "\nF\n"},
    {"{{#full}}\n{{/full}}", ""},
};

START_TEST(test_shown)
{
    ck_assert_str_eq(show(pages[_i].text, ICP_ESCAPE_HTML), pages[_i].shown);
}
END_TEST

static const struct {
    const char *text;
    int line;
    const char *says;
} faults[] = {
    {"", 1, "empty"},
    {"a\n{{wrong}}", 2, "{{wrong}}"},
    {"a\n\n{{#wrong}}{{/wrong}}", 3, "{{#wrong}}"},
    {"{{^wrong}}{{/wrong}}", 1, "{{^wrong}}"},
    {"\n{{>nothing}}", 2, "{{>nothing}}"},
    {"{{>later}}{{<later}}{{/later}}", 1, "{{>later}}"},
    {"\n{{<self}}\n{{>self}}\n{{/self}}", 3, "{{>self}}"},
    {"{{<p}}{{/p}}\n{{<p}}{{/p}}", 2, "{{<p}}"},
    {"{{#full}}\n{{<p}}{{/p}}{{/full}}", 2, "{{<p}}"},
    {"{{<p}}\n{{<q}}{{/q}}{{/p}}", 2, "{{<q}}"},
    {"\n{{#full}}\n\n", 2, "{{/full}}"},
    {"{{<p}}\n{{#full}}\n{{/p}}", 3, "{{/full}}"},
    {"\n{{<p}}\n", 2, "{{/p}}"},
    {"{{#full}}\n{{#empty}}\n{{/full}}{{/empty}}", 3, "{{/empty}}"},
    {"a{{/full}}", 1, "closes nothing"},
    {"a\nb{{full", 2, "without }}"},
    {"{{! never\nclosed", 1, "without }}"},
    {"\n{{}}", 2, "no tag"},
    {"{{ full }}", 1, "no tag"},
    {"{{{full}}}", 1, "no tag"},
    {"{{#}}{{/}}", 1, "no tag"},
    {"{{Full}}", 1, "no tag"},
    {"{{full\n}}", 1, "no tag"},
    {"ok\nok \xb1\xb8\xb0\xb8", 2, "UTF-8"},
    {"ok\n\xed\xa0\x80", 2, "UTF-8"},
};

START_TEST(test_refused)
{
    icp_template_t *template = NULL;
    const char *text = faults[_i].text;
    icp_error_t *error = icp_template_parse(&template, "page.html", text, strlen(text), names, NULL, pool);
    ck_assert_msg(error != NULL, "accepted: %s", text);
    ck_assert_int_eq(error->status, ICP_USAGE);
    ck_assert_ptr_nonnull(strstr(error->message, faults[_i].says));
    ck_assert_ptr_eq(strstr(error->message, "page.html"), error->message);
    ck_assert_ptr_nonnull(strstr(error->message, apr_psprintf(pool, "line %d:", faults[_i].line)));
    ck_assert_ptr_nonnull(error->remedy);
}
END_TEST

START_TEST(test_nul_is_refused)
{
    icp_template_t *template;
    icp_error_t *error = icp_template_parse(&template, "page.html", "a\n\0{{full", 9, names, NULL, pool);
    ck_assert(error && strstr(error->message, "line 2"));
}
END_TEST

START_TEST(test_values_are_escaped)
{
    ck_assert_str_eq(show("{{evil}}", ICP_ESCAPE_HTML), evil_html);
    ck_assert_str_eq(show("<i title=\"{{evil}}\" id='{{evil}}'>", ICP_ESCAPE_HTML),
                     apr_pstrcat(pool, "<i title=\"", evil_html, "\" id='", evil_html, "'>", NULL));
    ck_assert_str_eq(show("{{<p}}{{#evil}}{{evil}}{{/evil}}{{/p}}{{>p}}", ICP_ESCAPE_HTML), evil_html);
    ck_assert_str_eq(show("{{evil}}", ICP_ESCAPE_NONE), values[3]);
}
END_TEST

/* A value is never read as a template. */
START_TEST(test_values_are_not_templates)
{
    const char *const tags[] = {"{{evil}}{{#full}}", "", NULL, "{{full}}", "}}"};
    icp_template_t *template = parse("{{full}}{{evil}}{{two-words}}", NULL);
    ck_assert_str_eq(icp_template_render(template, NULL, tags, ICP_ESCAPE_HTML, pool), "{{evil}}{{#full}}{{full}}}}");
}
END_TEST

START_TEST(test_parts_of_another)
{
    icp_template_t *words = parse("{{<p}}\n{{#full}}\none {{evil}}\n\n{{/full}}\n{{/p}}\n{{<q}}({{>p}}){{/q}}\n", NULL);
    ck_assert_str_eq(icp_template_render(parse("{{<r}}r{{/r}}{{>q}} {{>r}}", words), NULL, values, ICP_ESCAPE_NONE, pool),
                     apr_pstrcat(pool, "(one ", values[3], ") r", NULL));
    ck_assert_str_eq(icp_template_render(words, "p", values, ICP_ESCAPE_HTML, pool), apr_pstrcat(pool, "one ", evil_html, NULL));

    icp_template_t *template;
    icp_error_t *error = icp_template_parse(&template, "page.html", "{{<p}}{{/p}}", 12, names, words, pool);
    ck_assert(error && strstr(error->message, "already"));
}
END_TEST

START_TEST(test_limit)
{
    icp_template_t *template;
    char *text = apr_palloc(pool, ICP_TEMPLATE_LIMIT + 1);
    memset(text, 'x', ICP_TEMPLATE_LIMIT + 1);
    ck_assert_ptr_null(icp_template_parse(&template, "page.html", text, ICP_TEMPLATE_LIMIT, names, NULL, pool));
    ck_assert_uint_eq(strlen(icp_template_render(template, NULL, values, ICP_ESCAPE_HTML, pool)), ICP_TEMPLATE_LIMIT);
    icp_error_t *error = icp_template_parse(&template, "page.html", text, ICP_TEMPLATE_LIMIT + 1, names, NULL, pool);
    ck_assert(error && strstr(error->message, "256 KB"));
}
END_TEST

START_TEST(test_load)
{
    char *file = apr_pstrdup(pool, "/tmp/icp-template-XXXXXX");
    apr_file_t *handle;
    icp_template_t *template;
    ck_assert_int_eq(apr_file_mktemp(&handle, file, APR_FOPEN_CREATE | APR_FOPEN_WRITE, pool), APR_SUCCESS);
    apr_file_puts("one\n{{full}}\n", handle);
    apr_file_flush(handle);
    ck_assert_ptr_null(icp_template_load(&template, file, names, NULL, pool));
    ck_assert_str_eq(icp_template_render(template, NULL, values, ICP_ESCAPE_HTML, pool), "one\nF\n");

    apr_file_puts("{{full", handle);
    apr_file_flush(handle);
    icp_error_t *error = icp_template_load(&template, file, names, NULL, pool);
    ck_assert(error && strstr(error->message, file) && strstr(error->message, "line 3"));

    apr_file_close(handle);
    apr_file_remove(file, pool);
    error = icp_template_load(&template, file, names, NULL, pool);
    ck_assert(error && error->status == ICP_NOT_FOUND && strstr(error->message, file));
    error = icp_template_load(&template, "/tmp", names, NULL, pool);
    ck_assert(error && strstr(error->message, "/tmp"));
}
END_TEST

int main(void)
{
    apr_initialize();
    TCase *tcase = tcase_create("template");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_shown, 0, sizeof pages / sizeof *pages);
    tcase_add_loop_test(tcase, test_refused, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tcase, test_nul_is_refused);
    tcase_add_test(tcase, test_values_are_escaped);
    tcase_add_test(tcase, test_values_are_not_templates);
    tcase_add_test(tcase, test_parts_of_another);
    tcase_add_test(tcase, test_limit);
    tcase_add_test(tcase, test_load);
    Suite *suite = suite_create("template");
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
