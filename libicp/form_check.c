/* The checks of single fields: what is refused, and what only looks wrong. Each one's words say what to write instead. */
#include "form_check.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <libpsl.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "address.h"
#include "holder.h"
#include "host.h"
#include "number.h"
#include "text.h"

static void tell(icp_form_check_t *check, int is_warning, const char *english, const char *chinese)
{
    icp_form_issue_t *issue = apr_array_push(check->issues);
    issue->field = check->path;
    issue->is_warning = is_warning;
    issue->message[ICP_LANGUAGE_EN] = english;
    issue->message[ICP_LANGUAGE_ZH] = chinese;
}

void icp_form_refuse(icp_form_check_t *check, const char *english, const char *chinese)
{
    tell(check, 0, english, chinese);
}

/* To be confirmed by the client, who knows better. */
static void warn(icp_form_check_t *check, const char *english, const char *chinese)
{
    tell(check, 1, english, chinese);
}

/* For codes and addresses: full-width letters and digits, as Chinese input methods give them, become ASCII; white space and
 * `drop` go, and with a '-' in it every dash. */
static char *narrow(const char *value, const char *drop, apr_pool_t *pool)
{
    size_t length = 0;
    uint8_t *narrowed = u8_normalize(UNINORM_NFKC, (const uint8_t *)value, strlen(value) + 1, NULL, &length);
    char *result = apr_pstrdup(pool, narrowed ? (char *)narrowed : value), *to = result;
    free(narrowed);
    for (const char *from = result, *next; *from; from = next) {
        ucs4_t character;
        next = from + u8_strmbtouc(&character, (const uint8_t *)from);
        if (character < 0x80 ? apr_isspace(*from) || strchr(drop, *from)
                             : strchr(drop, '-') && uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Pd)) continue;
        while (from < next) *to++ = *from++;
    }
    *to = '\0';
    return result;
}

static char *upper(char *text)
{
    for (char *c = text; *c; c++) *c = apr_toupper(*c);
    return text;
}

const char *icp_form_check_uscc(icp_form_check_t *check, const char *value)
{
    const char *uscc = upper(narrow(value, "-", check->pool));
    switch (icp_uscc_test(uscc)) {
    case ICP_USCC_LENGTH:
        icp_form_refuse(check, "The code has 18 characters. Copy it from the business license.", "统一社会信用代码为 18 位，请按营业执照填写。");
        break;
    case ICP_USCC_CHARACTER:
        icp_form_refuse(check, "The code has digits and capital letters, but never I, O, S, V or Z. Compare it with the business license.",
                        "统一社会信用代码只含数字和大写字母，且不会出现 I、O、S、V、Z，请与营业执照核对。");
        break;
    case ICP_USCC_CHECK:
        warn(check, "The check character does not fit: usually a character is mistyped. Compare the code with the business license.",
             "校验码不符，通常是有字符写错。请与营业执照核对。");
        break;
    case ICP_USCC_OK:
        break;
    }
    return uscc;
}

/* GB 11643-1999: six digits of the place, date of birth, three of the sequence, check character modulo 11. */
static int is_resident_id(const char *number, apr_pool_t *pool)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0, fits = strlen(number) == 18 && strspn(number, "0123456789") >= 17;
    for (int i = 0; fits && i < 17; i++) sum += weights[i] * (number[i] - '0');
    if (fits) fits = "10X98765432"[sum % 11] == number[17];
    if (fits) {
        int year = atoi(apr_pstrmemdup(pool, number + 6, 4)), month = atoi(apr_pstrmemdup(pool, number + 10, 2)),
            day = atoi(apr_pstrmemdup(pool, number + 12, 2));
        fits = year >= 1900 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    }
    return fits;
}

/* Passports, travel permits and permanent residence cards of before 2023: shorter, with no check that all share. The ID cards of before
 * 1999, of 15 digits, are no longer valid. */
static int may_be_other_id(const char *number)
{
    apr_size_t length = strlen(number), digits = strspn(number, "0123456789");
    return length >= 6 && length <= 15 && strspn(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length && strpbrk(number, "0123456789")
           && !(length == 15 && digits == 15);
}

const char *icp_form_check_id_number(icp_form_check_t *check, const char *value)
{
    const char *number = upper(narrow(value, "-()", check->pool));
    if (is_resident_id(number, check->pool)) return number;
    if (may_be_other_id(number)) {
        warn(check, "This is not the number of an ID card, which has 18 characters. Confirm it if it is that of a passport or a permit.",
             "这不是 18 位的居民身份证号码。如果是护照、通行证等其他证件的号码，请确认。");
    }
    else {
        icp_form_refuse(check, "This is no number of an ID card: it has 18 characters, and the check character at its end fits. Copy it from the "
                        "card; with another document write the number of that.",
                        "身份证号码有误：应为 18 位，末位为校验码。请按身份证填写；使用其他证件的，请填写该证件的号码。");
    }
    return number;
}

static apr_size_t characters(const char *text)
{
    apr_size_t count = 0;
    for (; *text; text++) count += (*text & 0xC0) != 0x80;
    return count;
}

const char *icp_form_check_person(icp_form_check_t *check, const char *value)
{
    if (characters(value) < 2 || strpbrk(value, "0123456789@/\\<>")) {
        icp_form_refuse(check, "Write the full name of a person, as on the ID card.", "请填写与身份证一致的真实姓名。");
    }
    return value;
}

const char *icp_form_check_holder_name(icp_form_check_t *check, const char *value)
{
    if (!strcmp(check->holder, "person")) return icp_form_check_person(check, value);
    if (characters(value) < 2 || strspn(value, "0123456789") == strlen(value)) {
        icp_form_refuse(check, "Write the full name, as on the business license.", "请填写与营业执照一致的完整名称。");
    }
    return value;
}

static int begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* One of the usual rejections: the address lies in another province. */
const char *icp_form_check_address(icp_form_check_t *check, const char *value)
{
    const char *province = json_string_value(json_object_get(json_object_get(check->clean, "holder"), "province"));
    const icp_choice_t *chosen = province ? icp_choice_find(icp_form_provinces, province) : NULL;
    const char *place = begins(value, "中国") ? value + strlen("中国") : value;
    if (characters(value) < 6) {
        icp_form_refuse(check, "Write the address in full: city, street, house number, room.", "请填写完整地址，包括城市、街道、门牌号和房间号。");
        return value;
    }
    for (const icp_choice_t *other = icp_form_provinces; chosen && other->value; other++) {
        if (other != chosen && begins(place, other->label[ICP_LANGUAGE_ZH])) {
            warn(check, "The address begins with another province than the one that is chosen. Bureaus reject that.",
                 "地址与所选省份不一致，通信管理局会因此驳回。");
        }
    }
    return value;
}

/* Does it end like the names of the internet? New endings come, so a no is only a doubt. */
static int has_known_ending(const char *name)
{
    const char *dot = strrchr(name, '.');
    return psl_is_public_suffix2(psl_builtin(), dot ? dot + 1 : name, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}

/* No label of a domain begins or ends with a hyphen. */
static int has_loose_hyphen(const char *name)
{
    return *name == '-' || name[strlen(name) - 1] == '-' || strstr(name, ".-") || strstr(name, "-.");
}

/* A name that can be filed: two labels or more, no address, more than a public suffix. */
static const char *domain(const char *text, apr_pool_t *pool)
{
    const char *normal;
    if (icp_host_normalise(&normal, text, 0, pool)) return NULL;
    if (!strchr(normal, '.') || strchr(normal, ':') || apr_isdigit(strrchr(normal, '.')[1]) || strchr(normal, '_')
        || has_loose_hyphen(normal)) return NULL;
    return normal;
}

/* What is copied from the browser's address bar is understood, as long as nothing but the name is in it. */
static const char *without_scheme(const char *value, apr_pool_t *pool)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (int i = 0; i < 2; i++) {
        if (!strncasecmp(value, schemes[i], strlen(schemes[i]))) value += strlen(schemes[i]);
    }
    apr_size_t length = strlen(value);
    return length && value[length - 1] == '/' ? apr_pstrmemdup(pool, value, length - 1) : value;
}

const char *icp_form_check_host(icp_form_check_t *check, const char *value)
{
    const char *name = domain(without_scheme(narrow(value, "", check->pool), check->pool), check->pool);
    if (!name) {
        const char *shown = icp_text_printable(value, 80, check->pool);
        icp_form_refuse(check,
                        apr_psprintf(check->pool, "“%s” is no domain name. Write it like www.example.cn, without a path; neither an IP "
                                                  "address nor a name with * can be filed here.", shown),
                        apr_psprintf(check->pool, "“%s”不是域名。请按 www.example.cn 的形式填写，不带路径；不能填写 IP 地址或泛域名。", shown));
        return value;
    }
    if (psl_is_public_suffix2(psl_builtin(), name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE)) {
        const char *shown = icp_host_display(name, check->pool);
        icp_form_refuse(check, apr_psprintf(check->pool, "“%s” is an ending that many domains share. Write your whole domain name.", shown),
                        apr_psprintf(check->pool, "“%s”是公共域名后缀，请填写完整域名。", shown));
    }
    else if (!has_known_ending(name)) {
        const char *shown = icp_host_display(name, check->pool);
        warn(check, apr_psprintf(check->pool, "We know no domain names that end like “%s”: is it mistyped?", shown),
             apr_psprintf(check->pool, "“%s”的域名后缀不常见，请核对是否写错。", shown));
    }
    return name;
}

/* The link to the application goes there: what may be two addresses, or none, is not made one by leaving spaces out. */
const char *icp_form_check_email(icp_form_check_t *check, const char *value)
{
    const char *address;
    if (icp_text_has_space(value) || icp_address_parse(&address, narrow(value, "", check->pool), check->pool) || !strchr(strchr(address, '@'), '.')) {
        icp_form_refuse(check, "This is no e-mail address. Write it like name@example.cn.", "电子邮箱格式不正确，请按 name@example.cn 的形式填写。");
        return value;
    }
    return address;
}

const char *icp_form_check_mobile(icp_form_check_t *check, const char *value)
{
    const char *number = narrow(value, "-.()", check->pool);
    if (begins(number, "+86")) number += 3;
    else if (begins(number, "0086")) number += 4;
    else if (begins(number, "86") && strlen(number) == 13) number += 2;
    if (strlen(number) != 11 || strspn(number, "0123456789") != 11 || number[0] != '1' || number[1] < '3') {
        icp_form_refuse(check, "This is no mobile number of mainland China: it has 11 digits and begins with 13 to 19.",
                        "手机号码有误：中国大陆手机号为 11 位，以 13 至 19 开头。");
        return value;
    }
    return number;
}

const char *icp_form_check_license(icp_form_check_t *check, const char *value)
{
    const icp_number_t *number = icp_number_parse(value, check->pool);
    int is_filing = number->kind == ICP_NUMBER_FILING && !number->service;
    if ((!is_filing && number->kind != ICP_NUMBER_PERMIT && number->kind != ICP_NUMBER_TELECOM) || (number->marks & ICP_MARK_PLACEHOLDER)) {
        icp_form_refuse(check, "This is no ICP number. It looks like 沪ICP备05012345号 or 沪ICP备05012345号-1.",
                        "备案号有误，正确的形式如 沪ICP备05012345号 或 沪ICP备05012345号-1。");
        return value;
    }
    return number->text;
}

static int is_address(const char *text, apr_pool_t *pool)
{
    const char *name = domain(without_scheme(text, pool), pool);
    return name && has_known_ending(name);
}

const char *icp_form_check_site_name(icp_form_check_t *check, const char *value)
{
    static const char *const generic[] = {
        "网站", "我的网站", "个人网站", "公司网站", "企业网站", "官方网站", "官网", "首页", "主页", "个人主页", "博客", "个人博客", "我的博客",
        "商城", "网上商城", "论坛", "测试", "测试网站", "演示", "无", "未命名", "website", "my website", "homepage", "home page", "home",
        "blog", "my blog", "shop", "test", "demo", "site", NULL};
    static const char *const of_businesses[] = {"公司", "集团", "企业", "中心", "协会", "政府", "大学", "医院", "商城", "新闻", NULL};
    char *folded = apr_pstrdup(check->pool, value);
    for (char *c = folded; *c; c++) *c = apr_tolower(*c);
    if (characters(value) < 2 || strspn(value, "0123456789") == strlen(value) || is_address(folded, check->pool)) {
        icp_form_refuse(check, "Name the website in words; a number or a domain name is no name.", "请用文字填写网站名称，不能是纯数字或域名。");
        return value;
    }
    for (int i = 0; generic[i]; i++) {
        if (!strcmp(folded, generic[i])) {
            warn(check, "This name fits any website, which is one of the usual reasons for a rejection. Say what yours is about.",
                 "网站名称过于宽泛，是常见的驳回原因。请使用能体现网站内容的名称。");
            return value;
        }
    }
    for (int i = 0; !strcmp(check->holder, "person") && of_businesses[i]; i++) {
        if (strstr(value, of_businesses[i])) {
            warn(check, "A person's website cannot be named like a business or an institution. Bureaus reject that.",
                 "个人网站名称不能含有单位或行业性字样，通信管理局会因此驳回。");
            return value;
        }
    }
    return value;
}

const char *icp_form_check_category(icp_form_check_t *check, const char *value)
{
    const icp_choice_t *choice = icp_choice_find(icp_form_categories, value);
    if (choice && strstr(choice->label[ICP_LANGUAGE_ZH], "前置审批")) {
        warn(check, "This content may only be offered with an approval of the authority in charge. Have it at hand: you will be asked for it.",
             "此类内容须先取得主管部门的前置审批文件，审核时会要求提供。");
    }
    return value;
}

const char *icp_form_check_homepage(icp_form_check_t *check, const char *value)
{
    apr_uri_t uri;
    if (!strstr(value, "://")) value = apr_pstrcat(check->pool, "http://", value, NULL);
    if (apr_uri_parse(check->pool, value, &uri) || !uri.scheme || (strcasecmp(uri.scheme, "http") && strcasecmp(uri.scheme, "https"))
        || uri.user || uri.password || !uri.hostname || !domain(uri.hostname, check->pool) || icp_text_has_space(value)
        || strpbrk(value, "\"<>\\^`{|}")) {
        icp_form_refuse(check, "This is no address of a page. Write it like https://www.example.cn/.", "网址有误，请按 https://www.example.cn/ 的形式填写。");
        return "";
    }
    return value;
}
