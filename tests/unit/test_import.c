/* Import of CSV: all forms a spreadsheet writes, each bad line by its number, all or nothing. */
#include <stdio.h>

#include "import.h"
#include "records_fixture.h"

static icp_import_result_t *result;
static icp_import_options_t options;

static icp_error_t *import_bytes(int sites, const char *bytes, size_t length)
{
    FILE *file = fmemopen((void *)bytes, length ? length : 1, "r");
    if (!length) fgetc(file);
    icp_error_t *error = (sites ? icp_import_sites : icp_import_licenses)(&result, reg, file, &options, pool);
    fclose(file);
    return error;
}

static icp_error_t *sites(const char *text)
{
    return import_bytes(1, text, strlen(text));
}

static icp_error_t *licenses(const char *text)
{
    return import_bytes(0, text, strlen(text));
}

static void counts(int lines, int added, int suspended, int bad)
{
    ck_assert_int_eq(result->lines, lines);
    ck_assert_int_eq(result->added, added);
    ck_assert_int_eq(result->suspended, suspended);
    ck_assert_int_eq(result->bad->nelts, bad);
}

static void bad_line(int index, int line, const char *word)
{
    ck_assert_int_lt(index, result->bad->nelts);
    icp_bad_line_t bad = APR_ARRAY_IDX(result->bad, index, icp_bad_line_t);
    ck_assert_msg(bad.line == line && strstr(bad.reason, word), "line %d: %s; expected %d: %s", (int)bad.line,
                  bad.reason, line, word);
}

static void setup(void)
{
    options = (icp_import_options_t){0};
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_license("京ICP证030173号", "甲", NULL));
}

START_TEST(test_sites)
{
    setup();
    ok(sites("name,hosts,license,homepage\n"
             "a.cn,www.a.cn m.a.cn,沪ICP备05012345号-1,/start\n"
             "shop,b.cn,沪ICP备05012345号-2 京ICP证030173号,\n"
             "c.cn,,,\n"));
    counts(3, 3, 1, 0);
    ck_assert_str_eq(joined(get_site("a.cn")->hosts), "a.cn m.a.cn www.a.cn");
    ck_assert_str_eq(get_site("a.cn")->homepage, "/start");
    ck_assert_str_eq(get_site("shop")->homepage, "/");
    ck_assert_str_eq(joined(get_site("shop")->numbers), "京ICP证030173号 沪ICP备05012345号-2");
    ck_assert_str_eq(suspended_for("c.cn"), "unlicensed");
    ck_assert(has_event("site.add shop"));
    ck_assert(has_event("site.import register null {\"added\":3,\"bad\":0,"));
}
END_TEST

START_TEST(test_forms_of_a_file)
{
    setup();
    ok(sites("\xEF\xBB\xBFLICENSE, Name "
             ",hosts\r\n沪ICP备05012345号-1,a.cn,\"www.a.cn\r\nm.a.cn\"\r\n\r\n\"沪ICP备05012345号-2\" , b.cn ,"));
    counts(2, 2, 0, 0);
    ck_assert_str_eq(joined(get_site("a.cn")->hosts), "a.cn m.a.cn www.a.cn");
    ok(sites("name,hosts,license\rc.cn,,沪ICP备05012345号\rd.cn,,沪ICP备05012345号"));
    counts(2, 2, 0, 0);
    ok(sites("name,hosts,license\n"));
    counts(0, 0, 0, 0);
}
END_TEST

START_TEST(test_bad_headers)
{
    setup();
    fails(sites(""), ICP_USAGE, "empty");
    fails(sites("\n\n"), ICP_USAGE, "empty");
    fails(sites("name,hosts,licence\n"), ICP_USAGE, "licence");
    fails(sites("name;hosts;license\n"), ICP_USAGE, "name;hosts;license");
    fails(sites("name,license\n"), ICP_USAGE, "hosts");
    fails(sites("name,hosts,license,name\n"), ICP_USAGE, "twice");
    fails(sites("a.cn,www.a.cn,沪ICP备05012345号-1\n"), ICP_USAGE, "a.cn");
    fails(sites("\xff\xfen\0a\0"), ICP_USAGE, "UTF-16");
    fails(licenses("name,hosts,license\n"), ICP_USAGE, "name");
}
END_TEST

static const char mixed[] = "name,hosts,license,homepage\n"   /* 1 */
                            "a.cn,,沪ICP备05012345号-1,\n"    /* 2 */
                            "b.cn,,粤ICP备11018438号-1,\n"    /* 3: license not on file */
                            "\n"                              /* 4 */
                            "c.cn,\"www.c.cn\nm.c.cn\",,/x\n" /* 5, 6 */
                            "d.cn,bad host!,,\n"              /* 7 */
                            "a.cn,,沪ICP备05012345号-1,\n"    /* 8: twice in the file */
                            "e.cn,www.a.cn a.cn,,\n"          /* 9: another's host */
                            "f.cn,,\n"                        /* 10: a field is missing */
                            "g\xb1.cn,,,\n"                   /* 11: GBK */
                            "h.cn,,沪ICP备05012345号-5A,\n"   /* 12: an app's */
                            "i.cn,x\"y,,\n"                   /* 13: a quotation mark */
                            "j.cn,,,http://other.cn/\n"       /* 14 */
                            "known.cn,,,\n"                   /* 15: on file */
                            "k.cn,,沪ICP备05012345号,\n"      /* 16 */
                            "l.cn,\"open,,\nm.cn,,,\n";       /* 17: never closed */

static void bad_field(int index, const char *column, const char *value, const char *remedy)
{
    icp_bad_line_t bad = APR_ARRAY_IDX(result->bad, index, icp_bad_line_t);
    if (column) {
        ck_assert_ptr_nonnull(bad.column);
        ck_assert_str_eq(bad.column, column);
        ck_assert_str_eq(bad.value, value);
    }
    else
        ck_assert_ptr_null(bad.column);
    ck_assert_msg(bad.remedy && strstr(bad.remedy, remedy), "line %d: %s; expected %s", (int)bad.line, bad.remedy,
                  remedy);
}

static void mixed_lines(void)
{
    bad_field(0, "license", "粤ICP备11018438号-1", "icpadmin license add 粤ICP备11018438号");
    bad_field(1, "hosts", "bad host!", "www.example.cn");
    bad_field(2, "name", "a.cn", "one of the two");
    bad_field(3, "hosts", "www.a.cn a.cn", "icpadmin site edit a.cn --remove-host a.cn");
    bad_field(4, NULL, NULL, "commas");
    bad_field(5, NULL, NULL, "CSV UTF-8");
    bad_field(6, "license", "沪ICP备05012345号-5A", "suffix without letter");
    bad_field(7, NULL, NULL, "double each");
    bad_field(8, "homepage", "http://other.cn/", "/index.html");
    bad_field(9, "name", "known.cn", "site edit known.cn");
    bad_field(10, NULL, NULL, "ends it");
    bad_line(0, 3, "粤ICP备11018438号");
    bad_line(1, 7, "host!");
    bad_line(2, 8, "line 2");
    bad_line(3, 9, "a.cn");
    bad_line(4, 10, "3 fields");
    bad_line(5, 11, "UTF-8");
    bad_line(6, 12, "app");
    bad_line(7, 13, "quotation");
    bad_line(8, 14, "other.cn");
    bad_line(9, 15, "on file");
    bad_line(10, 17, "not closed");
}

START_TEST(test_all_or_nothing)
{
    icp_site_t *site;
    setup();
    ok(add_site("known.cn", NULL, NULL, 1));
    const char *before = audit_text();
    fails(import_bytes(1, mixed, sizeof mixed - 1), ICP_REFUSED, "11 of 14 lines");
    ck_assert_int_eq(result->bad->nelts, 11);
    mixed_lines();
    fails(icp_site_get(&site, reg, "a.cn", pool), ICP_NOT_FOUND, "a.cn");
    ck_assert_str_eq(audit_text(), before);
}
END_TEST

START_TEST(test_skip_bad)
{
    setup();
    ok(add_site("known.cn", NULL, NULL, 1));
    options.skip_bad = 1;
    ok(import_bytes(1, mixed, sizeof mixed - 1));
    counts(14, 3, 1, 11);
    mixed_lines();
    get_site("a.cn");
    get_site("m.c.cn");
    get_site("k.cn");
}
END_TEST

START_TEST(test_dry_run)
{
    icp_site_t *site;
    setup();
    reg->dry_run = 1;
    ok(sites("name,hosts,license\na.cn,,沪ICP备05012345号\n"));
    counts(1, 1, 0, 0);
    fails(icp_site_get(&site, reg, "a.cn", pool), ICP_NOT_FOUND, "a.cn");
}
END_TEST

START_TEST(test_serve_unlicensed)
{
    setup();
    options.serve_unlicensed = 1;
    ok(sites("name,hosts,license\na.cn,,\n"));
    counts(1, 1, 0, 0);
    ck_assert_str_eq(suspended_for("a.cn"), "");
}
END_TEST

START_TEST(test_bad_license_fields)
{
    setup();
    fails(licenses("number,holder,uscc,status\n"
                   "沪ICP备0501号,甲,,\n"
                   "京ICP备11020872号,,,\n"
                   "京ICP备11020873号,乙,91310000,\n"
                   "京ICP备11020874号,乙,,aktive\n"
                   "沪ICP备05012345号,乙,,\n"),
          ICP_REFUSED, "5 of 5 lines are bad");
    bad_field(0, "number", "沪ICP备0501号", "沪ICP备05012345号-1");
    bad_field(1, "holder", "", "name on the license");
    bad_field(2, "uscc", "91310000", "business license");
    bad_field(3, "status", "aktive", "active, cancelled or revoked");
    bad_field(4, "holder", "乙",
              "write 甲; if that is wrong, first: icpadmin license edit 沪ICP备05012345号 --holder NAME");
    fails(licenses("number,holder\n京ICP备11020872号,\n"), ICP_REFUSED, "1 of 1 lines is bad");
}
END_TEST

START_TEST(test_licenses)
{
    icp_license_t *license;
    icp_holder_t *holder;
    setup();
    ok(add_site("a.cn", NULL, "沪ICP备05012345号-1", 0));
    ok(licenses("number,holder,uscc,status\n"
                "沪ICP备05012345号,甲,,cancelled\n"
                "京ICP证030173号,甲,91330100799655058B,active\n"
                "粤ICP备11018438号-7,乙,,\n"
                "粤B2-20090059,乙,91110000802100433B,revoked\n"));
    ck_assert_int_eq(result->lines, 4);
    ck_assert_int_eq(result->added, 2);
    ck_assert_int_eq(result->changed, 2);
    ck_assert_int_eq(result->unchanged, 0);
    ck_assert_int_eq(result->suspended, 1);
    ck_assert_str_eq(suspended_for("a.cn"), "cancelled");
    ok(icp_license_get(&license, reg, "粤B2-20090059", pool));
    ck_assert_str_eq(license->status, "revoked");
    ok(icp_holder_get(&holder, reg, "乙", pool));
    ck_assert_str_eq(holder->uscc, "91110000802100433B");

    ok(icp_holder_get(&holder, reg, "91330100799655058B", pool));
    ck_assert_str_eq(holder->name, "甲");

    ok(licenses("number,holder\n沪ICP备05012345号,甲\n京ICP证030173号,甲\n"));
    ck_assert_int_eq(result->changed, 1);
    ck_assert_int_eq(result->unchanged, 1);
    ok(icp_license_get(&license, reg, "沪ICP备05012345号", pool));
    ck_assert_str_eq(license->status, "active");
    ck_assert_str_eq(suspended_for("a.cn"), "cancelled");
}
END_TEST

START_TEST(test_bad_licenses)
{
    setup();
    fails(licenses("number,holder,uscc,status\n"
                   "沪ICP备05012345号,乙,,\n"
                   "粤ICP备11018438号,乙,,gone\n"
                   "粤ICP备11018438号,,,\n"
                   "粤ICP备11018438号,乙,123,\n"
                   "粤ICP备11018438号,乙,,\n"
                   "粤ICP备11018438号-2,乙,,\n"
                   "京公网安备11010802012345号,乙,,\n"),
          ICP_REFUSED, "6 of 7");
    bad_line(0, 2, "甲");
    bad_line(1, 3, "gone");
    bad_line(2, 4, "name is empty");
    bad_line(3, 5, "18");
    bad_line(4, 7, "line 6");
    bad_line(5, 8, "police");
}
END_TEST

static void progress(apr_int64_t lines, apr_off_t bytes, void *baton)
{
    apr_off_t *last = baton;
    ck_assert_int_gt(bytes, *last);
    *last = bytes;
}

START_TEST(test_many)
{
    size_t size = 0, used;
    char *text = NULL;
    apr_off_t last = 0;
    setup();
    FILE *file = open_memstream(&text, &size);
    fputs("name,hosts,license\n", file);
    for (int i = 0; i < 5000; i++) fprintf(file, "s%d.cn,www.s%d.cn,沪ICP备05012345号-%d\n", i, i, i + 1);
    fclose(file);
    used = size;
    options.progress = progress;
    options.progress_baton = &last;
    ok(import_bytes(1, text, used));
    counts(5000, 5000, 0, 0);
    ck_assert_int_gt(last, 0);
    ck_assert_str_eq(get_site("www.s4999.cn")->name, "s4999.cn");
    free(text);
}
END_TEST

int main(void)
{
    return run_tests("import",
                     (const TTest *const[]){test_sites, test_forms_of_a_file, test_bad_headers, test_all_or_nothing,
                                            test_skip_bad, test_dry_run, test_serve_unlicensed, test_bad_license_fields,
                                            test_licenses, test_bad_licenses, test_many, NULL},
                     1);
}
