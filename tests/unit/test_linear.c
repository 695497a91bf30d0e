/* However bad a page is, reading it takes work and memory in proportion to its length. Work is counted, not timed: the library is
 * compiled anew so that every branch it takes counts one (see the Makefile), and every sixteen bytes that the C library looks over in its
 * place. Memory is what malloc has handed out. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <check.h>

#include "page.h"

#define LENGTH 120000
#define RATIO 2.3        /* of work at twice the length; 2, and what begins anew at a power of two */
#define MEMORY_BASE 1500000
#define MEMORY_PER_BYTE 24 /* with the pieces that a buffer leaves behind as it grows */

static unsigned long long work;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    work++;
}

/* The linker puts these in the place of the C library's. */
void *__real_memchr(const void *text, int byte, size_t length);
void *__wrap_memchr(const void *text, int byte, size_t length);
void *__wrap_memchr(const void *text, int byte, size_t length)
{
    const char *found = __real_memchr(text, byte, length);
    work += (found ? (size_t)(found - (const char *)text) : length) / 16;
    return (void *)found;
}

void *__real_memmem(const void *text, size_t length, const void *word, size_t size);
void *__wrap_memmem(const void *text, size_t length, const void *word, size_t size);
void *__wrap_memmem(const void *text, size_t length, const void *word, size_t size)
{
    const char *found = __real_memmem(text, length, word, size);
    work += (found ? (size_t)(found - (const char *)text) : length) / 16;
    return (void *)found;
}

void *__real_memmove(void *to, const void *from, size_t length);
void *__wrap_memmove(void *to, const void *from, size_t length);
void *__wrap_memmove(void *to, const void *from, size_t length)
{
    work += length / 16;
    return __real_memmove(to, from, length);
}

void *__real_memcpy(void *to, const void *from, size_t length);
void *__wrap_memcpy(void *to, const void *from, size_t length);
void *__wrap_memcpy(void *to, const void *from, size_t length)
{
    work += length / 16;
    return __real_memcpy(to, from, length);
}

/* `begin` once, `again` until the page is full. */
static const struct { const char *begin, *again; } pages[] = {
    {"", "<div>"}, {"", "<b>"}, {"", "<b style=color:red><p>"}, {"", "<a href=x>"}, {"", "<table><tr><td>"}, {"", "<table>x"},
    {"", "<svg>"}, {"", "<svg><desc>"}, {"", "<ul><li>"}, {"", "<select><option>"}, {"", "<button>"}, {"", "<form>"}, {"", "<details>"},
    {"", "<p hidden>"}, {"", "<b></p>"}, {"", "<body hidden>"}, {"", "</p>"}, {"", "</div>"}, {"", "<i><font size=1></i>x"},
    {"", "<div><b hidden></div>x"}, {"", "<xyz>"},
    {"<p ", "a=b "}, {"<p ", "class=a "}, {"<p ", "a='"}, {"<p a='", "x"}, {"<p ", "a=\"&#22791;\" "}, {"<p ", "style=x "},
    {"<p class='", "a "}, {"<p style='", "a:b;"}, {"<p style='", "/*"}, {"", "<a href='&amp;&amp;'>"},
    {"", "&"}, {"", "&amp;"}, {"", "&#"}, {"", "&#22791;"}, {"", "&a"}, {"&#", "0"}, {"&", "a"},
    {"", "<"}, {"", "<a"}, {"", "</"}, {"", "<!"}, {"", "<!-"}, {"", "<?"}, {"", ">"},
    {"<!--", "-"}, {"<!--", "--"}, {"<!--", "--!"}, {"<!--", "x"}, {"", "<!---->"}, {"<!--", "ICP\xE5\xA4\x87"}, {"<svg><![CDATA[", "]]"},
    {"", "\xFF"}, {"", "\xE5"}, {"", "\xE5\xA4"}, {"", "\xF0\x9F"}, {"<meta charset=gbk>", "\x81"}, {"<meta charset=big5>", "\xFF"},
    {"<meta charset=gbk>", "\x81\x30\x81\x30"}, {"<meta charset=gbk>", "\xB1\xB8"}, {"<meta charset=gbk>", "\xB1<"}, {"\xFF\xFE", "\xD8"}, {"", "\x01"},
    {"", "\xE2\x80\x8B"}, {"\xE4\xBA\xAC" "ICP\xE5\xA4\x87", "\xE2\x80\x8B"}, {"", "\xE5\xA4\x87"}, {"", "ICP\xE5\xA4\x87"},
    {"", "\xE4\xBA\xAC" "ICP\xE5\xA4\x87" "05012345\xE5\x8F\xB7-1 "}, {"", "cp"}, {"", "b "}, {"b", " "}, {"", "icp&"}, {"", "B1-2005"}, {"", "ICP\xE5\xA4\x87" "1"},
    {"", " "}, {"", "\n"}, {"", "<br>"}, {"", "<p>\n"}, {"x", "<img>"},
    {"<script>", "<!--<script>"}, {"<script>", "</scrip"}, {"<script>", "<"}, {"<script><!--", "-"}, {"<script>", "\\u5907"},
    {"<script>", "\\"}, {"<script>", "&&"}, {"<script>", "ICP\xE5\xA4\x87 "}, {"<script>", "location"}, {"<script>", "fo"}, {"<script>", "x"}, {"", "<script></script>"},
    {"<style>", "{"}, {"<style>", ".a{display:none}"}, {"<style>", "/*"}, {"<style>", ".a,"}, {"<style>", "a"},
    {"<style>", ".a .b>c:not(.d),"}, {"<style>", "@media screen{"}, {"<style>", ":not("}, {"<style>", "--a:var(--a);"}, {"<style>", "#a b{color:red}"},
    {"<style>.a{display:none}</style><p class='", "b "}, {"<style>.a{display:none}</style>", "<p class='a a a a a a a a'>"},
    {"<style>.a .a .a .b .a{display:none}</style>", "<b class=a>"}, {"<style>*>*>b+b{display:none}</style>", "<b>"}, {"<style>.x .a{display:none}</style>", "<b class=a>"}, {"<title>", "&"}, {"<textarea>", "</textare"}, {"<plaintext>", "<"},
};

static unsigned long long work_of(const char *type, const char *begin, const char *again, size_t length)
{
    char *text = malloc(length + 64);
    size_t at = strlen(begin), unit = strlen(again);
    memcpy(text, begin, at);
    for (; at < length; at += unit) memcpy(text + at, again, unit);

    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    size_t before = mallinfo2().uordblks;
    work = 0;
    icp_page_t *page = icp_page_create(type, 0, pool);
    for (size_t from = 0; from < length; from += 8000) icp_page_feed(page, text + from, length - from < 8000 ? length - from : 8000);
    icp_page_finish(page, 1);
    unsigned long long done = work;
    size_t memory = mallinfo2().uordblks - before;
    ck_assert_msg(memory < MEMORY_BASE + MEMORY_PER_BYTE * length, "%s%s: %zu bytes of memory for %zu", begin, again, memory, length);
    apr_pool_destroy(pool);
    free(text);
    return done;
}

START_TEST(linear)
{
    static const char *const types[] = {"text/html", "text/html; charset=utf-8"}; /* the first waits for a declaration */
    const char *type = types[_i % 2], *begin = pages[_i / 2].begin, *again = pages[_i / 2].again;
    double once = (double)work_of(type, begin, again, LENGTH), twice = (double)work_of(type, begin, again, 2 * LENGTH);
    ck_assert_msg(once > 100 && twice < RATIO * once, "%s%s…: %.0f steps, at twice the length %.0f", begin, again, once, twice);
    ck_assert_msg(twice < 2000.0 * 2 * LENGTH, "%s%s…: %.0f steps a byte", begin, again, twice / 2 / LENGTH);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("linear");
    TCase *pages_case = tcase_create("pages");
    tcase_set_timeout(pages_case, 60);
    tcase_add_loop_test(pages_case, linear, 0, 2 * (int)(sizeof pages / sizeof *pages));
    suite_add_tcase(suite, pages_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed != 0;
}
