/* The audit log: nothing in it can be altered, removed, added or cut off without --verify saying where. */
#include "register_fixture.h"

#define EVENTS 600 /* more than are read at a time */

static icp_error_t *record(icp_register_t *reg, void *baton, apr_pool_t *unused)
{
    json_t *after = json_pack("{s:s,s:i}", "z", "上海", "a", 1);
    for (int i = 0; i < EVENTS; i++) {
        ICP_TRY(icp_audit_event(reg, "site.edit", i % 2 ? "odd.cn" : "even.cn", NULL, after, i ? NULL : "a note", pool));
    }
    json_decref(after);
    return NULL;
}

static icp_register_t *filled(void)
{
    icp_register_t *reg = open_register();
    ok(icp_register_change(reg, record, NULL, pool));
    return reg;
}

static icp_error_t *count_event(const icp_event_t *event, void *count, apr_pool_t *unused)
{
    if (++*(int *)count == 1) {
        ck_assert_str_eq(event->actor, "tester");
        ck_assert_str_eq(event->action, "site.edit");
        ck_assert_str_eq(event->subject, "even.cn");
        ck_assert_str_eq(event->before, "null");
        ck_assert_str_eq(event->after, "{\"a\":1,\"z\":\"上海\"}");
        ck_assert_str_eq(event->note, "a note");
        ck_assert_int_eq(event->id, 2);
        ck_assert(apr_time_now() - event->at < apr_time_from_sec(600));
    }
    return NULL;
}

START_TEST(test_read_back)
{
    icp_register_t *reg = filled();
    icp_chain_t chain;
    int count = 0;
    ok(icp_audit_each(reg, "even.cn", count_event, &count, pool));
    ck_assert_int_eq(count, EVENTS / 2);
    count = 10;
    ok(icp_audit_each(reg, NULL, count_event, &count, pool));
    ck_assert_int_eq(count, 10 + EVENTS + 1);
    ok(icp_audit_verify(reg, NULL, &chain, pool));
    ck_assert_int_eq(chain.count, EVENTS + 1);
}
END_TEST

/* The chain as audit.h documents it, by another hand: sha256sum. */
START_TEST(test_documented_hash)
{
    icp_register_t *reg = open_register();
    apr_pool_t *p = pool;
    char line[128] = "";
    ok(sql(reg->db, "CREATE TEMP TABLE t AS SELECT printf('1:1%%d:%%s6:tester13:register.init%%d:%%s4:null%%d:%%s0:', length(at), at,"
                    " length(subject), subject, length(after), after) AS text, hash FROM private.event"));
    sqlite3_stmt *stmt;
    ck_assert_int_eq(sqlite3_prepare_v2(icp_db_handle(reg->db), "SELECT text, hash FROM t", -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    FILE *sum = popen(apr_psprintf(p, "printf %%s '%s' | sha256sum", sqlite3_column_text(stmt, 0)), "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, sum));
    pclose(sum);
    ck_assert_mem_eq(line, sqlite3_column_text(stmt, 1), 64);
    sqlite3_finalize(stmt);
}
END_TEST

START_TEST(test_tampering_is_found)
{
    static const struct { const char *deed, *words; } deeds[] = {
        {"UPDATE private.event SET actor = 'x' WHERE id = 300", "event 300 "},
        {"UPDATE private.event SET note = '' WHERE id = 2", "event 2 "},
        {"UPDATE private.event SET at = at + 1 WHERE id = 601", "event 601 "},
        {"UPDATE private.event SET action = 'site.edi', subject = 't' || subject WHERE id = 9", "event 9 "},
        {"DELETE FROM private.event WHERE id = 400", "event 401 "},
        {"DELETE FROM private.event WHERE id = 1", "event 2 "},
        {"DELETE FROM private.event WHERE id > 500", "the audit log ends with event 500"},
        {"DELETE FROM private.event WHERE id = 601", "the audit log ends with event 600"},
        {"INSERT INTO private.event SELECT 602, at, actor, action, subject, before, after, note, 'x' FROM private.event WHERE id = 601",
         "event 602 "},
        {"UPDATE main.state SET audit_count = 600", "register was left at event 600"},
        {"UPDATE main.state SET audit_head = 'f'", "another one"},
    };
    icp_register_t *reg = filled();
    icp_chain_t chain;
    fails(sql(reg->db, "UPDATE private.event SET actor = 'x'"), ICP_REFUSED, "never changed");
    fails(sql(reg->db, "DELETE FROM private.event"), ICP_REFUSED, "never deleted");
    fails(sql(reg->db, "REPLACE INTO private.event SELECT * FROM private.event WHERE id = 1"), ICP_REFUSED, "never replaced");
    for (unsigned i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        ok(sql(reg->db, "BEGIN; DROP TRIGGER private.event_stays_as_written; DROP TRIGGER private.event_is_kept"));
        ok(sql(reg->db, "%s", deeds[i].deed));
        ok(sql(reg->db, "COMMIT"));
        fails(icp_audit_verify(reg, NULL, &chain, pool), ICP_REFUSED, deeds[i].words);
        teardown();
        setup_register();
        reg = filled();
    }
}
END_TEST

/* Written anew by somebody who can write both databases: the chain is whole, and not the one whose hash was noted. */
START_TEST(test_another_whole_chain)
{
    icp_register_t *reg = filled();
    icp_chain_t chain, other;
    ok(icp_audit_verify(reg, NULL, &chain, pool));
    ok(icp_audit_verify(reg, chain.head, &other, pool));
    ck_assert_str_eq(other.head, chain.head);
    ok(sql(reg->db, "BEGIN; DROP TRIGGER private.event_is_kept; DELETE FROM private.event WHERE id = 601;"
                    "UPDATE main.state SET audit_count = 600, audit_head = (SELECT hash FROM private.event WHERE id = 600); COMMIT"));
    ok(icp_audit_verify(reg, NULL, &other, pool));
    ck_assert_int_eq(other.count, 600);
    fails(icp_audit_verify(reg, chain.head, &other, pool), ICP_REFUSED, "another one");
    ok(icp_audit_verify(reg, other.head, &other, pool));
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_read_back, test_documented_hash, test_tampering_is_found, test_another_whole_chain};
    return run_suite("audit", tests, sizeof tests / sizeof tests[0], setup_register);
}
