/* Licenses: what can be one, and what their end does to sites. */
#include "records_fixture.h"

static icp_error_t *end(const char *number, const char *status, apr_array_header_t *suspended)
{
    return change(step_license_end, (step_t){.a = number, .b = status, .data = suspended});
}

START_TEST(test_wild_forms)
{
    icp_license_t *license;
    ok(add_license("沪 ICP備 05012345 號 -3", "甲", NULL));
    ok(icp_license_get(&license, reg, "沪icp备05012345", pool));
    ck_assert_str_eq(license->number, "沪ICP备05012345号");
    ck_assert_str_eq(license->holder, "甲");
    ck_assert_str_eq(license->status, "active");
    fails(add_license("沪ICP备05012345号", "乙", NULL), ICP_REFUSED, "甲");
    ok(add_license("京ICP证030173号", "甲", NULL));
    ok(add_license("粤B2-20090059-5", "甲", NULL));
    ok(icp_license_get(&license, reg, "粤B2-20090059", pool));
    ok(add_license("川ICP备10200063号-1", "甲", NULL));
    ok(icp_license_get(&license, reg, "蜀ICP备10200063号", pool));
    fails(icp_license_get(&license, reg, "京ICP备11018762号", pool), ICP_NOT_FOUND, "not on file");
}
END_TEST

START_TEST(test_no_license)
{
    fails(add_license("京公网安备 11010802012345号", "甲", NULL), ICP_USAGE, "police");
    fails(add_license("港ICP备20240227号", "甲", NULL), ICP_USAGE, "港ICP备20240227号");
    fails(add_license("甘ICP备456543号-1", "甲", NULL), ICP_USAGE, "digits");
    fails(add_license("", "甲", NULL), ICP_USAGE, "no ICP number");
    fails(add_license("粤ICP备xxxxxxxx号-x", "甲", NULL), ICP_REFUSED, "placeholder");
    fails(add_license("浙ICP备00000000号", "甲", NULL), ICP_REFUSED, "placeholder");
    ck_assert(!has_event("holder.add")); /* a refused license leaves no holder behind */
}
END_TEST

START_TEST(test_holder_on_the_way)
{
    icp_holder_t *holder;
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("沪ICP备05012346号", "甲", "91330100799655058B"));
    ok(icp_holder_get(&holder, reg, "91330100799655058B", pool));
    ck_assert_str_eq(holder->name, "甲");
    ck_assert_int_eq(holder->licenses, 2);
    fails(add_license("沪ICP备05012347号", "甲", "91110000802100433B"), ICP_REFUSED, "91330100799655058B");
    fails(add_license("沪ICP备05012347号", "乙", "91330100799655058B"), ICP_REFUSED, "甲");
    ok(add_license("沪ICP备05012347号", "91330100799655058b", NULL));
}
END_TEST

/* Rule 8: a site without another active license is suspended, served unlicensed or not; one that is suspended keeps its
 * case. */
START_TEST(test_end_suspends)
{
    apr_array_header_t *suspended = apr_array_make(pool, 4, sizeof(const char *));
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("沪ICP备05012346号", "甲", NULL));
    ok(add_site("only.cn", NULL, "沪ICP备05012345号-1", 0));
    ok(add_site("both.cn", NULL, "沪ICP备05012345号-2 沪ICP备05012346号", 0));
    ok(add_site("kept.cn", NULL, "沪ICP备05012345号-3", 1));
    ok(add_site("case.cn", NULL, "沪ICP备05012345号 沪ICP备05012345号-4", 0));
    ok(add_site("free.cn", NULL, NULL, 1));
    ok(suspend("case.cn", "incorrect"));
    apr_int64_t case_id = get_site("case.cn")->suspension->id;

    ok(end("沪ICP备05012345号", "cancelled", suspended));
    ck_assert_str_eq(joined(suspended), "kept.cn only.cn");
    ck_assert_str_eq(suspended_for("only.cn"), "cancelled");
    ck_assert_str_eq(suspended_for("kept.cn"), "cancelled");
    ck_assert_str_eq(suspended_for("both.cn"), "");
    ck_assert_str_eq(suspended_for("free.cn"), "");
    ck_assert_str_eq(suspended_for("case.cn"), "incorrect");
    ck_assert_int_eq(get_site("case.cn")->suspension->id, case_id);
    ck_assert(has_event("license.cancel 沪ICP备05012345号 {\"status\":\"active\"} "
                        "{\"status\":\"cancelled\",\"suspended\":[\"kept.cn\",\"only.cn\"]}"));
    ck_assert(has_event("site.suspend only.cn"));

    fails(end("沪ICP备05012345号", "cancelled", NULL), ICP_REFUSED, "already");
    ok(end("沪ICP备05012345号", "revoked", NULL));
    ok(end("沪ICP备05012346号", "revoked", NULL));
    ck_assert_str_eq(suspended_for("both.cn"), "cancelled");
    fails(end("沪ICP备05012346号", "lost", NULL), ICP_USAGE, "lost");
}
END_TEST

START_TEST(test_reinstate_enables_nothing)
{
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_site("a.cn", NULL, "沪ICP备05012345号-1", 0));
    fails(change(step_reinstate, (step_t){.a = "沪ICP备05012345号"}), ICP_REFUSED, "active");
    ok(end("沪ICP备05012345号", "cancelled", NULL));
    ck_assert_int_eq(get_site("a.cn")->expected->nelts, 0);
    ok(change(step_reinstate, (step_t){.a = "沪ICP备05012345号"}));
    ck_assert_str_eq(joined(get_site("a.cn")->expected), "沪ICP备05012345号-1");
    ck_assert_str_eq(suspended_for("a.cn"), "cancelled");
}
END_TEST

static icp_error_t *step_edit(icp_register_t *r, void *baton, apr_pool_t *p)
{
    icp_license_t *license;
    const step_t *step = baton;
    return icp_license_edit(&license, r, step->a, step->b, step->c, "typed wrongly", p);
}

static icp_error_t *step_remove(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_license_remove(r, ((step_t *)baton)->a, "typed wrongly", p);
}

START_TEST(test_what_was_put_on_file_wrongly_is_corrected)
{
    icp_license_t *license;
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("沪ICP备05012354号", "甲", NULL));
    ok(add_site("a.cn", NULL, "沪ICP备05012354号-1", 0));
    ok(change(step_edit, (step_t){.a = "沪ICP备05012345号-1", .b = "乙", .c = "91110000802100433B"}));
    ok(icp_license_get(&license, reg, "沪ICP备05012345号", pool));
    ck_assert_str_eq(license->holder, "乙");
    ck_assert_str_eq(license->uscc, "91110000802100433B");
    ck_assert(has_event("license.edit 沪ICP备05012345号"));
    fails(change(step_edit, (step_t){.a = "沪ICP备05012345号", .b = "乙", .c = "91330100799655058B"}), ICP_REFUSED,
          "91110000802100433B");
    fails(change(step_edit, (step_t){.a = "京ICP备11018762号", .b = "乙"}), ICP_NOT_FOUND, "not on file");

    fails(change(step_remove, (step_t){.a = "沪ICP备05012354号"}), ICP_REFUSED, "1 site");
    ok(change(step_remove, (step_t){.a = "沪ICP备05012345号"}));
    fails(icp_license_get(&license, reg, "沪ICP备05012345号", pool), ICP_NOT_FOUND, "not on file");
    ck_assert(has_event("license.remove 沪ICP备05012345号"));
}
END_TEST

int main(void)
{
    return run_tests("license",
                     (const TTest *const[]){test_wild_forms, test_no_license, test_holder_on_the_way, test_end_suspends,
                                            test_reinstate_enables_nothing,
                                            test_what_was_put_on_file_wrongly_is_corrected, NULL},
                     1);
}
