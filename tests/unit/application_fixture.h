/* Forms of every kind, and applications brought to where a test wants them, for the tests of applications. */
#ifndef APPLICATION_FIXTURE_H
#define APPLICATION_FIXTURE_H

#include "approval.h"
#include "intake.h"
#include "json.h"
#include "records_fixture.h"

#define USCC "91330100799655058B"
#define NUMBER "沪ICP备05012345号"

__attribute__((unused)) static apr_int64_t integer(const char *query)
{
    apr_int64_t value = -1;
    ok(icp_db_integer(&value, reg->db, query));
    return value;
}

__attribute__((unused)) static void alter(const char *statement)
{
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), statement, NULL, NULL, NULL), SQLITE_OK);
}

/* A form that passes the check, of a business; `hosts` of its one website, separated by spaces. */
static json_t *typed_form(const char *kind, const char *name, const char *uscc, const char *hosts)
{
    json_t *form = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}}", "kind", kind, "language", "zh", "holder", "kind",
                             "business", "name", name, "uscc", uscc, "contact", "name", "李四", "email", "li@example.cn", "mobile",
                             "13800138000");
    json_t *holder = json_object_get(form, "holder"), *website = json_object(), *names = json_array();
    int adds = !strcmp(kind, "first") || !strcmp(kind, "website") || !strcmp(kind, "access");
    if (!strcmp(kind, "first") || !strcmp(kind, "change")) {
        json_object_set_new(holder, "province", json_string("沪"));
        json_object_set_new(holder, "address", json_string("上海市浦东新区世纪大道1号101室"));
        json_object_set_new(holder, "representative", json_string("张三"));
    }
    if (strcmp(kind, "first")) json_object_set_new(form, "license", json_string(NUMBER));
    if (!adds) json_object_set_new(form, "reason", json_string("不再使用"));
    apr_array_header_t *words = list(hosts);
    for (int i = 0; i < words->nelts; i++) json_array_append_new(names, json_string(APR_ARRAY_IDX(words, i, const char *)));
    json_object_set_new(website, "hosts", names);
    if (adds) {
        json_object_set_new(website, "name", json_string("龙井茶叶店"));
        json_object_set_new(website, "category", json_string("commerce"));
        json_object_set_new(website, "person", json_string("李四"));
    }
    if (words->nelts) json_object_set_new(form, "websites", json_pack("[o]", website));
    else json_decref(website);
    return icp_json_keep(form, pool);
}

/* As icp_form_check leaves it. */
__attribute__((unused)) static const json_t *form_of(const char *kind, const char *name, const char *uscc, const char *hosts)
{
    json_t *clean;
    apr_array_header_t *issues;
    icp_form_check(&clean, &issues, typed_form(kind, name, uscc, hosts), pool);
    ok(icp_form_error(issues, pool));
    return clean;
}

typedef struct doing_t {
    const json_t *form;
    icp_application_t *application;
    icp_application_act_t act;
    icp_approval_t *approval;
} doing_t;

static icp_error_t *do_add(icp_register_t *r, void *baton, apr_pool_t *unused)
{
    doing_t *doing = baton;
    const char *token;
    ok(icp_token_make(&token, pool));
    return icp_application_add(&doing->application, r, doing->form, token, r->now, ICP_BY_CLIENT, pool);
}

static icp_error_t *do_step(icp_register_t *r, void *baton, apr_pool_t *unused)
{
    doing_t *doing = baton;
    return icp_application_step(r, doing->application, &doing->act, pool);
}

static icp_error_t *do_approve(icp_register_t *r, void *baton, apr_pool_t *unused)
{
    doing_t *doing = baton;
    ICP_TRY(icp_application_by_id(&doing->application, r, doing->application->id, pool));
    return icp_approval_make(r, doing->application, doing->approval, pool);
}

__attribute__((unused)) static icp_error_t *add_application(icp_application_t **application, const json_t *form)
{
    doing_t doing = {.form = form};
    icp_error_t *error = icp_register_change(reg, do_add, &doing, pool);
    *application = doing.application;
    return error;
}

static icp_error_t *step(icp_application_t *application, icp_app_step_e which, unsigned by)
{
    doing_t doing = {.application = application, .act = {.step = which, .by = by}};
    doing.act.reasons = icp_reasons_of(ICP_REJECTION_PHONE, pool);
    return icp_register_change(reg, do_step, &doing, pool);
}

/* A new application that the bureau has in review. */
__attribute__((unused)) static icp_application_t *at_bureau(const json_t *form)
{
    icp_application_t *application;
    ok(add_application(&application, form));
    ok(step(application, ICP_APP_DO_REVIEW, ICP_BY_STAFF));
    ok(step(application, ICP_APP_DO_FILE, ICP_BY_STAFF));
    if (!icp_app_cancels(application->kind)) ok(step(application, ICP_APP_DO_SMS, ICP_BY_STAFF));
    ok(step(application, ICP_APP_DO_CONFIRM, ICP_BY_STAFF));
    ok(step(application, ICP_APP_DO_BUREAU, ICP_BY_STAFF));
    return application;
}

/* `websites`: "NAME=-1 NAME=-2"; NULL for none. */
__attribute__((unused)) static icp_error_t *approve(icp_approval_t *result, icp_application_t *application, const char *number,
                                                    const char *websites)
{
    apr_array_header_t *words = list(websites), *given = apr_array_make(pool, 2, sizeof(icp_approval_website_t));
    for (int i = 0; i < words->nelts; i++) {
        char *text = apr_pstrdup(pool, APR_ARRAY_IDX(words, i, const char *)), *equals = strchr(text, '=');
        *equals = '\0';
        APR_ARRAY_PUSH(given, icp_approval_website_t) = (icp_approval_website_t){text, equals + 1};
    }
    *result = (icp_approval_t){.number = number, .websites = given};
    doing_t doing = {.application = application, .approval = result};
    icp_error_t *error = icp_register_change(reg, do_approve, &doing, pool);
    *application = *doing.application;
    return error;
}

#endif
