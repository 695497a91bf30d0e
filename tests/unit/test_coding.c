/* Content codings undone on the side: every chunking, chains, truncation, bombs and what is no such coding. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <brotli/encode.h>
#include <zlib.h>

#include "coding.h"

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

typedef struct collected_t {
    char *bytes;
    apr_size_t length, limit;
} collected_t;

static int collect(void *baton, const char *bytes, apr_size_t length)
{
    collected_t *all = baton;
    if (length > all->limit - all->length) length = all->limit - all->length;
    memcpy(all->bytes + all->length, bytes, length);
    all->length += length;
    return all->length < all->limit;
}

static char *sample(apr_size_t length)
{
    static const char alphabet[] = "<p>沪ICP备05012345号-1 abcdefgh";
    char *text = apr_palloc(pool, length);
    unsigned seed = 7;
    for (apr_size_t i = 0; i < length; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
    }
    return text;
}

/* bits: 15 + 16 gzip, 15 zlib, -15 raw */
static char *squeeze(const char *text, apr_size_t length, int bits, apr_size_t *packed)
{
    z_stream z = {0};
    char *out = apr_palloc(pool, length + 1000);
    deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)text;
    z.avail_in = (uInt)length;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)length + 1000;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    *packed = z.total_out;
    deflateEnd(&z);
    return out;
}

static char *squeeze_brotli(const char *text, apr_size_t length, apr_size_t *packed)
{
    char *out = apr_palloc(pool, length + 1000);
    *packed = length + 1000;
    ck_assert(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, length, (const uint8_t *)text, packed, (uint8_t *)out));
    return out;
}

static icp_coding_e run(const char *name, const char *data, apr_size_t length, apr_size_t step, collected_t *all,
                        int *ended)
{
    icp_coding_t *coding = icp_coding_create(name, collect, all, pool);
    icp_coding_e state = ICP_CODING_MORE;
    ck_assert_ptr_nonnull(coding);
    for (apr_size_t at = 0; at < length; at += step) {
        state = icp_coding_feed(coding, data + at, length - at < step ? length - at : step);
    }
    if (ended) *ended = icp_coding_ended(coding);
    return state;
}

static void expect_same(const char *name, const char *data, apr_size_t packed, const char *text, apr_size_t length)
{
    for (apr_size_t step = 1; step <= packed; step = step * 5 + 2) {
        collected_t all = {apr_palloc(pool, length + 1), 0, length + 1};
        int ended;
        ck_assert_int_eq(run(name, data, packed, step, &all, &ended), ICP_CODING_MORE);
        ck_assert(ended);
        ck_assert_uint_eq(all.length, length);
        ck_assert(!memcmp(all.bytes, text, length));
    }
}

#define LENGTH 60000

START_TEST(each_coding_in_any_chunks)
{
    char *text = sample(LENGTH);
    apr_size_t packed;
    char *data = squeeze(text, LENGTH, 15 + 16, &packed);
    expect_same("gzip", data, packed, text, LENGTH);
    expect_same("X-GZIP", data, packed, text, LENGTH);
    data = squeeze(text, LENGTH, 15, &packed);
    expect_same("deflate", data, packed, text, LENGTH);
    data = squeeze(text, LENGTH, -15, &packed);
    expect_same("deflate", data, packed, text, LENGTH);
    data = squeeze_brotli(text, LENGTH, &packed);
    expect_same("br", data, packed, text, LENGTH);
    expect_same("identity", text, LENGTH, text, LENGTH);
}
END_TEST

START_TEST(chains_are_undone_from_the_last)
{
    char *text = sample(LENGTH);
    apr_size_t inner, packed;
    char *first = squeeze(text, LENGTH, 15 + 16, &inner);
    char *data = squeeze_brotli(first, inner, &packed);
    expect_same("gzip, br", data, packed, text, LENGTH);
}
END_TEST

START_TEST(members_follow_and_garbage_is_ignored)
{
    char *text = sample(LENGTH);
    apr_size_t one, two;
    char *a = squeeze(text, 1000, 15 + 16, &one), *b = squeeze(text + 1000, LENGTH - 1000, 15 + 16, &two);
    char *data = apr_palloc(pool, one + two + 9);
    memcpy(data, a, one);
    memcpy(data + one, b, two);
    expect_same("gzip", data, one + two, text, LENGTH);
    memcpy(data + one + two, "<garbage>", 9);
    expect_same("gzip", data, one + two + 9, text, LENGTH);
}
END_TEST

START_TEST(cut_short_is_not_ended)
{
    char *text = sample(LENGTH);
    apr_size_t packed;
    char *gzip = squeeze(text, LENGTH, 15 + 16, &packed);
    collected_t all = {apr_palloc(pool, LENGTH + 1), 0, LENGTH + 1};
    int ended;
    run("gzip", gzip, packed / 2, 100, &all, &ended);
    ck_assert(!ended);
    char *brotli = squeeze_brotli(text, LENGTH, &packed);
    all.length = 0;
    run("br", brotli, packed / 2, 100, &all, &ended);
    ck_assert(!ended);
}
END_TEST

START_TEST(a_bomb_ends_at_the_limit)
{
    apr_size_t packed, length = 64 << 20;
    char *zeros = calloc(1, length);
    char *data = squeeze(zeros, length, 15 + 16, &packed);
    free(zeros);
    collected_t all = {apr_palloc(pool, 100000), 0, 100000};
    ck_assert_int_eq(run("gzip", data, packed, packed, &all, NULL), ICP_CODING_FULL);
    ck_assert_uint_eq(all.length, 100000);
}
END_TEST

START_TEST(what_is_no_such_coding_is_bad)
{
    static const char *const codings[] = {"gzip", "deflate", "br"};
    const char *html = "<!DOCTYPE html><html><p>not compressed at all, whatever the header says</p></html>";
    for (int i = 0; i < 3; i++) {
        collected_t all = {apr_palloc(pool, 10000), 0, 10000};
        int ended;
        icp_coding_e state = run(codings[i], html, strlen(html), 7, &all, &ended);
        ck_assert(state == ICP_CODING_BAD || !ended);
    }
    collected_t all = {apr_palloc(pool, 1), 0, 1};
    ck_assert_ptr_null(icp_coding_create("zstd", collect, &all, pool));
    ck_assert_ptr_null(icp_coding_create("gzip, gzip, gzip, gzip", collect, &all, pool));
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("coding");
    TCase *tcase = tcase_create("coding");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_coding_in_any_chunks);
    tcase_add_test(tcase, chains_are_undone_from_the_last);
    tcase_add_test(tcase, members_follow_and_garbage_is_ignored);
    tcase_add_test(tcase, cut_short_is_not_ended);
    tcase_add_test(tcase, a_bomb_ends_at_the_limit);
    tcase_add_test(tcase, what_is_no_such_coding_is_bad);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
