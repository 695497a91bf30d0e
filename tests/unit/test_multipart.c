/* Bodies of forms: what went in comes out, byte for byte, whatever the data looks like; what is malformed, broken off or too much is said
 * to be so. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "../../mod_icp/multipart.h"

#define BOUNDARY "----WebKitFormBoundaryA1"
#define TYPE "multipart/form-data; boundary=" BOUNDARY
#define HEAD(name) "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_HEAD(name, file) "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file "\"\r\nContent-Type: image/png\r\n\r\n"
#define END "\r\n--" BOUNDARY "--\r\n"

static apr_pool_t *pool;
static icp_multipart_t *form;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* From a copy that ends where the body ends, so that sanitizers see a byte too many. */
static icp_multipart_e parse(const char *type, const char *body, apr_size_t length)
{
    char *copy = malloc(length ? length : 1);
    memcpy(copy, body, length);
    apr_pool_cleanup_register(pool, copy, (apr_status_t (*)(void *))(void (*)(void))free, apr_pool_cleanup_null);
    return icp_multipart_parse(&form, type, copy, length, pool);
}

static icp_multipart_e parse_text(const char *body)
{
    return parse(TYPE, body, strlen(body));
}

typedef struct text_t {
    char bytes[100000];
    apr_size_t length;
} text_t;

static void add(text_t *text, const char *bytes, apr_size_t length)
{
    ck_assert(text->length + length <= sizeof text->bytes);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static unsigned seed;

static unsigned pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

/* Data made of what parsers stumble over; a whole delimiter after a line's end is the one thing that no client sends. */
static void add_data(text_t *text)
{
    static const char *const pieces[] = {"\r", "\n", "\r\n", "-", "--", "\r\n--", "\n--", "--" "----WebKitFormBoundary", "\r\n------WebKitFormBoundaryA", BOUNDARY,
                                         "\r\n-" BOUNDARY, "\r\n\r\n", "\r\r\n", "x", "\xff", "Content-Disposition: form-data; name=\"y\"", " ", "\t", "\"", ";"};
    for (unsigned count = pick(12); count; count--) {
        const char *piece = pieces[pick(sizeof pieces / sizeof *pieces)];
        add(text, piece, strlen(piece));
        if (!pick(10)) add(text, "", 1);
    }
}

/* The line before the data ends one, too. */
static int holds_delimiter(const text_t *text)
{
    static const char delimiter[] = "\n--" BOUNDARY;
    apr_size_t size = sizeof delimiter - 1;
    return memmem(text->bytes, text->length, delimiter, size) || (text->length >= size - 1 && !memcmp(text->bytes, delimiter + 1, size - 1));
}

START_TEST(test_what_goes_in_comes_out)
{
    static text_t parts[8], body;
    for (int round = 0; round < 4000; round++) {
        int count = (int)pick(8), is_file[8];
        body.length = 0;
        for (int i = 0; i < count; i++) {
            do {
                parts[i].length = 0;
                add_data(&parts[i]);
            } while (holds_delimiter(&parts[i]));
            is_file[i] = (int)pick(2);
            const char *head = is_file[i] ? FILE_HEAD("f%d", "n%d") : HEAD("t%d");
            head = is_file[i] ? apr_psprintf(pool, head, i, i) : apr_psprintf(pool, head, i);
            add(&body, head, strlen(head));
            add(&body, parts[i].bytes, parts[i].length);
            if (i + 1 < count) add(&body, "\r\n", 2);
        }
        const char *end = count ? END : "--" BOUNDARY "--\r\n";
        add(&body, end, strlen(end));
        ck_assert_int_eq(parse(TYPE, body.bytes, body.length), ICP_MULTIPART_WHOLE);
        int files = 0;
        for (int i = 0; i < count; i++) {
            if (is_file[i]) {
                icp_multipart_file_t *file = &APR_ARRAY_IDX(form->files, files++, icp_multipart_file_t);
                ck_assert_str_eq(file->field, apr_psprintf(pool, "f%d", i));
                ck_assert_str_eq(file->name, apr_psprintf(pool, "n%d", i));
                ck_assert_uint_eq(file->length, parts[i].length);
                ck_assert_mem_eq(file->bytes, parts[i].bytes, file->length);
            }
            else {
                for (apr_size_t at = 0; at < parts[i].length; at++) parts[i].bytes[at] += !parts[i].bytes[at];
                parts[i].bytes[parts[i].length] = '\0';
                ck_assert_str_eq(icp_multipart_field(form, apr_psprintf(pool, "t%d", i)), parts[i].bytes);
            }
        }
        ck_assert_int_eq(form->files->nelts, files);
        ck_assert_int_eq(apr_table_elts(form->fields)->nelts, count - files);
        apr_pool_clear(pool);
    }
}
END_TEST

/* Each body that ends before its time is known as such, and has the fields before the end. */
START_TEST(test_every_cut)
{
    static const char body[] = HEAD("a") "val\r\n\r\n--x\r\r\r\n" FILE_HEAD("f", "q.png") "by\r\nte\r" END;
    apr_size_t whole = sizeof body - 3, second = (apr_size_t)(strstr(body, "\r\r\n--") - body);
    for (apr_size_t length = 0; length < sizeof body; length++) {
        ck_assert_int_eq(parse(TYPE, body, length), length >= whole ? ICP_MULTIPART_WHOLE : ICP_MULTIPART_BROKEN);
        if (length >= second + strlen("\r\r\n--" BOUNDARY)) ck_assert_str_eq(icp_multipart_field(form, "a"), "val\r\n\r\n--x\r\r");
    }
    ck_assert_uint_eq(APR_ARRAY_IDX(form->files, 0, icp_multipart_file_t).length, 7);
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const bodies[] = {
        "", "x", "\r\n", "--" BOUNDARY, HEAD("a"), HEAD("a") "b", HEAD("a") "b\r\n--" BOUNDARY "\r\n",
        HEAD("a") "b" END HEAD("c") "d" END,                                                                /* a second form behind the first */
        HEAD("a") "b\r\n--" BOUNDARY "x\r\n" HEAD("c") "d" END,                                             /* a delimiter to some, data to others */
        HEAD("a\"; name=\"b") "c" END, FILE_HEAD("a", "b\"; filename=\"c") "d" END, HEAD("a\" x\"") "b" END, /* which of them? */
        "--" BOUNDARY "\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nb" END,
        "--" BOUNDARY "\r\nContent-Type: text/plain\r\n\r\nb" END, "--" BOUNDARY "\r\n\r\nb" END,
        "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nc" END,
        "--" BOUNDARY "\r\nContent-Disposition: form-data; name=a\r\n\r\nb" END,
        "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\nnonsense\r\n\r\nb" END,
        "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"" END};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) ck_assert_msg(parse_text(bodies[i]) == ICP_MULTIPART_BROKEN, "%s", bodies[i]);
    ck_assert_int_eq(parse(TYPE, HEAD("a\0b") "c" END, sizeof HEAD("a\0b") "c" END - 1), ICP_MULTIPART_BROKEN);
    ck_assert_int_eq(parse_text(HEAD("a") "b" END "an epilogue"), ICP_MULTIPART_WHOLE);
    ck_assert_int_eq(parse_text("a preamble\r\n" HEAD("a") "b" END), ICP_MULTIPART_WHOLE);
}
END_TEST

START_TEST(test_types)
{
    static const char body[] = HEAD("a") "b" END;
    static const char *const others[] = {NULL, "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=" BOUNDARY,
                                         "multipart/form-data; boundary=" BOUNDARY "; boundary=x", "application/x-www-form-urlencoded; boundary=" BOUNDARY};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) ck_assert_int_eq(parse(others[i], body, sizeof body - 1), ICP_MULTIPART_OTHER);
    ck_assert_int_eq(parse("multipart/form-data; boundary=\"" BOUNDARY "\"", body, sizeof body - 1), ICP_MULTIPART_WHOLE);
    ck_assert_str_eq(icp_multipart_field(form, "a"), "b");
    ck_assert_str_eq(icp_multipart_field(form, "c"), "");
    ck_assert_int_eq(parse("Multipart/Form-Data; boundary=" BOUNDARY, body, sizeof body - 1), ICP_MULTIPART_WHOLE);
}
END_TEST

static char *times(const char *piece, int count, const char *end)
{
    apr_size_t length = strlen(piece);
    char *all = apr_palloc(pool, length * (apr_size_t)count + strlen(end) + 1);
    for (int i = 0; i < count; i++) memcpy(all + length * (apr_size_t)i, piece, length);
    strcpy(all + length * (apr_size_t)count, end);
    return all;
}

/* What libhtp would keep something for is counted first: a million of it takes no time. */
START_TEST(test_too_much)
{
    static const char part[] = HEAD("a") "b\r\n", last[] = "--" BOUNDARY "--\r\n";
    ck_assert_int_eq(parse_text(times(part, ICP_MULTIPART_PARTS_MAX, last)), ICP_MULTIPART_WHOLE);
    ck_assert_int_eq(apr_table_elts(form->fields)->nelts, ICP_MULTIPART_PARTS_MAX);
    ck_assert_int_eq(parse_text(times(part, ICP_MULTIPART_PARTS_MAX + 1, last)), ICP_MULTIPART_LARGE);
    ck_assert_int_eq(parse_text(times(part, 100000, "")), ICP_MULTIPART_LARGE);
    ck_assert_int_eq(parse_text(times("\n--" BOUNDARY, 100000, "")), ICP_MULTIPART_LARGE);

    const char *start = "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\n", *end = "\r\nb" END;
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, times("x: y\r\n", ICP_MULTIPART_HEAD_MAX - 1, end), NULL)), ICP_MULTIPART_BROKEN); /* repeated */
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, "x1: y\r\nx2: y\r\nx3: y\r\nx4: y\r\nx5: y\r\nx6: y\r\nx7: y\r\nx8: y\r\nx9: y\r\n", end, NULL)),
                     ICP_MULTIPART_WHOLE);
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, times("x: y\r\n", ICP_MULTIPART_HEAD_MAX, end), NULL)), ICP_MULTIPART_LARGE);
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, times(" y\n", 1000000, end), NULL)), ICP_MULTIPART_LARGE);
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, HEAD("a") "b" END, times("\r\rx\n", 1000000, ""), NULL)), ICP_MULTIPART_LARGE);
    /* A long line is but one, and data has as many as it likes. */
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, "x: ", times("y", 1000000, "\r\n"), end, NULL)), ICP_MULTIPART_WHOLE);
    ck_assert_int_eq(parse_text(apr_pstrcat(pool, start, times("\r\n", 1000000, end), NULL)), ICP_MULTIPART_WHOLE);
}
END_TEST

int main(void)
{
    apr_pool_t *forever;
    apr_initialize();
    apr_pool_create(&forever, NULL);
    if (icp_multipart_prepare(forever)) return EXIT_FAILURE;
    Suite *suite = suite_create("multipart");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, test_what_goes_in_comes_out);
    tcase_add_test(all, test_every_cut);
    tcase_add_test(all, test_malformed);
    tcase_add_test(all, test_types);
    tcase_add_test(all, test_too_much);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
