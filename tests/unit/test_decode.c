/* Bytes of GB18030 as UTF-8: looked up in a table, it is what iconv makes of them, character by character and at every split. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <iconv.h>

#include "decode.h"

static apr_pool_t *pool;
static const icp_charset_t *gb;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    gb = icp_charset_by_label("gbk", 3);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* In two parts. */
static apr_size_t decode(char *out, const char *bytes, apr_size_t length, apr_size_t split)
{
    icp_decoder_t *decoder = icp_decoder_create(gb, pool);
    apr_size_t used, written = icp_decoder_read(decoder, out, bytes, split, &used, 0);
    return written + icp_decoder_read(decoder, out + written, bytes + used, length - used, &used, 1);
}

START_TEST(each_pair_is_what_iconv_says)
{
    iconv_t iconv_gb = iconv_open("UTF-8", "GB18030");
    ck_assert(iconv_gb != (iconv_t)-1);
    int known = 0;
    for (int lead = 0x81; lead <= 0xFE; lead++) {
        for (int trail = 0x40; trail <= 0xFE; trail++) {
            char pair[2] = {(char)lead, (char)trail}, expected[8], got[ICP_DECODED_MAX(2)], *in = pair, *out = expected;
            size_t rest = 2, room = sizeof expected;
            if (iconv(iconv_gb, &in, &rest, &out, &room) == (size_t)-1) {
                iconv(iconv_gb, NULL, NULL, NULL, NULL);
                continue;
            }
            apr_size_t length = decode(got, pair, 2, 0);
            ck_assert_msg(length == (apr_size_t)(out - expected) && memcmp(got, expected, length) == 0, "%02x %02x", lead, trail);
            apr_pool_clear(pool);
            known++;
        }
    }
    iconv_close(iconv_gb);
    ck_assert_int_gt(known, 23000);
}
END_TEST

START_TEST(what_is_no_pair_swallows_no_markup)
{
    static const struct { const char *bytes, *utf8; } cases[] = {
        {"\xB1\xB8<b>\xB0\xB8", "备<b>案"},
        {"\xB1<b>", "\xEF\xBF\xBD<b>"},
        {"<b>\xB1", "<b>\xEF\xBF\xBD"},
        {"\x80\xFF<i>", "\xEF\xBF\xBD\xEF\xBF\xBD<i>"},
        {"a\x81\x30\x81\x30z", "a\xC2\x80z"},
        {"\x81\x30<u>\xB1\xB8", "\xEF\xBF\xBD" "0<u>备"},
        {"\xB1\xB8\xB1\xFF>\xB0\xB8", "备\xEF\xBF\xBD>案"},
        {"\x95\x32\x82\x36\xB1\xB8", "\xF0\xA0\x80\x80备"},
        {"\xFE\x51\xA3\xC2", "\xF0\xA0\x82\x87Ｂ"},
    };
    char got[ICP_DECODED_MAX(16)];
    for (apr_size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        apr_size_t length = strlen(cases[i].bytes);
        for (apr_size_t split = 0; split <= length; split++) {
            got[decode(got, cases[i].bytes, length, split)] = '\0';
            ck_assert_str_eq(got, cases[i].utf8);
        }
    }
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("decode");
    TCase *tcase = tcase_create("decode");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_pair_is_what_iconv_says);
    tcase_add_test(tcase, what_is_no_pair_swallows_no_markup);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
