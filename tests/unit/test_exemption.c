/* Whom an exemption covers, from which second to which, and what is refused. */
#include "exemption.h"
#include "records_fixture.h"

static apr_time_t now;

static icp_error_t *step_add(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_exemption_add(r, ((step_t *)baton)->data, p);
}

static icp_error_t *step_remove(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_exemption_remove(r, ((step_t *)baton)->flag, p);
}

static icp_error_t *step_grant(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_exemption_grant(r, "a.cn", "missing", ((step_t *)baton)->flag, "attested", p);
}

static icp_error_t *add(const char *site, const char *verdict, apr_time_t from, apr_time_t until, const char *note)
{
    icp_exemption_t *exemption = apr_pcalloc(pool, sizeof *exemption);
    *exemption = (icp_exemption_t){.site = site, .verdict = verdict, .from = from, .until = until, .note = note};
    return change(step_add, (step_t){.data = exemption});
}

static const char *in_force(const char *site, const char *verdict, apr_time_t at)
{
    icp_exemption_t *exemption;
    ok(icp_exemption_in_force(&exemption, reg, get_site(site)->id, verdict, at, pool));
    return exemption ? exemption->note : "";
}

static int count(const char *site, apr_time_t since)
{
    apr_array_header_t *rows;
    ok(icp_exemption_list(&rows, reg, site, since, pool));
    return rows->nelts;
}

static void two_sites(void)
{
    now = apr_time_from_sec(apr_time_sec(apr_time_now()));
    ok(add_site("a.cn", "www.a.cn", NULL, 1));
    ok(add_site("b.cn", NULL, NULL, 1));
}

START_TEST(test_site_verdict_and_time)
{
    two_sites();
    apr_time_t until = now + apr_time_from_sec(3600);
    ok(add("WWW.a.cn", "missing", now, until, "leave"));
    ck_assert_str_eq(in_force("a.cn", "missing", now), "leave");
    ck_assert_str_eq(in_force("a.cn", "missing", now - apr_time_from_sec(1)), "");
    ck_assert_str_eq(in_force("a.cn", "missing", until - apr_time_from_sec(1)), "leave");
    ck_assert_str_eq(in_force("a.cn", "missing", until), "");
    ck_assert_str_eq(in_force("a.cn", "incorrect", now), "");
    ck_assert_str_eq(in_force("b.cn", "missing", now), "");
    ck_assert(has_event("exemption.add a.cn"));
}
END_TEST

START_TEST(test_overlap_list_and_removal)
{
    two_sites();
    ok(add(NULL, NULL, now, now + apr_time_from_sec(100), "all"));
    ok(add("a.cn", NULL, now, now + apr_time_from_sec(200), "long"));
    ck_assert_str_eq(in_force("a.cn", "invalid", now), "long");
    ck_assert_str_eq(in_force("b.cn", "invalid", now), "all");
    ck_assert_int_eq(count("b.cn", 0), 1);
    ok(change(step_remove, (step_t){.flag = 2}));
    ck_assert_str_eq(in_force("a.cn", "invalid", now), "all");
    ck_assert_int_eq(count(NULL, 0), 1);
    ck_assert_int_eq(count(NULL, now + apr_time_from_sec(100)), 0);
    ck_assert(has_event("exemption.add *") && has_event("exemption.remove a.cn"));
    fails(change(step_remove, (step_t){.flag = 2}), ICP_NOT_FOUND, "no exemption 2");
}
END_TEST

START_TEST(test_refused)
{
    two_sites();
    apr_time_t until = now + apr_time_from_sec(3600);
    fails(add("a.cn", "hidden", now, until, "x"), ICP_USAGE, "hidden");
    fails(add("a.cn", "nonsense", now, until, "x"), ICP_USAGE, "nonsense");
    fails(add("x.cn", NULL, now, until, "x"), ICP_NOT_FOUND, "x.cn");
    fails(add("a.cn", NULL, now, until, NULL), ICP_USAGE, "note");
    fails(add("a.cn", NULL, now, until, " "), ICP_USAGE, "note");
    fails(add("a.cn", NULL, now, until, "a\nb"), ICP_USAGE, "one line");
    fails(add("a.cn", NULL, until, until, "x"), ICP_USAGE, "is none");
    fails(add("a.cn", NULL, until, until + 1, "x"), ICP_USAGE, "is none"); /* less than a second */
    fails(add("a.cn", NULL, now - 2000000, now - 1000000, "x"), ICP_USAGE, "is none");
    ck_assert_int_eq(count(NULL, 0), 0);
    ck_assert(!has_event("exemption.add"));
}
END_TEST

START_TEST(test_days)
{
    two_sites();
    ok(change(step_grant, (step_t){.flag = 0}));
    ck_assert_int_eq(count(NULL, 0), 0);
    ok(change(step_grant, (step_t){.flag = 90}));
    ck_assert_str_eq(in_force("a.cn", "missing", now + apr_time_from_sec(89 * 86400)), "attested");
    ck_assert_str_eq(in_force("a.cn", "missing", now + apr_time_from_sec(91 * 86400)), "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_site_verdict_and_time, test_overlap_list_and_removal, test_refused, test_days, NULL};
    return run_tests("exemption", tests, 1);
}
