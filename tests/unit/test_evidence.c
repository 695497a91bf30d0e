/* Evidence: a failing page is kept once, as it was; it goes when it is old, and not before; what was altered is found. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "depot.h"
#include "evidence.h"
#include "log.h"
#include "policy.h"
#include "records_fixture.h"

static char messages[4096];

static void keep_message(icp_log_level_e level, const char *message, void *baton)
{
    strncat(messages, message, sizeof messages - strlen(messages) - 2);
}

typedef struct recording_t {
    icp_look_t *look;
    icp_evidence_t *evidence;
} recording_t;

static icp_error_t *step_record(icp_register_t *r, void *baton, apr_pool_t *p)
{
    recording_t *recording = baton;
    ICP_TRY(icp_inspection_record(r, recording->look, NULL, p));
    return icp_evidence_record(r, recording->evidence, p);
}

static icp_evidence_t *look_at(const char *site, icp_verdict_e verdict, const void *body, apr_size_t length)
{
    icp_received_t received = {.address = "127.0.0.1:80", .headers = "HTTP/1.1 200 OK\r\n", .body = body, .length = length};
    recording_t recording = {.look = look(site, verdict, NULL)};
    ok(icp_evidence_keep(&recording.evidence, reg, recording.look, &received, pool));
    ok(icp_register_change(reg, step_record, &recording, pool));
    return recording.evidence;
}

static icp_evidence_t *look_at_text(const char *site, const char *text)
{
    return look_at(site, ICP_MISSING, text, strlen(text));
}

static icp_error_t *step_policy(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    icp_policy_e policy;
    ICP_TRY(icp_policy_find(&policy, step->a, p));
    return icp_policy_set(r, policy, step->b, p);
}

static void set_policy(const char *name, const char *value)
{
    ok(change(step_policy, (step_t){.a = name, .b = value}));
}

static void a_site(void)
{
    reg->timeout_ms = 100;
    ok(add_license("沪ICP备05012345号", "甲", NULL));
    ok(add_site("a.cn", NULL, "沪ICP备05012345号-3", 0));
}

static const char *file_of(const icp_evidence_t *evidence)
{
    return icp_depot_path(reg->path, ICP_EVIDENCE_FOLDER, evidence->file, pool);
}

static icp_error_t *count_file(const char *file, const char *name, apr_time_t at, void *baton, apr_pool_t *p)
{
    ++*(int *)baton;
    return NULL;
}

static int files(void)
{
    int count = 0;
    ok(icp_depot_each(reg->path, ICP_EVIDENCE_FOLDER, count_file, &count, pool));
    return count;
}

static apr_array_header_t *kept(const char *site)
{
    apr_array_header_t *array;
    ok(icp_evidence_list(&array, reg, site, pool));
    return array;
}

typedef struct counter_t {
    const char *action;
    int count;
} counter_t;

static icp_error_t *count_event(const icp_event_t *event, void *baton, apr_pool_t *p)
{
    counter_t *counter = baton;
    counter->count += !strcmp(event->action, counter->action);
    return NULL;
}

static int events(const char *action)
{
    counter_t counter = {action, 0};
    ok(icp_audit_each(reg, NULL, count_event, &counter, pool));
    return counter.count;
}

static int mode_of(const char *file)
{
    struct stat status;
    ck_assert_int_eq(stat(file, &status), 0);
    return status.st_mode & 07777;
}

/* Rows and files as they would be after `days`. */
static void age(const icp_evidence_t *evidence, int days)
{
    struct timespec then[2] = {{.tv_sec = time(NULL) - days * 86400}, {.tv_sec = time(NULL) - days * 86400}};
    char *text = apr_psprintf(pool, "UPDATE private.evidence SET at = at - %d WHERE id = %d", days * 86400, (int)evidence->id);
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), text, NULL, NULL, NULL), SQLITE_OK);
    if (*evidence->file) ck_assert_int_eq(utimensat(AT_FDCWD, file_of(evidence), then, 0), 0);
}

static icp_pruned_t prune(int forget_lost)
{
    icp_pruned_t pruned;
    ok(icp_evidence_prune(&pruned, reg, forget_lost, pool));
    return pruned;
}

static void overwrite(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

START_TEST(test_only_failing_looks_are_kept)
{
    a_site();
    for (icp_verdict_e verdict = 0; verdict < ICP_VERDICT_COUNT; verdict++) {
        icp_evidence_t *evidence = look_at("a.cn", verdict, "<p>x", 4);
        ck_assert_int_eq(evidence != NULL, icp_verdict_fails(verdict));
    }
    ck_assert_int_eq(kept("a.cn")->nelts, 3);
    set_policy("evidence-days", "0");
    ck_assert_ptr_null(look_at_text("a.cn", "<p>y"));
    ck_assert_int_eq(kept("a.cn")->nelts, 3);
}
END_TEST

START_TEST(test_kept_as_it_was)
{
    static const char page[] = "\0\xff binary \r\n<p>\xb1\xb8";
    const char *bytes;
    a_site();
    icp_evidence_t *evidence = look_at("a.cn", ICP_INCORRECT, page, sizeof page);
    icp_evidence_t *found = &APR_ARRAY_IDX(kept("a.cn"), 0, icp_evidence_t);
    ck_assert_str_eq(found->file, found->sha256);
    ck_assert_str_eq(found->address, "127.0.0.1:80");
    ck_assert_str_eq(found->headers, "HTTP/1.1 200 OK\r\n");
    ck_assert_str_eq(found->verdict, "incorrect");
    ck_assert_ptr_nonnull(strstr(found->detail, "\"verdict\":\"incorrect\""));
    ck_assert_int_eq(found->bytes, sizeof page);
    ok(icp_evidence_page(&bytes, reg, found, pool));
    ck_assert_mem_eq(bytes, page, sizeof page);
    ck_assert_int_eq(mode_of(apr_pstrcat(pool, folder, "/evidence", NULL)), 0700);
    ck_assert_int_eq(mode_of(file_of(evidence)), 0600);
    ck_assert_int_eq(mode_of(apr_psprintf(pool, "%s/evidence/%.2s", folder, found->file)), 0700);
    ck_assert(has_event("site.evidence a.cn null {"));
    ck_assert(has_event(found->sha256));
}
END_TEST

START_TEST(test_the_same_page_is_one_file)
{
    a_site();
    for (int i = 0; i < 3; i++) look_at_text("a.cn", "<p>same");
    ck_assert_int_eq(kept("a.cn")->nelts, 3);
    ck_assert_int_eq(files(), 1);
    look_at_text("a.cn", "<p>other");
    ck_assert_int_eq(files(), 2);
    ck_assert_int_eq(events("site.evidence"), 1); /* one run, one event */
    look_at("a.cn", ICP_DISPLAYED, "", 0);
    look_at_text("a.cn", "<p>same");
    ck_assert_int_eq(events("site.evidence"), 2);
}
END_TEST

START_TEST(test_bound)
{
    char *page = apr_pcalloc(pool, 3000000);
    const char *bytes;
    a_site();
    for (int i = 0; i < 3000000; i++) page[i] = (char)((unsigned)i * 7919u >> 5);
    look_at("a.cn", ICP_MISSING, page, 3000000);
    icp_evidence_t *found = &APR_ARRAY_IDX(kept("a.cn"), 0, icp_evidence_t);
    ck_assert_int_eq(found->bytes, 3000000);
    ck_assert_int_eq(found->kept, 2097152);
    ck_assert_str_ne(found->file, found->sha256);
    ok(icp_evidence_page(&bytes, reg, found, pool));
    ck_assert_mem_eq(bytes, page, 2097152);
    set_policy("evidence-bytes", "0");
    look_at("a.cn", ICP_MISSING, page, 3000000);
    icp_evidence_t *hash_only = &APR_ARRAY_IDX(kept("a.cn"), 1, icp_evidence_t);
    ck_assert_str_eq(hash_only->file, "");
    ck_assert_str_eq(hash_only->sha256, found->sha256);
    fails(icp_evidence_page(&bytes, reg, hash_only, pool), ICP_NOT_FOUND, "not kept");
    set_policy("evidence-bytes", NULL);
    icp_received_t part = {.body = "<p>", .length = 3, .bytes = 5000000, .sha256 = found->sha256};
    recording_t recording = {.look = look("a.cn", ICP_MISSING, NULL)};
    ok(icp_evidence_keep(&recording.evidence, reg, recording.look, &part, pool));
    ok(icp_register_change(reg, step_record, &recording, pool));
    icp_evidence_t *beginning = &APR_ARRAY_IDX(kept("a.cn"), 2, icp_evidence_t);
    ck_assert_int_eq(beginning->bytes, 5000000);
    ck_assert_int_eq(beginning->kept, 3);
    ck_assert_str_eq(beginning->sha256, found->sha256);
    ok(icp_evidence_page(&bytes, reg, beginning, pool));
    ck_assert_str_eq(bytes, "<p>");
    ck_assert_int_eq(files(), 2);
}
END_TEST

static void check_altered(const icp_evidence_t *evidence, const char *word)
{
    const char *bytes;
    apr_array_header_t *faults;
    int count;
    fails(icp_evidence_page(&bytes, reg, evidence, pool), ICP_FAULT, word);
    ok(icp_evidence_verify(&faults, &count, reg, pool));
    ck_assert_int_eq(faults->nelts, 1);
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(faults, 0, icp_error_t *)->message, "a.cn"));
}

static void write_gzip(const char *file, const char *text)
{
    gzFile out = gzopen(file, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(gzwrite(out, text, (unsigned)strlen(text)), (int)strlen(text));
    ck_assert_int_eq(gzclose(out), Z_OK);
}

START_TEST(test_what_was_altered_is_found)
{
    apr_array_header_t *faults;
    const char *bytes;
    int count;
    a_site();
    icp_evidence_t *evidence = look_at_text("a.cn", "<p>as it was"), *other = look_at_text("a.cn", "<p>another");
    ok(icp_evidence_verify(&faults, &count, reg, pool));
    ck_assert_int_eq(faults->nelts, 0);
    ck_assert_int_eq(count, 2);
    write_gzip(file_of(evidence), "<p>as it wax");
    check_altered(evidence, "has the SHA-256");
    write_gzip(file_of(evidence), "<p>as it was longer");
    check_altered(evidence, "longer");
    write_gzip(file_of(evidence), "<p>");
    check_altered(evidence, "shorter");
    overwrite(file_of(evidence), "no gzip");
    check_altered(evidence, "gzip");
    overwrite(file_of(evidence), "");
    check_altered(evidence, "gzip");
    ck_assert_int_eq(unlink(file_of(evidence)), 0);
    ck_assert_int_eq(symlink(file_of(other), file_of(evidence)), 0);
    check_altered(evidence, "symbolic link");
    ck_assert_int_eq(unlink(file_of(evidence)), 0);
    fails(icp_evidence_page(&bytes, reg, evidence, pool), ICP_NOT_FOUND, evidence->file + 2);

    /* Put back by the next look at the same page, with a warning where something else lay there. */
    overwrite(file_of(evidence), "no gzip");
    icp_log_install(keep_message, NULL);
    look_at_text("a.cn", "<p>as it was");
    ck_assert_ptr_nonnull(strstr(messages, "not as it was put there"));
    ok(icp_evidence_page(&bytes, reg, evidence, pool));
    ck_assert_str_eq(bytes, "<p>as it was");
}
END_TEST

START_TEST(test_a_folder_that_takes_no_file_loses_no_look)
{
    icp_evidence_totals_t totals;
    a_site();
    icp_log_install(keep_message, NULL);
    overwrite(apr_pstrcat(pool, folder, "/evidence", NULL), "a file");
    look_at_text("a.cn", "<p>x");
    ck_assert_ptr_nonnull(strstr(messages, "the page of a.cn is not kept as evidence, only its SHA-256"));
    icp_evidence_t *found = &APR_ARRAY_IDX(kept("a.cn"), 0, icp_evidence_t);
    ck_assert_str_eq(found->file, "");
    ck_assert_int_eq(found->kept, 0);
    ck_assert_int_eq(found->bytes, 4);
    ok(icp_evidence_totals(&totals, reg, pool));
    ck_assert_int_eq(totals.without_page, 1);
    ck_assert_str_eq(get_site("a.cn")->verdict, "missing");
}
END_TEST

START_TEST(test_prune_by_age)
{
    icp_evidence_t *old, *young, *shared;
    a_site();
    old = look_at_text("a.cn", "<p>old");
    shared = look_at_text("a.cn", "<p>shared");
    young = look_at_text("a.cn", "<p>shared");
    ck_assert_int_eq(prune(0).looks, 0);
    age(old, 181);
    age(shared, 181);
    reg->dry_run = 1;
    icp_pruned_t pruned = prune(0);
    ck_assert_int_eq(pruned.looks, 2);
    ck_assert_int_eq(pruned.files, 1);
    ck_assert_int_eq(files(), 2);
    ck_assert_int_eq(kept("a.cn")->nelts, 3);
    reg->dry_run = 0;
    pruned = prune(0);
    ck_assert_int_eq(pruned.looks, 2);
    ck_assert_int_eq(pruned.files, 1);
    ck_assert_int_eq(kept("a.cn")->nelts, 1);
    ck_assert_int_eq(access(file_of(young), F_OK), 0);
    ck_assert_int_ne(access(file_of(old), F_OK), 0);
    ck_assert(has_event("evidence.prune evidence null {\"days\":180,\"looks\":2"));
}
END_TEST

START_TEST(test_the_ground_of_an_open_suspension_stays)
{
    icp_evidence_t *first, *ground, *later;
    a_site();
    first = look_at_text("a.cn", "<p>1");
    ground = look_at_text("a.cn", "<p>2");
    ok(suspend("a.cn", "missing"));
    later = look_at_text("a.cn", "<p>3");
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), "UPDATE suspension SET opened_at = opened_at - 17280000", NULL, NULL, NULL), 0);
    age(first, 201);
    age(ground, 200);
    age(later, 190);
    ck_assert_int_eq(prune(0).looks, 2);
    icp_evidence_t *left = &APR_ARRAY_IDX(kept("a.cn"), 0, icp_evidence_t);
    ck_assert_int_eq(left->id, ground->id);
    ck_assert_int_eq(access(file_of(ground), F_OK), 0);
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), "UPDATE suspension SET closed_at = 1, closed_by = 'x'", NULL, NULL, NULL), 0);
    ck_assert_int_eq(prune(0).looks, 1);
    ck_assert_int_eq(files(), 0);
}
END_TEST

START_TEST(test_a_page_pruned_before_its_row_is_written_again)
{
    icp_received_t received = {.body = "<p>x", .length = 4};
    const char *bytes;
    a_site();
    recording_t recording = {.look = look("a.cn", ICP_MISSING, NULL)};
    ok(icp_evidence_keep(&recording.evidence, reg, recording.look, &received, pool));
    prune(0);
    ck_assert_int_eq(files(), 1); /* too young */
    ck_assert_int_eq(unlink(file_of(recording.evidence)), 0);
    ok(icp_register_change(reg, step_record, &recording, pool));
    ok(icp_evidence_page(&bytes, reg, &APR_ARRAY_IDX(kept("a.cn"), 0, icp_evidence_t), pool));
    ck_assert_str_eq(bytes, "<p>x");
}
END_TEST

START_TEST(test_leftovers_and_strangers)
{
    a_site();
    icp_evidence_t *evidence = look_at_text("a.cn", "<p>x");
    struct timespec then[2] = {{.tv_sec = time(NULL) - 30 * 86400}, {.tv_sec = time(NULL) - 30 * 86400}};
    const char *part = apr_psprintf(pool, "%s/evidence/%.2s", folder, evidence->file);
    const char *names[] = {"/.put-abc123", "/README"};
    for (int i = 0; i < 2; i++) {
        const char *file = apr_pstrcat(pool, part, names[i], NULL);
        overwrite(file, "half");
        ck_assert_int_eq(utimensat(AT_FDCWD, file, then, 0), 0);
    }
    ck_assert_int_eq(prune(0).files, 1);
    ck_assert_int_ne(access(apr_pstrcat(pool, part, names[0], NULL), F_OK), 0);
    ck_assert_int_eq(access(apr_pstrcat(pool, part, names[1], NULL), F_OK), 0);
}
END_TEST

START_TEST(test_lost_pages_are_forgotten_when_asked)
{
    apr_array_header_t *faults;
    int count;
    a_site();
    icp_evidence_t *evidence = look_at_text("a.cn", "<p>x");
    ck_assert_int_eq(unlink(file_of(evidence)), 0);
    ck_assert_int_eq(prune(0).lost, 0);
    ok(icp_evidence_verify(&faults, &count, reg, pool));
    ck_assert_int_eq(faults->nelts, 1);
    ck_assert_int_eq(prune(1).lost, 1);
    ok(icp_evidence_verify(&faults, &count, reg, pool));
    ck_assert_int_eq(faults->nelts + count, 0);
    ck_assert_int_eq(kept("a.cn")->nelts, 1);
    ck_assert(has_event("\"lost\":1"));
}
END_TEST

int main(void)
{
    return run_tests("evidence",
                     (const TTest *const[]){test_only_failing_looks_are_kept, test_kept_as_it_was, test_the_same_page_is_one_file,
                                            test_bound, test_what_was_altered_is_found,
                                            test_a_folder_that_takes_no_file_loses_no_look, test_prune_by_age,
                                            test_the_ground_of_an_open_suspension_stays,
                                            test_a_page_pruned_before_its_row_is_written_again, test_leftovers_and_strangers,
                                            test_lost_pages_are_forgotten_when_asked, NULL},
                     1);
}
