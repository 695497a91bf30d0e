/* All or nothing: a change is killed before every single system call that can alter a file, with and without somebody on
 * the register's locks, and after each the register must be whole, old or new, and take the next change.
 */
#include "crash_fixture.h"
#include "register_fixture.h"

#include "backup.h"
#include "bell.h"
#include "snapshot.h"

#define ROUNDS 60 /* of random moments */

static void change_once(void)
{
    icp_register_t *reg;
    if (icp_register_open(&reg, path, "tester", pool)) _exit(2);
    reg->timeout_ms = 20;
    if (add(reg, 3)) _exit(3);
}

/* What a worker sees: an error, or a state that is whole. */
static void look_as_worker(int before)
{
    icp_snapshot_t *snapshot = NULL;
    icp_error_t *error = icp_snapshot_read(&snapshot, NULL, path, 20, pool);
    if (error) return;
    icp_snapshot_free(snapshot);
    icp_db_t *db;
    ok(icp_db_open(&db, path, ICP_DB_READ, 20, pool));
    apr_int64_t holders = number(db, "SELECT count(*) FROM holder");
    ck_assert_int_eq(number(db, "SELECT audit_count FROM state"), holders + 1);
    ck_assert(holders == before || holders == before + 3);
    icp_db_close(db);
}

/* One pass: `during` sits on the register while the change is made, `after` while the next command recovers; `ended` as in run_to. A change
 * is made or it is not, one that was said to be made is, and then workers are told. */
static void end_everywhere(seat_e during, seat_e after, int *ended)
{
    int n = 0, came = 1, old = 0, new = 0;
    while (came > 0) {
        icp_register_t *reg = open_register();
        int before = verify(reg);
        uint64_t quiet = icp_bell_peek(path, pool);
        icp_register_disconnect(reg);

        pid_t sitter = during ? sit_on(path, during) : 0;
        came = run_to(++n, ended, change_once);
        if (sitter) end(sitter);
        if (came < 0) {
            fprintf(stderr, "processes cannot be traced here: crash points are not tried\n");
            return;
        }
        sitter = after ? sit_on(path, after) : 0;
        look_as_worker(before);
        reg = open_register();
        look_as_worker(before);
        if (sitter) end(sitter);
        int now = verify(reg);
        ck_assert_msg(now == before + 3 || (now == before && (!ended || *ended)), "call %d: %d holders, before %d", n, now, before);
        ck_assert_msg(now == before || icp_bell_peek(path, pool) != quiet, "call %d: the change is on file, and no worker was told", n);
        if (now == before) old++;
        else new++;
        ok(add(reg, 1));
        ck_assert_int_eq(verify(reg), now + 1);
        ck_assert(!icp_file_exists(in_folder("register.db.next")));
        icp_register_disconnect(reg);
    }
    ck_assert_int_gt(old, 10);
    ck_assert_int_gt(new, 1);
}

START_TEST(test_in_place)
{
    end_everywhere(SEAT_NONE, SEAT_NONE, NULL);
}
END_TEST

START_TEST(test_in_place_reader_after)
{
    end_everywhere(SEAT_NONE, SEAT_SHARED, NULL);
}
END_TEST

START_TEST(test_in_place_false_writer_after)
{
    end_everywhere(SEAT_NONE, SEAT_RESERVED, NULL);
}
END_TEST

START_TEST(test_in_copy)
{
    end_everywhere(SEAT_SHARED, SEAT_NONE, NULL);
}
END_TEST

START_TEST(test_in_copy_reader_after)
{
    end_everywhere(SEAT_RESERVED, SEAT_SHARED, NULL);
}
END_TEST

START_TEST(test_disk_fails_in_place)
{
    int ended;
    end_everywhere(SEAT_NONE, SEAT_NONE, &ended);
}
END_TEST

START_TEST(test_disk_fails_in_copy)
{
    int ended;
    end_everywhere(SEAT_SHARED, SEAT_NONE, &ended);
}
END_TEST

static void create_once(void)
{
    if (icp_register_create(path, NULL, "tester", pool)) _exit(2);
}

/* init: no register, or a whole one; and another init or any command goes on from there. */
static void create_everywhere(int *ended)
{
    for (int n = 1, came = 1; came > 0; n++) {
        empty_folder();
        came = run_to(n, ended, create_once);
        if (came < 0) return;
        icp_register_t *reg;
        icp_error_t *error = icp_register_open(&reg, path, "tester", pool);
        if (error) {
            ck_assert(!ended || *ended);
            fails(error, ICP_NOT_FOUND, "there is no register");
            ok(icp_register_create(path, NULL, "tester", pool));
            reg = open_register();
        }
        ck_assert_int_eq(verify(reg), 0);
        ok(add(reg, 1));
        ck_assert_int_eq(verify(reg), 1);
        icp_register_disconnect(reg);
    }
}

KILLED_AND_FAILING(create_everywhere, test_create, test_create_disk_fails)

static void restore_once(void)
{
    icp_restore_t *result;
    if (icp_backup_restore(&result, path, in_folder("backup"), "tester", 0, pool)) _exit(2);
}

/* restore: the state before, or the backup's, of both databases. */
static void restore_everywhere(int *ended)
{
    icp_register_t *reg = open_register();
    ok(add(reg, 2));
    ok(icp_backup_write(reg, in_folder("backup"), pool));
    int old = 0, new = 0;
    for (int n = 1, came = 1; came > 0; n++) {
        if (verify(reg) == 2) ok(add(reg, 3));
        icp_register_disconnect(reg);
        pid_t sitter = n % 4 == 3 ? sit_on(path, SEAT_SHARED) : 0;
        came = run_to(n, ended, restore_once);
        if (sitter) end(sitter);
        if (came < 0) return;
        reg = open_register();
        int now = verify(reg);
        ck_assert_msg(now == 2 || (now == 5 && (!ended || *ended)), "call %d: %d holders", n, now);
        if (now == 5) old++;
        else new++;
    }
    ck_assert_int_gt(old, 10);
    ck_assert_int_gt(new, 1);
}

KILLED_AND_FAILING(restore_everywhere, test_restore, test_restore_disk_fails)

static void change_for_ever(void)
{
    icp_register_t *reg;
    if (icp_register_open(&reg, path, "tester", pool)) _exit(2);
    reg->timeout_ms = 1;
    for (;;) add(reg, 1 + rand() % 40); /* the other one may be in the way */
}

/* Two writers at a time, killed at any moment after a first change, a reader that comes and goes. */
START_TEST(test_random_moments)
{
    icp_register_t *reg;
    int holders = 0;
    srand(1);
    for (int i = 0; i < ROUNDS; i++) {
        pid_t sitter = i % 3 ? 0 : sit_on(path, SEAT_SHARED + i % 9 / 3);
        uint64_t quiet = icp_bell_peek(path, pool);
        pid_t writers[2];
        for (int w = 0; w < 2; w++) {
            writers[w] = fork();
            if (!writers[w]) change_for_ever();
        }
        while (icp_bell_peek(path, pool) == quiet) usleep(200); /* however busy the machine is */
        usleep(rand() % 15000);
        for (int w = 0; w < 2; w++) {
            end(writers[w]);
        }
        reg = open_register();
        int now = verify(reg);
        ck_assert_int_gt(now, holders); /* what was rung for is there */
        holders = now;
        icp_register_disconnect(reg);
        if (sitter) end(sitter);
    }
}
END_TEST

int main(void)
{
    apr_initialize();
    const TTest *tests[] = {test_in_place, test_in_place_reader_after, test_in_place_false_writer_after, test_in_copy,
                            test_in_copy_reader_after, test_disk_fails_in_place, test_disk_fails_in_copy,
                            test_create, test_create_disk_fails, test_restore, test_restore_disk_fails, test_random_moments};
    return run_suite("register-crash", tests, sizeof tests / sizeof tests[0], setup_register);
}
