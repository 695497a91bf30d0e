/* Holders and the Unified Social Credit Code. */
#include <stdio.h>

#include "records_fixture.h"

START_TEST(test_uscc)
{
    static const char *const right[] = {"91330100799655058B", "91110000802100433B", "9144030010001686XA",
                                        "914403001922038216"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) ck_assert_int_eq(icp_uscc_test(right[i]), ICP_USCC_OK);
    ck_assert_int_eq(icp_uscc_test("91330100799655058b"), ICP_USCC_OK);
    ck_assert_int_eq(icp_uscc_test("91330100799655058A"), ICP_USCC_CHECK);
    ck_assert_int_eq(icp_uscc_test("91331000799655058B"), ICP_USCC_CHECK);
    ck_assert_int_eq(icp_uscc_test("9133010079965505B"), ICP_USCC_LENGTH);
    ck_assert_int_eq(icp_uscc_test(""), ICP_USCC_LENGTH);
    ck_assert_int_eq(icp_uscc_test("9133010079965505IB"), ICP_USCC_CHARACTER);
    ck_assert_int_eq(icp_uscc_test("91330100799655 58B"), ICP_USCC_CHARACTER);
}
END_TEST

/* Real codes, kept beside the checkout and not in it. */
START_TEST(test_uscc_of_real_businesses)
{
    char line[512];
    int valid, count = 0;
    FILE *file = fopen("../shared/data/uscc.tsv", "r");
    if (!file) {
        printf("skipped: ../shared/data/uscc.tsv is not there\n");
        return;
    }
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        char code[32];
        ck_assert_int_eq(sscanf(line, "%31s %d", code, &valid), 2);
        ck_assert_int_eq(icp_uscc_test(code), valid ? ICP_USCC_OK : ICP_USCC_CHECK);
        count++;
    }
    fclose(file);
    ck_assert_int_gt(count, 10);
}
END_TEST

static icp_error_t *add(icp_holder_t holder)
{
    icp_holder_t *copy = apr_pmemdup(pool, &holder, sizeof holder);
    return change(step_holder_add, (step_t){.data = copy});
}

START_TEST(test_add_and_get)
{
    icp_holder_t *holder;
    ok(add((icp_holder_t){.kind = "business",
                          .name = "\xE3\x80\x80上海某某商贸有限公司 ",
                          .uscc = "91330100799655058b",
                          .email = "a@example.cn"}));
    ok(icp_holder_get(&holder, reg, "上海某某商贸有限公司", pool));
    ck_assert_str_eq(holder->uscc, "91330100799655058B");
    ck_assert_str_eq(holder->email, "a@example.cn");
    ck_assert_str_eq(holder->phone, "");
    ck_assert_int_eq(holder->licenses, 0);
    ok(icp_holder_get(&holder, reg, "91330100799655058b", pool));
    ck_assert_str_eq(holder->name, "上海某某商贸有限公司");
    fails(icp_holder_get(&holder, reg, "某某", pool), ICP_NOT_FOUND, "某某");
    ck_assert(has_event("holder.add 上海某某商贸有限公司 null {\"contact\":[\"email\"],\"kind\":\"business\","));
}
END_TEST

START_TEST(test_refusals)
{
    ok(add((icp_holder_t){.name = "甲", .uscc = "91330100799655058B"}));
    fails(add((icp_holder_t){.name = "甲"}), ICP_REFUSED, "on file");
    fails(add((icp_holder_t){.name = "乙", .uscc = "91330100799655058B"}), ICP_REFUSED, "甲");
    fails(add((icp_holder_t){.name = " "}), ICP_USAGE, "empty");
    fails(add((icp_holder_t){.name = "丙\x1b[2J"}), ICP_USAGE, "control");
    fails(add((icp_holder_t){.name = "\xb1\xb1"}), ICP_USAGE, "UTF-8");
    fails(add((icp_holder_t){.name = "丁", .kind = "club"}), ICP_USAGE, "club");
    fails(add((icp_holder_t){.name = "戊", .uscc = "123"}), ICP_USAGE, "18");
    ok(add((icp_holder_t){.name = "己",
                          .uscc = "91350100M0001TGQXM"})); /* of the pilot period: the check character does not fit */
}
END_TEST

START_TEST(test_edit)
{
    icp_holder_t *holder;
    ok(add((icp_holder_t){.name = "甲", .phone = "021-1"}));
    ok(add((icp_holder_t){.name = "乙"}));
    ok(icp_holder_get(&holder, reg, "甲", pool));
    icp_holder_t edit = {.id = holder->id, .kind = "person", .email = "x@example.cn"};
    ok(change(step_holder_edit, (step_t){.data = &edit}));
    ok(icp_holder_get(&holder, reg, "甲", pool));
    ck_assert_str_eq(holder->kind, "person");
    ck_assert_str_eq(holder->phone, "021-1");
    ck_assert_str_eq(holder->email, "x@example.cn");
    ck_assert(has_event("holder.edit 甲 {"));
    ck_assert(has_event("\"contact\":[\"email\"]"));
    ck_assert_msg(!has_event("021-1") && !has_event("x@example.cn"), "%s", audit_text()); /* what no purge could remove */

    const char *before = audit_text();
    ok(change(step_holder_edit, (step_t){.data = &edit}));
    ck_assert_str_eq(audit_text(), before);
    edit.name = "乙";
    fails(change(step_holder_edit, (step_t){.data = &edit}), ICP_REFUSED, "乙");
}
END_TEST

int main(void)
{
    return run_tests("holder",
                     (const TTest *const[]){test_uscc, test_uscc_of_real_businesses, test_add_and_get, test_refusals,
                                            test_edit, NULL},
                     1);
}
