/* Sightings: what workers write, and a reader for staff that takes the file for what it is, a stranger's. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "sightings.h"

static apr_pool_t *pool;
static char folder[] = "/tmp/icp-sightings-XXXXXX";
static const char *path;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = apr_pstrcat(pool, folder, "/sightings.db", NULL);
}

static void teardown(void)
{
    ck_assert_int_eq(system(apr_psprintf(pool, "rm -r %s", folder)), 0);
    apr_pool_destroy(pool);
}

static void ok(const icp_error_t *error)
{
    ck_assert_msg(!error, "%s", error ? error->message : "");
}

static void put(const char *site, const char *verdict, const char *detail, int seconds)
{
    icp_sighting_t sighting = {site, verdict, detail, apr_time_from_sec(seconds)};
    ok(icp_sightings_write(path, &sighting, 1, pool));
}

static void sql(const char *text)
{
    sqlite3 *db;
    char *error = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &error) == SQLITE_OK, "%s", error);
    sqlite3_close(db);
}

static icp_error_t *collect(const icp_sighting_t *sighting, void *baton, apr_pool_t *row_pool)
{
    const char **text = baton;
    *text = apr_psprintf(pool, "%s%s %s %s %d\n", *text, sighting->site, sighting->verdict, sighting->detail,
                         (int)apr_time_sec(sighting->at));
    return NULL;
}

static const char *all(const char *site)
{
    const char *text = "";
    ok(icp_sightings_each(path, site, collect, &text, pool));
    return text;
}

START_TEST(test_newest_of_each_site)
{
    icp_sighting_t batch[] = {{"b.cn", "displayed", "{}", apr_time_from_sec(10)},
                              {"a.cn", "missing", "{\"x\":1}", apr_time_from_sec(10)}};
    ok(icp_sightings_write(path, batch, 2, pool));
    put("a.cn", "displayed", "{}", 20);
    put("a.cn", "hidden", "{}", 15); /* an older one */
    ck_assert_str_eq(all(NULL), "a.cn displayed {} 20\nb.cn displayed {} 10\n");
    ck_assert_str_eq(all("b.cn"), "b.cn displayed {} 10\n");
    ck_assert_str_eq(all("c.cn"), "");
}
END_TEST

START_TEST(test_one_from_a_clock_that_was_ahead)
{
    int now = (int)apr_time_sec(apr_time_now());
    put("a.cn", "missing", "{}", now + 86400);
    put("a.cn", "displayed", "{}", now - 5);
    ck_assert_str_eq(all("a.cn"), apr_psprintf(pool, "a.cn displayed {} %d\n", now - 5));
}
END_TEST

START_TEST(test_damaged_file_is_begun_anew)
{
    apr_file_t *file;
    apr_size_t length = 4096;
    char noise[4096];
    memset(noise, 'x', sizeof noise);
    ck_assert_int_eq(apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE, APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    apr_file_write(file, noise, &length);
    apr_file_close(file);
    const char *text = "";
    ck_assert_ptr_nonnull(icp_sightings_each(path, NULL, collect, &text, pool));
    put("a.cn", "missing", "{}", 1);
    ck_assert_str_eq(all(NULL), "a.cn missing {} 1\n");
}
END_TEST

START_TEST(test_strangers_texts)
{
    put("a.cn", "missing", "{}", 1);
    sql("INSERT INTO sighting VALUES ('b' || char(27) || '[2J', 'missing', "
        "'{\"x\\u001b[31m\":[\"\\u202egnp\",{\"a\":{\"b\":{\"c\":1}}}]}', 99999999999),"
        " ('c', 'dis' || char(27), '{}', 1), ('d', 'missing', 'no json', -5), (x'ff', 'hidden', '[]', 'noon'),"
        " ('long' || replace(hex(zeroblob(400)), '0', 'x'), 'missing', '{\"k\":\"' || replace(hex(zeroblob(9000)), "
        "'0', 'y') || '\"}', 1)");
    const char *text = all(NULL);
    for (const char *c = text; *c; c++)
        ck_assert_msg((unsigned char)*c >= 0x20 || *c == '\n', "byte %d in %s", *c, text);
    ck_assert_ptr_null(strstr(text, "\\u001b"));
    ck_assert_ptr_null(strstr(text, "\xE2\x80\xAE"));
    ck_assert_ptr_null(strstr(text, "dis"));
    ck_assert_ptr_nonnull(strstr(text, "d missing {} 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "\xEF\xBF\xBD hidden {} 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "b\xEF\xBF\xBD[2J missing"));
    ck_assert_ptr_null(strstr(text, "99999999999"));
    ck_assert_uint_lt(strlen(text), 2000);
}
END_TEST

static void refused(const char *word)
{
    const char *text = "";
    icp_error_t *error = icp_sightings_each(path, NULL, collect, &text, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, word) != NULL, "%s", error->message);
}

START_TEST(test_no_plain_file)
{
    const char *other = apr_pstrcat(pool, folder, "/other.db", NULL);
    refused("No such file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused("no plain file");
    unlink(path);
    put("a.cn", "missing", "{}", 1);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    refused("no plain file");
    unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused("no plain file");
}
END_TEST

START_TEST(test_other_shapes)
{
    sql("CREATE TABLE t (site, verdict, detail, at); CREATE VIEW sighting AS SELECT * FROM t");
    refused("no sightings");
    sql("DROP VIEW sighting; CREATE TABLE sighting (site TEXT, verdict TEXT, detail TEXT\nAS(hex(zeroblob(1000))), at "
        "INTEGER)");
    refused("no sightings");
    sql("DROP TABLE sighting; CREATE VIRTUAL TABLE sighting USING fts5 (site, verdict, detail, at)");
    refused("no sightings");
    sql("DROP TABLE sighting; CREATE TABLE sighting (site TEXT)");
    refused("no such column");
}
END_TEST

START_TEST(test_reader_changes_nothing)
{
    apr_finfo_t before, after;
    put("a.cn", "missing", "{}", 1);
    ck_assert_int_eq(chmod(path, 0400), 0);
    ck_assert_int_eq(apr_stat(&before, path, APR_FINFO_MTIME | APR_FINFO_SIZE, pool), APR_SUCCESS);
    ck_assert_str_eq(all(NULL), "a.cn missing {} 1\n");
    ck_assert_int_eq(apr_stat(&after, path, APR_FINFO_MTIME | APR_FINFO_SIZE, pool), APR_SUCCESS);
    ck_assert_int_eq(before.mtime, after.mtime);
}
END_TEST

/* Whoever owns the folder chooses what lies beside the file, and may name anybody's file there: none of it is touched. */
START_TEST(test_reader_touches_one_file)
{
    static const char *const endings[] = {"-wal", "-shm", "-journal"};
    const char *victim = apr_pstrcat(pool, folder, "/victim", NULL), *text = "";
    apr_finfo_t info;
    put("a.cn", "missing", "{}", 1);
    ck_assert_str_eq(all(NULL), "a.cn missing {} 1\n");
    sql("PRAGMA journal_mode = WAL");
    for (int i = 0; i < 3; i++) unlink(apr_pstrcat(pool, path, endings[i], NULL));
    for (int linked = 0; linked < 2; linked++) {
        ck_assert_ptr_nonnull(icp_sightings_each(path, NULL, collect, &text, pool));
        for (int i = 0; i < 3; i++) {
            const char *beside = apr_pstrcat(pool, path, endings[i], NULL);
            ck_assert_int_eq(apr_stat(&info, beside, APR_FINFO_SIZE, pool), linked ? APR_SUCCESS : APR_ENOENT);
            if (linked) ck_assert_int_eq(info.size, 10000);
            unlink(victim);
            int fd = open(victim, O_WRONLY | O_CREAT, 0600);
            ck_assert_int_eq(ftruncate(fd, 10000), 0);
            close(fd);
            if (!linked) ck_assert_int_eq(link(victim, beside), 0);
        }
    }
}
END_TEST

/* A process that has begun to write, as `begin` says; it ends when it is killed. */
static pid_t writer(const char *begin)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (!pid) {
        sqlite3 *db;
        if (sqlite3_open(path, &db) || sqlite3_exec(db, begin, NULL, NULL, NULL) || write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_while_others_write)
{
    put("a.cn", "missing", "{}", 1);
    pid_t pid = writer("BEGIN IMMEDIATE; UPDATE sighting SET at = 2");
    ck_assert_str_eq(all(NULL), "a.cn missing {} 1\n");
    end(pid);
    pid = writer("PRAGMA cache_size = 1; BEGIN EXCLUSIVE; UPDATE sighting SET at = 3; CREATE TABLE t AS SELECT zeroblob(100000)");
    refused("locked by");
    end(pid);
    refused("interrupted");
    put("a.cn", "displayed", "{}", 4);
    ck_assert_str_eq(all(NULL), "a.cn displayed {} 4\n");
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("sightings");
    TCase *tests = tcase_create("sightings");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_newest_of_each_site);
    tcase_add_test(tests, test_one_from_a_clock_that_was_ahead);
    tcase_add_test(tests, test_damaged_file_is_begun_anew);
    tcase_add_test(tests, test_strangers_texts);
    tcase_add_test(tests, test_no_plain_file);
    tcase_add_test(tests, test_other_shapes);
    tcase_add_test(tests, test_reader_changes_nothing);
    tcase_add_test(tests, test_reader_touches_one_file);
    tcase_add_test(tests, test_while_others_write);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
