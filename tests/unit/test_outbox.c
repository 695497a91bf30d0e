/* The outbox without any sending: what is due, how attempts are recorded, what a message says. */
#include "records_fixture.h"

#include <time.h>

#include "mail_template.h"
#include "message.h"
#include "outbox.h"
#include "policy.h"
#include "text.h"
#include "workflow.h"

static icp_error_t *set_policies(icp_register_t *r, void *baton, apr_pool_t *p)
{
    ICP_TRY(icp_policy_set(r, ICP_POLICY_MAIL, "smtp", p));
    ICP_TRY(icp_policy_set(r, ICP_POLICY_ON_EVENT, "/bin/true", p));
    ICP_TRY(icp_policy_set(r, ICP_POLICY_CONTACT, "docs@example.cn", p));
    ICP_TRY(icp_policy_set(r, ICP_POLICY_FAQ_URL, "https://cloud.example.cn/faq", p));
    return icp_policy_set(r, ICP_POLICY_PROVIDER, "示例云", p);
}

static icp_error_t *post_three(icp_register_t *r, void *baton, apr_pool_t *p)
{
    ICP_TRY(icp_message_post(r, "site.suspended", "a.cn", "a@a.cn", NULL, p)); /* 1: mail, 2: event */
    return icp_message_post(r, "site.enabled", "b.cn", NULL, NULL, p);         /* 3: event */
}

static void post(void)
{
    ok(icp_register_change(reg, set_policies, NULL, pool));
    ok(icp_register_change(reg, post_three, NULL, pool));
}

static const char *due(int mails, int events)
{
    apr_array_header_t *messages;
    const char *text = "";
    ok(icp_outbox_due(&messages, reg, apr_time_now(), mails, events, -1, pool));
    for (int i = 0; i < messages->nelts; i++) {
        text = apr_psprintf(pool, "%s%d ", text, (int)APR_ARRAY_IDX(messages, i, icp_message_t *)->id);
    }
    return text;
}

static icp_error_t *change_mark(icp_register_t *r, void *baton, apr_pool_t *p)
{
    int gave_up;
    return icp_outbox_mark(&gave_up, r, baton, p);
}

static void mark(apr_int64_t id, int sent, int for_good, const char *fault)
{
    apr_array_header_t *outcomes = apr_array_make(pool, 1, sizeof(icp_outcome_t));
    APR_ARRAY_PUSH(outcomes, icp_outcome_t) = (icp_outcome_t){id, sent, for_good, fault};
    ok(icp_register_change(reg, change_mark, outcomes, pool));
}

static icp_message_t *get(apr_int64_t id)
{
    icp_message_t *message;
    ok(icp_outbox_get(&message, reg, id, pool));
    return message;
}

START_TEST(test_what_is_due)
{
    post();
    ck_assert_str_eq(due(1, 1), "1 2 3 ");
    ck_assert_str_eq(due(1, 0), "1 ");
    ck_assert_str_eq(due(0, 1), "2 3 ");
    mark(2, 1, 0, NULL);
    mark(3, 0, 0, "later");
    ck_assert_str_eq(due(1, 1), "1 ");
    ck_assert_str_eq(get(2)->state, "sent");
    ck_assert_str_eq(get(3)->fault, "later");
    ck_assert_int_eq(get(3)->attempts, 1);
    mark(1, 0, 1, "never");
    ck_assert_str_eq(get(1)->state, "given-up");
    mark(2, 0, 0, "too late"); /* what was sent stays sent */
    ck_assert_str_eq(get(2)->state, "sent");
    fails(icp_outbox_get(&(icp_message_t *){NULL}, reg, 9, pool), ICP_NOT_FOUND, "message 9");
}
END_TEST

START_TEST(test_messages_go_with_the_change_that_they_tell_of)
{
    setenv("TZ", "America/New_York", 1); /* clients are in China, whatever the server's clock shows */
    tzset();
    ck_assert_str_eq(icp_text_time_china(0, pool), "1970-01-01 08:00");
    ok(icp_register_change(reg, set_policies, NULL, pool));
    ok(add_license("沪ICP备05012345号", "holder", NULL));
    ok(add_site("a.cn", NULL, "沪ICP备05012345号-3", 0));
    reg->dry_run = 1;
    ok(suspend("a.cn", "missing"));
    reg->dry_run = 0;
    ck_assert_str_eq(due(1, 1), "");
    ok(suspend("a.cn", "missing"));
    ck_assert_str_eq(due(1, 1), "1 "); /* the holder has no mailbox: an event alone */
    ck_assert_ptr_nonnull(strstr(get(1)->facts, "\"expected\":\"沪ICP备05012345号-3\""));
    ck_assert_ptr_nonnull(strstr(get(1)->facts, "\"case\":\"ICP-000001\""));
    ck_assert_ptr_nonnull(strstr(get(1)->facts, apr_psprintf(pool, "\"since\":\"%s\"", icp_text_time_china(get(1)->posted_at, pool))));
    ck_assert_str_eq(get(1)->event, "site.suspended");
    ok(add_site("b.cn", NULL, NULL, 0)); /* suspended from the beginning */
    ck_assert_ptr_nonnull(strstr(get(2)->facts, "\"reason\":\"unlicensed\""));
}
END_TEST

static const char *filled(const char *event, const char *facts_text, const char **subject)
{
    icp_mail_templates_t *templates;
    const char *text;
    json_t *facts = json_loads(facts_text, 0, NULL);
    ok(icp_mail_templates_open(&templates, reg, pool));
    ok(icp_mail_fill(subject, &text, templates, event, "about", facts, pool));
    json_decref(facts);
    return text;
}

START_TEST(test_every_built_in_template_with_and_without_facts)
{
    static const char *const events[] = {
        "site.suspended", "site.enabled", "site.warned", "application.received", "application.reviewing",
        "application.corrected", "application.sms-pending", "application.refused", "application.returned",
        "application.filed", "application.confirmed", "application.bureau-review", "application.rejected",
        "application.approved", "application.done", "application.withdrawn", "application.expired", "domain.documents-wanted",
        "domain.reminder", "domain.received", "domain.submitted", "domain.accepted", "domain.refused", "outbox.test"};
    const char *subject;
    ok(icp_register_change(reg, set_policies, NULL, pool));
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const char *text = filled(events[i], "{}", &subject);
        ck_assert_msg(!strstr(text, "{{") && !strstr(subject, "{{") && *subject, "%s: %s", events[i], text);
        text = filled(events[i], "{\"site\":\"a.cn\",\"reasons\":\"R1\\nR2\",\"reasons-zh\":\"R3\",\"reasons-en\":\"R4\",\"documents\":\"D1\\nD2\",\"application\":\"APP-000012\","
                                 "\"number\":\"N\",\"unknown\":\"U\",\"reason\":\"missing\",\"expected-by\":\"2026-12-24\"}", &subject);
        ck_assert_msg(strstr(text, "示例云") && !strstr(text, "\n\n\n"), "%s: %s", events[i], text);
        ck_assert_ptr_null(strstr(text, "U\n"));
        if (strstr(events[i], "domain.refused")) ck_assert_ptr_nonnull(strstr(text, "R1\nR2"));
    }
    icp_mail_templates_t *templates;
    const char *text;
    ok(icp_mail_templates_open(&templates, reg, pool));
    fails(icp_mail_fill(&subject, &text, templates, "site.nothing", "x", NULL, pool), ICP_NOT_FOUND, "no template for mails about site.nothing");
    fails(icp_mail_fill(&subject, &text, templates, "parts", "x", NULL, pool), ICP_NOT_FOUND, "no template");
}
END_TEST

/* Each half of a mail leads to the answer in its own language. */
START_TEST(test_mails_lead_to_the_right_question)
{
    static const struct { const char *event, *facts, *end; } cases[] = {
        {"site.suspended", "{\"reason\":\"hidden\",\"expected\":\"京ICP证030173号\"}", "&number=%e4%ba%acICP%e8%af%81030173%e5%8f%b7#hidden\n"},
        {"site.suspended", "{\"reason\":\"unlicensed\"}", "#unlicensed\n"},
        {"site.suspended", "{\"reason\":\"new\"}", "#off\n"},
        {"site.warned", "{\"verdict\":\"invalid\"}", "#invalid\n"},
        {"site.enabled", "{\"reason\":\"missing\"}", "#show\n"},
        {"application.rejected", "{}", "#rejected\n"},
        {"application.approved", "{\"number\":\"沪ICP备05012345号\"}", "#html\n"},
        {"application.bureau-review", "{}", "#time\n"},
        {"application.returned", "{}", "#steps\n"},
        {"domain.reminder", "{}", "#cn\n"},
    };
    const char *subject;
    ok(icp_register_change(reg, set_policies, NULL, pool));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = filled(cases[i].event, cases[i].facts, &subject), *english = strstr(text, "\n----\n");
        ck_assert_msg(strstr(text, apr_pstrcat(pool, "常见问题：https://cloud.example.cn/faq?lang=zh", cases[i].end, NULL)) != NULL, "%s", text);
        ck_assert_msg(strstr(english, apr_pstrcat(pool, "answers: https://cloud.example.cn/faq?lang=en", cases[i].end, NULL)) != NULL, "%s", text);
    }
}
END_TEST

/* Whoever is asked for documents is told whom to ask how. */
START_TEST(test_documents_and_how_to_hand_them_in)
{
    static const char *const events[] = {"domain.documents-wanted", "domain.reminder", "domain.refused"};
    const char *subject;
    ok(icp_register_change(reg, set_policies, NULL, pool));
    for (int i = 0; i < 3; i++) {
        const char *text = filled(events[i], "{\"documents\":\"D\"}", &subject);
        ck_assert_msg(strstr(text, "提交请联系我们：docs@example.cn\n") && strstr(text, "To hand them in, contact us: docs@example.cn\n"), "%s", text);
    }
}
END_TEST

START_TEST(test_facts_show_nothing_but_themselves)
{
    const char *subject;
    ok(icp_register_change(reg, set_policies, NULL, pool));
    const char *text = filled("application.returned", "{\"reasons-en\":\"a\\u0007\\u202eb\\r\\n{{site}} <b>\",\"application\":\"X\\nBcc: y\"}", &subject);
    ck_assert_ptr_nonnull(strstr(text, "a\xEF\xBF\xBD\xEF\xBF\xBD" "b\n{{site}} <b>\n"));
    ck_assert_str_eq(subject, "请修改您的申请 X Bcc: y / Please correct your application X Bcc: y");
}
END_TEST

/* Every state in which an application of the kind can be, worded for it: nobody waits for a code that does not come, and each half is
 * in its own language. */
START_TEST(test_mails_to_applicants_by_kind)
{
    const char *subject;
    ok(icp_register_change(reg, set_policies, NULL, pool));
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        int adds = icp_app_adds((icp_form_kind_e)kind), cancels = icp_app_cancels((icp_form_kind_e)kind);
        const icp_choice_t *choice = &icp_form_kinds[kind];
        for (int state = 0; state < ICP_APP_STATE_COUNT; state++) {
            const char *name = icp_app_states[state].name;
            if (state == ICP_APP_IS_SMS_PENDING && cancels) continue;
            if (state == ICP_APP_IS_APPROVED && !adds) name = "done";
            const char *text = filled(apr_pstrcat(pool, "application.", name, NULL),
                                      apr_psprintf(pool, "{\"kind\":\"%s\",\"application\":\"APP-000012\",\"reasons-zh\":\"理由\","
                                                         "\"reasons-en\":\"Reason\",\"code\":\"CODE\",\"stopped\":\"STOPPED\","
                                                         "\"number\":\"沪ICP备05012345号\"}", choice->value), &subject);
            const char *english = strstr(text, "\n----\n");
            const char *chinese = apr_pstrmemdup(pool, text, (apr_size_t)(english - text));
            int has_code = strstr(text, "SMS") || strstr(text, "短信") || strstr(subject, "SMS") || strstr(subject, "短信");
            ck_assert_msg(strstr(chinese, choice->label[ICP_LANGUAGE_ZH]) && strstr(english, choice->label[ICP_LANGUAGE_EN]), "%s", text);
            ck_assert_msg(!strstr(text, "\n\n\n") && !strstr(subject, "  "), "%s\n%s", subject, text);
            ck_assert_msg(!cancels || !has_code, "%s\n%s", subject, text);
            ck_assert_msg(!strstr(chinese, "Reason") && !strstr(english, "理由"), "%s", text);
            int tells_why = state == ICP_APP_IS_RETURNED || state == ICP_APP_IS_REJECTED || state == ICP_APP_IS_REFUSED;
            ck_assert_msg(!tells_why || (strstr(chinese, "理由") && strstr(english, "Reason")), "%s", text);
            ck_assert_msg(strcmp(name, "approved") || (strstr(chinese, "CODE") && strstr(english, "CODE")), "%s", text);
            ck_assert_msg(strcmp(name, "done") || (strstr(chinese, "STOPPED") && strstr(english, "STOPPED")), "%s", text);
        }
    }
}
END_TEST

START_TEST(test_stalled)
{
    apr_time_t since;
    const char *fault;
    post();
    ok(icp_outbox_stalled(&since, &fault, reg, "mail", apr_time_now() - apr_time_from_sec(3600), pool));
    ck_assert_int_eq(since, 0);
    ok(icp_outbox_stalled(&since, &fault, reg, "mail", apr_time_now() + apr_time_from_sec(3600), pool));
    ck_assert_int_eq(since, get(1)->posted_at);
    ck_assert_str_eq(fault, "");
    mark(1, 1, 0, NULL);
    ok(icp_outbox_stalled(&since, &fault, reg, "mail", apr_time_now() + apr_time_from_sec(3600), pool));
    ck_assert_int_eq(since, 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {test_what_is_due, test_messages_go_with_the_change_that_they_tell_of, test_every_built_in_template_with_and_without_facts,
                            test_mails_lead_to_the_right_question, test_documents_and_how_to_hand_them_in,
                            test_facts_show_nothing_but_themselves, test_mails_to_applicants_by_kind, test_stalled, NULL};
    return run_tests("outbox", tests, 1);
}
