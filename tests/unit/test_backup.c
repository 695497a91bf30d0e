/* Backup and restore: whole or refused, and never a way to open a site that is suspended now (rules 2 and 8). */
#include "register_fixture.h"

#include "backup.h"

static icp_error_t *run_sql(icp_register_t *reg, void *script, apr_pool_t *unused)
{
    ICP_TRY(sql(reg->db, "%s", (char *)script));
    return icp_audit_event(reg, "test.sql", "-", NULL, NULL, NULL, pool);
}

static void change(const char *script)
{
    icp_register_t *reg = open_register();
    ok(icp_register_change(reg, run_sql, (void *)script, pool));
    icp_register_disconnect(reg);
}

static void license(const char *number, const char *holder)
{
    change(apr_psprintf(pool, "INSERT OR IGNORE INTO main.holder (kind, name, created_at) VALUES ('business', '%s', 1);"
                              "INSERT INTO license (number, holder_id, status, status_at, created_at)"
                              " SELECT '%s', id, 'active', 1, 1 FROM main.holder WHERE name = '%s'", holder, number, holder));
}

static void site(const char *name, const char *host, const char *number)
{
    change(apr_psprintf(pool, "INSERT INTO site (name, created_at) VALUES ('%s', 1);"
                              "INSERT INTO host SELECT '%s', id FROM site WHERE name = '%s';"
                              "INSERT INTO site_license SELECT s.id, l.id, 1 FROM site AS s, license AS l"
                              " WHERE s.name = '%s' AND l.number = '%s'", name, host, name, name, number));
}

static void host(const char *name, const char *site_name)
{
    change(apr_psprintf(pool, "INSERT INTO host SELECT '%s', id FROM site WHERE name = '%s'", name, site_name));
}

static void suspend(const char *name)
{
    change(apr_psprintf(pool, "INSERT INTO suspension (site_id, reason, opened_at, opened_by)"
                              " SELECT id, 'missing', 7, 'li' FROM site WHERE name = '%s'", name));
}

static const char *backup(const char *name)
{
    icp_register_t *reg = open_register();
    const char *file = in_folder(name);
    ok(icp_backup_write(reg, file, pool));
    icp_register_disconnect(reg);
    return file;
}

static icp_restore_t *restore(const char *file)
{
    icp_restore_t *result;
    ok(icp_backup_restore(&result, path, file, "wang", 0, pool));
    return result;
}

static apr_int64_t ask(const char *query)
{
    icp_register_t *reg = open_register();
    apr_int64_t value = number(reg->db, query);
    icp_chain_t chain;
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    ok(icp_audit_verify(reg, NULL, &chain, pool));
    icp_register_disconnect(reg);
    return value;
}

#define OPEN_SUSPENSION(site) "SELECT count(*) FROM suspension JOIN site ON site.id = site_id WHERE closed_at IS NULL AND site.name = '" site "'"
#define OWNER(host, site) "SELECT count(*) FROM host JOIN site ON site.id = site_id WHERE host.name = '" host "' AND site.name = '" site "'"

static void setup(void)
{
    setup_register();
    license("京ICP备1号", "甲");
    site("a.cn", "a.cn", "京ICP备1号");
}

START_TEST(test_round_trip)
{
    struct stat status;
    const char *file = backup("one");
    ck_assert_int_eq(stat(file, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    site("b.cn", "b.cn", "京ICP备1号");
    icp_restore_t *result = restore(file);
    ck_assert_int_eq(result->carried->nelts, 0);
    ck_assert_int_eq(ask("SELECT count(*) FROM site"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM private.event WHERE action = 'register.restore' AND actor = 'wang'"), 1);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0644);
    ck_assert_int_eq(stat(in_folder("private.db"), &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    /* And back again, by what was saved. */
    ck_assert_ptr_nonnull(result->saved);
    restore(result->saved);
    ck_assert_int_eq(ask("SELECT count(*) FROM site"), 2);
    site("c.cn", "c.cn", "京ICP备1号");
}
END_TEST

START_TEST(test_suspended_since)
{
    const char *file = backup("one");
    suspend("a.cn");
    icp_restore_t *result = restore(file);
    ck_assert_int_eq(result->carried->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(result->carried, 0, const char *), "a.cn");
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn") " AND reason = 'missing' AND opened_at = 7 AND opened_by = 'li'"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM private.event WHERE action = 'site.suspend' AND subject = 'a.cn'"), 1);
    /* Suspended in both: once is enough. */
    ck_assert_int_eq(restore(backup("two"))->carried->nelts, 0);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);
}
END_TEST

START_TEST(test_suspended_in_backup_only)
{
    suspend("a.cn");
    const char *file = backup("one");
    change("UPDATE suspension SET closed_at = 9, closed_by = 'li'");
    restore(file);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);
}
END_TEST

START_TEST(test_unknown_to_backup)
{
    const char *file = backup("one");
    license("粤ICP备2号", "乙");
    site("b.cn", "b.cn", "粤ICP备2号");
    host("*.b.cn", "b.cn");
    suspend("b.cn");
    apr_int64_t id = ask("SELECT id FROM suspension"), site_id = ask("SELECT id FROM site WHERE name = 'b.cn'");
    restore(file);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("b.cn")), 1);
    ck_assert_int_eq(ask(OWNER("b.cn", "b.cn")), 1);
    ck_assert_int_eq(ask(OWNER("*.b.cn", "b.cn")), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM site_license JOIN license ON license.id = license_id WHERE number = '粤ICP备2号' AND suffix = 1"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM holder WHERE name = '乙'"), 1);
    /* The case reference on the notice, and the site id in passes, mean what they meant. */
    ck_assert_int_eq(ask("SELECT id FROM suspension"), id);
    ck_assert_int_eq(ask("SELECT id FROM site WHERE name = 'b.cn'"), site_id);
}
END_TEST

START_TEST(test_host_of_another)
{
    site("b.cn", "shop.cn", "京ICP备1号");
    host("b.cn", "b.cn");
    const char *file = backup("one");
    change("UPDATE host SET site_id = (SELECT id FROM site WHERE name = 'a.cn') WHERE name = 'shop.cn'");
    suspend("a.cn");
    restore(file);
    ck_assert_int_eq(ask(OWNER("shop.cn", "a.cn")), 1);
    ck_assert_int_eq(ask(OWNER("b.cn", "b.cn")), 1);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("b.cn")), 0);
}
END_TEST

START_TEST(test_host_under_wildcard)
{
    site("b.cn", "shop.a.cn", "京ICP备1号");
    host("*.deep.a.cn", "b.cn");
    host("other.cn", "b.cn");
    site("c.cn", "c.a.cn", "京ICP备1号");
    const char *file = backup("one");
    change("DELETE FROM host WHERE name IN ('shop.a.cn', '*.deep.a.cn')");
    host("*.a.cn", "a.cn");
    suspend("a.cn");
    restore(file);
    ck_assert_int_eq(ask(OWNER("*.a.cn", "a.cn")), 1);
    ck_assert_int_eq(ask(OWNER("shop.a.cn", "a.cn")), 1);
    ck_assert_int_eq(ask(OWNER("*.deep.a.cn", "a.cn")), 1);
    ck_assert_int_eq(ask(OWNER("other.cn", "b.cn")), 1);
    /* Open today under a name of its own, below the wildcard. */
    ck_assert_int_eq(ask(OWNER("c.a.cn", "c.cn")), 1);
}
END_TEST

START_TEST(test_ended_license)
{
    license("京ICP备9号", "丙");
    site("old.cn", "old.cn", "京ICP备9号");
    const char *file = backup("one");
    change("DELETE FROM site WHERE name = 'old.cn'; UPDATE license SET status = 'revoked', status_at = 5 WHERE number = '京ICP备9号'");
    icp_restore_t *result = restore(file);
    ck_assert_int_eq(ask("SELECT count(*) FROM license WHERE status = 'revoked' AND status_at = 5"), 1);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("old.cn") " AND reason = 'unlicensed'"), 1);
    ck_assert_int_eq(result->carried->nelts, 1);
}
END_TEST

START_TEST(test_ids_are_not_used_again)
{
    const char *file = backup("one");
    suspend("a.cn");
    change("UPDATE suspension SET closed_at = 9, closed_by = 'li'");
    apr_int64_t used = ask("SELECT max(id) FROM suspension");
    restore(file);
    suspend("a.cn");
    ck_assert_int_gt(ask("SELECT max(id) FROM suspension"), used);
}
END_TEST

START_TEST(test_refused)
{
    icp_restore_t *result;
    icp_register_t *reg = open_register();
    const char *file = backup("one"), *bad = in_folder("bad");
    fails(icp_backup_write(reg, file, pool), ICP_REFUSED, "is there already");
    fails(icp_backup_restore(&result, path, in_folder("none"), "w", 0, pool), ICP_NOT_FOUND, "none");
    fails(icp_backup_restore(&result, path, path, "w", 0, pool), ICP_USAGE, "not a backup");
    icp_register_disconnect(reg);

    const char *broken[] = {"UPDATE part SET bytes = zeroblob(length(bytes)) WHERE name = 'register.db'",
                            "DELETE FROM part WHERE name = 'private.db'", "DELETE FROM image WHERE name = 'private.db'",
                            "PRAGMA user_version = 2"};
    for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        icp_db_t *db;
        unlink(bad);
        ck_assert_int_eq(apr_file_copy(file, bad, APR_FILE_SOURCE_PERMS, pool), APR_SUCCESS);
        ok(icp_db_open(&db, bad, ICP_DB_WRITE, 0, pool));
        ok(sql(db, "PRAGMA foreign_keys = OFF"));
        ok(sql(db, "%s", broken[i]));
        icp_db_close(db);
        fails(icp_backup_restore(&result, path, bad, "w", 0, pool), ICP_FAULT, bad);
        ck_assert(!icp_file_exists(in_folder("register.db.next")));
        ck_assert(!icp_file_exists(in_folder("private.db.next")));
    }
    ck_assert_int_eq(ask("SELECT count(*) FROM site"), 1);
}
END_TEST

START_TEST(test_dry_run)
{
    icp_restore_t *result;
    const char *file = backup("one");
    suspend("a.cn");
    apr_int64_t events = ask("SELECT count(*) FROM private.event");
    ok(icp_backup_restore(&result, path, file, "w", 1, pool));
    ck_assert_int_eq(result->carried->nelts, 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM private.event"), events);
    ck_assert(!icp_file_exists(in_folder("register.db.next")));
    ck_assert(!icp_file_exists(in_folder("register.db.today")));
}
END_TEST

/* However little of the present register is left. */
START_TEST(test_present_unreadable)
{
    const char *file = backup("one");
    suspend("a.cn");

    /* private.db is lost: the suspensions are still carried over. */
    ck_assert_int_eq(unlink(in_folder("private.db")), 0);
    icp_restore_t *result = restore(file);
    ck_assert_ptr_null(result->saved);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);

    int fd = open(path, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write(fd, "garbage, garbage, garbage, garbage", 34), 34);
    close(fd);
    restore(file);
    ck_assert_ptr_nonnull(strstr(messages, "the audit log says what is suspended"));
    ck_assert_int_eq(ask("SELECT count(*) FROM site"), 1);
}
END_TEST

static icp_error_t *log_suspension(icp_register_t *reg, void *name, apr_pool_t *unused)
{
    json_t *after = json_pack("{s:s}", "reason", "incorrect");
    icp_error_t *error = icp_audit_event(reg, "site.suspend", name, NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *log_enabling(icp_register_t *reg, void *name, apr_pool_t *unused)
{
    return icp_audit_event(reg, "site.enable", name, NULL, NULL, NULL, pool);
}

/* The register is garbage: the log still knows who was suspended after the backup, and who was enabled again. */
START_TEST(test_suspended_by_the_log)
{
    site("b.cn", "b.cn", "京ICP备1号");
    site("c.cn", "c.cn", "京ICP备1号");
    const char *file = backup("one");
    icp_register_t *reg = open_register();
    ok(icp_register_change(reg, log_suspension, "a.cn", pool));
    ok(icp_register_change(reg, log_suspension, "b.cn", pool));
    ok(icp_register_change(reg, log_enabling, "b.cn", pool));
    ok(icp_register_change(reg, log_suspension, "gone.cn", pool));
    icp_register_disconnect(reg);

    int fd = open(path, O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write(fd, "garbage, garbage, garbage, garbage", 34), 34);
    close(fd);
    icp_restore_t *result = restore(file);
    ck_assert_int_eq(result->carried->nelts, 1);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("b.cn")), 0);
    ck_assert_int_eq(ask(OPEN_SUSPENSION("c.cn")), 0);
    ck_assert_ptr_nonnull(strstr(messages, "gone.cn was suspended (incorrect) and is not in the backup"));
}
END_TEST

START_TEST(test_new_machine)
{
    const char *file = backup("one"), *old = path;
    path = in_folder("new/place/register.db");
    restore(file);
    ck_assert_int_eq(ask("SELECT count(*) FROM site"), 1);
    ck_assert(icp_file_exists(in_folder("new/place/pass.key")));
    ck_assert_int_eq(system(apr_psprintf(pool, "cmp -s %s %s", in_folder("intake.key"), in_folder("new/place/intake.key"))), 0);
    path = old;
}
END_TEST

START_TEST(test_while_read)
{
    const char *file = backup("one");
    suspend("a.cn");
    for (seat_e seat = SEAT_SHARED; seat < SEATS; seat++) {
        pid_t sitter = sit_on(path, seat);
        restore(file);
        end(sitter);
        ck_assert_int_eq(ask(OPEN_SUSPENSION("a.cn")), 1);
    }
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_round_trip, test_suspended_since, test_suspended_in_backup_only, test_unknown_to_backup,
                            test_host_of_another, test_host_under_wildcard, test_ended_license, test_ids_are_not_used_again,
                            test_refused, test_dry_run, test_present_unreadable, test_suspended_by_the_log, test_new_machine, test_while_read};
    return run_suite("backup", tests, sizeof tests / sizeof tests[0], setup);
}
