/* The table of fields and the documents: words, and who is asked what. The law's side of it is
 * docs/forms.md.
 */
#include "form_check.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "document_type.h"

#define B(kind) (1u << ICP_FORM_##kind)
#define ALL ((1u << ICP_FORM_KIND_COUNT) - 1)
#define ADDS (B(FIRST) | B(WEBSITE) | B(ACCESS)) /* a website comes to be served */
#define ON_FILE (ALL & ~B(FIRST))
#define SITES (ADDS | B(CANCEL_WEBSITE) | B(CANCEL_ACCESS))
#define ENDS (B(CANCEL_WEBSITE) | B(CANCEL_LICENSE) | B(CANCEL_ACCESS))

const icp_form_field_t icp_form_fields[] = {
    {.group = "", .name = "license", .asked = ON_FILE, .required = ON_FILE, .max = 120, .check = icp_form_check_license,
     .label = {"ICP number on file", "已有备案号"},
     .hint = {"As on the license or the website, such as 沪ICP备05012345号 or 沪ICP备05012345号-1.",
              "与备案信息一致，例如 沪ICP备05012345号 或 沪ICP备05012345号-1。"}},
    {.group = "holder", .name = "kind", .asked = ALL, .required = ALL, .widget = ICP_WIDGET_RADIO, .choices = icp_form_holder_kinds, .max = 20,
     .label = {"Who is the holder?", "主办单位性质"},
     .hint = {"The holder is who the ICP number is issued to and who answers for the website.", "主办单位是备案号的持有者，对网站负责。"}},
    {.group = "holder", .name = "name", .asked = ALL, .required = ALL, .max = 300, .check = icp_form_check_holder_name,
     .autocomplete = "organization",
     .label = {"Name of the holder", "主办单位名称（个人填写姓名）"},
     .hint = {"Exactly as on the business license or the ID card, in Chinese.", "须与营业执照或身份证上的名称完全一致。"}},
    {.group = "holder", .name = "uscc", .asked = ALL, .required = ALL, .holder = "business", .max = 120, .check = icp_form_check_uscc,
     .label = {"Unified Social Credit Code", "统一社会信用代码"},
     .hint = {"18 digits and capital letters, from the business license or another certificate.", "营业执照或其他主体证件上的 18 位代码。"}},
    {.group = "holder", .name = "id_number", .asked = ALL, .required = ALL, .holder = "person", .max = 120, .check = icp_form_check_id_number,
     .label = {"ID number", "证件号码"},
     .hint = {"Of the ID card: 18 characters; the last may be an X. Without one, that of the residence permit, passport or travel permit.",
              "身份证上的 18 位号码，末位可以是 X；没有身份证的，填写居住证、护照或通行证号码。"}},
    {.group = "holder", .name = "province", .asked = B(FIRST) | B(CHANGE), .required = B(FIRST) | B(CHANGE), .widget = ICP_WIDGET_CHOICE,
     .choices = icp_form_provinces, .max = 8, .autocomplete = "address-level1",
     .label = {"Province", "所在省（自治区、直辖市）"},
     .hint = {"Where the holder is registered; its communications bureau decides.", "主办单位证件上的住所所在地，由当地通信管理局审核。"}},
    {.group = "holder", .name = "address", .asked = B(FIRST) | B(CHANGE), .required = B(FIRST) | B(CHANGE), .max = 500,
     .check = icp_form_check_address, .autocomplete = "street-address",
     .label = {"Address", "通信地址"},
     .hint = {"In full, down to the house number and room, in Chinese.", "请写详细地址，具体到门牌号和房间号。"}},
    {.group = "holder", .name = "representative", .asked = B(FIRST) | B(CHANGE), .required = B(FIRST) | B(CHANGE), .holder = "business", .max = 120,
     .check = icp_form_check_person,
     .label = {"Legal representative", "法定代表人姓名"},
     .hint = {"As on the business license.", "须与营业执照一致。"}},

    {.group = "contact", .name = "name", .asked = ALL, .required = ALL, .max = 120, .check = icp_form_check_person, .autocomplete = "name",
     .label = {"Contact's name", "联系人姓名"}},
    {.group = "contact", .name = "email", .asked = ALL, .required = ALL, .max = 254, .check = icp_form_check_email, .autocomplete = "email",
     .inputmode = "email", .label = {"E-mail", "电子邮箱"},
     .hint = {"We write to it at each step.", "每一步进展都会发送到该邮箱。"}},
    {.group = "contact", .name = "mobile", .asked = ALL, .required = ALL, .max = 120, .check = icp_form_check_mobile, .autocomplete = "tel",
     .inputmode = "tel", .label = {"Mobile telephone", "手机号码"},
     .hint = {"A number of mainland China. The Ministry sends a code to it that must be entered within 24 hours.",
              "中国大陆手机号。工信部会向该号码发送验证短信，须在 24 小时内完成核验。"}},

    {.group = "websites", .name = "name", .asked = ADDS | B(CHANGE), .required = ADDS, .max = 180, .check = icp_form_check_site_name,
     .label = {"Name of the website", "网站名称"},
     .hint = {"What it is about, in Chinese; not the domain name, and nothing that fits any website.",
              "能体现网站内容的中文名称；不能是域名，也不能过于宽泛。"}},
    {.group = "websites", .name = "hosts", .asked = SITES | B(CHANGE), .required = SITES, .widget = ICP_WIDGET_LINES, .max = 3000,
     .check = icp_form_check_host, .inputmode = "url",
     .label = {"Host names", "网站域名"},
     .hint = {"One on each line, such as www.example.cn.", "每行一个，例如 www.example.cn。"}},
    {.group = "websites", .name = "category", .asked = ADDS | B(CHANGE), .required = ADDS, .widget = ICP_WIDGET_CHOICE,
     .choices = icp_form_categories, .max = 40, .check = icp_form_check_category,
     .label = {"Content", "网站服务内容"}},
    {.group = "websites", .name = "person", .asked = ADDS | B(CHANGE), .required = ADDS, .max = 120, .check = icp_form_check_person,
     .label = {"Person in charge of the website", "网站负责人姓名"},
     .hint = {"Whose ID you send with the application.", "须与所提交的身份证件一致。"}},
    {.group = "websites", .name = "homepage", .asked = ADDS, .required = 0, .max = 500, .check = icp_form_check_homepage, .inputmode = "url",
     .label = {"Address of the home page", "首页网址"},
     .hint = {"Only if it is not the first host name alone, such as https://www.example.cn/shop/.",
              "仅在首页不是第一个域名的根目录时填写，例如 https://www.example.cn/shop/。"}},

    {.group = "", .name = "reason", .asked = B(CHANGE) | ENDS, .required = B(CHANGE), .widget = ICP_WIDGET_LINES, .max = 3000,
     .label = {"What changes, or why", "变更内容或原因"},
     .hint = {"In a few sentences.", "请简要说明。"}},
    {.name = NULL},
};

const icp_form_document_t icp_form_documents[] = {
    {"license", ALL, ALL & ~B(WEBSITE) & ~B(CANCEL_WEBSITE) & ~B(CANCEL_ACCESS), "business",
     {"Business license or another certificate of the holder", "营业执照或其他主体证件"},
     {"The whole page, in colour and readable.", "完整、清晰的彩色扫描件或照片。"}},
    {"id", ALL, ALL, NULL,
     {"ID of the person in charge", "负责人身份证件"},
     {"Both sides in one file, not expired.", "正反两面放在同一个文件中，证件须在有效期内。"}},
    {"domain-certificate", SITES & ~B(CANCEL_WEBSITE) & ~B(CANCEL_ACCESS), ADDS, NULL,
     {"Domain certificate", "域名证书"},
     {"From the registrar; the registrant must be the holder, with the real name verified.",
      "由域名注册服务机构出具；域名持有者须与主办单位一致，并已完成实名认证。"}},
    {.kind = NULL},
};

const icp_form_document_t *icp_form_document(const char *kind)
{
    for (const icp_form_document_t *document = icp_form_documents; document->kind; document++) {
        if (!strcmp(document->kind, kind)) return document;
    }
    return NULL;
}

static int is_for(const char *wanted, const char *holder)
{
    return !wanted || !strcmp(wanted, holder);
}

int icp_form_asks(const icp_form_field_t *field, icp_form_kind_e kind, const char *holder)
{
    return (field->asked >> kind & 1) && (is_for(field->holder, holder) || !*holder);
}

int icp_form_document_asked(const icp_form_document_t *document, icp_form_kind_e kind, const char *holder)
{
    return (document->asked >> kind & 1) && (is_for(document->holder, holder) || !*holder);
}

int icp_form_document_required(const icp_form_document_t *document, icp_form_kind_e kind, const char *holder)
{
    return (document->required >> kind & 1) && is_for(document->holder, holder);
}

int icp_form_kind(const char *word)
{
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) {
        if (!strcmp(icp_form_kinds[kind].value, word)) return kind;
    }
    return -1;
}

static const char *label_of_website(const char *label, apr_size_t index, icp_language_e language, apr_pool_t *pool)
{
    return apr_psprintf(pool, language == ICP_LANGUAGE_ZH ? "网站 %d：%s" : "Website %d: %s", (int)index + 1, label);
}

const char *icp_form_label(const char *path, apr_size_t websites, icp_language_e language, apr_pool_t *pool)
{
    const char *dot = strchr(path, '.'), *last = strrchr(path, '.'), *name = last ? last + 1 : path;
    const char *group = dot ? apr_pstrmemdup(pool, path, (apr_size_t)(dot - path)) : "";
    const icp_form_document_t *document = !strcmp(group, "document") ? icp_form_document(dot + 1) : NULL;
    if (document) return document->label[language];
    int many = !strcmp(group, "websites");
    const char *digits = many ? dot + 1 : "";
    apr_size_t length = strspn(digits, "0123456789"), index = length ? strtoul(digits, NULL, 10) : 0;
    if (dot == path || (many ? !length || digits + length != last || index >= ICP_FORM_WEBSITES_MAX : dot != last)) return NULL;
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (strcmp(field->group, group) || strcmp(field->name, name)) continue;
        return many && (websites > 1 || index) ? label_of_website(field->label[language], index, language, pool) : field->label[language];
    }
    return NULL;
}

const char *icp_form_document_type(const void *bytes, apr_size_t length)
{
    const char *type = icp_document_type(bytes, length);
    return type && strcmp(type, "image/bmp") ? type : NULL;
}
