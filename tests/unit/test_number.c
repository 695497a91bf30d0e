/* ICP numbers: every line of tests/corpus/numbers.tsv, alone and all in one text, the labelled list of ../shared where it is
 * beside the checkout, and what must hold for hostile text. Run from the top of the checkout. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <unistr.h>

#include "fold.h"
#include "number.h"

#define CORPUS "tests/corpus/numbers.tsv"
#define SHARED "../shared/data/numbers.tsv"
#define LINE 4096

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static apr_array_header_t *find(const char *text)
{
    return icp_number_find(text, strlen(text), pool);
}

static icp_number_t *at(apr_array_header_t *found, int i)
{
    return &APR_ARRAY_IDX(found, i, icp_number_t);
}

/* As the corpus writes it: KIND NORMAL-FORM +MARK…; none(REASON) TEXT. */
static const char *describe(const icp_number_t *number)
{
    static const char *const marks[] = {" +alias-province", " +no-hao", " +suspect", " +placeholder", " +service"};
    if (number->kind == ICP_NUMBER_NONE) {
        return apr_psprintf(pool, "none(%s) %s", icp_number_reason_name(number->reason), number->text);
    }
    const char *text = apr_psprintf(pool, "%s %s", icp_number_kind_name(number), number->text);
    for (int i = 0; i < 5; i++) {
        text = apr_pstrcat(pool, text, number->marks >> i & 1 ? marks[i] : "", NULL);
    }
    return text;
}

static const char *describe_all(apr_array_header_t *found)
{
    const char *text = NULL;
    for (int i = 0; i < found->nelts; i++) {
        text = text ? apr_pstrcat(pool, text, " ; ", describe(at(found, i)), NULL) : describe(at(found, i));
    }
    return text ? text : "-";
}

static size_t unescape(char *text)
{
    char *out = text;
    for (char *in = text; *in;) {
        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        int digits = in[1] == 'u' ? 4 : in[1] == 'U' ? 8 : in[1] == 'x' ? 2 : 0;
        char number[9] = "";
        strncat(number, in + 2, (size_t)digits);
        unsigned long code = strtoul(number, NULL, 16);
        if (in[1] == 'x' || !digits) {
            *out++ = digits ? (char)code : in[1] == 'n' ? '\n' : in[1] == 't' ? '\t' : in[1];
        }
        else {
            out += u8_uctomb((uint8_t *)out, (ucs4_t)code, 4);
        }
        in += 2 + digits;
    }
    *out = '\0';
    return (size_t)(out - text);
}

/* Splits a line of a TSV file at its tabs; 0: a comment, a blank line or the end. */
static int fields_of(char *line, char **fields, int most)
{
    line[strcspn(line, "\n")] = '\0';
    int count = 0;
    for (char *field = line; field && count < most; count++) {
        fields[count] = field;
        field = strchr(field, '\t');
        if (field) {
            *field++ = '\0';
        }
    }
    return count;
}

static FILE *open_corpus(void)
{
    FILE *file = fopen(CORPUS, "r");
    ck_assert_msg(file != NULL, "%s: run from the top of the checkout", CORPUS);
    return file;
}

START_TEST(each_line_of_the_corpus)
{
    FILE *file = open_corpus();
    char line[LINE], *fields[2];
    int tried = 0, wrong = 0;
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, "# ", 2) || fields_of(line, fields, 2) < 2) {
            continue;
        }
        char *shown = apr_pstrdup(pool, fields[0]);
        size_t length = unescape(fields[0]);
        const char *found = describe_all(icp_number_find(fields[0], length, pool));
        tried++;
        if (strcmp(found, fields[1])) {
            fprintf(stderr, "%s\n  expected %s\n  found    %s\n", shown, fields[1], found);
            wrong++;
        }
    }
    fclose(file);
    ck_assert_int_gt(tried, 200);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/* Block borders keep the lines apart, at every alignment of the scanner's blocks; the bytes [start, end) alone are the same. */
START_TEST(the_corpus_as_one_text)
{
    FILE *file = open_corpus();
    char line[LINE], *fields[2], *text = apr_palloc(pool, 1 << 17);
    apr_array_header_t *expected = apr_array_make(pool, 300, sizeof(const char *));
    size_t used = (size_t)_i;
    memset(text, 'x', used);
    text[used++] = ICP_FOLD_BORDER;
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, "# ", 2) || fields_of(line, fields, 2) < 2) {
            continue;
        }
        size_t length = unescape(fields[0]);
        memcpy(text + used, fields[0], length);
        used += length;
        text[used++] = ICP_FOLD_BORDER;
        if (strcmp(fields[1], "-")) {
            char *rest = apr_pstrdup(pool, fields[1]);
            for (char *next = rest; next; rest = next) {
                next = strstr(rest, " ; ");
                if (next) {
                    *next = '\0';
                    next += 3;
                }
                APR_ARRAY_PUSH(expected, const char *) = rest;
            }
        }
    }
    fclose(file);
    apr_array_header_t *found = icp_number_find(text, used, pool);
    ck_assert_int_eq(found->nelts, expected->nelts);
    size_t before = 0;
    for (int i = 0; i < found->nelts; i++) {
        const icp_number_t *number = at(found, i);
        ck_assert_str_eq(describe(number), APR_ARRAY_IDX(expected, i, const char *));
        ck_assert_uint_ge(number->start, before);
        ck_assert_uint_gt(number->end, number->start);
        before = number->end;
        const char *alone = describe_all(icp_number_find(text + number->start, number->end - number->start, pool));
        ck_assert_str_eq(alone, describe(number));
    }
}
END_TEST

/* The words of the shared list for what was found. */
static const char *shared_verdict(const icp_number_t *number)
{
    if (number->kind == ICP_NUMBER_POLICE) {
        return strlen(number->text) == strlen("京公网安备号") + 12 ? "police-old" : "police";
    }
    if (number->kind != ICP_NUMBER_NONE) {
        if (number->service == 'A') return "ok-app";
        if (number->service == 'X') return "ok-miniprogram";
        if (number->service == 'K') return "ok-quickapp";
        if (number->marks & ICP_MARK_ALIAS_PROVINCE) return "ok-alias";
        if (number->marks & ICP_MARK_PLACEHOLDER && !number->suffix) return "placeholder-suspect";
        if (number->marks & ICP_MARK_NO_HAO && number->kind == ICP_NUMBER_FILING) return "ok-nohao";
        return strstr(number->province, "合字") || !number->province[0] ? "telecom" : "ok";
    }
    switch (number->reason) {
    case ICP_REASON_NOT_PROVINCE: return "not-a-province";
    case ICP_REASON_PLACEHOLDER: return "placeholder";
    case ICP_REASON_PENDING: return "pending";
    default: return "malformed";
    }
}

START_TEST(the_shared_list)
{
    FILE *file = fopen(SHARED, "r");
    if (!file) {
        fprintf(stderr, "%s is not beside the checkout: its numbers are not tried\n", SHARED);
        return;
    }
    char line[LINE], *fields[4];
    while (fgets(line, sizeof line, file)) {
        if (fields_of(line, fields, 4) < 4 || !strcmp(fields[0], "raw")) {
            continue;
        }
        apr_array_header_t *found = find(fields[0]);
        ck_assert_msg(found->nelts > 0, "%s: nothing found", fields[0]);
        const char *verdict = shared_verdict(at(found, 0));
        ck_assert_msg(!strcmp(verdict, fields[1]), "%s: %s, not %s", fields[0], verdict, fields[1]);
        if (*fields[2]) {
            ck_assert_str_eq(at(found, 0)->text, fields[2]);
        }
    }
    fclose(file);
}
END_TEST

START_TEST(the_parts_of_a_number)
{
    const icp_number_t *number = at(find("© 川 ICP备 19012345 号-12a."), 0);
    ck_assert_int_eq(number->kind, ICP_NUMBER_FILING);
    ck_assert_str_eq(number->text, "蜀ICP备19012345号-12A");
    ck_assert_str_eq(number->license, "蜀ICP备19012345号");
    ck_assert_str_eq(number->province, "蜀");
    ck_assert_int_eq(number->suffix, 12);
    ck_assert_int_eq(number->service, 'A');
    ck_assert_uint_eq(number->start, strlen("© "));
    ck_assert_uint_eq(number->end, strlen("© 川 ICP备 19012345 号-12a"));
    number = at(find("合字B1.B2-20110031-2"), 0);
    ck_assert_str_eq(number->license, "合字B1.B2-20110031");
    ck_assert_str_eq(number->province, "合字");
    ck_assert_str_eq(at(find("A2.B1.B2-20110003"), 0)->province, "");
    number = at(find("港ICP备20240227号"), 0);
    ck_assert_ptr_null(number->license);
    ck_assert_ptr_null(number->province);
    ck_assert_ptr_null(at(find("京公网安备11010802012345号"), 0)->license);
}
END_TEST

START_TEST(parse_wants_the_whole_text)
{
    ck_assert_str_eq(icp_number_parse("\n （沪）ICP備05012345號－3\u200b ", pool)->text, "沪ICP备05012345号-3");
    ck_assert_int_eq(icp_number_parse("备案号：沪ICP备05012345号", pool)->reason, ICP_REASON_SURROUNDED);
    ck_assert_int_eq(icp_number_parse("沪ICP备05012345号 沪ICP备05012346号", pool)->reason, ICP_REASON_SURROUNDED);
    ck_assert_int_eq(icp_number_parse("沪ICP备0501234号", pool)->reason, ICP_REASON_DIGITS);
    ck_assert_int_eq(icp_number_parse("", pool)->reason, ICP_REASON_NOT_NUMBER);
    ck_assert_int_eq(icp_number_parse("example.cn", pool)->reason, ICP_REASON_NOT_NUMBER);
    ck_assert_str_eq(icp_number_parse("ＡＢ 备", pool)->text, "AB备");
    ck_assert_int_eq(icp_number_parse("京公网安备 11010802012345号", pool)->kind, ICP_NUMBER_POLICE);
}
END_TEST

START_TEST(same_license_is_told_by_province_kind_and_digits)
{
    static const struct {
        const char *a, *b;
        int same;
    } cases[] = {
        {"沪ICP备05012345号", "滬ICP備 05012345-3", 1}, {"川ICP备05012345号-1", "蜀ICP备05012345号-2A", 1},
        {"沪ICP备05012345号", "沪ICP备05012346号", 0},  {"沪ICP备05012345号", "浙ICP备05012345号", 0},
        {"沪ICP备05012345号", "沪ICP证05012345号", 0},  {"沪B2-20110031", "沪B2-20110031-4", 1},
        {"川B2-20110031", "蜀B2-20110031-4", 1},         {"川B2-20110031", "合字B2-20110031", 0},
        {"沪B2-20110031", "沪B1-20110031", 0},          {"京公网安备11010802012345号", "京公网安备11010802012345号", 0},
        {"港ICP备20240227号", "港ICP备20240227号", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const icp_number_t *a = icp_number_parse(cases[i].a, pool), *b = icp_number_parse(cases[i].b, pool);
        ck_assert_msg(icp_number_same_license(a, b) == cases[i].same, "%s, %s", cases[i].a, cases[i].b);
    }
}
END_TEST

START_TEST(every_reason_has_its_word_and_sentence)
{
    for (int reason = ICP_REASON_NO_PROVINCE; reason <= ICP_REASON_SURROUNDED; reason++) {
        ck_assert_int_gt((int)strlen(icp_number_reason_name(reason)), 0);
        ck_assert_int_gt((int)strlen(icp_number_reason_text(reason)), 0);
    }
}
END_TEST

/* Cut anywhere, in the middle of characters too; the sanitizers watch the bounds. */
START_TEST(text_may_end_anywhere)
{
    static const char text[] = "沪ＩＣＰ備\u200b05012345号－3A 合字B1.B2-20110031-2 京公网安备11010802012345号 ICP备案中";
    for (size_t end = 0; end < sizeof text; end++) {
        for (size_t start = 0; start <= end; start++) {
            char *copy = malloc(end - start + 1);
            memcpy(copy, text + start, end - start);
            icp_number_find(copy, end - start, pool);
            free(copy);
        }
        apr_pool_clear(pool);
    }
}
END_TEST

START_TEST(the_gap_inside_a_number_is_bounded)
{
    char *blanks = apr_pcalloc(pool, ICP_FOLD_GAP + 2);
    memset(blanks, ' ', ICP_FOLD_GAP);
    ck_assert_int_eq(at(find(apr_pstrcat(pool, "沪ICP备", blanks, "05012345号", NULL)), 0)->kind, ICP_NUMBER_FILING);
    blanks[ICP_FOLD_GAP] = ' ';
    ck_assert_int_eq(find(apr_pstrcat(pool, "沪ICP备", blanks, "05012345号", NULL))->nelts, 0);
}
END_TEST

/* Text made to be read again and again: quadratic time would not end within the time limit of the test. */
START_TEST(hostile_text_takes_linear_time)
{
    static const char *const parts[] = {
        "ICP备", "沪ICP备", "备", "1", "沪ICP备1", "\u200b", "备\u200b\u200b\u200b\u200b", " ", "B2-", "沪B2-1", "京公网安备",
        "号-1", "X", "ICP备案号", "I C P 备 ", "\xe5\xa4", "\xff", "沪ICP备05012345号-1-", "公", "证", "正在",
    };
    const char *part = parts[_i];
    size_t length = strlen(part), count = 200000;
    char *text = malloc(length * count);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * length, part, length);
    }
    icp_number_find(text, length * count, pool);
    free(text);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("number");
    TCase *tests = tcase_create("number");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, each_line_of_the_corpus);
    tcase_add_loop_test(tests, the_corpus_as_one_text, 0, 17);
    tcase_add_test(tests, the_shared_list);
    tcase_add_test(tests, the_parts_of_a_number);
    tcase_add_test(tests, parse_wants_the_whole_text);
    tcase_add_test(tests, same_license_is_told_by_province_kind_and_digits);
    tcase_add_test(tests, every_reason_has_its_word_and_sentence);
    tcase_add_test(tests, text_may_end_anywhere);
    tcase_add_test(tests, the_gap_inside_a_number_is_bounded);
    tcase_add_loop_test(tests, hostile_text_takes_linear_time, 0, 21);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
