/* From the intake into applications: everything that clients can send, once each whatever happens; what the clock does; what clients
 * see; what a purge leaves. */
#include "application_fixture.h"
#include "crash_fixture.h"

#include <sys/stat.h>
#include <utime.h>

#include "application_document.h"
#include "progress.h"
#include "purge.h"
#include "register_files.h"
#include "takeover.h"

#define PDF "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"

static int submissions;

/* `documents`: "license id domain-certificate"; NULL for none. Returns the token. */
static const char *send_as(icp_intake_action_e action, const char *token, json_t *form, const char *documents)
{
    icp_seal_t *seal;
    apr_array_header_t *words = list(documents), *sent = apr_array_make(pool, 3, sizeof(icp_intake_document_t));
    for (int i = 0; i < words->nelts; i++) {
        const char *kind = APR_ARRAY_IDX(words, i, const char *), *bytes = apr_pstrcat(pool, PDF, NULL);
        APR_ARRAY_PUSH(sent, icp_intake_document_t) =
            (icp_intake_document_t){kind, "../../x.pdf", "application/pdf", bytes, sizeof PDF - 1 - (i == 1)};
    }
    if (!token) ok(icp_token_make(&token, pool));
    icp_submission_t submission = {apr_psprintf(pool, "%032x", ++submissions), action, token, apr_time_now(), form, sent};
    ok(icp_seal_load(&seal, apr_pstrcat(pool, folder, "/intake.crt", NULL), pool));
    ok(icp_intake_submit(NULL, apr_pstrcat(pool, folder, "/intake", NULL), seal, &submission, pool));
    return token;
}

#define ALL_DOCUMENTS "license id domain-certificate"

static const char *submit(const char *name, const char *uscc, const char *host)
{
    return send_as(ICP_INTAKE_SUBMIT, NULL, typed_form("first", name, uscc, host), ALL_DOCUMENTS);
}

static icp_takeover_t pull(void)
{
    icp_takeover_t result;
    ok(icp_takeover(&result, reg, pool));
    return result;
}

static icp_application_t *of(const char *token)
{
    icp_application_t *application;
    ok(icp_application_by_token(&application, reg, token, pool));
    return application;
}

static const char *state_of(const char *token)
{
    icp_application_t *application = of(token);
    return application ? icp_app_states[application->state].name : "";
}

/* What the bearer of the link sees. */
static const json_t *page(const char *token)
{
    json_t *state;
    ok(icp_intake_progress(&state, apr_pstrcat(pool, folder, "/progress", NULL), token, pool));
    return state;
}

static const char *seen(const char *token, const char *path)
{
    return icp_form_value(page(token), path);
}

static int is_in_file(const char *file, const char *word)
{
    return system(apr_psprintf(pool, "grep -aq -- '%s' %s/%s", word, folder, file)) == 0;
}

static int files_in(const char *name)
{
    FILE *pipe = popen(apr_psprintf(pool, "find %s/%s -type f | wc -l", folder, name), "r");
    int count = -1;
    ck_assert_int_eq(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

START_TEST(test_new)
{
    apr_array_header_t *documents;
    const char *token = submit("甲公司", USCC, "tea.cn");
    icp_takeover_t result = pull();
    ck_assert_int_eq(result.added, 1);
    ck_assert_str_eq(state_of(token), "received");
    ok(icp_application_documents(&documents, reg, of(token)->id, pool));
    ck_assert_int_eq(documents->nelts, 3);
    ck_assert_int_eq(files_in("documents"), 2); /* two have the same bytes */
    ck_assert_int_eq(files_in("intake"), 0);
    ck_assert_str_eq(seen(token, "reference"), "APP-000001");
    ck_assert_str_eq(seen(token, "next.zh"), "我们将进行初审，您暂时无需操作。");
    ck_assert(json_is_true(json_object_get(page(token), "withdrawable")));
    ck_assert(has_event("application.add APP-000001 null {\"kind\":\"first\",\"state\":\"received\"}"));
    ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.add' AND actor = 'applicant'"), 1);
    ck_assert_int_eq(pull().added, 0);
}
END_TEST

START_TEST(test_what_cannot_be_taken_is_answered)
{
    const char *first = submit("甲公司", USCC, "tea.cn"), *second = submit("甲公司", USCC, "cup.cn");
    json_t *form = json_deep_copy(typed_form("first", "乙公司", "91110000802100433B", "pot.cn"));
    json_object_set_new(json_object_get(form, "contact"), "email", json_string("x\r\nBcc: all@example.cn"));
    const char *wrong = send_as(ICP_INTAKE_SUBMIT, NULL, form, ALL_DOCUMENTS);
    const char *bare = send_as(ICP_INTAKE_SUBMIT, NULL, typed_form("first", "丙公司", "91310000MA1FL0000X", "jar.cn"), "id");
    icp_takeover_t result = pull();
    ck_assert_int_eq(result.added, 1);
    ck_assert_int_eq(result.refused, 3);
    ck_assert_str_eq(state_of(first), "received");
    ck_assert_str_eq(state_of(second), "refused");
    ck_assert_str_eq(seen(second, "reasons.0.en"), "This holder has another application that is not finished.");
    ck_assert_ptr_null(strstr(seen(second, "reasons.0.en"), "APP-"));
    ck_assert_str_eq(seen(wrong, "reasons.0.field"), "contact.email");
    ck_assert_str_eq(of(wrong)->email, "");
    ck_assert_str_eq(state_of(bare), "refused");
    ck_assert_int_eq(files_in("documents"), 2); /* of the first alone */
    ck_assert_int_eq(files_in("intake"), 0);
}
END_TEST

START_TEST(test_correction_and_withdrawal)
{
    const char *token = submit("甲公司", USCC, "tea.cn");
    json_t *form = typed_form("first", "甲公司", USCC, "better.cn");
    pull();
    send_as(ICP_INTAKE_CORRECT, token, form, NULL); /* too early: nobody returned it */
    send_as(ICP_INTAKE_CORRECT, NULL, form, NULL);  /* a guessed link */
    send_as(ICP_INTAKE_WITHDRAW, NULL, NULL, NULL);
    send_as(ICP_INTAKE_SUBMIT, token, form, ALL_DOCUMENTS); /* the same link again */
    ck_assert_int_eq(pull().dropped, 4);
    ck_assert_str_eq(icp_form_value(of(token)->form, "websites.0.hosts.0"), "tea.cn");

    ok(step(of(token), ICP_APP_DO_REVIEW, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_RETURN, ICP_BY_STAFF));
    ok(icp_progress_publish(NULL, reg, pool));
    ck_assert_str_eq(seen(token, "state"), "returned");
    ck_assert_str_eq(seen(token, "form.websites.0.hosts.0"), "tea.cn");
    ck_assert_ptr_nonnull(strstr(seen(token, "reasons.0.suggestion_zh"), "手机"));

    json_t *wrong = json_deep_copy(form);
    json_object_set_new(json_object_get(wrong, "holder"), "uscc", json_string("1"));
    send_as(ICP_INTAKE_CORRECT, token, wrong, NULL);
    ck_assert_int_eq(pull().refused, 1);
    ck_assert_str_eq(seen(token, "state"), "returned");
    ck_assert_str_eq(seen(token, "reasons.0.field"), "holder.uscc");

    send_as(ICP_INTAKE_CORRECT, token, form, "id");
    ck_assert_int_eq(pull().corrected, 1);
    ck_assert_str_eq(state_of(token), "corrected");
    ck_assert_str_eq(icp_form_value(of(token)->form, "websites.0.hosts.0"), "better.cn");
    ck_assert_int_eq(integer("SELECT count(*) FROM private.document"), 3);

    send_as(ICP_INTAKE_WITHDRAW, token, NULL, NULL);
    ck_assert_int_eq(pull().withdrawn, 1);
    ck_assert_str_eq(seen(token, "state"), "withdrawn");
    ck_assert_int_eq(pull().withdrawn, 0);
    ck_assert(!has_event("13800138000")); /* nothing of it in the log */
    ck_assert(!has_event(token));
    submit("甲公司", USCC, "tea.cn"); /* the way is free again */
    ck_assert_int_eq(pull().added, 1);
}
END_TEST

/* From two windows, say: both were sent while it could be corrected, and what was sent last holds. */
START_TEST(test_corrections_that_cross)
{
    const char *token = submit("甲公司", USCC, "tea.cn");
    pull();
    ok(step(of(token), ICP_APP_DO_REVIEW, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_RETURN, ICP_BY_STAFF));
    ck_assert_int_eq(integer("SELECT bytes FROM private.document WHERE kind = 'id'"), sizeof PDF - 2);
    send_as(ICP_INTAKE_CORRECT, token, typed_form("first", "甲公司", USCC, "good.cn"), "id");
    send_as(ICP_INTAKE_CORRECT, token, typed_form("first", "甲公司", USCC, "better.cn"), NULL);
    icp_takeover_t result = pull();
    ck_assert_int_eq(result.corrected, 2);
    ck_assert_int_eq(result.dropped, 0);
    ck_assert_str_eq(state_of(token), "corrected");
    ck_assert_str_eq(icp_form_value(of(token)->form, "websites.0.hosts.0"), "better.cn");
    ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.correct' AND actor = 'applicant'"), 2);
    ck_assert(!json_is_true(json_object_get(page(token), "editable")));
    ck_assert_int_eq(integer("SELECT count(*) FROM private.document"), 3);
    ck_assert_int_eq(integer("SELECT bytes FROM private.document WHERE kind = 'id'"), sizeof PDF - 1); /* the one that came with the first */

    send_as(ICP_INTAKE_CORRECT, token, typed_form("first", "甲公司", USCC, "late.cn"), NULL);
    ck_assert_int_eq(pull().dropped, 1);
}
END_TEST

START_TEST(test_not_from_the_bureau)
{
    const char *token = submit("甲公司", USCC, "tea.cn");
    pull();
    ok(step(of(token), ICP_APP_DO_REVIEW, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_FILE, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_SMS, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_CONFIRM, ICP_BY_STAFF));
    ok(step(of(token), ICP_APP_DO_BUREAU, ICP_BY_STAFF));
    send_as(ICP_INTAKE_WITHDRAW, token, NULL, NULL);
    ck_assert_int_eq(pull().dropped, 1);
    ck_assert_str_eq(state_of(token), "bureau-review");
    fails(step(of(token), ICP_APP_DO_WITHDRAW, ICP_BY_STAFF), ICP_REFUSED, "withdraw is not possible");
}
END_TEST

START_TEST(test_clock)
{
    const char *late = submit("甲公司", USCC, "tea.cn"), *rejected = submit("乙公司", "91110000802100433B", "cup.cn");
    pull();
    for (int i = 0; i < 2; i++) {
        ok(step(of(i ? late : rejected), ICP_APP_DO_REVIEW, ICP_BY_STAFF));
        ok(step(of(i ? late : rejected), ICP_APP_DO_FILE, ICP_BY_STAFF));
        ok(step(of(i ? late : rejected), ICP_APP_DO_SMS, ICP_BY_STAFF));
    }
    ok(step(of(rejected), ICP_APP_DO_CONFIRM, ICP_BY_STAFF));
    ok(step(of(rejected), ICP_APP_DO_BUREAU, ICP_BY_STAFF));
    ok(step(of(rejected), ICP_APP_DO_REJECT, ICP_BY_STAFF));
    ck_assert_int_eq(pull().expired, 0);
    alter("UPDATE private.application SET state_at = state_at - 23 * 3600, due_from = due_from - 23 * 3600");
    ck_assert_int_eq(pull().expired, 0);
    alter("UPDATE private.application SET state_at = state_at - 2 * 3600, due_from = due_from - 2 * 3600");
    ck_assert_int_eq(pull().expired, 1);
    ck_assert_str_eq(state_of(late), "returned");
    ck_assert_ptr_nonnull(strstr(seen(late, "reasons.0.zh"), "短信核验"));
    alter("UPDATE private.application SET state_at = state_at - 46 * 86400, due_from = due_from - 46 * 86400 WHERE state = 'rejected'");
    ck_assert_int_eq(pull().expired, 1);
    ck_assert_str_eq(state_of(rejected), "expired");
    ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.expire' AND actor = 'clock'"), 2);
}
END_TEST

/* What comes from the worker's side and is no submission goes out of the way; the good one beside it is taken. */
START_TEST(test_hostile)
{
    static const char *const junk[] = {
        "cd %s/intake && d=%032x.ready && mkdir $d && head -c 1000 /dev/zero > $d/form",
        "ln -s /etc/passwd %s/intake/%032x.ready", "mkfifo %s/intake/%032x.ready", "touch %s/intake/%032x.ready",
    };
    for (int i = 0; i < 4; i++) ck_assert_int_eq(system(apr_psprintf(pool, junk[i], folder, 0xabc0 + i)), 0);
    const char *token = submit("甲'); DROP TABLE site; --", USCC, "tea.cn");
    icp_takeover_t result = pull();
    ck_assert_int_eq(result.added, 1);
    ck_assert_int_eq(result.unreadable->nelts, 4);
    ck_assert_str_eq(of(token)->holder, "甲'); DROP TABLE site; --");
    ck_assert_int_eq(integer("SELECT count(*) FROM site"), 0);
}
END_TEST

/* One that cannot be taken keeps no other from it; and once it can, each was taken once. */
START_TEST(test_one_that_fails_among_many)
{
    icp_takeover_t result;
    const char *names[] = {"甲公司", "乙公司", "丙公司"}, *codes[] = {USCC, "91110000802100433B", "91310000775785552L"}, *tokens[3];
    for (int i = 0; i < 3; i++) {
        tokens[i] = submit(names[i], codes[i], apr_psprintf(pool, "s%d.cn", i));
        usleep(2000); /* they are taken in the order of their time */
    }
    alter("CREATE TEMP TRIGGER trap BEFORE INSERT ON private.application WHEN NEW.holder = '乙公司' BEGIN SELECT RAISE(ABORT, 'trapped'); END");
    fails(icp_takeover(&result, reg, pool), ICP_REFUSED, "trapped");
    ck_assert_str_eq(state_of(tokens[0]), "received");
    ck_assert_ptr_null(of(tokens[1]));
    alter("DROP TRIGGER trap");
    ck_assert_int_eq(pull().added, 2);
    for (int i = 0; i < 3; i++) ck_assert_str_eq(seen(tokens[i], "state"), "received");
    ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.add'"), 3);
    ck_assert_int_eq(files_in("intake"), 0);
}
END_TEST

static void pull_once(void)
{
    icp_takeover_t result;
    icp_register_t *other;
    if (icp_register_open(&other, reg->path, "tester", pool) || icp_takeover(&result, other, pool)) _exit(2);
}

/* Whichever call it ends at, the next pull leaves what an undisturbed one leaves. */
static void end_anywhere(int *ended)
{
    int came = 1, n = 0;
    while (came > 0) {
        const char *token = submit("甲公司", USCC, "tea.cn"), *other = send_as(ICP_INTAKE_SUBMIT, NULL, typed_form("first", "乙公司", "91110000802100433B", "cup.cn"), NULL);
        icp_register_disconnect(reg); /* no connection goes through a fork */
        came = run_to(++n, ended, pull_once);
        ok(icp_register_open(&reg, reg->path, "tester", pool));
        if (came < 0) return; /* processes cannot be traced here */
        pull();
        ck_assert_msg(!strcmp(state_of(token), "received"), "call %d: %s", n, state_of(token));
        ck_assert_int_eq(integer("SELECT count(*) FROM private.document WHERE application_id = (SELECT max(application_id) FROM private.document)"), 3);
        ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.add'"), n);
        ck_assert_int_eq(integer("SELECT count(*) FROM private.event WHERE action = 'application.refuse'"), n);
        ck_assert_str_eq(seen(token, "state"), "received");
        ck_assert_str_eq(seen(other, "state"), "refused"); /* it has no documents */
        ck_assert_int_eq(files_in("intake"), 0);
        ck_assert_int_eq(files_in("documents"), 2);
        ok(step(of(token), ICP_APP_DO_WITHDRAW, ICP_BY_CLIENT));
    }
    ck_assert_int_gt(n, 20);
}

KILLED_AND_FAILING(end_anywhere, test_killed_anywhere, test_disk_fails_anywhere)

START_TEST(test_dry_run_takes_nothing)
{
    const char *token = submit("甲公司", USCC, "tea.cn");
    reg->dry_run = 1;
    ck_assert_int_eq(pull().added, 1);
    reg->dry_run = 0;
    ck_assert_ptr_null(of(token));
    ck_assert_int_eq(pull().added, 1);
}
END_TEST

static icp_purge_t purge(apr_int64_t days)
{
    icp_purge_t result;
    ok(icp_purge(&result, reg, days, pool));
    return result;
}

static void make_old(void)
{
    ck_assert_int_eq(system(apr_psprintf(pool, "find %s/documents -type f -exec touch -d '2 hours ago' {} +", folder)), 0);
    alter("UPDATE private.application SET state_at = state_at - 86400 * 400 WHERE state = 'withdrawn'");
}

START_TEST(test_purge)
{
    json_t *form = json_deep_copy(typed_form("first", "王小明同学", USCC, "tea.cn"));
    json_t *holder = json_object_get(form, "holder");
    json_object_set_new(holder, "kind", json_string("person"));
    json_object_del(holder, "uscc");
    json_object_del(holder, "representative");
    json_object_set_new(holder, "id_number", json_string("11010519491231002X"));
    const char *gone = send_as(ICP_INTAKE_SUBMIT, NULL, form, "id domain-certificate");
    const char *open = submit("乙公司", "91110000802100433B", "cup.cn");
    ck_assert_int_eq(pull().added, 2);
    ok(step(of(gone), ICP_APP_DO_WITHDRAW, ICP_BY_CLIENT));
    make_old();
    ck_assert(is_in_file("private.db", "11010519491231002X"));

    reg->dry_run = 1;
    ck_assert_int_eq(purge(365).references->nelts, 1);
    reg->dry_run = 0;
    ck_assert_str_eq(state_of(gone), "withdrawn");
    ck_assert_int_eq(purge(401).references->nelts, 0);

    ck_assert_int_eq(purge(365).references->nelts, 1);
    static const char *const personal[] = {"11010519491231002X", "王小明同学"};
    for (int i = 0; i < 2; i++) ck_assert_msg(!is_in_file("private.db", personal[i]), "%s is left", personal[i]);
    ck_assert(!is_in_file("private.db", gone));
    ck_assert_ptr_null(of(gone));
    json_t *state;
    fails(icp_intake_progress(&state, apr_pstrcat(pool, folder, "/progress", NULL), gone, pool), ICP_NOT_FOUND, "not there");
    ck_assert_int_eq(integer("SELECT count(*) FROM private.document WHERE application_id = 1"), 0);
    ck_assert_int_eq(integer("SELECT state = 'withdrawn' AND form = '' AND email = '' FROM private.application WHERE id = 1"), 1);
    ck_assert(has_event("application.withdraw APP-000001"));
    ck_assert(has_event("application.purge APP-000001"));
    ck_assert_str_eq(state_of(open), "received"); /* what is not finished stays */
    ck_assert_int_eq(purge(0).references->nelts, 0);
}
END_TEST

START_TEST(test_purge_removes_documents_that_nobody_needs)
{
    const char *token = submit("甲公司", USCC, "tea.cn");
    pull();
    ok(step(of(token), ICP_APP_DO_WITHDRAW, ICP_BY_CLIENT));
    ck_assert_int_eq(purge(0).files, 0); /* it is of this second: not over yet */
    make_old();
    ck_assert_int_eq(purge(365).files, 2);
    ck_assert_int_eq(files_in("documents"), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_new, test_what_cannot_be_taken_is_answered, test_correction_and_withdrawal, test_corrections_that_cross,
                                  test_not_from_the_bureau, test_clock, test_hostile, test_one_that_fails_among_many, test_killed_anywhere, test_disk_fails_anywhere,
                                  test_dry_run_takes_nothing, test_purge, test_purge_removes_documents_that_nobody_needs, NULL};
    return run_tests("takeover", tests, 1);
}
