/* The way of an application as a table: its states, the steps from one to the next, who may take them and what they need. Pure:
 * knows no register; application.h takes the steps. */
#ifndef ICP_WORKFLOW_H
#define ICP_WORKFLOW_H

#include "form.h"

/* Whose step it is. CROSSING: the client's, sent before what he had sent before it was taken over. */
enum { ICP_BY_STAFF = 1 << 0, ICP_BY_CLIENT = 1 << 1, ICP_BY_CLOCK = 1 << 2, ICP_BY_CROSSING = 1 << 3 };

/* Does an approval of this kind give a license number? Does it give numbers to websites? Does it end something? */
int icp_app_issues(icp_form_kind_e kind);
int icp_app_adds(icp_form_kind_e kind);
int icp_app_cancels(icp_form_kind_e kind);

/* clang-format off */
/* X(name in C, name, final, English, Chinese, what the client does now: English, Chinese) */
#define ICP_APP_STATES(X)                                                                                              \
    X(RECEIVED, "received", 0, "received", "已提交",                                                                   \
      "We will review it; there is nothing for you to do.", "我们将进行初审，您暂时无需操作。")                        \
    X(REVIEWING, "reviewing", 0, "in our review", "初审中",                                                            \
      "We are reviewing it; there is nothing for you to do.", "我们正在初审，您暂时无需操作。")                        \
    X(RETURNED, "returned", 0, "returned for correction", "初审退回",                                                  \
      "Correct what is listed and send the application again.", "请按所列原因修改后重新提交。")                        \
    X(FILED, "filed", 0, "handed to the authority", "已提交管局",                                                      \
      "Keep your mobile phone at hand: the authority sends a code by SMS.", "请保持手机畅通，留意管局发送的核验短信。")\
    X(SMS_PENDING, "sms-pending", 0, "waiting for your SMS code", "待短信核验",                                        \
      "Enter the code from the SMS at https://beian.miit.gov.cn/ within 24 hours; you have five tries.",               \
      "请在收到短信后24小时内登录 https://beian.miit.gov.cn/ 完成短信核验，最多可输入5次。")                           \
    X(CONFIRMED, "confirmed", 0, "confirmed", "已核验",                                                                \
      "It goes on to the bureau; there is nothing for you to do.", "即将转交管局审核，您暂时无需操作。")               \
    X(BUREAU_REVIEW, "bureau-review", 0, "in the bureau's review", "管局审核中",                                       \
      "It can be neither changed nor withdrawn now; there is nothing for you to do.",                                  \
      "审核期间不能修改或撤回，您暂时无需操作。")                                                                      \
    X(APPROVED, "approved", 1, "approved", "已通过",                                                                   \
      "Put each website's own number at the bottom of its home page, with the link to https://beian.miit.gov.cn/.",    \
      "请在每个网站的首页底部显示该网站的备案号，并链接至 https://beian.miit.gov.cn/ 。")                              \
    X(REJECTED, "rejected", 0, "rejected by the bureau", "管局驳回",                                                   \
      "Correct what is listed in time and send the application again.", "请在期限内按所列原因修改后重新提交。")        \
    X(CORRECTED, "corrected", 0, "corrected", "已修改",                                                                \
      "We will review it again; there is nothing for you to do.", "我们将重新审核，您暂时无需操作。")                  \
    X(WITHDRAWN, "withdrawn", 1, "withdrawn", "已撤回",                                                                \
      "You can send a new application.", "您可以重新提交申请。")                                                       \
    X(EXPIRED, "expired", 1, "expired", "已过期",                                                                      \
      "It was not corrected in time; you can send a new application.", "未在期限内修改，您可以重新提交申请。")         \
    X(REFUSED, "refused", 1, "not accepted", "未受理",                                                                 \
      "See the reason; once it is settled, send a new application.", "请查看原因，处理后重新提交申请。")

/* X(name in C, name: the verb of its command) */
#define ICP_APP_STEPS(X)                                                                                               \
    X(REVIEW, "review") X(RETURN, "return") X(CORRECT, "correct") X(FILE, "file") X(SMS, "sms") X(CONFIRM, "confirm")  \
    X(BUREAU, "bureau") X(APPROVE, "approve") X(REJECT, "reject") X(WITHDRAW, "withdraw") X(EXPIRE, "expire")
/* clang-format on */

typedef enum icp_app_state_e {
#define ICP_APP_STATE_ENUM(c, name, final, en, zh, next_en, next_zh) ICP_APP_IS_##c,
    ICP_APP_STATES(ICP_APP_STATE_ENUM)
#undef ICP_APP_STATE_ENUM
    ICP_APP_STATE_COUNT
} icp_app_state_e;

typedef enum icp_app_step_e {
#define ICP_APP_STEP_ENUM(c, name) ICP_APP_DO_##c,
    ICP_APP_STEPS(ICP_APP_STEP_ENUM)
#undef ICP_APP_STEP_ENUM
    ICP_APP_STEP_COUNT
} icp_app_step_e;

typedef struct icp_app_state_t {
    const char *name;
    int final; /* nothing follows; the holder may apply anew */
    icp_words_t label, next; /* for the client: where it stands, and what to do now */
} icp_app_state_t;

extern const icp_app_state_t icp_app_states[ICP_APP_STATE_COUNT];
extern const char *const icp_app_step_names[ICP_APP_STEP_COUNT];

/* The index of a name; the COUNT if there is none such. */
icp_app_state_e icp_app_state(const char *name);
icp_app_step_e icp_app_step(const char *name);

/* What the client does now that an application of this kind stands there: a text per language. */
const char *const *icp_app_next(icp_form_kind_e kind, icp_app_state_e state);

/* What a step needs beside the application itself. */
enum {
    ICP_NEEDS_REASONS = 1 << 0,
    ICP_NEEDS_FORM = 1 << 1,
    ICP_NEEDS_REGISTER = 1 << 2, /* it is part of what approval.h does to the register */
    ICP_STEP_SAME_TERM = 1 << 3  /* the time within which something is due runs on */
};

typedef struct icp_app_row_t {
    icp_app_state_e from;
    icp_app_step_e step;
    icp_app_state_e to;
    unsigned by, needs;
} icp_app_row_t;

/* The row of the table; NULL: impossible, or not for one of `by`. */
const icp_app_row_t *icp_app_row(icp_form_kind_e kind, icp_app_state_e state, icp_app_step_e step, unsigned by);

/* What `by` can do there: "review, return or withdraw"; NULL: nothing. */
const char *icp_app_possible(icp_form_kind_e kind, icp_app_state_e state, unsigned by, apr_pool_t *pool);

#endif
