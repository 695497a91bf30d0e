/* A register in a folder of its own, and what tests of it share: changes with a known trace, processes that sit on its
 * locks, and the check that both databases are whole and of one moment.
 */
#ifndef REGISTER_FIXTURE_H
#define REGISTER_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "audit.h"
#include "lock.h"
#include "log.h"
#include "register_files.h"

#define UNUSED __attribute__((unused))

static apr_pool_t *pool;
static char folder[64];
static const char *path;
static char messages[4096]; /* what icp_log was given, one a line */

UNUSED static void ok_at(const icp_error_t *error, int line)
{
    ck_assert_msg(!error, "line %d: %s", line, error ? error->message : "");
}
#define ok(expression) ok_at(expression, __LINE__)

/* The error must have the status and say all the words; returned for more. */
UNUSED static const icp_error_t *fails(const icp_error_t *error, icp_status_e status, const char *words)
{
    ck_assert_msg(error != NULL, "no error; wanted: %s", words);
    ck_assert_msg(error->status == status, "status %d: %s", error->status, error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "\"%s\" does not say \"%s\"", error->message, words);
    return error;
}

static void keep_message(icp_log_level_e level, const char *message, void *baton)
{
    size_t used = strlen(messages);
    snprintf(messages + used, sizeof messages - used, "%s\n", message);
}

UNUSED static const char *in_folder(const char *name)
{
    return apr_pstrcat(pool, folder, "/", name, NULL);
}

/* Memory-backed where there is such: what is tested is order and atomicity, and a process killed loses no page cache. */
UNUSED static void setup_folder(void)
{
    apr_pool_create(&pool, NULL);
    snprintf(folder, sizeof folder, "%s/icp-register-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    path = in_folder("register.db");
    messages[0] = 0;
    icp_log_install(keep_message, NULL);
}

UNUSED static void setup_register(void)
{
    setup_folder();
    ok(icp_register_create(path, NULL, "tester", pool));
}

static int remove_entry(const char *name, const struct stat *status, int type, struct FTW *at)
{
    return at->level ? remove(name) : 0;
}

/* Removes what is in the folder. */
UNUSED static void empty_folder(void)
{
    ck_assert_int_eq(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

UNUSED static void teardown(void)
{
    apr_pool_destroy(pool);
    empty_folder();
    ck_assert_int_eq(rmdir(folder), 0);
}

UNUSED static icp_register_t *open_register(void)
{
    icp_register_t *reg;
    ok(icp_register_open(&reg, path, "tester", pool));
    reg->timeout_ms = 100;
    return reg;
}

static icp_error_t *sql(icp_db_t *db, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = sqlite3_vmprintf(format, args);
    va_end(args);
    int rc = sqlite3_exec(icp_db_handle(db), text, NULL, NULL, NULL);
    icp_error_t *error = rc == SQLITE_OK ? NULL : icp_db_error(db, rc, text);
    sqlite3_free(text);
    return error;
}

static apr_int64_t number(icp_db_t *db, const char *query)
{
    apr_int64_t value = -2;
    ok(icp_db_integer(&value, db, query));
    return value;
}

/* A change with a trace in both databases: a holder, its contact, an event. */
UNUSED static icp_error_t *add_holders(icp_register_t *reg, void *count, apr_pool_t *unused)
{
    for (int i = 0; i < *(int *)count; i++) {
        ICP_TRY(sql(reg->db, "INSERT INTO main.holder (kind, name, created_at) VALUES ('business', 'h' || "
                             "(SELECT count(*) FROM main.holder), %lld)", (long long)apr_time_sec(reg->now)));
        ICP_TRY(sql(reg->db, "INSERT INTO private.contact (holder_id) SELECT max(id) FROM main.holder"));
        ICP_TRY(icp_audit_event(reg, "holder.add", "h", NULL, json_true(), NULL, pool));
    }
    return NULL;
}

UNUSED static icp_error_t *add(icp_register_t *reg, int count)
{
    return icp_register_change(reg, add_holders, &count, pool);
}

/* Both whole, of one moment, the chain unbroken; returns how many holders there are. */
UNUSED static int verify(icp_register_t *reg)
{
    icp_chain_t chain;
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    int holders = (int)number(reg->db, "SELECT count(*) FROM main.holder");
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM private.contact"), holders);
    ck_assert_int_eq(number(reg->db, "SELECT count(*) FROM private.event WHERE action = 'holder.add'"), holders);
    ck_assert_int_eq(number(reg->db, "SELECT pending_swap FROM private.state"), 0);
    ok(icp_audit_verify(reg, NULL, &chain, pool));
    ck_assert_int_ge(chain.count, holders + 1);
    ck_assert(!icp_register_unsettled(reg, pool));
    return holders;
}

/* Byte ranges that a customer's code can lock for reading. */
typedef enum seat_e { SEAT_NONE, SEAT_SHARED, SEAT_RESERVED, SEAT_PENDING, SEATS } seat_e;

/* A process that takes a read lock on the register and keeps it. */
UNUSED static pid_t sit_on(const char *file, seat_e seat)
{
    static const struct { off_t start, length; } seats[] = {
        [SEAT_SHARED] = {0x40000002, 510}, [SEAT_RESERVED] = {0x40000001, 1}, [SEAT_PENDING] = {0x40000000, 1}};
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child) {
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return child;
    }
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = seats[seat].start, .l_len = seats[seat].length};
    int fd = open(file, O_RDONLY);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || write(ready[1], "", 1) != 1) _exit(1);
    for (;;) {
        pause();
    }
}

UNUSED static void end(pid_t child)
{
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

UNUSED static int run_suite(const char *name, const TTest *const *tests, int count, void (*setup)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 240);
    for (int i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
