/* Walks the table of fields over a form: see form.h. */
#include "form_check.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>
#include <unictype.h>
#include <unistr.h>

#include "host.h"
#include "json.h"
#include "number.h"
#include "text.h"

#define NOT_TEXT_EN "This is not plain text: it has control characters or is no UTF-8. Type it anew."
#define NOT_TEXT_ZH "含有无法识别的字符，请重新输入。"

const char *icp_form_value(const json_t *form, const char *path)
{
    char word[32];
    while (form && *path) {
        apr_size_t length = strcspn(path, ".");
        if (length >= sizeof word) return "";
        apr_cpystrn(word, path, length + 1);
        form = json_is_array(form) ? json_array_get(form, (size_t)strtoul(word, NULL, 10)) : json_object_get(form, word);
        path += length;
        path += *path == '.';
    }
    const char *text = json_string_value(form);
    return text ? text : "";
}

apr_size_t icp_form_websites(const json_t *form)
{
    return json_array_size(json_object_get(form, "websites"));
}

/* Lines may be broken where the field has several. */
static int is_plain(const char *value, int lines, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, value);
    for (char *c = copy; lines && *c; c++) {
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
    }
    return icp_text_plain(copy);
}

/* The value in normal form, "" if there is none or it cannot be kept. */
static const char *check_value(icp_form_check_t *check, const icp_form_field_t *field, const json_t *typed, int required)
{
    if (typed && !json_is_null(typed) && (!json_is_string(typed) || strlen(json_string_value(typed)) != json_string_length(typed))) {
        icp_form_refuse(check, NOT_TEXT_EN, NOT_TEXT_ZH);
        return "";
    }
    const char *value = icp_text_trim(json_string_value(typed), check->pool);
    if (!*value) {
        if (required) icp_form_refuse(check, "Please fill this in.", "请填写此项。");
        return "";
    }
    if (strlen(value) > (apr_size_t)field->max) {
        icp_form_refuse(check, apr_psprintf(check->pool, "This is too long: at most about %d characters.", field->max / 3),
                        apr_psprintf(check->pool, "内容过长，请控制在约 %d 个汉字以内。", field->max / 3));
        return value;
    }
    if (!is_plain(value, field->widget == ICP_WIDGET_LINES, check->pool)) {
        icp_form_refuse(check, NOT_TEXT_EN, NOT_TEXT_ZH);
        return "";
    }
    if (field->choices && !icp_choice_find(field->choices, value)) {
        icp_form_refuse(check, "Choose one of the list.", "请从列表中选择。");
        return "";
    }
    return field->check ? field->check(check, value) : value;
}

static void keep(json_t *object, const char *name, const char *value)
{
    if (*value) json_object_set_new(object, name, json_string(value));
}

/* The next of several names in one text, parted by white space, commas or semicolons, Chinese ones too; NULL: no more. */
static const char *next_name(const char **text, apr_pool_t *pool)
{
    const char *start = NULL, *at = *text;
    for (int length; *at; at += length) {
        ucs4_t character = 0xFFFD;
        length = u8_strmbtouc(&character, (const uint8_t *)at);
        if (length <= 0) length = 1;
        int parts = character < 0x80 ? strchr(" \t\r\n,;", (int)character) != NULL
                                     : uc_is_property_white_space(character) || character == 0xFF0C || character == 0x3001 || character == 0xFF1B;
        if (parts && start) break;
        if (!parts && !start) start = at;
    }
    *text = at;
    return start ? apr_pstrmemdup(pool, start, at - start) : NULL;
}

/* A list of host names; an entry may itself hold several, as typed into one box. */
static void check_hosts(icp_form_check_t *check, const icp_form_field_t *field, const json_t *typed, json_t *clean, int required)
{
    json_t *hosts = json_array(), *seen = json_object();
    size_t index;
    const json_t *entry;
    int is_list = !typed || json_is_null(typed) || json_is_array(typed);
    json_array_foreach((json_t *)typed, index, entry) {
        const char *rest = json_string_value(entry), *name;
        if (!rest) is_list = 0;
        while (rest && (name = next_name(&rest, check->pool)) != NULL) {
            if (json_array_size(hosts) >= ICP_FORM_HOSTS_MAX) {
                icp_form_refuse(check, apr_psprintf(check->pool, "At most %d host names; further ones can be added later.", ICP_FORM_HOSTS_MAX),
                                apr_psprintf(check->pool, "最多填写 %d 个域名，其余可以之后再添加。", ICP_FORM_HOSTS_MAX));
                goto done;
            }
            json_t *one = json_string(name);
            const char *host = check_value(check, &(icp_form_field_t){.max = 1024, .check = field->check}, one, 0);
            json_decref(one);
            if (*host && !json_object_get(seen, host)) {
                json_object_set_new(seen, host, json_true());
                json_array_append_new(hosts, json_string(host));
            }
        }
    }
done:
    if (!is_list) icp_form_refuse(check, NOT_TEXT_EN, NOT_TEXT_ZH);
    else if (required && !json_array_size(hosts)) icp_form_refuse(check, "Please fill this in.", "请填写此项。");
    if (json_array_size(hosts)) json_object_set_new(clean, field->name, hosts);
    else json_decref(hosts);
    json_decref(seen);
}

static void check_field(icp_form_check_t *check, icp_form_kind_e kind, const icp_form_field_t *field, const char *prefix,
                        const json_t *typed, json_t *clean)
{
    if (!icp_form_asks(field, kind, check->holder)) return;
    int required = (field->required >> kind & 1) && (!field->holder || !strcmp(field->holder, check->holder));
    const json_t *value = json_object_get(typed, field->name);
    check->path = apr_pstrcat(check->pool, prefix, field->name, NULL);
    if (field->check == icp_form_check_host) check_hosts(check, field, value, clean, required);
    else keep(clean, field->name, check_value(check, field, value, required));
}

/* Each host is one website's. `others`: those before it. */
static void refuse_shared_hosts(icp_form_check_t *check, const char *path, const json_t *website, const json_t *others)
{
    const json_t *host, *other;
    size_t i, j, k;
    check->path = path;
    json_array_foreach(json_object_get(website, "hosts"), i, host) {
        for (j = 0; j < json_array_size(others); j++) {
            json_array_foreach(json_object_get(json_array_get(others, j), "hosts"), k, other) {
                if (!json_equal(host, other)) continue;
                const char *shown = icp_host_display(json_string_value(host), check->pool);
                icp_form_refuse(check, apr_psprintf(check->pool, "“%s” is given to website %d as well. Name it once.", shown, (int)j + 1),
                                apr_psprintf(check->pool, "“%s”已填写在网站 %d 中，请勿重复填写。", shown, (int)j + 1));
                return;
            }
        }
    }
}

static void refuse_foreign_homepage(icp_form_check_t *check, const char *path, const json_t *website)
{
    const char *homepage = json_string_value(json_object_get(website, "homepage")), *name;
    const json_t *hosts = json_object_get(website, "hosts"), *host;
    apr_uri_t uri;
    size_t i;
    check->path = path;
    if (!homepage || !hosts || apr_uri_parse(check->pool, homepage, &uri) || !uri.hostname || icp_host_normalise(&name, uri.hostname, 0, check->pool)) return;
    json_array_foreach(hosts, i, host) {
        if (!strcmp(json_string_value(host), name)) return;
    }
    icp_form_refuse(check, "This page is at none of the website's host names. Write its address with one of them, or name its host above as well.",
                    "该网址不在本网站的域名下。请改用上面填写的域名，或在上面补充该域名。");
}

static void check_websites(icp_form_check_t *check, icp_form_kind_e kind)
{
    json_t *typed = json_object_get(check->typed, "websites"), *clean = json_array();
    size_t count = json_array_size(typed);
    int required = kind != ICP_FORM_CHANGE && kind != ICP_FORM_CANCEL_LICENSE;
    check->path = "websites";
    if (kind == ICP_FORM_CANCEL_LICENSE) count = 0;
    if (count > ICP_FORM_WEBSITES_MAX) {
        icp_form_refuse(check, apr_psprintf(check->pool, "At most %d websites in one application.", ICP_FORM_WEBSITES_MAX),
                        apr_psprintf(check->pool, "一次申请最多填写 %d 个网站。", ICP_FORM_WEBSITES_MAX));
        count = ICP_FORM_WEBSITES_MAX;
    }
    if (required && !count) count = 1; /* its fields say that they are missing */
    for (size_t i = 0; i < count; i++) {
        json_t *website = json_object();
        const char *prefix = apr_psprintf(check->pool, "websites.%d.", (int)i);
        for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
            if (!strcmp(field->group, "websites")) check_field(check, kind, field, prefix, json_array_get(typed, i), website);
        }
        refuse_shared_hosts(check, apr_pstrcat(check->pool, prefix, "hosts", NULL), website, clean);
        refuse_foreign_homepage(check, apr_pstrcat(check->pool, prefix, "homepage", NULL), website);
        json_array_append_new(clean, website);
    }
    if (json_array_size(clean)) json_object_set_new(check->clean, "websites", clean);
    else json_decref(clean);
}

/* In the order of the table, a group after the other. */
static void check_groups(icp_form_check_t *check, icp_form_kind_e kind)
{
    int websites_done = 0;
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        if (!strcmp(field->group, "websites")) {
            if (!websites_done++) check_websites(check, kind);
        }
        else if (!*field->group) {
            check_field(check, kind, field, "", check->typed, check->clean);
        }
        else {
            check_field(check, kind, field, apr_pstrcat(check->pool, field->group, ".", NULL), json_object_get(check->typed, field->group),
                        json_object_get(check->clean, field->group));
        }
    }
}

/* The bureau decides that issued the number; telecom numbers of the whole country name no province. */
static void fill_province(icp_form_check_t *check)
{
    json_t *holder = json_object_get(check->clean, "holder");
    const char *license = json_string_value(json_object_get(check->clean, "license"));
    if (json_object_get(holder, "province") || !license) return;
    const icp_number_t *number = icp_number_parse(license, check->pool);
    if (number->province && icp_choice_find(icp_form_provinces, number->province)) keep(holder, "province", number->province);
}

/* A misspelt member of a file that staff wrote would be lost in silence. */
static void refuse_unknown(icp_form_check_t *check, const json_t *object, const char *group, const char *prefix)
{
    static const char *const others[] = {"kind", "language", "holder", "contact", "websites", "confirmed", NULL};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        int known = 0;
        for (int i = 0; !*group && others[i]; i++) known |= !strcmp(others[i], name);
        for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
            known |= !strcmp(field->group, group) && !strcmp(field->name, name);
        }
        if (known) continue;
        check->path = apr_pstrcat(check->pool, prefix, icp_text_printable(name, 60, check->pool), NULL);
        icp_form_refuse(check, "There is no such field.", "没有这一项。");
    }
}

static int is_confirmed(const json_t *typed, const char *field)
{
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(typed, "confirmed"), index, entry) {
        if (json_is_string(entry) && !strcmp(json_string_value(entry), field)) return 1;
    }
    return 0;
}

/* Confirmed warnings leave the list, and stand in the clean form. */
static apr_array_header_t *sort_out(icp_form_check_t *check)
{
    apr_array_header_t *left = apr_array_make(check->pool, 8, sizeof(icp_form_issue_t));
    json_t *confirmed = json_array();
    for (int i = 0; i < check->issues->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(check->issues, i, icp_form_issue_t);
        if (issue->is_warning && is_confirmed(check->typed, issue->field)) json_array_append_new(confirmed, json_string(issue->field));
        else *(icp_form_issue_t *)apr_array_push(left) = *issue;
    }
    if (json_array_size(confirmed)) json_object_set_new(check->clean, "confirmed", confirmed);
    else json_decref(confirmed);
    return left;
}

void icp_form_check(json_t **clean, apr_array_header_t **issues, const json_t *typed, apr_pool_t *pool)
{
    icp_form_check_t check = {typed, json_object(), apr_array_make(pool, 8, sizeof(icp_form_issue_t)), "", "", pool};
    const char *word = json_string_value(json_object_get(typed, "kind")), *language = json_string_value(json_object_get(typed, "language"));
    const json_t *holder = json_object_get(typed, "holder");
    int kind = word ? icp_form_kind(word) : -1;
    size_t index;
    json_t *website;

    *clean = icp_json_keep(check.clean, pool);
    *issues = check.issues;
    json_object_set_new(check.clean, "holder", json_object());
    json_object_set_new(check.clean, "contact", json_object());
    if (kind < 0) {
        check.path = "kind";
        icp_form_refuse(&check, "Choose what you apply for.", "请选择申请类型。");
        return;
    }
    json_object_set_new(check.clean, "kind", json_string(word));
    json_object_set_new(check.clean, "language", json_string(language && !strcmp(language, "en") ? "en" : "zh"));
    word = json_string_value(json_object_get(holder, "kind"));
    if (word && icp_choice_find(icp_form_holder_kinds, word)) check.holder = icp_choice_find(icp_form_holder_kinds, word)->value;

    refuse_unknown(&check, typed, "", "");
    refuse_unknown(&check, holder, "holder", "holder.");
    refuse_unknown(&check, json_object_get(typed, "contact"), "contact", "contact.");
    json_array_foreach(json_object_get(typed, "websites"), index, website) {
        if (index < ICP_FORM_WEBSITES_MAX) refuse_unknown(&check, website, "websites", apr_psprintf(pool, "websites.%d.", (int)index));
    }
    check_groups(&check, kind);
    fill_province(&check);
    *issues = sort_out(&check);
}

icp_error_t *icp_form_error(const apr_array_header_t *issues, apr_pool_t *pool)
{
    const char *text = "";
    if (!issues->nelts) return NULL;
    for (int i = 0; i < issues->nelts && i < 5; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        text = apr_pstrcat(pool, text, i ? "; " : "", issue->field, ": ", issue->message[ICP_LANGUAGE_EN], NULL);
    }
    if (issues->nelts > 5) text = apr_psprintf(pool, "%s; and %d more", text, issues->nelts - 5);
    return icp_error(pool, ICP_USAGE, "set the fields right; a warning goes away where its field is named in \"confirmed\"",
                     "the form is not complete or not right: %s", text);
}
