/* The connection: statements, binding, and errors in words. */
#include "register_fixture.h"

static icp_db_t *fresh(void)
{
    icp_db_t *db;
    ok(icp_db_open(&db, in_folder("t.db"), ICP_DB_CREATE, 0, pool));
    ok(icp_db_run(db, ICP_STMT_CREATE_BACKUP));
    return db;
}

START_TEST(test_statements)
{
    icp_db_t *db = fresh();
    icp_stmt_t *stmt, *again;
    apr_size_t bytes;
    int row;
    ok(icp_db_statement(&stmt, db, ICP_STMT_BACKUP_IMAGE, "sisi", "pass.key", (apr_int64_t)65, "abc", (apr_int64_t)1 << 40));
    ok(icp_stmt_run(stmt));
    ok(icp_db_statement(&stmt, db, ICP_STMT_BACKUP_PART, "sib", "pass.key", (apr_int64_t)0, "a\0b", (apr_size_t)3));
    ok(icp_stmt_run(stmt));
    ck_assert_int_eq(icp_db_changes(db), 1);

    ok(icp_db_statement(&stmt, db, ICP_STMT_BACKUP_IMAGE_FACTS, "s", "pass.key"));
    ok(icp_stmt_step(&row, stmt));
    ck_assert_int_eq(row, 1);
    ck_assert_str_eq(icp_stmt_text(stmt, 1, pool), "abc");
    ck_assert_int_eq(icp_stmt_int(stmt, 2), (apr_int64_t)1 << 40);
    ck_assert(!icp_stmt_null(stmt, 0));
    ok(icp_stmt_step(&row, stmt));
    ck_assert_int_eq(row, 0);

    ok(icp_db_statement(&stmt, db, ICP_STMT_BACKUP_PARTS, "s", "pass.key"));
    ok(icp_stmt_step(&row, stmt));
    ck_assert_mem_eq(icp_stmt_blob(stmt, 0, &bytes), "a\0b", 3);
    ck_assert_int_eq(bytes, 3);

    /* The same statement again: reset, and what is not bound is NULL. */
    ok(icp_db_statement(&again, db, ICP_STMT_BACKUP_PARTS, ""));
    ck_assert_ptr_eq(stmt, again);
    ok(icp_stmt_step(&row, stmt));
    ck_assert_int_eq(row, 0);
    ck_assert_int_eq(number(db, "SELECT 7 WHERE 0"), -1);
}
END_TEST

START_TEST(test_settings)
{
    icp_db_t *db = fresh();
    ck_assert_int_eq(number(db, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(number(db, "PRAGMA trusted_schema"), 0);
    ck_assert_ptr_nonnull(sql(db, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''"));
    ck_assert_ptr_nonnull(sql(db, "SELECT \"no column\""));
}
END_TEST

START_TEST(test_errors)
{
    icp_db_t *db = fresh(), *other;
    icp_error_t *error;
    ok(sql(db, "INSERT INTO image VALUES ('pass.key', 1, 'x', 1)"));
    error = (icp_error_t *)fails(sql(db, "INSERT INTO image VALUES ('pass.key', 1, 'x', 1)"), ICP_REFUSED, "UNIQUE");
    ck_assert_int_eq(error->cause, SQLITE_CONSTRAINT_PRIMARYKEY);
    ok(icp_db_open(&other, in_folder("t.db"), ICP_DB_READ, 0, pool));
    fails(sql(other, "DELETE FROM image"), ICP_DENIED, "read-only");
    ok(sql(db, "BEGIN EXCLUSIVE"));
    error = (icp_error_t *)fails(sql(other, "SELECT * FROM image"), ICP_FAULT, "lock");
    ck_assert_int_eq(error->cause & 0xff, SQLITE_BUSY);
    icp_db_close(other);
    fails(icp_db_open(&other, in_folder("no/t.db"), ICP_DB_READ, 0, pool), ICP_NOT_FOUND, "no/t.db");
    fails(icp_db_open(&other, in_folder("none.db"), ICP_DB_WRITE, 0, pool), ICP_NOT_FOUND, "none.db");
    ck_assert_int_eq(symlink("t.db", in_folder("link.db")), 0);
    fails(icp_db_open(&other, in_folder("link.db"), ICP_DB_CREATE, 0, pool), ICP_DENIED, "symbolic link");
    ck_assert_int_eq(symlink(folder, in_folder("elsewhere")), 0);
    ok(icp_db_open(&other, in_folder("elsewhere/t.db"), ICP_DB_READ, 0, pool));
    /* A name that SQLite would take for something else. */
    ck_assert_int_eq(chdir(folder), 0);
    ok(icp_db_open(&other, "file:x?mode=memory", ICP_DB_CREATE, 0, pool));
    ok(icp_db_open(&other, ":memory:", ICP_DB_CREATE, 0, pool));
    ok(sql(other, "CREATE TABLE a (b)"));
    ck_assert(icp_file_exists(in_folder(":memory:")) && icp_file_exists(in_folder("file:x?mode=memory")));
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_statements, test_settings, test_errors};
    return run_suite("db", tests, sizeof tests / sizeof tests[0], setup_folder);
}
