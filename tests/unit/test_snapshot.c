/* The snapshot against a brute-force model over random changes, its memory, and every way a register can fail to be
 * read. */
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "register.h"
#include "snapshot.h"

#define SITES 40
#define HOSTS 120

static apr_pool_t *pool;
static char folder[] = "/tmp/icp-snapshot-XXXXXX";
static const char *path;
static icp_db_t *db;

static void sql(const char *format, ...)
{
    char *error = NULL;
    va_list args;
    va_start(args, format);
    char *text = sqlite3_vmprintf(format, args);
    va_end(args);
    ck_assert_msg(sqlite3_exec(icp_db_handle(db), text, NULL, NULL, &error) == SQLITE_OK, "%s: %s", text, error);
    sqlite3_free(text);
}

/* httpd unloads the module at a restart and goes on with the snapshot: it may point at no literal. */
static int is_of_the_program(const char *text)
{
    extern char __executable_start, end;
    return text >= &__executable_start && text < &end;
}

static void ok(const icp_error_t *error)
{
    ck_assert_msg(!error, "%s", error ? error->message : "");
}

static void create(void)
{
    ok(icp_db_open(&db, path, ICP_DB_CREATE, 1000, pool));
    sql("PRAGMA synchronous = OFF; PRAGMA application_id = %d; PRAGMA user_version = %d", ICP_REGISTER_ID,
        ICP_REGISTER_SCHEMA);
    sql("ATTACH ':memory:' AS private");
    ok(icp_db_run(db, ICP_STMT_CREATE_REGISTER));
    ok(icp_db_run(db, ICP_STMT_SCHEMA_2_PASS));
}

static void setup(void)
{
    apr_pool_create(&pool, NULL);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = apr_pstrcat(pool, folder, "/register.db", NULL);
    create();
}

static void teardown(void)
{
    char command[128];
    apr_pool_destroy(pool);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Sites s1, s2 … with a host each: 1.cn, 2.cn … */
static void add_sites(int count)
{
    sql("BEGIN");
    for (int i = 1; i <= count; i++) {
        sql("INSERT INTO site (name, created_at) VALUES ('s%d', 1); INSERT INTO host VALUES ('%d.cn', %d)", i, i, i);
    }
    sql("COMMIT");
}

static icp_snapshot_t *read_after(icp_snapshot_t *previous)
{
    apr_pool_t *scratch;
    icp_snapshot_t *snapshot = NULL;
    apr_pool_create(&scratch, pool);
    ok(icp_snapshot_read(&snapshot, previous, path, 1000, scratch));
    apr_pool_destroy(scratch);
    return snapshot;
}

static icp_error_t *fault(const char *file, int timeout_ms)
{
    icp_snapshot_t *snapshot = NULL;
    icp_error_t *error = icp_snapshot_read(&snapshot, NULL, file, timeout_ms, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_null(snapshot);
    ck_assert_ptr_nonnull(error->message);
    return error;
}

static const icp_snapshot_site_t *by_host(const icp_snapshot_t *snapshot, const char *host)
{
    return icp_snapshot_by_host(snapshot, host, strlen(host));
}

/* The model: who has each of the host names, and who is suspended. */
static struct {
    apr_int64_t id[SITES]; /* 0: no such site */
    int suspended[SITES], numbers[SITES];
    int owner[HOSTS]; /* index of site, -1: none */
} model;

static const char *host_name(int index)
{
    static char names[HOSTS][32];
    char *name = names[index];
    static const char *const shapes[] = {"%d.example.cn", "*.w%d.example.cn", "a.w%d.example.cn", "*.b.w%d.example.cn",
                                         "%d.cn",         "*.%d.cn"};
    const char *shape = shapes[index % 6];
    if (*name) return name;
    if (index == 0) return "*.example.cn";
    if (index == 6) return "*.cn";
    snprintf(name, sizeof names[index], shape, index / 6);
    return name;
}

static int model_find(const char *host)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < HOSTS; i++) {
        if (model.owner[i] < 0) continue;
        const char *name = host_name(i);
        size_t length = strlen(name), whole = strlen(host);
        if (strcasecmp(name, host) == 0) return model.owner[i];
        if (*name == '*' && whole > length - 1 && !strcasecmp(host + whole - (length - 1), name + 1) &&
            length > best_length) {
            best = model.owner[i];
            best_length = length;
        }
    }
    return best;
}

static void change_something(void)
{
    int s = rand() % SITES, h = rand() % HOSTS;
    switch (rand() % 6) {
    case 0:
        if (model.id[s]) {
            if (model.suspended[s]) break;
            sql("DELETE FROM site WHERE id = %lld", model.id[s]);
            model.id[s] = 0;
            for (int i = 0; i < HOSTS; i++) {
                if (model.owner[i] == s) model.owner[i] = -1;
            }
            break;
        } /* fall through */
    case 1:
        if (model.id[s]) break;
        sql("INSERT INTO site (name, created_at) VALUES ('site-%d', 1)", s);
        model.id[s] = sqlite3_last_insert_rowid(icp_db_handle(db));
        model.suspended[s] = model.numbers[s] = 0;
        break;
    case 2:
        if (!model.id[s] || (model.owner[h] >= 0 && model.suspended[model.owner[h]])) break;
        if (model.owner[h] >= 0) sql("DELETE FROM host WHERE name = %Q", host_name(h));
        model.owner[h] = -1;
        if (rand() % 4) {
            sql("INSERT INTO host VALUES (%Q, %lld)", host_name(h), model.id[s]);
            model.owner[h] = s;
        }
        break;
    case 3:
        if (!model.id[s]) break;
        if (model.numbers[s])
            sql("DELETE FROM site_license WHERE site_id = %lld", model.id[s]);
        else
            sql("INSERT INTO site_license VALUES (%lld, 1, %d), (%lld, 2, 0)", model.id[s], s, model.id[s]);
        model.numbers[s] = !model.numbers[s];
        break;
    default:
        if (!model.id[s]) break;
        if (model.suspended[s])
            sql("UPDATE suspension SET closed_at = 9, closed_by = 'x' WHERE site_id = %lld AND closed_at IS NULL",
                model.id[s]);
        else
            sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (%lld, 'missing', 7, 'x')",
                model.id[s]);
        model.suspended[s] = !model.suspended[s];
    }
}

static void agree(const icp_snapshot_t *snapshot)
{
    static const char *const shapes[] = {
        "%d.EXAMPLE.cn", "x.W%d.example.cn.", "a.w%d.example.cn", "x.b.w%d.example.cn", "%d.cn",
        "y.x.%d.cn",     "b.w%d.example.cn",  "no%d.where",       "*.x.w%d.example.cn", "."};
    char host[64];
    icp_snapshot_facts_t facts;
    int sites = 0, hosts = 0, suspended = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(host, sizeof host, shapes[i % 10], rand() % 22);
        const icp_snapshot_site_t *found =
            *host == '*' ? icp_snapshot_by_pattern(snapshot, host) : by_host(snapshot, host);
        if (host[strlen(host) - 1] == '.') host[strlen(host) - 1] = '\0';
        int wanted = model_find(host);
        ck_assert_msg((found ? found->id : 0) == (wanted < 0 ? 0 : model.id[wanted]), "%s", host);
        if (found) {
            ck_assert_int_eq(found->suspended, model.suspended[wanted]);
            ck_assert_str_eq(found->reason, found->suspended ? "missing" : "");
            ck_assert(!is_of_the_program(found->reason) && !is_of_the_program(found->name));
            ck_assert_int_eq(found->since, found->suspended ? apr_time_from_sec(7) : 0);
            ck_assert_int_eq(found->expected_count, model.numbers[wanted]);
            if (found->expected_count) {
                ck_assert_str_eq(found->expected[0],
                                 wanted ? apr_psprintf(pool, "京ICP备11018762号-%d", wanted) : "京ICP备11018762号");
            }
        }
    }
    for (int s = 0; s < SITES; s++) {
        const icp_snapshot_site_t *found = icp_snapshot_by_name(snapshot, apr_psprintf(pool, "site-%d", s));
        ck_assert_int_eq(found ? found->id : 0, model.id[s]);
        sites += model.id[s] != 0;
        suspended += model.id[s] && model.suspended[s];
    }
    for (int h = 0; h < HOSTS; h++) hosts += model.owner[h] >= 0;
    icp_snapshot_facts(snapshot, &facts);
    ck_assert_int_eq(facts.sites, sites);
    ck_assert_int_eq(facts.hosts, hosts);
    ck_assert_int_eq(facts.suspended, suspended);
}

static void empty_model(void)
{
    memset(&model, 0, sizeof model);
    for (int h = 0; h < HOSTS; h++) model.owner[h] = -1;
    sql("INSERT INTO holder (kind, name, created_at) VALUES ('business', '某某', 1);"
        "INSERT INTO license VALUES (1, '京ICP备11018762号', 1, 'active', 1, 1), (2, '京ICP备05000000号', 1, "
        "'cancelled', 1, 1)");
}

START_TEST(test_random_changes)
{
    icp_snapshot_t *chain = NULL;
    apr_pool_t *top = pool;
    srand(20261);
    empty_model();
    for (int round = 0; round < 1500; round++) {
        apr_pool_create(&pool, top);
        change_something();
        icp_snapshot_t *next = read_after(chain);
        if (next != chain) icp_snapshot_free(chain);
        chain = next;
        agree(chain);
        if (round % 20 == 0) {
            icp_snapshot_t *full = read_after(NULL);
            agree(full);
            icp_snapshot_free(full);
        }
        apr_pool_destroy(pool);
        pool = top;
    }
    icp_snapshot_free(chain);
}
END_TEST

START_TEST(test_unchanged_is_the_same)
{
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1)");
    icp_snapshot_t *one = read_after(NULL);
    ck_assert_ptr_eq(read_after(one), one);
    sql("INSERT INTO inspection (site_id, verdict, first_at, last_at) VALUES (1, 'missing', 1, 1)");
    ck_assert_ptr_eq(read_after(one), one);
    icp_snapshot_free(one);
}
END_TEST

START_TEST(test_expectation_changes)
{
    empty_model();
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1); INSERT INTO host VALUES ('a.cn', 1), ('b.cn', 1);"
        "INSERT INTO site_license VALUES (1, 1, 3)");
    icp_snapshot_t *one = read_after(NULL);
    const icp_snapshot_site_t *before = by_host(one, "a.cn");
    ck_assert_str_eq(before->expected[0], "京ICP备11018762号-3");
    ck_assert_int_eq(before->hosts, 2);
    sql("UPDATE license SET status = 'revoked' WHERE id = 1");
    icp_snapshot_t *two = read_after(one);
    const icp_snapshot_site_t *after = by_host(two, "b.cn");
    ck_assert_int_eq(after->expected_count, 0);
    ck_assert_uint_ne(after->expectation, before->expectation);
    icp_snapshot_free(one);
    ck_assert_str_eq(after->name, "a"); /* the base outlives the snapshot it was read for */
    icp_snapshot_free(two);
}
END_TEST

START_TEST(test_host_forms)
{
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1);"
        "INSERT INTO host VALUES ('abcdefgh.cn', 1), ('2001:db8::1', 1), ('*.x.cn', 1), ('10.0.0.1', 1)");
    icp_snapshot_t *snapshot = read_after(NULL);
    static const char *const yes[] = {"ABCDEFGH.CN", "abcdefgh.cn.", "2001:DB8:0:0::1", "2001:db8::1",
                                      "y.X.cn",      "z.y.x.cn",     "10.0.0.1"};
    static const char *const no[] = {
        "",     ".", "x.cn", ".x.cn.y", "abcdefgh.c", "abcdefgh.cn..", "abcdefgh.cnn", "[bcdefgh.cn", "2001:db8::2",
        "bx.cn"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        ck_assert_msg(by_host(snapshot, yes[i]) != NULL, "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) ck_assert_msg(by_host(snapshot, no[i]) == NULL, "%s", no[i]);
    ck_assert_ptr_nonnull(icp_snapshot_by_pattern(snapshot, "*.x.cn"));
    ck_assert_ptr_nonnull(icp_snapshot_by_pattern(snapshot, "*.Y.x.cn"));
    ck_assert_ptr_null(icp_snapshot_by_pattern(snapshot, "*.cn"));
    char giant[4096];
    memset(giant, 'a', sizeof giant);
    ck_assert_ptr_null(icp_snapshot_by_host(snapshot, giant, sizeof giant));
    icp_snapshot_free(snapshot);
}
END_TEST

/* A register put back from a copy, then changed: its revisions are numbered like those that a worker knows. */
START_TEST(test_other_history)
{
    const char *copy = apr_pstrcat(pool, folder, "/copy.db", NULL);
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1), ('b', 1), ('c', 1); INSERT INTO host VALUES ('a.cn', 1), "
        "('b.cn', 2), ('c.cn', 3)");
    icp_snapshot_t *base = read_after(NULL);
    ck_assert_int_eq(apr_file_copy(path, copy, APR_FILE_SOURCE_PERMS, pool), APR_SUCCESS);
    sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (1, 'missing', 1, 'x')");
    icp_snapshot_t *worker = read_after(NULL);
    ck_assert(by_host(worker, "a.cn")->suspended);

    icp_db_close(db);
    ck_assert_int_eq(apr_file_copy(copy, path, APR_FILE_SOURCE_PERMS, pool), APR_SUCCESS);
    icp_snapshot_t *back = read_after(worker);
    ck_assert(!by_host(back, "a.cn")->suspended);

    ok(icp_db_open(&db, path, ICP_DB_WRITE, 1000, pool));
    sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (2, 'missing', 1, 'x')");
    icp_snapshot_t *same_revision = read_after(worker);
    ck_assert(!by_host(same_revision, "a.cn")->suspended);
    ck_assert(by_host(same_revision, "b.cn")->suspended);
    sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (3, 'missing', 1, 'x')");
    icp_snapshot_t *later_revision = read_after(worker);
    ck_assert(!by_host(later_revision, "a.cn")->suspended);
    ck_assert(by_host(later_revision, "b.cn")->suspended && by_host(later_revision, "c.cn")->suspended);

    icp_snapshot_t *all[] = {base, worker, back, same_revision, later_revision};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) icp_snapshot_free(all[i]);
}
END_TEST

START_TEST(test_pass_epoch)
{
    add_sites(2);
    sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (1, 'missing', 1, 'x'), (2, 'missing', 1, 'x')");
    icp_snapshot_t *before = read_after(NULL);
    ck_assert_uint_eq(by_host(before, "1.cn")->pass_epoch, 0);
    ok(icp_db_run(db, ICP_STMT_PASS_EPOCHS_ANEW));
    sql("UPDATE suspension SET pass_epoch = 4294967295 WHERE site_id = 1");
    icp_stmt_t *stmt;
    ok(icp_db_statement(&stmt, db, ICP_STMT_PASS_REVOKE, "i", (apr_int64_t)2));
    ok(icp_stmt_run(stmt));
    icp_snapshot_t *after = read_after(before);
    ck_assert_uint_eq(by_host(after, "1.cn")->pass_epoch, 4294967295u);
    ck_assert_uint_ne(by_host(after, "2.cn")->pass_epoch, 0);
    ck_assert_uint_eq(by_host(before, "1.cn")->pass_epoch, 0);
    ok(icp_db_statement(&stmt, db, ICP_STMT_PASS_REVOKE, "i", (apr_int64_t)1));
    ok(icp_stmt_run(stmt));
    icp_snapshot_t *again = read_after(after);
    ck_assert_uint_eq(by_host(again, "1.cn")->pass_epoch, 0);
    icp_snapshot_free(before);
    icp_snapshot_free(after);
    icp_snapshot_free(again);
}
END_TEST

START_TEST(test_memory_does_not_grow)
{
    apr_pool_t *scratch;
    icp_snapshot_t *snapshot = NULL, *next;
    size_t before = 0;
    sql("PRAGMA journal_mode = MEMORY");
    add_sites(300);
    apr_pool_create(&scratch, pool);
    for (int i = 0; i < 10000; i++) {
        apr_pool_clear(scratch);
        int first = 1 + i % 10, last = i % 1000 ? first : 300; /* now and then more than a delta takes */
        sql("UPDATE site SET serve_unlicensed = NOT serve_unlicensed WHERE id BETWEEN %d AND %d", first, last);
        ok(icp_snapshot_read(&next, snapshot, path, 1000, scratch));
        ck_assert_ptr_ne(next, snapshot);
        icp_snapshot_free(snapshot);
        snapshot = next;
        if (i == 1000) before = mallinfo2().uordblks;
    }
    ck_assert_uint_lt(mallinfo2().uordblks, before + 200000);
    icp_snapshot_free(snapshot);
    apr_pool_destroy(scratch);
}
END_TEST

/* A full-sized register: 100,000 sites in less than 25 MB. */
START_TEST(test_size)
{
    icp_snapshot_facts_t facts;
    sql("PRAGMA journal_mode = OFF");
    empty_model();
    sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO site (name, "
        "created_at) SELECT 'shop' || i || '.example.cn', 1 FROM n");
    sql("INSERT INTO host SELECT name, id FROM site UNION ALL SELECT 'www.' || name, id FROM site");
    sql("INSERT INTO site_license SELECT id, 1, id %% 99999 FROM site");
    sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) SELECT id, 'missing', 1, 'x' FROM site WHERE "
        "id %% 10 = 0");
    icp_snapshot_t *snapshot = read_after(NULL);
    icp_snapshot_facts(snapshot, &facts);
    ck_assert_int_eq(facts.sites, 100000);
    ck_assert_int_eq(facts.hosts, 200000);
    ck_assert_int_eq(facts.suspended, 10000);
    ck_assert_uint_lt(facts.bytes, 25000000);
    ck_assert_str_eq(by_host(snapshot, "WWW.shop77.example.cn")->name, "shop77.example.cn");
    ck_assert_str_eq(icp_snapshot_by_name(snapshot, "shop99999.example.cn")->name, "shop99999.example.cn");
    icp_snapshot_free(snapshot);
}
END_TEST

static void write_file(const char *file, const char *bytes, size_t length)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), length);
    close(fd);
}

START_TEST(test_unreadable)
{
    const char *file = apr_pstrcat(pool, folder, "/bad.db", NULL);
    ck_assert_int_eq(fault(file, 0)->status, ICP_NOT_FOUND);
    write_file(file, "", 0);
    ck_assert_ptr_nonnull(strstr(fault(file, 0)->message, "empty"));
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    write_file(file, noise, sizeof noise);
    ck_assert_int_eq(fault(file, 0)->cause & 0xff, SQLITE_NOTADB);
    ck_assert_int_eq(mkdir(apr_pstrcat(pool, folder, "/dir.db", NULL), 0700), 0);
    fault(apr_pstrcat(pool, folder, "/dir.db", NULL), 0);

    sql("PRAGMA user_version = %d", ICP_REGISTER_SCHEMA + 1);
    ck_assert_ptr_nonnull(strstr(fault(path, 0)->message, "newer"));
    sql("PRAGMA user_version = %d", ICP_REGISTER_SCHEMA - 1);
    ck_assert_ptr_nonnull(strstr(fault(path, 0)->message, "older"));
    sql("PRAGMA user_version = %d; PRAGMA application_id = 7", ICP_REGISTER_SCHEMA);
    ck_assert_ptr_nonnull(strstr(fault(path, 0)->message, "no register"));
}
END_TEST

START_TEST(test_damaged)
{
    struct stat info;
    add_sites(2000);
    icp_snapshot_t *good = read_after(NULL);
    icp_db_close(db);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(truncate(path, info.st_size / 4096 / 2 * 4096), 0);
    icp_snapshot_t *snapshot = good;
    icp_error_t *error = icp_snapshot_read(&snapshot, NULL, path, 0, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->cause & 0xff, SQLITE_CORRUPT);
    ck_assert_ptr_eq(snapshot, good);
    icp_snapshot_free(good);
}
END_TEST

/* Takes the last entry from a table or index of one page, or changes a letter of it: SQLite has no checksums, and sees nothing. */
static void forge(const char *name, int letter)
{
    unsigned char page[4096];
    apr_int64_t root;
    ok(icp_db_integer(&root, db, apr_psprintf(pool, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name)));
    icp_db_close(db);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pread(fd, page, sizeof page, (root - 1) * 4096), sizeof page);
    if (!letter) page[4]--; /* the number of entries */
    else page[memmem(page, sizeof page, "2.cn", 4) - (void *)page] = letter;
    ck_assert_int_eq(pwrite(fd, page, sizeof page, (root - 1) * 4096), sizeof page);
    close(fd);
    ok(icp_db_open(&db, path, ICP_DB_WRITE, 0, pool));
}

START_TEST(test_flipped_bits)
{
    static const struct { const char *name; int letter; } forgeries[] = {{"host", '3'}, {"host_site", '3'}, {"host_site", 0}, {"host", 0}};
    for (int i = 0; i < 5; i++) {
        add_sites(2);
        sql("INSERT INTO suspension (site_id, reason, opened_at, opened_by) VALUES (2, 'missing', 1, 'x')");
        icp_snapshot_free(read_after(NULL));
        forge(i < 4 ? forgeries[i].name : "suspension_open", i < 4 ? forgeries[i].letter : 0);
        icp_error_t *error = fault(path, 0);
        ck_assert_ptr_nonnull(strstr(error->message, "two things"));
        ck_assert_int_eq(error->cause & 0xff, SQLITE_CORRUPT);
        icp_db_close(db);
        unlink(path);
        create();
    }
}
END_TEST

START_TEST(test_host_without_site)
{
    sql("PRAGMA foreign_keys = OFF; INSERT INTO host VALUES ('orphan.cn', 77)");
    ck_assert_ptr_nonnull(strstr(fault(path, 0)->message, "orphan.cn"));
}
END_TEST

START_TEST(test_busy)
{
    sql("BEGIN EXCLUSIVE");
    ck_assert_int_eq(fault(path, 20)->cause & 0xff, SQLITE_BUSY);
    sql("COMMIT");
    icp_snapshot_free(read_after(NULL));
}
END_TEST

/* A writer that dies in mid-commit leaves a journal that a worker may not roll back. */
START_TEST(test_hot_journal)
{
    int status;
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1); INSERT INTO host VALUES ('a.cn', 1)");
    pid_t child = fork();
    if (!child) {
        icp_db_t *other;
        if (icp_db_open(&other, path, ICP_DB_WRITE, 0, pool)) _exit(1);
        sqlite3_exec(icp_db_handle(other),
                     "PRAGMA cache_size = 1; BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                     " WHERE i < 5000) INSERT INTO site (name, created_at) SELECT 'x' || i, 1 FROM n",
                     NULL, NULL, NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(fault(path, 0)->cause, SQLITE_READONLY_ROLLBACK);
    ck_assert_int_eq(fault(path, 0)->cause, SQLITE_READONLY_ROLLBACK);
    sql("UPDATE site SET name = 'x'");
    icp_snapshot_t *snapshot = read_after(NULL);
    ck_assert_str_eq(by_host(snapshot, "a.cn")->name, "x");
    icp_snapshot_free(snapshot);
}
END_TEST

START_TEST(test_fingerprint)
{
    const char *copy = apr_pstrcat(pool, folder, "/copy.db", NULL);
    apr_uint64_t first = icp_snapshot_fingerprint(path);
    ck_assert_uint_ne(first, 0);
    ck_assert_uint_eq(icp_snapshot_fingerprint(path), first);
    sql("INSERT INTO site (name, created_at) VALUES ('a', 1)");
    apr_uint64_t second = icp_snapshot_fingerprint(path);
    ck_assert_uint_ne(second, first);
    ck_assert_int_eq(apr_file_copy(path, copy, APR_FILE_SOURCE_PERMS, pool), APR_SUCCESS);
    ck_assert_uint_ne(icp_snapshot_fingerprint(copy), second);
    ck_assert_uint_eq(icp_snapshot_fingerprint(apr_pstrcat(pool, folder, "/none", NULL)), 0);
}
END_TEST

int main(void)
{
    apr_initialize();
    Suite *suite = suite_create("snapshot");
    TCase *tests = tcase_create("snapshot");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, test_random_changes);
    tcase_add_test(tests, test_unchanged_is_the_same);
    tcase_add_test(tests, test_expectation_changes);
    tcase_add_test(tests, test_host_forms);
    tcase_add_test(tests, test_other_history);
    tcase_add_test(tests, test_pass_epoch);
    tcase_add_test(tests, test_memory_does_not_grow);
    tcase_add_test(tests, test_size);
    tcase_add_test(tests, test_unreadable);
    tcase_add_test(tests, test_damaged);
    tcase_add_test(tests, test_flipped_bits);
    tcase_add_test(tests, test_host_without_site);
    tcase_add_test(tests, test_busy);
    tcase_add_test(tests, test_hot_journal);
    tcase_add_test(tests, test_fingerprint);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
