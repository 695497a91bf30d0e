/* .cn registrations: their names, the table of states in full, and the way from the first document wanted to the
 * answer. */
#include "records_fixture.h"

#include "domain.h"
#include "policy.h"

/* --- names -------------------------------------------------------------------------------------------------------- */

START_TEST(test_registered_names)
{
    static const char *const names[][2] = {{"example.cn", "example.cn"},
                                           {"EXAMPLE.CN.", "example.cn"},
                                           {"shop.com.cn", "shop.com.cn"},
                                           {"shop.bj.cn", "shop.bj.cn"},
                                           {"shop.xj.cn", "shop.xj.cn"},
                                           {"shop.ac.cn", "shop.ac.cn"},
                                           {"商店.中国", "xn--czrs0t.xn--fiqs8s"},
                                           {"商店.中國", "xn--czrs0t.xn--fiqz9s"},
                                           {"商店。中国", "xn--czrs0t.xn--fiqs8s"},
                                           {"XN--CZRS0T.xn--fiqs8s", "xn--czrs0t.xn--fiqs8s"},
                                           {"商店.cn", "xn--czrs0t.cn"},
                                           {"商店.公司.cn", "xn--czrs0t.xn--55qx5d.cn"},
                                           {"123.cn", "123.cn"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *normal;
        ok(icp_domain_name(&normal, names[i][0], pool));
        ck_assert_str_eq(normal, names[i][1]);
    }
}
END_TEST

START_TEST(test_what_is_no_registered_name)
{
    static const struct {
        const char *name, *words, *remedy;
    } names[] = {{"cn", "is a suffix", "such as example.cn"},
                 {"com.cn", "is a suffix", "example.com.cn"},
                 {"bj.cn", "is a suffix", NULL},
                 {"中国", "is a suffix", NULL},
                 {"公司.cn", "公司.cn is a suffix", NULL},
                 {"www.example.cn", "below a registered one", "give the registered name: example.cn"},
                 {"a.b.example.com.cn", "below a registered one", "give the registered name: example.com.cn"},
                 {"www.商店.中国", "below a registered one", "give the registered name: 商店.中国"},
                 {"example.com", "is no .cn name", NULL},
                 {"example.公司", "is no .cn name", NULL},
                 {"example.网络", "is no .cn name", NULL},
                 {"example.cn.com", "is no .cn name", NULL},
                 {"127.0.0.1", "is no .cn name", NULL},
                 {"::1", "is no .cn name", NULL},
                 {"", "is no host name", NULL},
                 {"*.example.cn", "is no host name", NULL},
                 {"http://example.cn/", "is no host name", NULL},
                 {"a b.cn", "is no host name", NULL},
                 {"'; DROP TABLE domain; --.cn", "is no host name", NULL},
                 {"..cn", "is no host name", NULL},
                 {"<b>.cn", "is no host name", NULL},
                 {"-\x1B[31m.cn", "is no host name", NULL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *normal;
        icp_error_t *error = icp_domain_name(&normal, names[i].name, pool);
        fails(error, ICP_USAGE, names[i].words);
        ck_assert_ptr_nonnull(error->remedy);
        if (names[i].remedy) ck_assert_msg(strstr(error->remedy, names[i].remedy) != NULL, "%s", error->remedy);
    }
}
END_TEST

/* --- states ------------------------------------------------------------------------------------------------------- */

START_TEST(test_every_step_in_every_state)
{
    /* By state: where each step leads if all documents are there, "" if nowhere. */
    static const struct {
        const char *state, *documents, *submit, *accept, *refuse;
    } table[] = {{"wanted", "received", "", "", ""},
                 {"received", "received", "submitted", "", ""},
                 {"submitted", "", "", "accepted", "refused"},
                 {"accepted", "", "", "", ""},
                 {"refused", "received", "", "", ""}};
    for (size_t i = 0; i < ICP_DOMAIN_STATE_COUNT; i++) {
        const char *const to[] = {table[i].documents, table[i].submit, table[i].accept, table[i].refuse};
        icp_domain_state_e from = icp_domain_state(table[i].state);
        ck_assert_int_lt(from, ICP_DOMAIN_STATE_COUNT);
        for (int step = 0; step < ICP_DOMAIN_STEP_COUNT; step++) {
            icp_domain_state_e next;
            icp_error_t *error = icp_domain_next(&next, "example.cn", from, (icp_domain_step_e)step, 1, pool);
            if (!*to[step]) {
                fails(error, ICP_REFUSED, apr_psprintf(pool, "documents of example.cn are %s", table[i].state));
                ck_assert_ptr_nonnull(error->remedy);
                continue;
            }
            ok(error);
            ck_assert_str_eq(icp_domain_states[next], to[step]);
        }
    }
    icp_domain_state_e next;
    ok(icp_domain_next(&next, "x.cn", ICP_DOMAIN_REFUSED, ICP_DOMAIN_DO_DOCUMENTS, 0, pool));
    ck_assert_int_eq(next, ICP_DOMAIN_REFUSED);
    ok(icp_domain_next(&next, "x.cn", ICP_DOMAIN_WANTED, ICP_DOMAIN_DO_DOCUMENTS, 0, pool));
    ck_assert_int_eq(next, ICP_DOMAIN_WANTED);
    ck_assert_int_eq(icp_domain_state("nothing"), ICP_DOMAIN_STATE_COUNT);
}
END_TEST

/* --- on file ------------------------------------------------------------------------------------------------------ */

enum { WHAT, NAME, A, B, C, ACT };

static apr_array_header_t *dropped;

static icp_error_t *act(icp_register_t *r, void *baton, apr_pool_t *p)
{
    const char *const *it = baton, *what = it[WHAT];
    icp_domain_t fields = {.name = it[NAME], .registrant = it[A], .kind = it[B], .email = it[C]};
    icp_document_t file = {.name = "scan.pdf", .type = "application/pdf", .bytes = 8, .sha256 = it[B]};
    dropped = apr_array_make(pool, 2, sizeof(const char *));
    if (!strcmp(what, "add")) return icp_domain_add(r, &fields, p);
    if (!strcmp(what, "edit")) return icp_domain_edit(r, it[NAME], &fields, dropped, p);
    if (!strcmp(what, "remove")) return icp_domain_remove(r, it[NAME], it[A], dropped, p);
    if (!strcmp(what, "document")) return icp_domain_put_document(r, it[NAME], it[A], &file, dropped, p);
    if (!strcmp(what, "submit")) return icp_domain_take_step(r, it[NAME], ICP_DOMAIN_DO_SUBMIT, NULL, NULL, NULL, p);
    if (!strcmp(what, "accept")) return icp_domain_take_step(r, it[NAME], ICP_DOMAIN_DO_ACCEPT, NULL, NULL, NULL, p);
    if (!strcmp(what, "refuse"))
        return icp_domain_take_step(r, it[NAME], ICP_DOMAIN_DO_REFUSE, list(it[A]), list(it[B]), NULL, p);
    return icp_domain_remind(r, it[A] != NULL, dropped, p);
}

#define doing(...) icp_register_change(reg, act, (const char *[ACT]){__VA_ARGS__}, pool)

static const char hash_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  hash_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static icp_domain_t *get(const char *name)
{
    icp_domain_t *domain;
    ok(icp_domain_get(&domain, reg, name, pool));
    return domain;
}

static void run_sql(const char *text)
{
    char *fault = NULL;
    ck_assert_msg(sqlite3_exec(icp_db_handle(reg->db), text, NULL, NULL, &fault) == SQLITE_OK, "%s", fault);
}

static apr_int64_t number(const char *query)
{
    apr_int64_t value;
    ok(icp_db_integer(&value, reg->db, query));
    return value;
}

static icp_error_t *mail_on(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_policy_set(r, ICP_POLICY_MAIL, "smtp", p);
}

static const char *newest_fact(const char *name)
{
    sqlite3_stmt *stmt;
    const char *text = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(icp_db_handle(reg->db),
                                        "SELECT json_extract(facts, '$.' || ?1) FROM private.outbox ORDER BY id DESC",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        text = apr_pstrdup(pool, (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return text;
}

START_TEST(test_the_whole_way)
{
    ok(icp_register_change(reg, mail_on, NULL, pool));
    ok(doing("add", "商店.中国", "上海某某商贸有限公司", "organisation", "it@x.cn"));
    ck_assert_int_eq(get("xn--czrs0t.xn--fiqs8s")->missing, 2);
    ck_assert_str_eq(newest_fact("domain"), "商店.中国 (xn--czrs0t.xn--fiqs8s)");
    ck_assert_ptr_nonnull(strstr(newest_fact("documents"), "营业执照或组织的其他合法证件 / business license"));

    fails(doing("submit", "商店.中国"), ICP_REFUSED, "`domain submit` is impossible");
    ok(doing("document", "商店.中国", "license", hash_a));
    ck_assert_int_eq(get("商店.中国")->state, ICP_DOMAIN_WANTED);
    ok(doing("document", "商店.中国", "contact", hash_a));
    ck_assert_int_eq(get("商店.中国")->state, ICP_DOMAIN_RECEIVED);
    ok(doing("document", "商店.中国", "contact", hash_b)); /* a better copy */
    ck_assert_str_eq(joined(dropped), hash_a);
    ok(doing("submit", "商店.中国"));
    fails(doing("document", "商店.中国", "contact", hash_a), ICP_REFUSED, "`domain documents` is impossible");

    fails(doing("refuse", "商店.中国", NULL, NULL), ICP_USAGE, "a refusal has a reason");
    fails(doing("refuse", "商店.中国", "expired", "identity"), ICP_USAGE, "hands in no document `identity`");
    ok(doing("refuse", "商店.中国", "expired blurred", "license"));
    ck_assert_str_eq(joined(get("商店.中国")->reasons), "expired blurred");
    ck_assert_int_eq(get("商店.中国")->missing, 1);
    ck_assert_str_eq(newest_fact("reasons"), "expired\nblurred");
    ck_assert_ptr_null(strstr(newest_fact("documents"), "联系人"));

    ok(doing("document", "商店.中国", "license", hash_b));
    ck_assert_int_eq(get("商店.中国")->state, ICP_DOMAIN_RECEIVED);
    ck_assert_int_eq(get("商店.中国")->reasons->nelts, 0);
    ok(doing("submit", "商店.中国"));
    ok(doing("accept", "商店.中国"));
    fails(doing("accept", "商店.中国"), ICP_REFUSED, "are accepted");
    ck_assert_int_eq(
        number("SELECT count(*) FROM private.outbox WHERE event IN ('domain.documents-wanted', 'domain.received', "
               "'domain.submitted', 'domain.accepted', 'domain.refused')"),
        7);
    ck_assert(has_event("domain.refuse xn--czrs0t.xn--fiqs8s"));
    ck_assert(has_event(hash_b)); /* which document it was */
}
END_TEST

START_TEST(test_refused_without_a_kind_wants_all)
{
    ok(doing("add", "x.cn", "张三", "individual", NULL));
    ok(doing("document", "x.cn", "identity", hash_a));
    ok(doing("submit", "x.cn"));
    ok(doing("refuse", "x.cn", "blurred", NULL));
    ck_assert_int_eq(get("x.cn")->missing, 1);
    ok(doing("document", "x.cn", "identity", hash_a)); /* the same again: it was not its fault */
    ck_assert_int_eq(dropped->nelts, 0);
    ck_assert_int_eq(get("x.cn")->state, ICP_DOMAIN_RECEIVED);
}
END_TEST

START_TEST(test_another_registrant_begins_anew)
{
    ok(doing("add", "x.cn", "甲公司", "organisation", ""));
    ok(doing("document", "x.cn", "license", hash_a));
    ok(doing("edit", "x.cn", NULL, NULL, "new@x.cn"));
    ck_assert_int_eq(get("x.cn")->missing, 1);
    ck_assert_int_eq(dropped->nelts, 0);
    ok(doing("edit", "x.cn", "乙公司"));
    ck_assert_str_eq(joined(dropped), hash_a);
    ck_assert_int_eq(get("x.cn")->missing, 2);
    ok(doing("edit", "x.cn", NULL, "individual"));
    ck_assert_int_eq(get("x.cn")->missing, 1);
    fails(doing("document", "x.cn", "license", hash_a), ICP_USAGE, "an individual hands in no document `license`");
    apr_int64_t events = number("SELECT count(*) FROM private.event");
    ok(doing("edit", "x.cn", "乙公司", "individual", "new@x.cn")); /* as it is: no event */
    ck_assert_int_eq(number("SELECT count(*) FROM private.event"), events);
    ok(doing("edit", "x.cn", "张三"));
    ck_assert(has_event("\"changed\":[\"email\"]") && has_event("\"changed\":[\"registrant\"]"));
    ck_assert(!has_event("new@x.cn") && !has_event("张三")); /* what nobody could take out of the log again */
}
END_TEST

START_TEST(test_remove)
{
    ok(doing("add", "x.cn", "甲公司", "organisation", ""));
    ok(doing("document", "x.cn", "license", hash_a));
    ok(doing("remove", "x.cn", "moved away"));
    ck_assert_str_eq(joined(dropped), hash_a);
    ck_assert_int_eq(number("SELECT count(*) FROM private.domain_document"), 0);
    fails(doing("remove", "x.cn", NULL), ICP_NOT_FOUND, "x.cn is not on file");
    ck_assert(has_event("domain.remove x.cn"));
}
END_TEST

START_TEST(test_bad_fields)
{
    char *long_text = apr_pcalloc(pool, 400);
    memset(long_text, 'x', 399);
    fails(doing("add", "x.cn", "", "organisation", ""), ICP_USAGE, "registrant's name is empty");
    fails(doing("add", "x.cn", long_text, "organisation", ""), ICP_USAGE, "registrant's name is too long");
    fails(doing("add", "x.cn", "a\nBcc: b", "organisation", ""), ICP_USAGE, "control characters");
    fails(doing("add", "x.cn", "\xFF", "organisation", ""), ICP_USAGE, "not UTF-8");
    fails(doing("add", "x.cn", "甲", "company", ""), ICP_USAGE, "no kind of registrant `company`");
    static const char *const addresses[] = {"nobody", "@x.cn", "a@", "a@b@c", "a@x.cn\r\nBcc: b@y.cn", "a @x.cn"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        fails(doing("add", "x.cn", "甲", "organisation", addresses[i]), ICP_USAGE, "e-mail address");
    }
    ok(doing("add", "x.cn", "<script>'\"; DROP TABLE domain; --", "organisation", ""));
    ck_assert_str_eq(get("x.cn")->registrant, "<script>'\"; DROP TABLE domain; --");
    fails(doing("add", "X.CN", "乙", "organisation", ""), ICP_REFUSED, "x.cn is on file");
}
END_TEST

START_TEST(test_reminders)
{
    ok(icp_register_change(reg, mail_on, NULL, pool));
    ok(doing("add", "due.cn", "甲", "organisation", "a@x.cn"));
    ok(doing("add", "fresh.cn", "甲", "organisation", "a@x.cn"));
    ok(doing("add", "silent.cn", "甲", "organisation", ""));
    ok(doing("add", "done.cn", "张三", "individual", "a@x.cn"));
    ok(doing("document", "done.cn", "identity", hash_a));
    run_sql("UPDATE private.domain SET state_at = state_at - 7 * 86400 WHERE name <> 'fresh.cn'");
    ok(doing("remind", NULL));
    ck_assert_str_eq(joined(dropped), "due.cn");
    ck_assert_int_eq(number("SELECT count(*) FROM private.outbox WHERE event = 'domain.reminder'"), 1);
    ok(doing("remind", NULL)); /* not twice */
    ck_assert_int_eq(dropped->nelts, 0);
    ok(doing("remind", NULL, "all"));
    ck_assert_str_eq(joined(dropped), "due.cn fresh.cn");
    run_sql("UPDATE private.domain SET reminded_at = reminded_at - 7 * 86400 WHERE name = 'due.cn'");
    ok(doing("remind", NULL));
    ck_assert_str_eq(joined(dropped), "due.cn");
}
END_TEST

static icp_error_t *collect(const icp_domain_t *domain, void *baton, apr_pool_t *p)
{
    const char **names = baton;
    *names = apr_pstrcat(pool, *names, domain->name, " ", NULL);
    return NULL;
}

START_TEST(test_in_the_order_of_names)
{
    const char *names = "";
    ok(doing("add", "b.cn", "甲", "organisation", ""));
    ok(doing("add", "a.cn", "甲", "organisation", ""));
    ok(icp_domain_each(reg, collect, &names, pool));
    ck_assert_str_eq(names, "a.cn b.cn ");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_registered_names,
                                  test_what_is_no_registered_name,
                                  test_every_step_in_every_state,
                                  test_the_whole_way,
                                  test_refused_without_a_kind_wants_all,
                                  test_another_registrant_begins_anew,
                                  test_remove,
                                  test_bad_fields,
                                  test_reminders,
                                  test_in_the_order_of_names,
                                  NULL};
    return run_tests("domain", tests, 1);
}
