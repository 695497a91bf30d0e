/* What an approval makes in the register, for every kind; every conflict refuses it as a whole. */
#include "application_fixture.h"
#include "crash_fixture.h"

#include "application_number.h"
#include "audit.h"
#include "policy.h"
#include "register_files.h"

static const char *number_of(const char *site)
{
    return joined(get_site(site)->numbers);
}

/* The approval failed and nothing is left of it. */
static void refused(icp_error_t *error, const icp_application_t *application, icp_status_e status, const char *word)
{
    fails(error, status, word);
    ck_assert_str_eq(icp_app_states[application->state].name, "bureau-review");
    ck_assert(!has_event(apr_pstrcat(pool, "application.approve ", application->reference, NULL)));
}

START_TEST(test_first)
{
    icp_approval_t approval;
    icp_holder_t *holder;
    icp_license_t *license;
    icp_application_t *application = at_bureau(form_of("first", "甲公司", USCC, "www.tea.cn tea.cn"));
    ok(approve(&approval, application, "沪 ICP备 05012345 号", "龙井茶叶店=-1"));
    ck_assert_str_eq(icp_app_states[application->state].name, "approved");
    ck_assert_str_eq(application->number, NUMBER);
    ok(icp_holder_get(&holder, reg, USCC, pool));
    ck_assert_str_eq(holder->name, "甲公司");
    ck_assert_str_eq(holder->email, "li@example.cn");
    ck_assert_str_eq(holder->phone, "13800138000");
    ok(icp_license_get(&license, reg, NUMBER, pool));
    ck_assert_str_eq(license->holder, "甲公司");
    ck_assert_str_eq(number_of("www.tea.cn"), NUMBER "-1");
    ck_assert_str_eq(joined(get_site("tea.cn")->hosts), "tea.cn www.tea.cn");
    ck_assert_str_eq(suspended_for("www.tea.cn"), "");
    ck_assert_int_eq(integer("SELECT (until_at - from_at) / 86400 FROM exemption JOIN site ON site.id = site_id WHERE name = 'www.tea.cn'"), 7);
}
END_TEST

static icp_error_t *set_policy(icp_register_t *r, void *value, apr_pool_t *p)
{
    return icp_policy_set(r, ICP_POLICY_GRACE_DAYS, value, p);
}

static icp_error_t *set_on_event(icp_register_t *r, void *value, apr_pool_t *p)
{
    return icp_policy_set(r, ICP_POLICY_ON_EVENT, value, p);
}

/* "SITE NUMBER" a line each, as the client is told. */
static const char *told(const icp_application_t *application)
{
    apr_array_header_t *numbers;
    const char *text = "";
    ok(icp_application_numbers(&numbers, reg, application, pool));
    for (int i = 0; i < numbers->nelts; i++) {
        const icp_application_number_t *one = &APR_ARRAY_IDX(numbers, i, icp_application_number_t);
        text = apr_pstrcat(pool, text, one->site, " ", one->number, "\n", NULL);
    }
    return text;
}

/* Each website its own number, and the license's where the province asks for that. */
START_TEST(test_numbers_to_display)
{
    icp_approval_t approval;
    ok(icp_register_change(reg, set_on_event, "/bin/true", pool));
    json_t *form = json_deep_copy(form_of("first", "甲公司", USCC, "www.tea.cn tea.cn"));
    json_t *second = json_deep_copy(json_array_get(json_object_get(form, "websites"), 0));
    json_object_set_new(second, "hosts", json_pack("[s]", "xn--8mr.cn"));
    json_array_append_new(json_object_get(form, "websites"), second);
    icp_application_t *application = at_bureau(icp_json_keep(form, pool));
    ck_assert_str_eq(told(application), "");
    refused(approve(&approval, application, NUMBER, "龙井茶叶店=-1"), application, ICP_USAGE, "has 2 websites named 龙井茶叶店");
    refused(approve(&approval, application, NUMBER, "tea.cn=-1 xn--8mr.cn=-1"), application, ICP_USAGE, "both xn--8mr.cn and www.tea.cn");
    ok(approve(&approval, application, NUMBER, "www.tea.cn=-2 原.cn=-1"));
    ck_assert_str_eq(told(application), "www.tea.cn " NUMBER "-2\n原.cn " NUMBER "-1\n");
    ck_assert_int_eq(integer("SELECT count(*) FROM outbox WHERE event = 'application.approved' AND facts LIKE '%>" NUMBER "-2</a>%' "
                             "AND facts LIKE '%>" NUMBER "-1</a>%' AND facts NOT LIKE '%>" NUMBER "</a>%'"), 1);

    json_t *guangdong = json_deep_copy(form_of("first", "乙公司", "91110000802100433B", "cup.cn"));
    json_object_set_new(json_object_get(guangdong, "holder"), "province", json_string("粤"));
    application = at_bureau(icp_json_keep(guangdong, pool));
    ok(approve(&approval, application, "粤ICP备2021098765号", "cup.cn=-3"));
    ck_assert_str_eq(number_of("cup.cn"), "粤ICP备2021098765号-3");
    ck_assert_str_eq(told(application), "cup.cn 粤ICP备2021098765号\n");
}
END_TEST

START_TEST(test_without_grace)
{
    icp_approval_t approval;
    ok(icp_register_change(reg, set_policy, "0", pool));
    ok(approve(&approval, at_bureau(form_of("first", "甲公司", USCC, "tea.cn")), NUMBER, NULL));
    ck_assert_str_eq(number_of("tea.cn"), NUMBER); /* no website number: it shows the license's */
    ck_assert_int_eq(integer("SELECT count(*) FROM exemption"), 0);
}
END_TEST

START_TEST(test_numbers_that_cannot_be)
{
    static const struct { const char *number, *websites, *word; } cases[] = {
        {NULL, NULL, "needs a number"},
        {"沪ICP备05012345号-1", NULL, "website's number"},
        {"京ICP备05012345号", NULL, "another province"},
        {"沪ICP备0501234号", NULL, "no ICP number"},
        {"沪ICP证030173号", NULL, "no filing number"},
        {"沪B2-20090059", NULL, "no filing number"},
        {"沪ICP备05012345号-1A", NULL, "app"},
        {"hello", NULL, "no ICP number"},
        {NUMBER, "nobody.cn=-1", "no website nobody.cn"},
        {NUMBER, "tea.cn=-0", "no website number"},
        {NUMBER, "tea.cn=-100000", "no website number"},
        {NUMBER, "tea.cn=x", "no ICP number"},
        {NUMBER, "tea.cn=沪ICP备05012346号-1", "no website number"},
        {NUMBER, "tea.cn=" NUMBER, "no website number"},
    };
    icp_application_t *application = at_bureau(form_of("first", "甲公司", USCC, "tea.cn"));
    icp_approval_t approval;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(approve(&approval, application, cases[i].number, cases[i].websites), application, ICP_USAGE, cases[i].word);
    refused(approve(&approval, application, "沪ICP备00000000号", NULL), application, ICP_REFUSED, "placeholder");
    ck_assert_int_eq(integer("SELECT count(*) FROM holder"), 0);
    ok(approve(&approval, application, NUMBER, "tea.cn=" NUMBER "-2"));
    ck_assert_str_eq(number_of("tea.cn"), NUMBER "-2");
    fails(approve(&approval, application, NUMBER, NULL), ICP_REFUSED, "is approved");
}
END_TEST

START_TEST(test_conflicts)
{
    icp_approval_t approval;
    ok(add_license(NUMBER, "乙公司", NULL));
    ok(add_license("沪ICP备05012346号", "乙公司", NULL));
    ok(add_site("tea.cn", NULL, NUMBER "-1", 0));
    ok(add_site("other.cn", "*.other.cn", NUMBER "-2", 0));

    icp_application_t *application = at_bureau(form_of("first", "甲公司", USCC, "fresh.cn tea.cn"));
    refused(approve(&approval, application, NUMBER, NULL), application, ICP_REFUSED, "乙公司"); /* the number is on file */
    refused(approve(&approval, application, "沪ICP备05012399号", NULL), application, ICP_REFUSED, "the site tea.cn shows");
    ck_assert_int_eq(integer("SELECT count(*) FROM holder WHERE name = '甲公司'"), 0);
    ck_assert_int_eq(integer("SELECT count(*) FROM site WHERE name = 'fresh.cn'"), 0);

    icp_application_t *below = at_bureau(form_of("first", "丙公司", "91110000802100433B", "shop.other.cn"));
    refused(approve(&approval, below, "沪ICP备05012398号", NULL), below, ICP_REFUSED, "the site other.cn shows");
}
END_TEST

START_TEST(test_holder_on_file)
{
    icp_approval_t approval;
    icp_holder_t *holder;
    icp_holder_t known = {.kind = "business", .name = "甲公司", .uscc = USCC, .contact_name = "", .email = "old@example.cn", .phone = ""};
    ok(change(step_holder_add, (step_t){.data = &known}));
    ok(approve(&approval, at_bureau(form_of("first", "甲公司", USCC, "tea.cn")), NUMBER, NULL));
    ok(icp_holder_get(&holder, reg, "甲公司", pool));
    ck_assert_int_eq(holder->id, known.id);
    ck_assert_str_eq(holder->email, "li@example.cn");

    icp_application_t *renamed = at_bureau(form_of("first", "甲公司（新）", USCC, "new.cn"));
    refused(approve(&approval, renamed, "沪ICP备05012399号", NULL), renamed, ICP_REFUSED, "is on file as the code of 甲公司");
}
END_TEST

START_TEST(test_same_name_another_person)
{
    icp_approval_t approval;
    icp_application_t *application = at_bureau(form_of("first", "甲公司", USCC, "tea.cn"));
    icp_holder_t person = {.kind = "person", .name = "甲公司", .contact_name = "", .email = "x@example.cn", .phone = "1"};
    ok(change(step_holder_add, (step_t){.data = &person}));
    refused(approve(&approval, application, NUMBER, NULL), application, ICP_REFUSED, "another kind");
}
END_TEST

/* Registered before its license: suspended until its page shows the number, and then it has that number to show. */
START_TEST(test_site_on_file)
{
    icp_approval_t approval;
    ok(add_site("tea.cn", "m.tea.cn", NULL, 0));
    ck_assert_str_eq(suspended_for("tea.cn"), "unlicensed");
    ok(approve(&approval, at_bureau(form_of("first", "甲公司", USCC, "www.tea.cn tea.cn")), NUMBER, "tea.cn=3"));
    ck_assert_str_eq(number_of("tea.cn"), NUMBER "-3");
    ck_assert_str_eq(joined(get_site("tea.cn")->hosts), "m.tea.cn tea.cn www.tea.cn");
    ck_assert_str_eq(suspended_for("tea.cn"), "unlicensed");
    ck_assert_int_eq(integer("SELECT count(*) FROM site"), 1);
    ck_assert_int_eq(integer("SELECT count(*) FROM exemption"), 1);
}
END_TEST

START_TEST(test_website_of_a_license_on_file)
{
    icp_approval_t approval;
    ok(add_license(NUMBER, "甲公司", USCC));
    ok(add_site("tea.cn", NULL, NUMBER "-1", 0));
    icp_application_t *application = at_bureau(form_of("website", "甲公司", USCC, "cup.cn"));
    refused(approve(&approval, application, "沪ICP备05012399号", NULL), application, ICP_USAGE, "is about the license " NUMBER);
    refused(approve(&approval, application, NULL, "cup.cn=-1"), application, ICP_REFUSED, "is the number of the site tea.cn");
    ok(approve(&approval, application, NULL, "cup.cn=-2"));
    ck_assert_str_eq(number_of("cup.cn"), NUMBER "-2");
    ck_assert_int_eq(integer("SELECT count(*) FROM license"), 1);

    icp_application_t *stranger = at_bureau(form_of("website", "乙公司", "91110000802100433B", "pot.cn"));
    refused(approve(&approval, stranger, NULL, NULL), stranger, ICP_REFUSED, "is 甲公司's, not 乙公司's");
    ok(change(step_license_end, (step_t){.a = NUMBER, .b = "revoked"}));
    icp_application_t *late = at_bureau(form_of("website", "甲公司", USCC, "late.cn"));
    refused(approve(&approval, late, NULL, NULL), late, ICP_REFUSED, "is revoked");
}
END_TEST

START_TEST(test_license_from_elsewhere)
{
    icp_approval_t approval;
    icp_license_t *license;
    ok(approve(&approval, at_bureau(form_of("access", "甲公司", USCC, "tea.cn")), NULL, "tea.cn=-4"));
    ok(icp_license_get(&license, reg, NUMBER, pool));
    ck_assert_str_eq(license->holder, "甲公司");
    ck_assert_str_eq(license->uscc, USCC);
    ck_assert_str_eq(number_of("tea.cn"), NUMBER "-4");
}
END_TEST

START_TEST(test_change)
{
    icp_approval_t approval;
    icp_holder_t *holder;
    ok(add_license(NUMBER, "甲公司", USCC));
    ok(add_site("tea.cn", NULL, NUMBER, 0));
    icp_application_t *other = at_bureau(form_of("change", "乙公司", "91110000802100433B", "tea.cn"));
    refused(approve(&approval, other, NULL, NULL), other, ICP_REFUSED, "is 甲公司's, whose code is " USCC);
    icp_application_t *application = at_bureau(form_of("change", "甲公司（上海）", USCC, "tea.cn new.tea.cn"));
    refused(approve(&approval, application, NULL, "tea.cn=-1"), application, ICP_USAGE, "no website gets a number");
    ok(approve(&approval, application, NULL, NULL));
    ok(icp_holder_get(&holder, reg, USCC, pool));
    ck_assert_str_eq(holder->name, "甲公司（上海）");
    ck_assert_str_eq(joined(get_site("tea.cn")->hosts), "new.tea.cn tea.cn");
}
END_TEST

START_TEST(test_cancel_license)
{
    icp_approval_t approval;
    ok(add_license(NUMBER, "甲公司", USCC));
    ok(add_site("tea.cn", NULL, NUMBER "-1", 0));
    ok(approve(&approval, at_bureau(form_of("cancel-license", "甲公司", USCC, NULL)), NULL, NULL));
    ck_assert_str_eq(suspended_for("tea.cn"), "cancelled");
    ck_assert_int_eq(integer("SELECT count(*) FROM license WHERE status = 'cancelled'"), 1);
}
END_TEST

/* A website's end and the end of its hosting here are the same for this host: it has no number to show any more. */
static void cancel_website(const char *kind)
{
    icp_approval_t approval;
    ok(icp_register_change(reg, set_on_event, "/bin/true", pool));
    ok(add_license(NUMBER, "甲公司", USCC));
    ok(add_license("沪ICP备05012346号", "甲公司", USCC));
    ok(add_site("tea.cn", NULL, NUMBER "-1", 1));
    ok(add_site("both.cn", NULL, NUMBER "-2 沪ICP备05012346号-1", 0));
    ok(add_site("stays.cn", NULL, NUMBER "-3", 0));
    ok(add_site("other.cn", NULL, "沪ICP备05012346号-2", 0));
    icp_application_t *wrong = at_bureau(form_of(kind, "甲公司", USCC, "tea.cn other.cn"));
    refused(approve(&approval, wrong, NULL, NULL), wrong, ICP_REFUSED, "other.cn shows no number of " NUMBER);
    ck_assert_str_eq(suspended_for("tea.cn"), "");
    ok(step(wrong, ICP_APP_DO_REJECT, ICP_BY_STAFF));
    ok(step(wrong, ICP_APP_DO_WITHDRAW, ICP_BY_STAFF));
    ok(approve(&approval, at_bureau(form_of(kind, "甲公司", USCC, "tea.cn both.cn gone.cn")), NULL, NULL));
    ck_assert_str_eq(suspended_for("tea.cn"), "cancelled");
    ck_assert_str_eq(number_of("tea.cn"), "");
    ck_assert_int_eq(integer("SELECT count(*) FROM outbox WHERE event = 'site.suspended' AND facts LIKE '%expected%'"), 0);
    ck_assert_int_eq(integer("SELECT count(*) FROM outbox WHERE event = 'site.suspended'"), 1);
    ck_assert_str_eq(suspended_for("both.cn"), "");
    ck_assert_str_eq(number_of("both.cn"), "沪ICP备05012346号-1");
    ck_assert_str_eq(suspended_for("stays.cn"), "");
    ck_assert_int_eq(integer("SELECT count(*) FROM license WHERE status = 'active'"), 2);
}

START_TEST(test_cancel_website)
{
    cancel_website("cancel-website");
}
END_TEST

START_TEST(test_cancel_access)
{
    cancel_website("cancel-access");
}
END_TEST

static icp_application_t *at_the_bureau;

static void approve_once(void)
{
    icp_approval_t approval;
    if (icp_register_open(&reg, reg->path, "tester", pool)) _exit(2);
    if (approve(&approval, at_the_bureau, NUMBER, "tea.cn=-1 cup.cn=-2")) _exit(3);
}

/* Two websites of a holder that is not on file. */
static icp_application_t *two_websites(void)
{
    json_t *form = json_deep_copy(form_of("first", "甲公司", USCC, "tea.cn"));
    json_t *second = json_deep_copy(json_array_get(json_object_get(form, "websites"), 0));
    json_object_set_new(second, "name", json_string("紫砂茶壶店"));
    json_object_set_new(second, "hosts", json_pack("[s]", "cup.cn"));
    json_array_append_new(json_object_get(form, "websites"), second);
    return at_bureau(icp_json_keep(form, pool));
}

/* Everything that an approval makes is there, or nothing: holder, license, sites, exemptions, the step, its mail and its events. */
static int is_approved(void)
{
    static const char *const counts[] = {
        "SELECT count(*) FROM holder", "SELECT count(*) FROM license", "SELECT count(*) / 2 FROM site", "SELECT count(*) / 2 FROM site_license",
        "SELECT count(*) / 2 FROM exemption", "SELECT count(*) FROM private.contact",
        "SELECT count(*) FROM private.application WHERE state = 'approved'", "SELECT count(*) FROM outbox WHERE event = 'application.approved'",
        "SELECT count(*) FROM private.event WHERE action = 'application.approve'", "SELECT count(*) FROM private.event WHERE action = 'holder.add'",
    };
    apr_int64_t count, first = integer(counts[0]);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_assert_msg((count = integer(counts[i])) == first, "%s: %d, not %d", counts[i], (int)count, (int)first);
    icp_chain_t chain;
    ok(icp_audit_verify(reg, NULL, &chain, pool));
    return first == 1;
}

static const char *in_folder(const char *name)
{
    return icp_register_companion(reg->path, name, pool);
}

/* Written over, so that it stays the same file to whoever has it open. */
static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    ssize_t got;
    int in = open(in_folder(from), O_RDONLY), out = open(in_folder(to), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof bytes)) > 0) ck_assert_int_eq(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

static void start_again(void)
{
    static const char *const databases[] = {"register.db", "private.db"};
    for (int i = 0; i < 2; i++) {
        unlink(in_folder(apr_pstrcat(pool, databases[i], "-journal", NULL)));
        copy_file(apr_pstrcat(pool, databases[i], ".before", NULL), databases[i]);
    }
}

/* At any system call that alters a file, always from the same beginning. */
static void end_anywhere(int *ended)
{
    int old = 0, new = 0;
    ok(icp_register_change(reg, set_on_event, "/bin/true", pool));
    at_the_bureau = two_websites();
    icp_register_disconnect(reg); /* no connection goes through a fork */
    copy_file("register.db", "register.db.before");
    copy_file("private.db", "private.db.before");
    for (int n = 1, came = 1; came > 0; n++) {
        came = run_to(n, ended, approve_once);
        ok(icp_register_open(&reg, reg->path, "tester", pool));
        int approved = came >= 0 && is_approved();
        ck_assert(approved || !ended || *ended || came < 0);
        if (approved) new++;
        else old++;
        icp_register_disconnect(reg);
        if (came < 0) break; /* processes cannot be traced here */
        start_again();
    }
    if (old + new > 1) ck_assert(old > 10 && new > 1);
    ok(icp_register_open(&reg, reg->path, "tester", pool));
}

KILLED_AND_FAILING(end_anywhere, test_killed_anywhere, test_disk_fails_anywhere)

START_TEST(test_homepage)
{
    static const char *const pages[][2] = {{"https://www.tea.cn/shop/", "https://www.tea.cn/shop/"}, {NULL, "/"}};
    for (int i = 0; i < 2; i++) {
        icp_approval_t approval;
        const char *name = apr_psprintf(pool, "公司%d", i), *uscc = i ? "91110000802100433B" : USCC, *host = i ? "cup.cn" : "www.tea.cn";
        json_t *form = json_deep_copy(form_of("first", name, uscc, host));
        if (pages[i][0]) json_object_set_new(json_array_get(json_object_get(form, "websites"), 0), "homepage", json_string(pages[i][0]));
        ok(approve(&approval, at_bureau(form), i ? "沪ICP备05012399号" : NUMBER, NULL));
        ck_assert_str_eq(get_site(host)->homepage, pages[i][1]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_first, test_numbers_to_display, test_without_grace, test_numbers_that_cannot_be, test_conflicts, test_holder_on_file,
                                  test_same_name_another_person, test_site_on_file, test_website_of_a_license_on_file,
                                  test_license_from_elsewhere, test_change, test_cancel_license, test_cancel_website,
                                  test_cancel_access, test_homepage, test_killed_anywhere, test_disk_fails_anywhere, NULL};
    return run_tests("approval", tests, 1);
}
