/* Why an application comes back: the usual rejections of the bureaus as a catalogue, and reasons as they are kept and told.
 *
 * Reasons are a JSON array of objects: {"code"} of the catalogue; or {"field"?, "reason", "suggestion"?}, in the words of staff; or
 * {"field"?, "en", "zh"}, a message of form.h. */
#ifndef ICP_REJECTION_H
#define ICP_REJECTION_H

#include "form.h"

/* X(name in C, code, what is wrong: English, Chinese, what to do: English, Chinese) */
/* clang-format off */
#define ICP_REJECTIONS(X)                                                                                              \
    X(DOMAIN_NOT_VERIFIED, "domain-not-verified",                                                                      \
      "The domain's owner is not real-name verified.",                                                                 \
      "域名未完成实名认证。",                                                                                          \
      "Have your registrar verify the owner, and wait three working days before you send the application again.",      \
      "请在域名注册商处完成实名认证，认证通过三个工作日后再重新提交。")                                                \
    X(REGISTRANT_DIFFERS, "registrant-differs",                                                                        \
      "The domain is registered to somebody else than the holder.",                                                    \
      "域名所有者与备案主体不一致。",                                                                                  \
      "Transfer the domain to the holder, or apply in the name of the domain's owner.",                                \
      "请将域名过户至备案主体名下，或以域名所有者作为备案主体申请。")                                                  \
    X(DOMAIN_NOT_ACCEPTED, "domain-not-accepted",                                                                      \
      "The registrar or the top-level domain is not approved in mainland China.",                                      \
      "域名注册商或域名后缀未获国内管理机构批复。",                                                                    \
      "Use a domain with an approved ending from an approved registrar; the Ministry lists both.",                     \
      "请使用工信部已批复的域名后缀，并通过有资质的注册商注册域名。")                                                  \
    X(NAME_TOO_GENERIC, "name-too-generic",                                                                            \
      "The website's name is too generic, or does not fit the holder.",                                                \
      "网站名称过于宽泛或与主体不符。",                                                                                \
      "Choose a name that says what the website is about and fits the holder; a person's must not sound like an "      \
      "organisation's.",                                                                                               \
      "请使用能反映网站内容且与主体相符的名称；个人网站名称不得含有企业或机构字样。")                                  \
    X(OTHER_PROVINCE, "other-province",                                                                                \
      "The address is in another province than the one applied to.",                                                   \
      "证件住所或通信地址与申请的省份不一致。",                                                                        \
      "Apply in the province of the holder's certificate, or add proof of residence there.",                           \
      "请在主体证件所在省份申请，或补充在当地居住、经营的证明。")                                                      \
    X(SITE_OPEN, "site-open",                                                                                          \
      "The website is open to the public although it has no number yet.",                                              \
      "网站在取得备案号前已开通访问。",                                                                                \
      "Close the website, under every address, until the number is issued.",                                           \
      "请在取得备案号前关闭网站的全部访问入口。")                                                                      \
    X(FILED_SITE_FAULTY, "filed-site-faulty",                                                                          \
      "A website filed before cannot be reached, or does not show its number with the link at the bottom.",            \
      "已备案网站无法访问，或首页底部未显示备案号及链接。",                                                            \
      "Make it reachable with the number at the bottom, linked to https://beian.miit.gov.cn/, or have it cancelled.",  \
      "请恢复访问，并在首页底部显示备案号、链接至 https://beian.miit.gov.cn/ ；不再使用的网站请注销。")                \
    X(NEEDS_APPROVAL, "needs-approval",                                                                                \
      "The content needs the prior approval of another authority.",                                                    \
      "网站内容涉及前置审批。",                                                                                        \
      "Add that approval (news, publishing, drugs, finance and the like), or leave that content out.",                 \
      "请提供相应主管部门的前置审批文件（新闻、出版、药品、金融等），或去除相关内容。")                                \
    X(PHONE, "phone",                                                                                                  \
      "The mobile phone was not answered, or is used by another holder.",                                              \
      "手机号码无法接通，或已被其他主体使用。",                                                                        \
      "Give a mobile phone of the person in charge that is answered and belongs to this holder alone.",                \
      "请填写网站负责人本人使用、可以接通且未被其他主体使用的手机号码。")                                              \
    X(DOCUMENTS, "documents",                                                                                          \
      "A document is unclear, incomplete or out of date.",                                                             \
      "证件材料不清晰、不完整或已过期。",                                                                              \
      "Send a clear picture of the whole, valid original.",                                                            \
      "请重新上传在有效期内、清晰完整的证件原件照片或扫描件。")                                                        \
    X(SMS_EXPIRED, "sms-expired",                                                                                      \
      "The code that the authority sent by SMS was not entered in time.",                                              \
      "未在规定时间内完成短信核验。",                                                                                  \
      "See that the mobile phone is right and at hand, and send the application again.",                               \
      "请确认手机号码正确并保持畅通，然后重新提交申请。")                                                              \
    X(OPEN_ALREADY, "open-already",                                                                                    \
      "This holder has another application that is not finished.",                                                     \
      "该主体已有一份尚未办结的申请。",                                                                                \
      "Wait for its end, or withdraw it by its own link or through support.",                                          \
      "请等待该申请办结，或通过其链接或客服撤回后再提交。")
/* clang-format on */

typedef enum icp_rejection_e {
#define ICP_REJECTION_ENUM(c, code, en, zh, do_en, do_zh) ICP_REJECTION_##c,
    ICP_REJECTIONS(ICP_REJECTION_ENUM)
#undef ICP_REJECTION_ENUM
    ICP_REJECTION_COUNT
} icp_rejection_e;

/* An array of reasons from codes (const char *) and a text, either of which may be missing. ICP_USAGE lists the codes. The array
 * is freed with `pool`. */
icp_error_t *icp_reasons_from_codes(json_t **reasons, const apr_array_header_t *codes, const char *note, apr_pool_t *pool);

/* One reason from the catalogue; the array is freed with `pool`. */
json_t *icp_reasons_of(icp_rejection_e code, apr_pool_t *pool);

/* The same for the client: [{field?, en, zh, suggestion_en?, suggestion_zh?}]; a new reference. */
json_t *icp_reasons_told(const json_t *reasons);

/* As lines of text for the client, each with the field as the form calls it, what is wrong and what to do; `websites`: icp_form_label. */
const char *icp_reasons_text(const json_t *reasons, apr_size_t websites, icp_language_e language, apr_pool_t *pool);

/* What the audit log keeps: [code or field, ...], none of the words; a new reference. */
json_t *icp_reasons_brief(const json_t *reasons);

#endif
