/* A register in a folder of its own for the tests of the records: each call below is one change. */
#ifndef RECORDS_FIXTURE_H
#define RECORDS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "audit.h"
#include "holder.h"
#include "license.h"
#include "site.h"

static apr_pool_t *pool;
static const char *folder;
static icp_register_t *reg;

static inline void ok(const icp_error_t *error)
{
    ck_assert_msg(!error, "%s", error ? error->message : "");
}

/* The error has this status, its message holds `word`, and a refusal says what would make it succeed. */
static inline void fails(const icp_error_t *error, icp_status_e status, const char *word)
{
    ck_assert_msg(error != NULL, "nothing was refused; expected: %s", word);
    ck_assert_msg(error->status == status, "status %d: %s", error->status, error->message);
    ck_assert_msg(strstr(error->message, word) != NULL, "'%s' is not in: %s", word, error->message);
}

static inline void open_register(void)
{
    apr_pool_create(&pool, NULL);
    char *template = apr_pstrcat(pool, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", "/icp-records-XXXXXX", NULL);
    folder = mkdtemp(template); /* in memory: what a test makes durable costs nothing there */
    ck_assert_ptr_nonnull(folder);
    const char *path = apr_pstrcat(pool, folder, "/register.db", NULL);
    ok(icp_register_create(path, NULL, "tester", pool));
    ok(icp_register_open(&reg, path, "tester", pool));
}

static inline void remove_register(void)
{
    const char *command = apr_psprintf(pool, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
    apr_pool_destroy(pool);
}

/* "a b" → {"a", "b"}; NULL for none. */
static inline apr_array_header_t *list(const char *words)
{
    apr_array_header_t *array = apr_array_make(pool, 2, sizeof(const char *));
    char *last, *copy = words ? apr_pstrdup(pool, words) : NULL;
    for (char *word = copy ? apr_strtok(copy, " ", &last) : NULL; word; word = apr_strtok(NULL, " ", &last)) {
        APR_ARRAY_PUSH(array, const char *) = word;
    }
    return array;
}

static inline const char *joined(const apr_array_header_t *array)
{
    return apr_array_pstrcat(pool, array, ' ');
}

/* A look at the site's home page made now, which saw `shown` (NULL: no number). */
static inline icp_look_t *look(const char *site, icp_verdict_e verdict, const char *shown)
{
    icp_look_t *made = apr_pcalloc(pool, sizeof *made);
    icp_page_report_t *seen = apr_pcalloc(pool, sizeof *seen);
    icp_inspection_t *inspection = apr_pcalloc(pool, sizeof *inspection);
    seen->charset = "utf-8";
    seen->mentions = apr_array_make(pool, 1, sizeof(icp_mention_t));
    *inspection = (icp_inspection_t){.verdict = verdict, .matched = shown, .seen = seen, .displayed = list(shown)};
    if (verdict == ICP_UNREADABLE) inspection->unreadable = ICP_UNREADABLE_SCRIPT;
    icp_site_t *read = NULL;
    ok(icp_site_get(&read, reg, site, pool));
    *made = (icp_look_t){.site = site, .site_id = read->id, .enabled = read->enabled, .at = apr_time_now(), .url = "http://a.cn/",
                         .address = "127.0.0.1:80", .status = 200, .inspection = inspection};
    if (read->suspension) made->case_id = read->suspension->id;
    return made;
}

typedef struct step_t {
    const char *a, *b, *c;
    void *data;
    int flag;
} step_t;

static inline icp_error_t *step_holder_add(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_holder_add(r, ((step_t *)baton)->data, p);
}

static inline icp_error_t *step_holder_edit(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_holder_edit(r, ((step_t *)baton)->data, p);
}

static inline icp_error_t *step_license_add(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    icp_license_t *license;
    return icp_license_add(&license, r, step->a, step->b, step->c, p);
}

static inline icp_error_t *step_license_end(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    return icp_license_end(r, step->a, step->b, step->c, step->data, pool);
}

static inline icp_error_t *step_reinstate(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_license_reinstate(r, ((step_t *)baton)->a, NULL, p);
}

static inline icp_error_t *step_site_add(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_site_add(r, ((step_t *)baton)->data, p);
}

static inline icp_error_t *step_site_edit(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_site_edit(r, ((step_t *)baton)->data, p);
}

static inline icp_error_t *step_site_remove(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_site_remove(r, ((step_t *)baton)->a, NULL, p);
}

static inline icp_error_t *step_suspend(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    icp_suspension_t *suspension;
    return icp_suspension_open(&suspension, r, step->a, step->b, step->c, p);
}

static inline icp_error_t *step_close(icp_register_t *r, void *baton, apr_pool_t *p)
{
    return icp_suspension_close(r, ((step_t *)baton)->a, ((step_t *)baton)->data, p);
}

static inline icp_error_t *step_attest(icp_register_t *r, void *baton, apr_pool_t *p)
{
    step_t *step = baton;
    return icp_suspension_attest(r, step->a, step->data, step->b, step->c, p);
}

static inline icp_error_t *change(icp_change_fn *fn, step_t step)
{
    return icp_register_change(reg, fn, &step, pool);
}

static inline icp_error_t *add_license(const char *number, const char *holder, const char *uscc)
{
    return change(step_license_add, (step_t){.a = number, .b = holder, .c = uscc});
}

static inline icp_error_t *add_site(const char *name, const char *hosts, const char *numbers, int serve_unlicensed)
{
    icp_site_t *site = apr_pcalloc(pool, sizeof *site);
    *site = (icp_site_t){
        .name = name, .hosts = list(hosts), .numbers = list(numbers), .serve_unlicensed = serve_unlicensed};
    return change(step_site_add, (step_t){.data = site});
}

static inline icp_error_t *suspend(const char *site, const char *reason)
{
    return change(step_suspend, (step_t){.a = site, .b = reason});
}

static inline icp_site_t *get_site(const char *name)
{
    icp_site_t *site;
    ok(icp_site_get(&site, reg, name, pool));
    return site;
}

static inline const char *suspended_for(const char *name)
{
    icp_site_t *site = get_site(name);
    return site->suspension ? site->suspension->reason : "";
}

static inline icp_error_t *append_event(const icp_event_t *event, void *baton, apr_pool_t *p)
{
    const char **text = baton;
    *text = apr_pstrcat(pool, *text, event->action, " ", event->subject, " ", event->before, " ", event->after, " ",
                        event->note, "\n", NULL);
    return NULL;
}

/* The whole log, one event a line. */
static inline const char *audit_text(void)
{
    const char *text = "";
    ok(icp_audit_each(reg, NULL, append_event, &text, pool));
    return text;
}

static inline int has_event(const char *line_part)
{
    return strstr(audit_text(), line_part) != NULL;
}

/* What main of a test program does: the named tests of one suite. */
static inline int run_tests(const char *name, const TTest *const *tests, int fixture)
{
    apr_initialize();
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    if (fixture) tcase_add_checked_fixture(tcase, open_register, remove_register);
    tcase_set_timeout(tcase, 600);
    for (; *tests; tests++) tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
