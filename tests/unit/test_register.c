/* Opening, creating, changing and reading the register, and every way in which that can be in the way. What a crash leaves is
 * test_register_crash.c's.
 */
#include "register_fixture.h"

#include "bell.h"
#include "doctor.h"
#include "policy.h"
#include "workday.h"

static icp_error_t *open_fails(icp_status_e status, const char *words)
{
    icp_register_t *reg;
    icp_error_t *error = icp_register_open(&reg, path, "tester", pool);
    fails(error, status, words);
    ck_assert_msg(error->remedy != NULL, "no remedy: %s", error->message);
    return error;
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    ck_assert_int_eq(lstat(in_folder(name), &status), 0);
    return status.st_mode & 0777;
}

static void check_modes(void)
{
    ck_assert_int_eq(mode_of("register.db"), 0644);
    ck_assert_int_eq(mode_of("register.db.bell"), 0644);
    ck_assert_int_eq(mode_of("register.db.lock"), 0600);
    ck_assert_int_eq(mode_of("private.db"), 0600);
    ck_assert_int_eq(mode_of("pass.key"), 0600);
    ck_assert_int_eq(mode_of("sightings"), 0750);
}

START_TEST(test_modes_whatever_the_umask)
{
    mode_t masks[] = {0, 022, 077};
    for (int i = 0; i < 3; i++) {
        empty_folder();
        mode_t old = umask(masks[i]);
        ok(icp_register_create(path, NULL, "tester", pool));
        icp_register_t *reg = open_register();
        check_modes();
        pid_t sitter = sit_on(path, SEAT_SHARED);
        ok(add(reg, 1));
        end(sitter);
        icp_register_disconnect(reg);
        umask(old);
        check_modes();
    }
    ok(icp_register_create(in_folder("a/b/register.db"), NULL, "tester", pool));
    ck_assert_int_eq(mode_of("a/b"), 0755);
}
END_TEST

START_TEST(test_create_refuses)
{
    fails(icp_register_create(path, NULL, "tester", pool), ICP_REFUSED, "already");
    fails(icp_register_create(in_folder("x/register.db"), "no-such-user", "tester", pool), ICP_NOT_FOUND, "no-such-user");
    ck_assert(!icp_file_exists(in_folder("x")));
    ck_assert_int_eq(unlink(path), 0);
    fails(icp_register_create(path, NULL, "tester", pool), ICP_REFUSED, "private.db");
    ck_assert(icp_file_exists(in_folder("private.db")));
}
END_TEST

static void write_file(const char *file, const char *text, int length)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_eq(write(fd, text, length), length);
    close(fd);
}

START_TEST(test_open_says_what_is_wrong)
{
    const char *private_db = in_folder("private.db"), *aside = in_folder("aside");
    icp_db_t *db;
    char half[40960];

    ck_assert_int_eq(rename(path, aside), 0);
    ck_assert_ptr_nonnull(strstr(open_fails(ICP_NOT_FOUND, "there is no register")->remedy, "icpadmin init"));
    write_file(path, "", 0);
    open_fails(ICP_FAULT, "is empty");
    write_file(path, "This is not a database at all, it is a letter to the provider", 61);
    open_fails(ICP_FAULT, "not a database");
    unlink(path);
    ok(icp_db_open(&db, path, ICP_DB_CREATE, 0, pool));
    ok(sql(db, "CREATE TABLE a (b)"));
    icp_db_close(db);
    open_fails(ICP_FAULT, "not one of icpadmin's");
    unlink(path);
    ck_assert_int_eq(symlink(aside, path), 0);
    open_fails(ICP_DENIED, "symbolic link");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    open_fails(ICP_FAULT, "directory");
    rmdir(path);
    ck_assert_int_eq(symlink("register.db", path), 0);
    open_fails(ICP_DENIED, "symbolic link");
    unlink(path);
    ck_assert_int_eq(rename(aside, path), 0);

    ck_assert_int_eq(rename(private_db, aside), 0);
    open_fails(ICP_FAULT, "private.db");
    const char *const pipes[] = {private_db, in_folder("register.db-journal"), in_folder("private.db-journal")};
    for (int i = 0; i < 3; i++) { /* nobody waits at a pipe */
        ck_assert_int_eq(mkfifo(pipes[i], 0600), 0);
        if (i) ck_assert_int_eq(rename(aside, private_db), 0);
        open_fails(ICP_FAULT, "no plain file");
        unlink(pipes[i]);
        if (i) ck_assert_int_eq(rename(private_db, aside), 0);
    }
    write_file(private_db, "", 0);
    open_fails(ICP_FAULT, "private.db is empty");
    write_file(private_db, "This is not a database at all, it is a letter to the provider", 61);
    open_fails(ICP_FAULT, "private.db: the file is not a database");
    ck_assert_int_eq(rename(aside, private_db), 0);

    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pread(fd, half, sizeof half, 0), sizeof half);
    memset(half + 100, 0x55, 3000);
    ck_assert_int_eq(pwrite(fd, half, sizeof half, 0), sizeof half);
    close(fd);
    open_fails(ICP_FAULT, "damaged");
}
END_TEST

START_TEST(test_open_without_rights)
{
    if (geteuid() != 0) return;
    int status;
    pid_t child = fork();
    if (!child) {
        if (chmod(folder, 0755) || setgid(65534) || setuid(65534)) _exit(1);
        icp_register_t *reg;
        icp_error_t *error = icp_register_open(&reg, path, "tester", pool);
        _exit(error && error->status == ICP_DENIED && strstr(error->message, "private.db") && error->remedy ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void set_version(const char *name, int version)
{
    icp_db_t *db;
    ok(icp_db_open(&db, in_folder(name), ICP_DB_WRITE, 0, pool));
    ok(sql(db, "PRAGMA user_version = %d", version));
    icp_db_close(db);
}

START_TEST(test_versions)
{
    set_version("register.db", ICP_REGISTER_SCHEMA + 1);
    open_fails(ICP_FAULT, "register.db has schema version 3");
    set_version("private.db", ICP_REGISTER_SCHEMA + 1);
    open_fails(ICP_FAULT, "register.db has schema version 3");
    set_version("register.db", ICP_REGISTER_SCHEMA);
    open_fails(ICP_FAULT, "private.db has schema version 3");
    set_version("private.db", 0);
    open_fails(ICP_FAULT, "do not belong together");
    set_version("private.db", ICP_REGISTER_SCHEMA);
    open_register();
}
END_TEST

/* A step beyond the newest; its second half fails where it is not the last: the table is there. */
static icp_error_t *one_more(icp_register_t *reg, void *last, apr_pool_t *unused)
{
    icp_schema_step_t steps[ICP_REGISTER_SCHEMA + 1] = {{0}};
    steps[ICP_REGISTER_SCHEMA] =
        (icp_schema_step_t){2, {ICP_STMT_SWAP_MARK, last ? ICP_STMT_SWAP_MARK : ICP_STMT_CREATE_PRIVATE}};
    ICP_TRY(icp_register_migrate(reg->db, steps, ICP_REGISTER_SCHEMA, ICP_REGISTER_SCHEMA + 1));
    return sql(reg->db, "UPDATE private.state SET pending_swap = 0");
}

START_TEST(test_migration)
{
    icp_register_t *reg = open_register();
    apr_int64_t version;
    ck_assert_ptr_nonnull(icp_register_change(reg, one_more, NULL, pool));
    ck_assert_int_eq(number(reg->db, "PRAGMA main.user_version"), ICP_REGISTER_SCHEMA);
    ck_assert_int_eq(number(reg->db, "SELECT pending_swap FROM private.state"), 0);
    ok(icp_register_change(reg, one_more, "", pool));
    ck_assert_int_eq(number(reg->db, "PRAGMA main.user_version"), ICP_REGISTER_SCHEMA + 1);
    ck_assert_int_eq(number(reg->db, "PRAGMA private.user_version"), ICP_REGISTER_SCHEMA + 1);
    ok(icp_register_schema(&version, reg, ICP_REGISTER_SCHEMA + 1, pool));
    ck_assert_int_eq(version, ICP_REGISTER_SCHEMA + 1);
    fails(icp_register_schema(&version, reg, ICP_REGISTER_SCHEMA, pool), ICP_FAULT, "knows versions up to");
}
END_TEST

static icp_error_t *fail_late(icp_register_t *reg, void *count, apr_pool_t *unused)
{
    ICP_TRY(add_holders(reg, count, pool));
    return icp_error(pool, ICP_REFUSED, NULL, "no");
}

START_TEST(test_change)
{
    icp_register_t *reg = open_register();
    uint64_t rung = icp_bell_peek(path, pool);
    int three = 3;
    ok(add(reg, 3));
    ck_assert_uint_gt(icp_bell_peek(path, pool), rung);
    ck_assert_int_eq(verify(reg), 3);

    rung = icp_bell_peek(path, pool);
    fails(icp_register_change(reg, fail_late, &three, pool), ICP_REFUSED, "no");
    ck_assert_int_eq(verify(reg), 3);
    reg->dry_run = 1;
    ok(add(reg, 3));
    ck_assert_int_eq(verify(reg), 3);
    for (seat_e seat = SEAT_SHARED; seat < SEATS; seat++) {
        pid_t sitter = sit_on(path, seat);
        ok(add(reg, 3));
        end(sitter);
        ck_assert_int_eq(verify(reg), 3);
    }
    reg->dry_run = 0;
    ck_assert_uint_eq(icp_bell_peek(path, pool), rung);
    ok(add(reg, 1));
    ck_assert_int_eq(verify(reg), 4);
    fails(icp_audit_event(reg, "a.b", "c", NULL, NULL, NULL, pool), ICP_FAULT, "outside a change");
}
END_TEST

/* Somebody's shell writes private.db: the change is not made, and nothing of it is left lying. */
START_TEST(test_a_writer_is_in_the_way)
{
    icp_register_t *reg = open_register();
    icp_db_t *shell;
    reg->timeout_ms = 20;
    ok(icp_db_open(&shell, in_folder("private.db"), ICP_DB_WRITE, 20, pool));
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(shell), "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    fails(add(reg, 1), ICP_FAULT, "private.db is locked by");
    ck_assert(!icp_file_exists(in_folder("register.db.next")));
    icp_db_close(shell);
    ok(add(reg, 1));
    ck_assert_int_eq(verify(reg), 1);
}
END_TEST

/* Rule 7: whatever a customer's code locks, the change is made, the process named, and the bell rung. */
START_TEST(test_readers_hold_nothing_up)
{
    icp_register_t *reg = open_register(), *other = open_register();
    int holders = 0;
    for (seat_e seat = SEAT_SHARED; seat < SEATS; seat++) {
        pid_t sitter = sit_on(path, seat);
        uint64_t rung = icp_bell_peek(path, pool);
        messages[0] = 0;
        ok(add(reg, 2));
        holders += 2;
        ck_assert_uint_gt(icp_bell_peek(path, pool), rung);
        ck_assert_msg(strstr(messages, apr_psprintf(pool, "pid %d (", (int)sitter)) != NULL, "%s", messages);
        ck_assert_msg(strstr(messages, "in a copy") != NULL, "%s", messages);
        ck_assert_int_eq(verify(reg), holders);
        int two = 2;
        fails(icp_register_change(reg, fail_late, &two, pool), ICP_REFUSED, "no");
        ck_assert_int_eq(verify(reg), holders);
        end(sitter);
        /* Another icpadmin that has the old file open. */
        ok(add(other, 1));
        ck_assert_int_eq(verify(other), ++holders);
        ck_assert_int_eq(mode_of("register.db"), 0644);
    }
}
END_TEST

static icp_error_t *count_both(icp_register_t *reg, void *count, apr_pool_t *unused)
{
    apr_int64_t contacts;
    ICP_TRY(icp_db_integer(count, reg->db, "SELECT count(*) FROM main.holder"));
    ICP_TRY(icp_db_integer(&contacts, reg->db, "SELECT count(*) FROM private.contact"));
    ck_assert_int_eq(*(apr_int64_t *)count, contacts);
    return NULL;
}

/* A reader that comes again and again, with SQLite: sees both databases of one moment, and holds nothing up. */
START_TEST(test_readers_that_keep_coming)
{
    int stop[2];
    ck_assert_int_eq(pipe2(stop, O_NONBLOCK), 0);
    pid_t readers[2];
    for (int i = 0; i < 2; i++) {
        readers[i] = fork();
        if (readers[i]) continue;
        icp_register_t *reg;
        apr_int64_t seen = 0, before = 0;
        char byte;
        close(stop[1]);
        if (icp_register_open(&reg, path, "reader", pool)) _exit(1);
        while (read(stop[0], &byte, 1) < 0) {
            if (icp_register_read(reg, count_both, &seen, pool)) _exit(2);
            if (seen < before) _exit(3);
            before = seen;
        }
        _exit(0);
    }
    icp_register_t *reg = open_register();
    for (int i = 0; i < 60; i++) {
        pid_t sitter = i % 4 ? 0 : sit_on(path, SEAT_SHARED + i / 4 % 3);
        ok(add(reg, 1));
        if (sitter) end(sitter);
    }
    close(stop[1]);
    for (int i = 0; i < 2; i++) {
        int status;
        ck_assert_int_eq(waitpid(readers[i], &status, 0), readers[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(verify(reg), 60);
}
END_TEST

/* A process that begins a change with SQLite's own shell, so to speak, and does not finish it. */
static pid_t begin_elsewhere(const char *file)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (!child) {
        icp_db_t *db;
        if (icp_db_open(&db, file, ICP_DB_WRITE, 0, pool) || sql(db, "BEGIN IMMEDIATE") || write(ready[1], "", 1) != 1) _exit(1);
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

START_TEST(test_writers_are_waited_for)
{
    icp_register_t *reg = open_register();
    const char *files[] = {path, in_folder("private.db")};
    for (int i = 0; i < 2; i++) {
        pid_t writer = begin_elsewhere(files[i]);
        const icp_error_t *error = fails(add(reg, 1), ICP_FAULT, apr_psprintf(pool, "%s is locked by pid %d", files[i], (int)writer));
        ck_assert_ptr_nonnull(error->remedy);
        end(writer);
        ok(add(reg, 1));
    }
    ck_assert_int_eq(verify(reg), 2);
}
END_TEST

START_TEST(test_one_icpadmin_at_a_time)
{
    icp_register_t *reg = open_register(), *other = open_register();
    int locked;
    ok(icp_register_lock(&locked, other, 1, pool));
    reg->timeout_ms = 5;
    fails(add(reg, 1), ICP_FAULT, "is being changed by");
    icp_register_unlock(other);
    ok(add(reg, 1));
    ck_assert_int_eq(verify(reg), 1);
}
END_TEST

/* One of the pair put back alone. */
START_TEST(test_pair)
{
    icp_register_t *reg = open_register();
    const char *old = in_folder("old");
    ok(add(reg, 1));
    icp_register_disconnect(reg);
    ck_assert_int_eq(apr_file_copy(path, old, APR_FILE_SOURCE_PERMS, pool), APR_SUCCESS);
    reg = open_register();
    ok(add(reg, 1));
    icp_register_disconnect(reg);
    ck_assert_int_eq(rename(old, path), 0);
    messages[0] = 0;
    reg = open_register();
    ck_assert_ptr_nonnull(strstr(messages, "do not belong together"));
    fails(add(reg, 1), ICP_FAULT, "do not belong together");
}
END_TEST

/* Somebody's `PRAGMA journal_mode = WAL` would lock the workers out. */
START_TEST(test_wal_is_undone)
{
    icp_db_t *db;
    ok(icp_db_open(&db, path, ICP_DB_WRITE, 0, pool));
    ok(sql(db, "PRAGMA journal_mode = WAL"));
    icp_db_close(db);
    icp_register_t *reg = open_register();
    ok(add(reg, 1));
    verify(reg);
    icp_register_disconnect(reg);
    ok(icp_db_open(&db, path, ICP_DB_READ, 0, pool));
    ck_assert_int_eq(number(db, "SELECT count(*) FROM holder"), 1);
    ck_assert(!icp_file_exists(in_folder("register.db-wal")));
}
END_TEST

static const icp_check_t *failed_check(const char *words)
{
    apr_array_header_t *checks;
    ok(icp_doctor(&checks, path, "tester", 0, pool));
    for (int i = 0; i < checks->nelts; i++) {
        const icp_check_t *check = &APR_ARRAY_IDX(checks, i, icp_check_t);
        if (check->ok) continue;
        ck_assert_msg(words && strstr(check->message, words), "%s: %s", check->name, check->message);
        ck_assert_ptr_nonnull(check->remedy);
        return check;
    }
    ck_assert_msg(!words, "not found: %s", words);
    return NULL;
}

/* As `init` leaves it where httpd has a worker user. */
static void give_sightings_away(void)
{
    if (!geteuid()) ck_assert_int_eq(chown(in_folder("sightings"), 65534, (gid_t)-1), 0);
}

static icp_error_t *set_holidays(icp_register_t *reg, void *file, apr_pool_t *p)
{
    return icp_policy_set(reg, ICP_POLICY_HOLIDAYS, file, p);
}

/* The list of holidays has the National Day of `years` (0: none) from this one on. */
static const char *list_holidays(int years)
{
    const char *file = in_folder("holidays.tsv");
    int year = atoi(icp_day_text(icp_day_of(apr_time_now()), pool));
    FILE *list = fopen(file, "w");
    for (int i = 0; i < years; i++) fprintf(list, "%d-10-01\t国庆节\toff\n", year + i);
    ck_assert_int_eq(fclose(list), 0);
    return file;
}

START_TEST(test_doctor_on_holidays)
{
    const char *file = list_holidays(2), *year = icp_day_text(icp_day_of(apr_time_now()), pool);
    icp_register_t *reg = open_register();
    ok(icp_register_change(reg, set_holidays, (void *)file, pool));
    icp_register_disconnect(reg);
    give_sightings_away();
    failed_check(NULL);
    list_holidays(0);
    failed_check(apr_psprintf(pool, "does not list the holidays of %.4s", year));
    ck_assert_int_eq(system(apr_psprintf(pool, "echo '1 October' > %s", file)), 0);
    failed_check("holidays.tsv line 1: ");
    ck_assert_int_eq(unlink(file), 0);
    failed_check(apr_psprintf(pool, "there is no list of holidays at %s", file));
}
END_TEST

START_TEST(test_doctor)
{
    apr_array_header_t *checks;
    icp_register_t *reg = open_register();
    ok(icp_register_change(reg, set_holidays, (void *)list_holidays(2), pool));
    icp_register_disconnect(reg);
    if (!geteuid()) failed_check("belongs to root: httpd's workers cannot write");
    give_sightings_away();
    failed_check(NULL);
    ck_assert_int_eq(chmod(path, 0666), 0);
    failed_check("register.db has mode 0666");
    ck_assert_int_eq(chmod(path, 0600), 0);
    failed_check("register.db has mode 0600");
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(chmod(in_folder("private.db"), 0640), 0);
    failed_check("private.db has mode 0640");
    ck_assert_int_eq(chmod(in_folder("private.db"), 0600), 0);
    ck_assert_int_eq(unlink(in_folder("register.db.bell")), 0);
    failed_check("register.db.bell");
    ok(icp_doctor(&checks, path, "tester", 1, pool));
    failed_check(NULL);
    for (seat_e seat = SEAT_SHARED; seat < SEATS; seat++) {
        pid_t sitter = sit_on(path, seat);
        failed_check(apr_psprintf(pool, "is locked by pid %d", (int)sitter));
        end(sitter);
    }
    reg = open_register();
    ok(sql(reg->db, "INSERT INTO site (name, serve_unlicensed, created_at) VALUES ('lost.cn', 1, 1)"));
    failed_check("without a host name: lost.cn");
    ok(sql(reg->db, "INSERT INTO host SELECT 'lost.cn', id FROM site; UPDATE site SET serve_unlicensed = 0"));
    failed_check("without an active license: lost.cn");
    ok(sql(reg->db, "DELETE FROM site"));
    failed_check(NULL);
    ok(sql(reg->db, "UPDATE main.state SET audit_count = 5"));
    failed_check("do not belong together");
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_modes_whatever_the_umask, test_create_refuses, test_open_says_what_is_wrong, test_open_without_rights,
                            test_versions, test_migration, test_change, test_a_writer_is_in_the_way, test_readers_hold_nothing_up, test_readers_that_keep_coming,
                            test_writers_are_waited_for, test_one_icpadmin_at_a_time, test_pair, test_wal_is_undone, test_doctor, test_doctor_on_holidays};
    return run_suite("register", tests, sizeof tests / sizeof tests[0], setup_register);
}
