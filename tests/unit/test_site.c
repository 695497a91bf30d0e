/* Sites: their names, hosts and numbers, and that no change of them serves what is suspended. */
#include "records_fixture.h"

static void licenses(void)
{
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("京ICP证030173号", "甲", NULL));
}

static icp_error_t *edit(icp_site_edit_t how)
{
    return change(step_site_edit, (step_t){.data = &how});
}

static icp_error_t *remove_site(const char *name)
{
    return change(step_site_remove, (step_t){.a = name});
}

START_TEST(test_add)
{
    licenses();
    ok(add_site("Shop.Example.CN", "www.shop.example.cn:80 *.img.example.cn shop.example.cn.",
                "沪icp备05012345-3 京ICP证030173号", 0));
    icp_site_t *site = get_site("shop.example.cn");
    ck_assert_str_eq(joined(site->hosts), "shop.example.cn www.shop.example.cn *.img.example.cn");
    ck_assert_str_eq(joined(site->numbers), "京ICP证030173号 沪ICP备05012345号-3");
    ck_assert_str_eq(joined(site->expected), joined(site->numbers));
    ck_assert_str_eq(site->homepage, "/");
    ck_assert_str_eq(site->verdict, "");
    ck_assert_ptr_null(site->suspension);
    ck_assert(has_event("site.add shop.example.cn null {"));
}
END_TEST

START_TEST(test_get_by_any_form)
{
    icp_site_t *site;
    ok(add_site("商店", "商店.中国 *.example.cn", NULL, 1));
    static const char *const forms[] = {"商店", "商店.中国", "商店。中国:443", "XN--CZRS0T.xn--fiqs8s", "*.Example.CN",
                                        " 商店.中国\n", "https://商店.中国:8443/about?x=1", "http://xn--czrs0t.xn--fiqs8s"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) ck_assert_str_eq(get_site(forms[i])->name, "商店");
    icp_error_t *error = icp_site_get(&site, reg, "b.a.example.cn", pool);
    ck_assert_ptr_nonnull(strstr(error->remedy, "商店 covers that host"));
    fails(error, ICP_NOT_FOUND, "b.a.example.cn");
    error = icp_site_get(&site, reg, "http://example.cn/", pool);
    ck_assert_ptr_nonnull(strstr(error->remedy, "site list"));
    fails(error, ICP_NOT_FOUND, "http://example.cn/");
    fails(icp_site_get(&site, reg, "", pool), ICP_NOT_FOUND, "no site");
}
END_TEST

START_TEST(test_bad_input)
{
    licenses();
    static const char *const names[] = {"",
                                        "a b",
                                        "a\xE3\x80\x80"
                                        "b",
                                        "a/b",
                                        "-a",
                                        "-",
                                        "*.example.cn",
                                        "a\x07",
                                        "\xff"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fails(add_site(names[i], "ok.example.cn", NULL, 1), ICP_USAGE, "cannot name a site");
    fails(add_site("shop", NULL, NULL, 1), ICP_USAGE, "no host name");
    fails(add_site("shop", "http://a.cn", NULL, 1), ICP_USAGE, "http://a.cn");
    fails(add_site("a.cn", NULL, "沪ICP备05012345号-2A", 0), ICP_USAGE, "app");
    fails(add_site("a.cn", NULL, "京公网安备11010802012345号", 0), ICP_USAGE, "police");
    fails(add_site("a.cn", NULL, "京ICP备12345678号", 0), ICP_REFUSED, "placeholder");
    fails(add_site("a.cn", NULL, "粤ICP备11018438号", 0), ICP_NOT_FOUND, "粤ICP备11018438号");
    fails(add_site("a.cn", NULL, "备案号", 0), ICP_USAGE, "备案号");
    ck_assert(!has_event("site.add"));
}
END_TEST

START_TEST(test_names_are_unique)
{
    ok(add_site("a.cn", "www.a.cn", NULL, 1));
    fails(add_site("A.cn", "b.cn", NULL, 1), ICP_REFUSED, "on file");
    fails(add_site("other", "WWW.a.cn", NULL, 1), ICP_REFUSED, "a.cn");
    ok(add_site("other", "b.cn", NULL, 1));
    fails(edit((icp_site_edit_t){.name = "other", .add_hosts = list("www.a.cn"), .serve_unlicensed = -1}), ICP_REFUSED,
          "a.cn");
}
END_TEST

START_TEST(test_unlicensed)
{
    licenses();
    ok(add_site("a.cn", NULL, NULL, 0));
    ck_assert_str_eq(suspended_for("a.cn"), "unlicensed");
    ok(add_site("b.cn", NULL, NULL, 1));
    ck_assert_str_eq(suspended_for("b.cn"), "");
    ok(edit((icp_site_edit_t){.name = "b.cn", .serve_unlicensed = 0}));
    ck_assert_str_eq(suspended_for("b.cn"), "unlicensed");

    ok(add_site("c.cn", NULL, "沪ICP备05012345号-1", 0));
    ok(edit((icp_site_edit_t){.name = "c.cn", .remove_numbers = list("沪ICP备05012345号-1"), .serve_unlicensed = -1}));
    ck_assert_str_eq(suspended_for("c.cn"), "unlicensed");
    /* neither a license nor the wish to be served opens it again */
    ok(edit((icp_site_edit_t){.name = "c.cn", .add_numbers = list("沪ICP备05012345号-1"), .serve_unlicensed = 1}));
    ck_assert_str_eq(suspended_for("c.cn"), "unlicensed");

    ok(change(step_license_end, (step_t){.a = "京ICP证030173号", .b = "revoked"}));
    ok(add_site("d.cn", NULL, "京ICP证030173号", 0));
    ck_assert_str_eq(suspended_for("d.cn"), "unlicensed");
}
END_TEST

START_TEST(test_edit)
{
    licenses();
    ok(add_site("a.cn", "www.a.cn", "沪ICP备05012345号-1", 0));
    ok(edit((icp_site_edit_t){.name = "WWW.a.cn",
                              .add_hosts = list("m.a.cn a.cn"),
                              .remove_hosts = list("www.A.cn"),
                              .add_numbers = list("沪ICP备05012345号"),
                              .remove_numbers = list("沪ICP备05012345号-1"),
                              .homepage = "https://m.a.cn/start",
                              .serve_unlicensed = -1}));
    icp_site_t *site = get_site("a.cn");
    ck_assert_str_eq(joined(site->hosts), "a.cn m.a.cn");
    ck_assert_str_eq(joined(site->numbers), "沪ICP备05012345号");
    ck_assert_str_eq(site->homepage, "https://m.a.cn/start");
    ck_assert(has_event("site.edit a.cn {"));

    fails(edit((icp_site_edit_t){.name = "a.cn", .remove_hosts = list("x.cn"), .serve_unlicensed = -1}), ICP_NOT_FOUND,
          "x.cn");
    fails(edit((icp_site_edit_t){.name = "a.cn", .remove_hosts = list("a.cn"), .serve_unlicensed = -1}), ICP_REFUSED,
          "named after");
    fails(edit((icp_site_edit_t){.name = "a.cn", .remove_hosts = list("m.a.cn"), .serve_unlicensed = -1}), ICP_USAGE,
          "m.a.cn");
    fails(
        edit((icp_site_edit_t){.name = "a.cn", .remove_numbers = list("沪ICP备05012345号-9"), .serve_unlicensed = -1}),
        ICP_NOT_FOUND, "-9");
    static const char *const pages[][2] = {
        {"https://M.a.cn./shop/?x=1#top", "https://m.a.cn/shop/?x=1#top"}, {"http://商店.中国:8080/首页", "http://xn--czrs0t.xn--fiqs8s:8080/首页"},
        {"http://商店。中国", "http://xn--czrs0t.xn--fiqs8s"}, {"https://m.a.cn/start", "https://m.a.cn/start"}};
    for (int i = 0; i < 4; i++) { /* as it can be asked for */
        ok(edit((icp_site_edit_t){.name = "a.cn", .homepage = pages[i][0], .add_hosts = i ? NULL : list("商店.中国"), .serve_unlicensed = -1}));
        ck_assert_str_eq(get_site("a.cn")->homepage, pages[i][1]);
    }
    fails(edit((icp_site_edit_t){.name = "a.cn", .homepage = "https://evil.cn/", .serve_unlicensed = -1}), ICP_USAGE,
          "evil.cn");
    fails(edit((icp_site_edit_t){.name = "a.cn", .homepage = "start", .serve_unlicensed = -1}), ICP_USAGE, "start");
    fails(edit((icp_site_edit_t){.name = "a.cn", .homepage = "//evil.cn/", .serve_unlicensed = -1}), ICP_USAGE,
          "evil.cn");
    ok(add_site("shop", "s.cn", NULL, 1));
    fails(edit((icp_site_edit_t){.name = "shop", .remove_hosts = list("s.cn"), .serve_unlicensed = -1}), ICP_REFUSED,
          "no host name left");
    ok(edit((icp_site_edit_t){
        .name = "shop", .remove_hosts = list("s.cn"), .add_hosts = list("t.cn"), .serve_unlicensed = -1}));
    ck_assert_str_eq(joined(get_site("shop")->hosts), "t.cn");

    const char *before = audit_text();
    ok(edit((icp_site_edit_t){.name = "shop", .add_hosts = list("T.cn"), .serve_unlicensed = -1}));
    ck_assert_str_eq(audit_text(), before);
}
END_TEST

/* Rule 1: what is suspended stays so, whatever is done to its entry or its neighbours'. */
START_TEST(test_suspended_stays)
{
    licenses();
    ok(add_site("shop", "a.cn *.a.cn", "沪ICP备05012345号-1", 0));
    ok(suspend("shop", "missing"));
    fails(edit((icp_site_edit_t){.name = "shop", .remove_hosts = list("*.a.cn"), .serve_unlicensed = -1}), ICP_REFUSED,
          "suspended");
    fails(remove_site("shop"), ICP_REFUSED, "suspended");
    fails(add_site("b.a.cn", NULL, "沪ICP备05012345号-2", 0), ICP_REFUSED, "*.a.cn");
    fails(add_site("other", "*.c.b.a.cn", "沪ICP备05012345号-2", 0), ICP_REFUSED, "*.a.cn");
    ok(add_site("d.cn", NULL, "沪ICP备05012345号-2", 0));
    fails(edit((icp_site_edit_t){.name = "d.cn", .add_hosts = list("x.y.a.cn"), .serve_unlicensed = -1}), ICP_REFUSED,
          "*.a.cn");
    ok(edit((icp_site_edit_t){.name = "shop", .add_hosts = list("x.y.a.cn"), .serve_unlicensed = -1}));
    ck_assert_str_eq(suspended_for("x.y.a.cn"), "missing");
}
END_TEST

/* Rule 2: what is looked at before it is enabled is what it was suspended for. */
START_TEST(test_another_page_does_not_stand_for_the_one_that_failed)
{
    licenses();
    ok(add_site("shop", "www.a.cn *.a.cn", "沪ICP备05012345号-1", 0));
    ck_assert_str_eq(icp_site_page(get_site("shop"), "http", pool), "http://www.a.cn/");
    ok(suspend("shop", "incorrect"));
    fails(edit((icp_site_edit_t){.name = "shop", .homepage = "/number.html", .serve_unlicensed = -1}), ICP_REFUSED, "/number.html");
    fails(edit((icp_site_edit_t){.name = "shop", .homepage = "http://x.a.cn/", .serve_unlicensed = -1}), ICP_REFUSED, "x.a.cn");
    fails(edit((icp_site_edit_t){.name = "shop", .add_hosts = list("m.a.cn"), .serve_unlicensed = -1}), ICP_REFUSED, "m.a.cn");
    ok(edit((icp_site_edit_t){.name = "shop", .homepage = "", .add_hosts = list("x.a.cn"), .serve_unlicensed = -1}));
    fails(edit((icp_site_edit_t){.name = "shop", .homepage = "https://m.a.cn/", .serve_unlicensed = -1}), ICP_REFUSED, "https://m.a.cn/");
    ok(edit((icp_site_edit_t){.name = "shop", .homepage = "https://www.a.cn/", .serve_unlicensed = -1}));
    fails(edit((icp_site_edit_t){.name = "shop", .homepage = "/", .serve_unlicensed = -1}), ICP_REFUSED, "http://www.a.cn/");
    ok(add_site("b.cn", "a.b.cn", NULL, 0)); /* unlicensed: nobody has looked at it */
    ok(edit((icp_site_edit_t){.name = "b.cn", .homepage = "/start", .serve_unlicensed = -1}));
    ck_assert_str_eq(icp_site_page(get_site("b.cn"), "https", pool), "https://b.cn/start");
    ok(add_site("pool", "*.c.cn *.b.c.cn", "沪ICP备05012345号-1", 0));
    ck_assert_str_eq(icp_site_page(get_site("pool"), "http", pool), "http://www.b.c.cn/");
}
END_TEST

START_TEST(test_host_under_open_wildcard)
{
    licenses();
    ok(add_site("outer", "*.a.cn", "沪ICP备05012345号-1", 0));
    ok(add_site("inner", "*.b.a.cn", "沪ICP备05012345号-2", 0));
    ok(suspend("outer", "missing"));
    ok(add_site("x.b.a.cn", NULL, "沪ICP备05012345号-3", 0)); /* it was inner's, which is open */
    fails(add_site("x.a.cn", NULL, "沪ICP备05012345号-3", 0), ICP_REFUSED, "outer");
}
END_TEST

START_TEST(test_remove)
{
    icp_site_t *site;
    ok(add_site("a.cn", NULL, NULL, 1));
    ok(remove_site("A.CN."));
    fails(icp_site_get(&site, reg, "a.cn", pool), ICP_NOT_FOUND, "a.cn");
    fails(remove_site("a.cn"), ICP_NOT_FOUND, "a.cn");
    ck_assert(has_event("site.remove a.cn {"));
    ok(add_site("a.cn", NULL, NULL, 1));
}
END_TEST

static icp_error_t *collect(const icp_site_t *site, void *baton, apr_pool_t *p)
{
    const char **names = baton;
    *names = apr_pstrcat(pool, *names, site->name, " ", NULL);
    return NULL;
}

START_TEST(test_each)
{
    const char *all = "", *suspended = "", *open = "";
    ok(add_site("b.cn", NULL, NULL, 1));
    ok(add_site("a.cn", NULL, NULL, 1));
    ok(add_site("c.cn", NULL, NULL, 0));
    ok(icp_site_each(reg, ICP_SITES_ALL, collect, &all, pool));
    ok(icp_site_each(reg, ICP_SITES_SUSPENDED, collect, &suspended, pool));
    ok(icp_site_each(reg, ICP_SITES_OPEN, collect, &open, pool));
    ck_assert_str_eq(all, "a.cn b.cn c.cn ");
    ck_assert_str_eq(suspended, "c.cn ");
    ck_assert_str_eq(open, "a.cn b.cn ");
}
END_TEST

int main(void)
{
    return run_tests("site",
                     (const TTest *const[]){test_add, test_get_by_any_form, test_bad_input, test_names_are_unique,
                                            test_unlicensed, test_edit, test_suspended_stays,
                                            test_another_page_does_not_stand_for_the_one_that_failed, test_host_under_open_wildcard,
                                            test_remove, test_each, NULL},
                     1);
}
