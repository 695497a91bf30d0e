/* The handler: which page a request gets, and what is done with what it sends. */
#include "apply.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_script.h>

#include "apply_guard.h"
#include "apply_typed.h"
#include "negotiate.h"
#include "register.h"
#include "upload.h"

APLOG_USE_MODULE(icp);

#define HANDLER "icp-apply"
#define ATTEMPTS_PER_SUBMISSION 10
#define WAITING_MAX 2000 /* submissions in the intake */
#define FRESH 86400      /* seconds that "sent" is believed */

/* Words for all of a page. */
typedef enum problem_e { P_FOREIGN, P_EXPIRED, P_OFTEN, P_FULL, P_BUSY, P_BROKEN, P_LARGE, P_NO_LONGER, P_UNSURE } problem_e;

static const icp_words_t problems[] = {
    [P_FOREIGN] = {"This form was sent by another website's page, so it was not taken. Open it here and send it again.",
                   "该请求来自其他网站的页面，未被接收。请在本页打开表单后重新提交。"},
    [P_EXPIRED] = {"This form had been open too long, or your browser accepts no cookies. What you typed is still here: please send it again.",
                   "页面已过期，或浏览器未启用 Cookie。您填写的内容仍在，请再次提交。"},
    [P_OFTEN] = {"There were too many submissions from your address. What you typed is still here: please send it again in an hour.",
                 "您所在的网络地址提交次数过多。您填写的内容仍在，请一小时后再提交。"},
    [P_FULL] = {"We cannot take applications just now. What you typed is still here: please send it again in an hour, or contact us.",
                "暂时无法接收申请。您填写的内容仍在，请一小时后再提交，或与我们联系。"},
    [P_BUSY] = {"There is too much to do just now. Go back and send the form again in a minute.", "当前提交较多，请返回上一页，一分钟后再次提交。"},
    [P_BROKEN] = {"What was sent is not complete or is not a form of this page. Go back and send it again.", "提交的内容不完整或格式不正确，请返回上一页重新提交。"},
    [P_LARGE] = {"All documents together are too large. Each may have 5 MB at most.", "文件总大小超出限制，每个文件不能超过 5 MB。"},
    [P_NO_LONGER] = {"The application cannot be changed any more in the state that it is in.", "申请在目前状态下不能再修改或撤回。"},
    [P_UNSURE] = {"Please tick that you are sure.", "请先勾选确认。"},
};

static icp_calendar_t *the_calendar;
static const char *the_intake, *the_progress, *the_certificate;

icp_error_t *icp_apply_start(apr_pool_t *pconf, server_rec *server)
{
    icp_main_conf_t *conf = icp_main_conf();
    the_intake = icp_register_companion(conf->register_path, ICP_INTAKE_FOLDER, pconf);
    the_progress = icp_register_companion(conf->register_path, ICP_INTAKE_PROGRESS, pconf);
    the_certificate = icp_register_companion(conf->register_path, ICP_SEAL_CERTIFICATE, pconf);
    the_calendar = NULL;
    ICP_TRY(icp_apply_page_prepare(pconf));
    ICP_TRY(icp_multipart_prepare(pconf));
    ICP_TRY(icp_apply_guard_start(pconf, server));
    return conf->holidays_path ? icp_calendar_load(&the_calendar, conf->holidays_path, pconf) : NULL;
}

static const char *argument(const apr_table_t *arguments, const char *name)
{
    const char *value = apr_table_get(arguments, name);
    return value ? value : "";
}

/* Language, and, by its link, the application. */
static void begin(icp_apply_view_t *view, request_rec *r, apr_bucket_brigade *answer, const char *token)
{
    apr_table_t *arguments;
    ap_args_to_table(r, &arguments);
    const char *language = argument(arguments, "lang");
    *view = (icp_apply_view_t){.r = r, .answer = answer, .kind = -1, .calendar = the_calendar};
    view->language_given = !strcmp(language, "en") || !strcmp(language, "zh");
    if (!token) token = argument(arguments, "application");
    if (icp_token_is(token)) {
        json_t *state;
        icp_error_t *error = icp_intake_progress(&state, the_progress, token, r->pool);
        view->token = token;
        if (!error) view->state = state;
        else if (error->status != ICP_NOT_FOUND) ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "an application's state: %s", error->message);
        const char *word = json_string_value(json_object_get(json_object_get(view->state, "form"), "kind"));
        view->kind = icp_form_kind(word ? word : json_is_string(json_object_get(view->state, "kind"))
                                                 ? json_string_value(json_object_get(view->state, "kind")) : "");
        apr_int64_t sent = apr_atoi64(argument(arguments, "sent")), now = apr_time_sec(r->request_time);
        view->fresh = sent > now - FRESH && sent <= now && sent >= json_integer_value(json_object_get(view->state, "since"));
    }
    const char *chosen = json_string_value(json_object_get(view->state, "language"));
    if (view->language_given) view->language = *language == 'z' ? ICP_LANGUAGE_ZH : ICP_LANGUAGE_EN;
    else if (chosen) view->language = strcmp(chosen, "en") ? ICP_LANGUAGE_ZH : ICP_LANGUAGE_EN;
    else view->language = icp_negotiate_chinese(apr_table_get(r->headers_in, "Accept-Language"), r->pool) ? ICP_LANGUAGE_ZH : ICP_LANGUAGE_EN;
}

/* A page with a problem of its whole. */
static void set_problem(icp_apply_view_t *view, int status, problem_e problem)
{
    view->r->status = status;
    view->problem = problems[problem][view->language];
    if (status == HTTP_SERVICE_UNAVAILABLE || status == HTTP_TOO_MANY_REQUESTS) {
        apr_table_setn(view->r->headers_out, "Retry-After", problem == P_BUSY ? "60" : "3600");
    }
}

static int show_problem(icp_apply_view_t *view, int status, problem_e problem)
{
    set_problem(view, status, problem);
    icp_apply_show_problem(view);
    return OK;
}

static void set_ticket(icp_apply_view_t *view)
{
    view->ticket = icp_apply_ticket(view->r, icp_apply_cookie(view->r));
}

static int show(request_rec *r, apr_bucket_brigade *answer)
{
    icp_apply_view_t view;
    apr_table_t *arguments;
    begin(&view, r, answer, NULL);
    ap_args_to_table(r, &arguments);
    set_ticket(&view);
    if (view.token) {
        view.typed = json_object_get(view.state, "form");
        icp_apply_show_state(&view);
    }
    else if (*argument(arguments, "application")) {
        r->status = HTTP_NOT_FOUND;
        icp_apply_show_state(&view);
    }
    else if ((view.kind = icp_form_kind(argument(arguments, "kind"))) >= 0) {
        icp_apply_show_form(&view);
    }
    else {
        icp_apply_show_start(&view);
    }
    return OK;
}

/* The form once more, with what was typed and what is wrong. */
static int show_again(icp_apply_view_t *view, const icp_multipart_t *upload)
{
    for (int i = 0; i < upload->files->nelts; i++) view->again |= *APR_ARRAY_IDX(upload->files, i, icp_multipart_file_t).name != '\0';
    set_ticket(view);
    if (view->state) icp_apply_show_state(view);
    else icp_apply_show_form(view);
    return OK;
}

/* To the page behind the link, so that loading it anew sends nothing again. */
static int go_to_link(icp_apply_view_t *view, const char *token)
{
    request_rec *r = view->r;
    const char *query = apr_psprintf(r->pool, "application=%s&sent=%" APR_TIME_T_FMT, token, apr_time_sec(r->request_time));
    apr_table_setn(r->headers_out, "Location", icp_apply_link(view, query));
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    r->status = HTTP_SEE_OTHER;
    ap_set_content_type(r, "text/plain");
    ap_set_content_length(r, 0);
    return OK;
}

/* NULL, or what keeps it from being taken: said to the visitor, and in the log. */
static const problem_e *hand_over(icp_apply_view_t *view, const icp_submission_t *submission)
{
    static const problem_e often = P_OFTEN, full = P_FULL;
    request_rec *r = view->r;
    icp_seal_t *seal;
    if (icp_apply_is_over(r, ICP_APPLY_SUBMISSIONS, icp_conf(r->server)->apply_limit)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "more than %d submissions in an hour (ICPApplyLimit)", icp_conf(r->server)->apply_limit);
        return &often;
    }
    icp_error_t *error = icp_intake_room(the_intake, WAITING_MAX, r->pool);
    if (!error) error = icp_seal_load(&seal, the_certificate, r->pool);
    if (!error) error = icp_intake_submit(NULL, the_intake, seal, submission, r->pool);
    if (!error) return NULL;
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "an application was not taken: %s%s%s", error->message, error->remedy ? "; " : "",
                  error->remedy ? error->remedy : "");
    return &full;
}

static int withdraw(icp_apply_view_t *view, const icp_multipart_t *upload, const char *ticket)
{
    request_rec *r = view->r;
    view->typed = json_object_get(view->state, "form");
    if (!*icp_multipart_field(upload, "sure")) {
        r->status = HTTP_UNPROCESSABLE_ENTITY;
        view->withdraw_problem = problems[P_UNSURE][view->language];
        return show_again(view, upload);
    }
    icp_submission_t submission = {icp_apply_submission_id(r, ticket), ICP_INTAKE_WITHDRAW, view->token, r->request_time, NULL, NULL};
    const problem_e *problem = hand_over(view, &submission);
    if (!problem) return go_to_link(view, view->token);
    set_problem(view, *problem == P_OFTEN ? HTTP_TOO_MANY_REQUESTS : HTTP_SERVICE_UNAVAILABLE, *problem);
    return show_again(view, upload);
}

/* Every field by its own and all together: what is wrong goes into the view. */
static int check(icp_apply_view_t *view, json_t **clean, apr_array_header_t **documents, const icp_multipart_t *upload)
{
    apr_pool_t *pool = view->r->pool;
    apr_array_header_t *issues;
    icp_form_check(clean, &issues, view->typed, pool);
    const char *holder = json_string_value(json_object_get(json_object_get(*clean, "holder"), "kind"));
    *documents = icp_apply_documents(issues, upload, view->kind, holder ? holder : "", json_object_get(view->state, "documents"), pool);
    if (issues->nelts) view->issues = issues;
    return !issues->nelts;
}

static int submit(icp_apply_view_t *view, const icp_multipart_t *upload, const char *ticket)
{
    request_rec *r = view->r;
    json_t *clean;
    apr_array_header_t *documents;
    if (!check(view, &clean, &documents, upload)) {
        r->status = HTTP_UNPROCESSABLE_ENTITY;
        return show_again(view, upload);
    }
    const char *token = view->token ? view->token : icp_apply_token(r, ticket);
    json_t *state;
    if (!view->token && !icp_intake_progress(&state, the_progress, token, r->pool)) return go_to_link(view, token); /* taken over already */
    icp_submission_t submission = {icp_apply_submission_id(r, ticket), view->token ? ICP_INTAKE_CORRECT : ICP_INTAKE_SUBMIT, token,
                                   r->request_time, clean, documents};
    const problem_e *problem = hand_over(view, &submission);
    if (!problem) return go_to_link(view, token);
    set_problem(view, *problem == P_OFTEN ? HTTP_TOO_MANY_REQUESTS : HTTP_SERVICE_UNAVAILABLE, *problem);
    return show_again(view, upload);
}

#define LANGUAGE "language-"

/* The other language, of a page that told what is wrong: it goes on to tell. */
static int switch_language(icp_apply_view_t *view, const icp_multipart_t *upload)
{
    json_t *clean;
    apr_array_header_t *documents;
    if (*icp_multipart_field(upload, "checked")) check(view, &clean, &documents, upload);
    return show_again(view, upload);
}

static int take(request_rec *r, apr_bucket_brigade *answer, apr_pool_t *pool)
{
    icp_apply_view_t view;
    icp_multipart_t *upload;
    int limit = icp_conf(r->server)->apply_limit;
    int often = icp_apply_is_over(r, ICP_APPLY_ATTEMPTS, limit * ATTEMPTS_PER_SUBMISSION), foreign = icp_apply_is_foreign(r);
    int status = icp_upload_read(&upload, r, icp_apply_address(r), pool);
    begin(&view, r, answer, icp_multipart_field(upload, "application"));
    if (foreign) return show_problem(&view, HTTP_FORBIDDEN, P_FOREIGN);
    if (status == HTTP_SERVICE_UNAVAILABLE) return show_problem(&view, status, P_BUSY);
    if (status != OK && status != HTTP_REQUEST_ENTITY_TOO_LARGE) return show_problem(&view, status, P_BROKEN);

    const char *action = icp_multipart_field(upload, "do"), *ticket = icp_multipart_field(upload, "ticket");
    int is_withdrawal = !strcmp(action, "withdraw"), is_switch = !strncmp(action, LANGUAGE, strlen(LANGUAGE));
    if (is_switch) {
        view.language_given = 1;
        view.language = action[strlen(LANGUAGE)] == 'z' ? ICP_LANGUAGE_ZH : ICP_LANGUAGE_EN;
    }
    if (is_withdrawal || view.token) {
        int possible = json_is_true(json_object_get(view.state, is_withdrawal ? "withdrawable" : "editable"));
        if (!possible) {
            set_problem(&view, HTTP_CONFLICT, P_NO_LONGER);
            set_ticket(&view);
            icp_apply_show_state(&view);
            return OK;
        }
    }
    if (!view.token) view.kind = icp_form_kind(icp_multipart_field(upload, "kind"));
    if (view.kind < 0) return show_problem(&view, status == OK ? HTTP_BAD_REQUEST : status, status == OK ? P_BROKEN : P_LARGE);
    int fits = icp_apply_ticket_fits(r, icp_apply_cookie(r), ticket);
    view.typed = is_withdrawal ? json_object_get(view.state, "form")
                               : icp_apply_typed(upload, view.kind, view.language, !strcmp(action, "add"),
                                                 strncmp(action, "remove-", 7) ? -1 : atoi(action + 7), r->pool);
    if (status != OK) set_problem(&view, status, P_LARGE);
    else if (often) set_problem(&view, HTTP_TOO_MANY_REQUESTS, P_OFTEN);
    else if (is_switch) return switch_language(&view, upload);
    else if (!fits) set_problem(&view, HTTP_FORBIDDEN, P_EXPIRED);
    else if (is_withdrawal) return withdraw(&view, upload, ticket);
    else if (!strcmp(action, "submit")) return submit(&view, upload, ticket);
    return show_again(&view, upload);
}

int icp_apply_handler(request_rec *r)
{
    if (!r->handler || strcmp(r->handler, HANDLER)) return DECLINED;
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_POST, -1);
    if (r->method_number != M_GET && r->method_number != M_POST) return HTTP_METHOD_NOT_ALLOWED;
    apr_bucket_brigade *answer = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_pool_t *pool;
    apr_pool_create(&pool, r->pool);
    int status = r->method_number == M_GET ? show(r, answer) : take(r, answer, pool);
    apr_pool_destroy(pool); /* before anything is sent: who reads slowly keeps no body */
    if (APR_BRIGADE_EMPTY(answer)) return status;
    APR_BRIGADE_INSERT_TAIL(answer, apr_bucket_eos_create(answer->bucket_alloc));
    ap_pass_brigade(r->output_filters, answer);
    return status;
}
