/* The intake, both halves: what was handed over comes out as it went in, oldest first and once; what else lies there is put away
 * and harms nothing; how an application stands is for the bearer of its token alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>
#include <unistd.h>

#include "intake.h"
#include "register_fixture.h"

#define PDF "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"

static const char *intake, *progress;
static icp_seal_t *seal;

static void setup(void)
{
    setup_register();
    intake = in_folder("intake");
    progress = in_folder("progress");
    ok(icp_seal_load(&seal, in_folder("intake.crt"), pool));
}

static const char *a_token(void)
{
    const char *token;
    ok(icp_token_make(&token, pool));
    return token;
}

static const char *an_id(int number)
{
    return apr_psprintf(pool, "%032x", number);
}

static icp_submission_t example(int number)
{
    apr_array_header_t *documents = apr_array_make(pool, 2, sizeof(icp_intake_document_t));
    *(icp_intake_document_t *)apr_array_push(documents) = (icp_intake_document_t){"id", "../../身份证.pdf", "application/pdf", PDF, sizeof PDF - 1};
    *(icp_intake_document_t *)apr_array_push(documents) = (icp_intake_document_t){"license", "b.pdf", "application/pdf", PDF, sizeof PDF - 2};
    return (icp_submission_t){an_id(number), ICP_INTAKE_SUBMIT, a_token(), apr_time_from_sec(apr_time_sec(apr_time_now())),
                              json_pack("{s:s, s:i}", "kind", "first", "number", number), documents};
}

static icp_submission_t submit(int number)
{
    icp_submission_t submission = example(number);
    ok(icp_intake_submit(NULL, intake, seal, &submission, pool));
    return submission;
}

/* What came out, and what the call-back says. */
static struct {
    int count, batches, leave, fail;
    icp_submission_t last;
    const char *order;
} seen;

static void look_at(const icp_submission_t *submission)
{
    seen.count++;
    seen.last = *submission;
    seen.last.id = apr_pstrdup(pool, submission->id);
    seen.last.token = apr_pstrdup(pool, submission->token);
    seen.last.form = json_deep_copy(submission->form);
    seen.order = apr_pstrcat(pool, seen.order ? seen.order : "", apr_psprintf(pool, "%ld ", strtol(submission->id, NULL, 16)), NULL);
    apr_array_header_t *documents = apr_array_copy(pool, submission->documents);
    for (int i = 0; i < documents->nelts; i++) {
        icp_intake_document_t *document = &APR_ARRAY_IDX(documents, i, icp_intake_document_t);
        document->bytes = apr_pmemdup(pool, document->bytes, document->length);
        document->name = apr_pstrdup(pool, document->name);
        document->kind = apr_pstrdup(pool, document->kind);
    }
    seen.last.documents = documents;
}

static icp_error_t *look(int *taken, const apr_array_header_t *submissions, void *baton, apr_pool_t *unused)
{
    if (seen.fail) return icp_error(unused, ICP_FAULT, NULL, "the register is gone");
    seen.batches++;
    for (int i = 0; i < submissions->nelts; i++) look_at(&APR_ARRAY_IDX(submissions, i, icp_submission_t));
    *taken = !seen.leave;
    return NULL;
}

static icp_intake_round_t take(void)
{
    icp_intake_round_t round;
    memset(&seen, 0, sizeof seen);
    ok(icp_intake_each(&round, path, look, NULL, pool));
    return round;
}

static int entries(const char *name)
{
    apr_dir_t *list;
    apr_finfo_t info;
    int count = -2;
    ck_assert_int_eq(apr_dir_open(&list, name, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, list) == APR_SUCCESS) count++;
    apr_dir_close(list);
    return count;
}

/* The one refusal of the round says so, nothing came out, and nothing is left. */
static void refused(const char *words)
{
    icp_intake_round_t round = take();
    ck_assert_int_eq(seen.count, 0);
    ck_assert_int_eq(round.refused->nelts, 1);
    const char *told = APR_ARRAY_IDX(round.refused, 0, const char *);
    ck_assert_msg(strstr(told, words) != NULL, "\"%s\" does not say \"%s\"", told, words);
    ck_assert_int_eq(entries(intake), 0);
}

static const char *entry(int number, const char *file)
{
    return apr_pstrcat(pool, intake, "/", an_id(number), ".ready", *file ? "/" : "", file, NULL);
}

static int run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char command[2048];
    int length = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    ck_assert_int_lt(length, sizeof command);
    return system(command);
}

START_TEST(test_folders)
{
    struct stat info;
    ok(icp_intake_inspect(path, pool));
    ck_assert(stat(intake, &info) == 0 && (info.st_mode & 07777) == 01730);
    ck_assert(stat(progress, &info) == 0 && (info.st_mode & 07777) == 0711);
    ck_assert_int_eq(chmod(intake, 0777), 0);
    fails(icp_intake_inspect(path, pool), ICP_DENIED, "mode 1730");
    ck_assert_int_eq(rmdir(progress), 0);
    ok(icp_intake_create(path, NULL, pool));
    ok(icp_intake_inspect(path, pool));
    ck_assert_int_eq(rmdir(progress), 0);
    ck_assert_ptr_nonnull(fails(icp_intake_inspect(path, pool), ICP_NOT_FOUND, "progress")->remedy);
    ck_assert_int_eq(symlink("/etc", progress), 0);
    ck_assert_ptr_nonnull(icp_intake_create(path, NULL, pool));
    fails(icp_intake_create(path, "no-such-user", pool), ICP_NOT_FOUND, "no-such-user");
}
END_TEST

START_TEST(test_round_trip)
{
    icp_submission_t sent = submit(1);
    icp_intake_round_t round = take();
    ck_assert(round.taken == 1 && round.left == 0 && round.refused->nelts == 0 && !round.more);
    ck_assert_str_eq(seen.last.id, sent.id);
    ck_assert_str_eq(seen.last.token, sent.token);
    ck_assert_int_eq(seen.last.action, ICP_INTAKE_SUBMIT);
    ck_assert_int_eq(seen.last.at, sent.at);
    ck_assert(json_equal(seen.last.form, sent.form));
    ck_assert_int_eq(seen.last.documents->nelts, 2);
    const icp_intake_document_t *document = &APR_ARRAY_IDX(seen.last.documents, 0, icp_intake_document_t);
    ck_assert_str_eq(document->kind, "id");
    ck_assert_str_eq(document->name, "../../身份证.pdf");
    ck_assert_str_eq(document->type, "application/pdf");
    ck_assert(document->length == sizeof PDF - 1 && !memcmp(document->bytes, PDF, document->length));
    ck_assert_int_eq(entries(intake), 0);
    take();
    ck_assert_int_eq(seen.count, 0);
}
END_TEST

START_TEST(test_withdraw)
{
    icp_submission_t withdrawal = {an_id(1), ICP_INTAKE_WITHDRAW, a_token(), apr_time_now(), NULL, NULL};
    ok(icp_intake_submit(NULL, intake, seal, &withdrawal, pool));
    take();
    ck_assert(seen.count == 1 && seen.last.action == ICP_INTAKE_WITHDRAW && !seen.last.form && !seen.last.documents->nelts);
}
END_TEST

START_TEST(test_nothing_readable)
{
    icp_submission_t sent = submit(1);
    ck_assert_int_ne(run("grep -rqa -e '%s' -e %%PDF -e first %s", sent.token, intake), 0);
    ck_assert_int_eq(run("test $(stat -c %%a %s) = 700 && test $(stat -c %%a %s) = 600", entry(1, ""), entry(1, "form")), 0);
}
END_TEST

/* The same submission twice is one: a double click. */
START_TEST(test_again)
{
    int again = 0;
    icp_submission_t sent = submit(1);
    ok(icp_intake_submit(&again, intake, seal, &sent, pool));
    ck_assert_int_eq(again, 1);
    take();
    ck_assert_int_eq(seen.count, 1);
}
END_TEST

START_TEST(test_oldest_first)
{
    static const int order[] = {3, 1, 2};
    for (int i = 0; i < 3; i++) {
        submit(order[i]);
        ck_assert_int_eq(utime(entry(order[i], ""), &(struct utimbuf){1000 + i, 1000 + i}), 0);
    }
    take();
    ck_assert_str_eq(seen.order, "3 1 2 ");
}
END_TEST

/* Many at a time, in their order; large ones do not pile up. */
START_TEST(test_batches)
{
    for (int i = 1; i <= 120; i++) {
        submit(i);
        if (i % 40 == 0) usleep(2000); /* the order of names is that of their time */
    }
    icp_intake_round_t round = take();
    ck_assert(round.taken == 120 && seen.count == 120 && seen.batches == 3);
    ck_assert_int_eq(entries(intake), 0);
}
END_TEST

START_TEST(test_left_and_failing)
{
    icp_intake_round_t round;
    submit(1);
    memset(&seen, 0, sizeof seen);
    seen.leave = 1;
    ok(icp_intake_each(&round, path, look, NULL, pool));
    ck_assert(round.left == 1 && round.taken == 0);
    seen.fail = 1;
    fails(icp_intake_each(&round, path, look, NULL, pool), ICP_FAULT, "the register is gone");
    take();
    ck_assert_int_eq(seen.count, 1);
}
END_TEST

START_TEST(test_drafts)
{
    const char *fresh = apr_pstrcat(pool, intake, "/", an_id(1), ".new", NULL), *stale = apr_pstrcat(pool, intake, "/", an_id(2), ".new", NULL);
    ck_assert_int_eq(run("mkdir %s %s && touch %s/form %s/document-0 && touch -d '2 hours ago' %s", fresh, stale, fresh, stale, stale), 0);
    icp_intake_round_t round = take();
    ck_assert(round.refused->nelts == 0 && icp_file_exists(fresh) && !icp_file_exists(stale));
}
END_TEST

START_TEST(test_strange_entries)
{
    static const char *const commands[] = {
        "ln -s /etc/passwd %s", "mkfifo %s", "touch %s", "ln -s /etc %s", "mkdir -p %s/$(seq -s/ 1 500)", "ln %s/../register.db %s", NULL};
    for (int i = 0; commands[i]; i++) {
        const char *name = apr_pstrcat(pool, intake, "/", i % 2 ? an_id(1) : "anything", i % 2 ? ".ready" : "", NULL);
        ck_assert_int_eq(run(commands[i], i == 5 ? intake : name, name), 0);
        refused("moved to intake.refused/");
    }
    const char *strange = apr_pstrcat(pool, intake, "/\x1b[31m\xff\n", NULL);
    ck_assert_int_eq(mkdir(strange, 0700), 0);
    icp_intake_round_t round = take();
    ck_assert_int_eq(round.refused->nelts, 1);
    ck_assert_ptr_null(strpbrk(APR_ARRAY_IDX(round.refused, 0, const char *), "\x1b\n\xff"));
    ck_assert_int_eq(run("mkdir %s/%s.new && mkdir %s/%s.new/a && touch -d '2 hours ago' %s/%s.new", intake, an_id(3), intake, an_id(3), intake, an_id(3)), 0);
    refused("never finished");
    ok(icp_intake_inspect(path, pool));
    ck_assert_int_ge(number(open_register()->db, "SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(test_strange_content)
{
    static const struct { const char *command, *words; } cases[] = {
        {"rm %1$s/form", "form is not there"},
        {"rm %1$s/document-1", "document-1 is not there"},
        {"rm %1$s/form && ln -s /etc/passwd %1$s/form", "form is no plain file"},
        {"rm %1$s/form && mkfifo %1$s/form", "form is no plain file"},
        {"rm %1$s/form && mkdir %1$s/form", "form is no plain file"},
        {"ln %1$s/form %1$s/../../again", "form has a second name"},
        {"chown nobody %1$s/form", "form belongs to another user"},
        {"chown nobody %1$s", "does not belong to the worker user"},
        {"truncate -s 100G %1$s/document-0", "document-0 is too large"},
        {"truncate -s 100G %1$s/form", "form is too large"},
        {"truncate -s 0 %1$s/form", "form cannot be opened"},
        {"head -c 2000 /dev/urandom > %1$s/form", "form cannot be opened"},
        {"cp %1$s/document-0 %1$s/form", "form is not what mod_icp writes"},
        {"cp %1$s/form %1$s/document-0", "document-0 is not the one"},
        {"mv %1$s/document-0 %1$s/x && mv %1$s/document-1 %1$s/document-0 && mv %1$s/x %1$s/document-1", "document-0 is not the one"},
        {NULL, NULL}};
    for (int i = 0; cases[i].command; i++) {
        submit(1);
        ck_assert_int_eq(run(cases[i].command, entry(1, "")), 0);
        refused(cases[i].words);
    }
    submit(1);
    ck_assert_int_eq(rename(entry(1, ""), entry(2, "")), 0); /* under another id */
    refused("form is not what mod_icp writes");
    submit(1);
    ck_assert_int_eq(run("cd %s && touch $(seq 1 5000)", entry(1, "")), 0); /* beside what belongs there */
    icp_intake_round_t round = take();
    ck_assert(seen.count == 1 && round.taken == 1 && round.refused->nelts == 1);
    ck_assert_int_eq(entries(intake), 0);
}
END_TEST

START_TEST(test_wrong_document)
{
    icp_submission_t submission = example(1);
    icp_intake_document_t *document = &APR_ARRAY_IDX(submission.documents, 0, icp_intake_document_t);
    document->bytes = "<html>";
    document->length = 6;
    ok(icp_intake_submit(NULL, intake, seal, &submission, pool));
    refused("no PDF, JPEG or PNG");
    document->bytes = PDF;
    document->length = sizeof PDF - 1;
    document->kind = "../../etc";
    ok(icp_intake_submit(NULL, intake, seal, &submission, pool));
    refused("not what mod_icp writes");
    submission = example(1);
    submission.token = "short";
    ok(icp_intake_submit(NULL, intake, seal, &submission, pool));
    refused("not what mod_icp writes");
    submission = example(1);
    submission.at = apr_time_now() + apr_time_from_sec(86400 * 365); /* no time machine */
    ok(icp_intake_submit(NULL, intake, seal, &submission, pool));
    take();
    ck_assert(seen.count == 1 && seen.last.at <= apr_time_now());
}
END_TEST

/* A good one among ten thousand others is not lost, and a round has an end. */
START_TEST(test_ten_thousand)
{
    int rounds = 0, refusals = 0, taken = 0, more = 1;
    ck_assert_int_eq(run("cd %s && seq -f '%%032.0f.ready' 1 10000 | xargs mkdir && touch -d '3 days ago' *", intake), 0);
    for (int i = 0; i < 5; i++) submit(0xabc000 + i);
    ck_assert_int_eq(entries(intake), 10005);
    for (; more; rounds++) {
        icp_intake_round_t round = take();
        refusals += round.refused->nelts;
        taken += round.taken;
        more = round.more;
    }
    ck_assert(rounds == 11 && refusals == 10000 && taken == 5);
    ck_assert_int_eq(entries(intake), 0);
}
END_TEST

START_TEST(test_room)
{
    ok(icp_intake_room(intake, 2, pool));
    submit(1);
    ok(icp_intake_room(intake, 2, pool));
    submit(2);
    fails(icp_intake_room(intake, 2, pool), ICP_REFUSED, "2 submissions wait");
    take();
    ok(icp_intake_room(intake, 2, pool));
    fails(icp_intake_room(in_folder("nowhere"), 2, pool), ICP_NOT_FOUND, "nowhere");
}
END_TEST

/* A disk that fills up in the middle: an error, and nothing left behind. */
START_TEST(test_full_disk)
{
    icp_submission_t submission = example(1);
    const char *small = in_folder("small");
    if (geteuid() != 0 || run("mkdir %s && mount -t tmpfs -o size=64k,nr_inodes=6 tmpfs %s 2>/dev/null", small, small) != 0) return;
    char *giant = apr_pcalloc(pool, 200000);
    memcpy(giant, "%PDF-1.4", 8);
    APR_ARRAY_IDX(submission.documents, 1, icp_intake_document_t).bytes = giant;
    APR_ARRAY_IDX(submission.documents, 1, icp_intake_document_t).length = 200000;
    icp_error_t *error = icp_intake_submit(NULL, small, seal, &submission, pool), *room = icp_intake_room(small, 1000, pool);
    int left = entries(small);
    ck_assert_int_eq(run("umount %s", small), 0);
    fails(error, ICP_FAULT, "cannot write a submission");
    fails(room, ICP_REFUSED, "nearly full");
    ck_assert_int_eq(left, 0);
}
END_TEST

START_TEST(test_progress)
{
    const char *token = a_token(), *other = a_token();
    json_t *state = json_pack("{s:s}", "state", "reviewing"), *found;
    fails(icp_intake_progress(&found, progress, token, pool), ICP_NOT_FOUND, "not there");
    ok(icp_intake_publish(path, token, state, pool));
    ok(icp_intake_progress(&found, progress, token, pool));
    ck_assert(json_equal(found, state));
    json_object_set_new(state, "state", json_string("filed"));
    ok(icp_intake_publish(path, token, state, pool));
    ok(icp_intake_progress(&found, progress, token, pool));
    ck_assert(json_equal(found, state));
    ck_assert_int_eq(entries(progress), 1);
    ck_assert_int_ne(run("grep -rqa -e '%s' -e filed %s", token, progress), 0);

    ok(icp_intake_publish(path, other, json_object(), pool));
    ck_assert_int_eq(run("cd %s && set -- * && mv $1 x && mv $2 $1 && mv x $2", progress), 0); /* each in the other's place */
    fails(icp_intake_progress(&found, progress, token, pool), ICP_REFUSED, "not sealed to this link");
    ok(icp_intake_unpublish(path, token, pool));
    ok(icp_intake_unpublish(path, token, pool));
    fails(icp_intake_progress(&found, progress, token, pool), ICP_NOT_FOUND, "not there");
}
END_TEST

START_TEST(test_tokens)
{
    json_t *found;
    static const char *const none[] = {"", "a", "../../../../../../../../etc/passwd", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL};
    for (int i = 0; none[i]; i++) {
        ck_assert(!icp_token_is(none[i]));
        fails(icp_intake_progress(&found, progress, none[i], pool), ICP_NOT_FOUND, "no link");
    }
    const char *token = a_token();
    ck_assert(icp_token_is(token));
    ck_assert_str_ne(token, a_token());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_folders, test_round_trip, test_withdraw, test_nothing_readable, test_again, test_oldest_first,
                                  test_batches, test_left_and_failing, test_drafts, test_strange_entries, test_strange_content, test_wrong_document,
                                  test_ten_thousand, test_room, test_full_disk, test_progress, test_tokens};
    apr_initialize();
    return run_suite("intake", tests, sizeof tests / sizeof *tests, setup);
}
