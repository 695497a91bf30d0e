/* The table of fields: what is taken and in which normal form, and what each check refuses or warns of. */
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <unistr.h>

#include "form.h"

static apr_pool_t *pool;
static json_t *clean;
static apr_array_header_t *issues;

static void setup(void)
{
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static const char first_filing[] =
    "{'kind': 'first', 'language': 'en',"
    " 'holder': {'kind': 'business', 'name': ' 上海示例商贸有限公司 ', 'uscc': '91310000775785552l', 'province': '沪',"
    "            'address': '上海市黄浦区示例路1号101室', 'representative': '张三'},"
    " 'contact': {'name': '李四', 'email': 'Li.Si@Example.CN', 'mobile': '+86 138-0013 8000'},"
    " 'websites': [{'name': '示例茶具', 'hosts': ['WWW.Example.cn. 示例.中国', 'example.cn'], 'category': 'commerce', 'person': '李四'}]}";

static json_t *parse(const char *text)
{
    char *json = apr_pstrdup(pool, text);
    for (char *c = json; *c; c++) {
        if (*c == '\'') *c = '"';
    }
    json_error_t error;
    json_t *object = json_loads(json, JSON_ALLOW_NUL, &error);
    ck_assert_msg(object != NULL, "%s in %s", error.text, text);
    return object;
}

static void check(json_t *typed)
{
    icp_form_check(&clean, &issues, typed, pool);
    json_decref(typed);
}

static json_t *example(void)
{
    return parse(first_filing);
}

/* "holder.uscc" and "websites.0.name" lead into the object. */
static void set(json_t *form, const char *path, json_t *value)
{
    char *last, *copy = apr_pstrdup(pool, path), *part = apr_strtok(copy, ".", &last), *next;
    for (; (next = apr_strtok(NULL, ".", &last)) != NULL; part = next) {
        form = json_is_array(form) ? json_array_get(form, atoi(part)) : json_object_get(form, part);
    }
    ck_assert_ptr_nonnull(form);
    json_object_set_new(form, part, value);
}

/* The issue of a field, NULL if it has none. */
static const icp_form_issue_t *issue(const char *field)
{
    for (int i = 0; i < issues->nelts; i++) {
        const icp_form_issue_t *at = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        ck_assert(at->message[0] && *at->message[0] && at->message[1] && *at->message[1]);
        ck_assert_ptr_null(u8_check((const uint8_t *)at->message[1], strlen(at->message[1])));
        if (!strcmp(at->field, field)) return at;
    }
    return NULL;
}

static const char *kept(const char *group, const char *name)
{
    const char *value = json_string_value(json_object_get(*group ? json_object_get(clean, group) : clean, name));
    return value ? value : "";
}

static const char *all_issues(void)
{
    const char *text = "";
    for (int i = 0; i < issues->nelts; i++) {
        const icp_form_issue_t *at = &APR_ARRAY_IDX(issues, i, icp_form_issue_t);
        text = apr_pstrcat(pool, text, at->field, ": ", at->message[0], "\n", NULL);
    }
    return text;
}

typedef enum { TAKEN, WARNED, REFUSED } outcome_e;

static void expect(const char *kind_of_holder, const char *field, const char *value, outcome_e outcome)
{
    json_t *form = example();
    set(form, "holder.kind", json_string(kind_of_holder));
    if (!strcmp(kind_of_holder, "person")) set(form, "holder.id_number", json_string("11010519491231002X"));
    set(form, field, json_string(value));
    check(form);
    const icp_form_issue_t *found = issue(field);
    ck_assert_msg((outcome == TAKEN) == !found, "%s '%s': %s", field, value, found ? found->message[0] : "taken");
    if (found) ck_assert_msg(found->is_warning == (outcome == WARNED), "%s '%s': %s", field, value, found->message[0]);
    ck_assert_msg(issues->nelts == (found != NULL), "%s '%s': %s", field, value, all_issues());
}

START_TEST(test_normal_form)
{
    check(example());
    ck_assert_msg(issues->nelts == 0, "%s", all_issues());
    ck_assert_str_eq(kept("holder", "uscc"), "91310000775785552L");
    ck_assert_str_eq(kept("holder", "name"), "上海示例商贸有限公司");
    ck_assert_str_eq(kept("contact", "mobile"), "13800138000");
    ck_assert_str_eq(kept("contact", "email"), "Li.Si@example.cn");
    char *hosts = json_dumps(json_object_get(json_array_get(json_object_get(clean, "websites"), 0), "hosts"), JSON_COMPACT);
    ck_assert_str_eq(hosts, "[\"www.example.cn\",\"xn--fsq092h.xn--fiqs8s\",\"example.cn\"]");
    free(hosts);
}
END_TEST

/* A code with a check character that does not fit: to be confirmed, and then taken. */
START_TEST(test_warning_confirmed)
{
    json_t *form = example();
    set(form, "holder.uscc", json_string("91310000775785552M"));
    check(json_incref(form));
    ck_assert(issue("holder.uscc")->is_warning);
    ck_assert_ptr_nonnull(icp_form_error(issues, pool));
    json_object_set_new(form, "confirmed", parse("['holder.uscc', 'holder.name', 7]"));
    check(form);
    ck_assert_msg(issues->nelts == 0, "%s", all_issues());
    ck_assert_int_eq(json_array_size(json_object_get(clean, "confirmed")), 1);
    ck_assert_ptr_null(icp_form_error(issues, pool));

    form = example();
    json_object_set_new(form, "confirmed", parse("['contact.email']"));
    set(form, "contact.email", json_string("nobody"));
    check(form);
    ck_assert(!issue("contact.email")->is_warning); /* what is refused stays so */
}
END_TEST

START_TEST(test_missing)
{
    check(parse("{'kind': 'first'}"));
    ck_assert_msg(issue("holder.kind") && issue("holder.name") && issue("contact.email") && issue("websites.0.hosts"), "%s", all_issues());
    ck_assert_ptr_null(issue("reason"));
    ck_assert_ptr_null(issue("license"));
    check(parse("{'kind': 'website', 'holder': {'kind': 'person'}}"));
    ck_assert(issue("license") && issue("holder.id_number") && !issue("holder.uscc") && !issue("holder.address"));
    check(parse("{'kind': 'cancel-license', 'holder': {'kind': 'business'}}"));
    ck_assert(issue("holder.uscc") && !issue("websites.0.hosts") && !issue("reason"));
    static const char *const no_kinds[] = {"{}", "{'kind': 'second'}", "{'kind': 5}", "{'kind': ['first']}", "[]", "'first'", NULL};
    for (int i = 0; no_kinds[i]; i++) {
        json_t *typed = json_loads(apr_pstrdup(pool, no_kinds[i]), JSON_DECODE_ANY, NULL);
        icp_form_check(&clean, &issues, typed, pool);
        json_decref(typed);
        ck_assert(issues->nelts == 1 && issue("kind"));
    }
}
END_TEST

/* The province of the bureau that decides is that of the number on file. */
START_TEST(test_province_of_license)
{
    json_t *form = example();
    set(form, "kind", json_string("website"));
    set(form, "license", json_string(" 川ICP备 05012345 号－2 "));
    json_object_del(json_object_get(form, "holder"), "province");
    check(form);
    ck_assert_str_eq(kept("", "license"), "蜀ICP备05012345号-2");
    ck_assert_str_eq(kept("holder", "province"), "蜀");
    ck_assert_str_eq(kept("holder", "address"), ""); /* not asked */
}
END_TEST

START_TEST(test_values)
{
    static const struct {
        const char *holder, *field, *value;
        outcome_e outcome;
    } cases[] = {
        {"business", "holder.uscc", "9131000077578555", REFUSED},
        {"business", "holder.uscc", "91310000775785552I", REFUSED},
        {"person", "holder.id_number", "11010519491231002x", TAKEN},
        {"person", "holder.id_number", "１１０１０５１９４９１２３１００２Ｘ", TAKEN},
        {"person", "holder.id_number", "110105194912310021", REFUSED},
        {"person", "holder.id_number", "110105491231002", REFUSED},
        {"person", "holder.id_number", "110105194913310027", REFUSED},
        {"person", "holder.province", "港", REFUSED},
        {"person", "holder.province", "川", REFUSED},
        {"person", "holder.address", "北京市朝阳区示例路1号", WARNED},
        {"person", "holder.address", "中国北京市朝阳区示例路1号", WARNED},
        {"person", "holder.address", "中国上海市黄浦区示例路1号", TAKEN},
        {"person", "holder.address", "某地", REFUSED},
        {"person", "contact.email", "a@b", REFUSED},
        {"person", "contact.email", " a@example.cn\xe3\x80\x80", TAKEN},
        {"person", "contact.email", "a b@example.cn", REFUSED}, /* it may be another's without the space */
        {"person", "contact.email", "a@example.cn b", REFUSED},
        {"person", "contact.email", "a@example.cn\nBcc: b@example.cn", REFUSED},
        {"person", "contact.email", "a@b@example.cn", REFUSED},
        {"person", "contact.email", "\"a\"@example.cn", REFUSED},
        {"person", "contact.email", "a@192.0.2.1", REFUSED},
        {"person", "contact.email", "a@example.cn:25", REFUSED},
        {"person", "contact.email", "a@邮件.中国", TAKEN},
        {"person", "contact.mobile", "0086 13800138000", TAKEN},
        {"person", "contact.mobile", "８６１３８００１３８０００", TAKEN},
        {"person", "contact.mobile", "12800138000", REFUSED},
        {"person", "contact.mobile", "1380013800", REFUSED},
        {"person", "contact.mobile", "+1 212 555 0100", REFUSED},
        {"person", "websites.0.name", "网站", WARNED},
        {"person", "websites.0.name", "My Blog", WARNED},
        {"person", "websites.0.name", "示例公司", WARNED},
        {"person", "websites.0.name", "www.example.cn", REFUSED},
        {"person", "websites.0.name", "12345", REFUSED},
        {"person", "websites.0.person", "李", REFUSED},
        {"person", "websites.0.person", "li4@example.cn", REFUSED},
        {"person", "websites.0.category", "games", WARNED},
        {"person", "websites.0.category", "GAMES", REFUSED},
        {"person", "websites.0.homepage", "https://www.example.cn/shop/?a=1", TAKEN},
        {"person", "websites.0.homepage", "http://EXAMPLE.cn:8080/", TAKEN},
        {"person", "websites.0.homepage", "https://other.cn/", REFUSED}, /* another website's */
        {"person", "websites.0.homepage", "shop.www.example.cn/", REFUSED},
        {"person", "websites.0.homepage", "javascript:alert(1)", REFUSED},
        {"person", "websites.0.homepage", "http://user@www.example.cn/", REFUSED},
        {"person", "websites.0.homepage", "http://127.0.0.1/", REFUSED},
        {"person", "websites.0.homepage", "http://www.example.cn/\"><script>", REFUSED},
        {"business", "holder.name", "'; DROP TABLE application; --", TAKEN}, /* plain text is plain text */
        {"business", "holder.name", "<script>alert(1)</script>", TAKEN},
        {"business", "holder.name", "司", REFUSED},
        {"business", "holder.name", "91310000775785552", REFUSED},
        {"business", "holder.name", "3M中国有限公司（上海）", TAKEN},
        {"business", "holder.uscc", " 9131 0000 7757 8555 2l ", TAKEN},
        {"business", "holder.uscc", "９１３１００００７７５７８５５５２Ｌ", TAKEN},
        {"business", "holder.uscc", "91310000–775785552–L", TAKEN},
        {"business", "holder.uscc", "310000400123456", REFUSED}, /* the registration number of before 2015 */
        {"business", "holder.representative", "John Smith-O’Neil Jr.", TAKEN},
        {"person", "holder.name", "买买提·艾力", TAKEN},
        {"person", "holder.name", "阿卜杜拉•买买提", TAKEN},
        {"person", "holder.name", "欧阳 娜娜", TAKEN},
        {"person", "holder.name", "𠮷野家", TAKEN},
        {"person", "holder.name", "O'Brien, Mary Ann", TAKEN},
        {"person", "holder.name", "王", REFUSED},
        {"person", "holder.name", "王小明2", REFUSED},
        {"person", "holder.id_number", "110105 19491231 002X", TAKEN},
        {"person", "holder.id_number", "810000199408230021", TAKEN}, /* residence permit of Hong Kong */
        {"person", "holder.id_number", "E12345678", WARNED},         /* a passport */
        {"person", "holder.id_number", "H1234567(8)", WARNED},       /* a travel permit of Hong Kong */
        {"person", "holder.id_number", "CHN310055010101", WARNED},   /* a permanent residence card */
        {"person", "holder.id_number", "护照E1234567", REFUSED},
        {"person", "holder.id_number", "PASSPORT", REFUSED},
        {"person", "holder.id_number", "11010519491231", WARNED},
        {"person", "contact.email", "li.si+icp@example.com.cn", TAKEN},
        {"person", "contact.email", "李四@example.cn", REFUSED},
        {"person", "contact.email", "lisi＠example．cn", TAKEN},
        {"person", "contact.email", "o'neil_x@sub-domain.example.co", TAKEN},
        {"person", "contact.email", "lisi@example", REFUSED},
        {"person", "contact.email", "lisi@example.cn.", TAKEN},
        {"person", "contact.email", "lisi.@example.cn", REFUSED},
        {"person", "contact.mobile", "138 0013 8000", TAKEN},
        {"person", "contact.mobile", "138–0013–8000", TAKEN},
        {"person", "contact.mobile", "（+86）138-0013-8000", TAKEN},
        {"person", "contact.mobile", "\xe2\x80\xad" "+86 138 0013 8000" "\xe2\x80\xac", TAKEN}, /* as copied from an address book */
        {"person", "contact.mobile", "+８６ １３８ ００１３ ８０００", TAKEN},
        {"person", "contact.mobile", "19912345678", TAKEN},
        {"person", "contact.mobile", "021-62345678", REFUSED},
        {"person", "contact.mobile", "400-820-8820", REFUSED},
        {"person", "contact.mobile", "+852 9123 4567", REFUSED},
        {"person", "contact.mobile", "13800138000 / 13900139000", REFUSED},
        {"business", "websites.0.name", "Dr. 茶", TAKEN},
        {"business", "websites.0.name", "St.John 茶具", TAKEN},
        {"business", "websites.0.name", "C2C茶具·上海站", TAKEN},
        {"business", "websites.0.name", "St.John", TAKEN},
        {"business", "websites.0.name", "https://www.example.cn/", REFUSED},
        {"business", "websites.0.name", "示例.中国", REFUSED},
        {"business", "websites.0.name", "茶", REFUSED},
        {"business", "websites.0.homepage", "www.example.cn/shop", TAKEN},
        {"business", "websites.0.homepage", "https://示例.中国/", TAKEN},
        {"business", "websites.0.homepage", "ftp://www.example.cn/", REFUSED},
        {"person", "holder.name", "a\nb", REFUSED},
        {"person", "holder.name", "a\xe2\x80\xae" "b", REFUSED}, /* turns the direction */
        {"person", "holder.nmae", "x", REFUSED},
        {"person", "contact.token", "x", REFUSED},
        {"person", "websites.0.token", "x", REFUSED},
        {"person", "sites", "x", REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect(cases[i].holder, cases[i].field, cases[i].value, cases[i].outcome);
}
END_TEST

START_TEST(test_hosts)
{
    static const char *const bad[] = {"http://www.example.cn/shop", "https://", "ftp://www.example.cn", "http:/www.example.cn", "localhost", "192.0.2.1", "[::1]", "::1", "*.example.cn", "com.cn", "bj.cn",
                                      "中国", "a..cn", "example", "a_b.example.cn", "1.2.3.4.5", "<script>.cn", "-", "-a.cn", "a-.cn", "www.a.cn-", NULL};
    for (int i = 0; bad[i]; i++) {
        json_t *form = example();
        set(form, "websites.0.hosts", json_pack("[s]", bad[i]));
        check(form);
        ck_assert_msg(issue("websites.0.hosts") && issues->nelts == 1, "%s: %s", bad[i], all_issues());
    }
    static const char *const shapes[] = {"'www.example.cn'", "[7]", "{'a': 1}", "[['www.example.cn']]", "[]", "['']", NULL};
    for (int i = 0; shapes[i]; i++) {
        json_t *form = example(), *list = parse(apr_pstrcat(pool, "[", shapes[i], "]", NULL));
        set(form, "websites.0.hosts", json_incref(json_array_get(list, 0)));
        json_decref(list);
        check(form);
        ck_assert_msg(issue("websites.0.hosts") != NULL, "%s", shapes[i]);
    }
    json_t *form = example(), *many = json_array();
    for (int i = 0; i < 100000; i++) json_array_append_new(many, json_sprintf("h%d.example.cn", i));
    set(form, "websites.0.hosts", many);
    check(form);
    ck_assert_ptr_nonnull(issue("websites.0.hosts"));
    ck_assert_int_lt(issues->nelts, 5);
}
END_TEST

/* As people write several into one box, and what becomes of it. */
START_TEST(test_hosts_as_typed)
{
    static const struct { const char *typed, *taken; } cases[] = {
        {"www.example.cn，example.cn、m.example.cn", "[\"www.example.cn\",\"example.cn\",\"m.example.cn\"]"},
        {"www.example.cn；example.cn;\n\n m.example.cn,", "[\"www.example.cn\",\"example.cn\",\"m.example.cn\"]"},
        {"www.example.cn\xe3\x80\x80" "example.cn\xc2\xa0m.example.cn", "[\"www.example.cn\",\"example.cn\",\"m.example.cn\"]"},
        {"http://www.example.cn/ HTTPS://example.cn", "[\"www.example.cn\",\"example.cn\"]"},
        {"ｗｗｗ．ｅｘａｍｐｌｅ．ｃｎ", "[\"www.example.cn\"]"},
        {"www。example。cn", "[\"www.example.cn\"]"},
        {"www.example.cn。", "[\"www.example.cn\"]"},
        {"WWW.Example.CN www.example.cn", "[\"www.example.cn\"]"},
        {"example.cn:8080", "[\"example.cn\"]"},
        {"http：//www.example.cn／", "[\"www.example.cn\"]"},
        {"茶具.中国 茶具.公司 www.茶具.cn", "[\"xn--h6qr62j.xn--fiqs8s\",\"xn--h6qr62j.xn--55qx5d\",\"www.xn--h6qr62j.cn\"]"},
        {"xn--h6qr62j.xn--fiqs8s", "[\"xn--h6qr62j.xn--fiqs8s\"]"},
        {"shop.example.com.cn example.bj.cn a--b.example.top", "[\"shop.example.com.cn\",\"example.bj.cn\",\"a--b.example.top\"]"},
        {"\xef\xbb\xbfwww.example.cn\xe2\x80\x8b", "[\"www.example.cn\"]"}, /* invisible */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *form = example();
        set(form, "websites.0.hosts", json_pack("[s]", cases[i].typed));
        check(form);
        ck_assert_msg(!issues->nelts, "%s: %s", cases[i].typed, all_issues());
        char *hosts = json_dumps(json_object_get(json_array_get(json_object_get(clean, "websites"), 0), "hosts"), JSON_COMPACT);
        ck_assert_str_eq(hosts, cases[i].taken);
        free(hosts);
    }
    json_t *form = example();
    set(form, "websites.0.hosts", json_pack("[s]", "www.example.con"));
    check(form);
    ck_assert(issues->nelts == 1 && issue("websites.0.hosts")->is_warning);
}
END_TEST

START_TEST(test_too_much)
{
    json_t *form = example();
    for (int i = 0; i < 500; i++) json_array_append_new(json_object_get(form, "websites"), json_object());
    check(form);
    ck_assert_ptr_nonnull(issue("websites"));
    ck_assert_int_le(json_array_size(json_object_get(clean, "websites")), ICP_FORM_WEBSITES_MAX);

    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        char *giant = malloc(1000001);
        memset(giant, 'x', 1000000);
        giant[1000000] = '\0';
        const char *path = apr_pstrcat(pool, field->group, *field->group ? "." : "", !strcmp(field->group, "websites") ? "0." : "", field->name, NULL);
        form = example();
        set(form, "kind", json_string("change"));
        set(form, path, !strcmp(field->name, "hosts") ? json_pack("[s]", giant) : json_string(giant));
        check(form);
        free(giant);
        if (icp_form_asks(field, ICP_FORM_CHANGE, "business")) ck_assert_msg(issue(path) != NULL, "%s", path);
        char *dump = json_dumps(clean, 0);
        ck_assert_uint_lt(strlen(dump), 1100000);
        free(dump);
    }
}
END_TEST

/* Whatever a value is, it is not text of the right kind, and nothing falls over. */
START_TEST(test_hostile_shapes)
{
    static const char *const values[] = {"7", "null", "true", "[]", "{}", "[[[[1]]]]", "'a\\u0000b'", "{'a': {'b': []}}", NULL};
    static const char *const places[] = {"holder", "contact", "websites", "license", "reason", "language", "confirmed", "holder.name",
                                         "holder.kind", "contact.mobile", "websites.0.name", NULL};
    for (int i = 0; places[i]; i++) {
        for (int j = 0; values[j]; j++) {
            json_t *form = example(), *list = parse(apr_pstrcat(pool, "[", values[j], "]", NULL));
            set(form, places[i], json_incref(json_array_get(list, 0)));
            json_decref(list);
            check(form);
            int is_optional = !strcmp(places[i], "language") || !strcmp(places[i], "confirmed") || !strcmp(places[i], "reason") || !strcmp(places[i], "license");
            ck_assert_msg((issues->nelts == 0) == is_optional, "%s %s: %s", places[i], values[j], all_issues());
        }
    }
}
END_TEST

START_TEST(test_every_field_has_words)
{
    for (const icp_form_field_t *field = icp_form_fields; field->name; field++) {
        ck_assert_msg(field->label[0] && field->label[1] && !field->hint[0] == !field->hint[1], "%s", field->name);
        ck_assert_msg((field->required & ~field->asked) == 0 && field->max > 0, "%s", field->name);
        ck_assert_msg((field->widget == ICP_WIDGET_CHOICE || field->widget == ICP_WIDGET_RADIO) == (field->choices != NULL), "%s", field->name);
    }
    int provinces = 0;
    for (; icp_form_provinces[provinces].value; provinces++) ck_assert_uint_eq(strlen(icp_form_provinces[provinces].value), 3);
    ck_assert_int_eq(provinces, 31);
}
END_TEST

/* --- documents --------------------------------------------------------------------------------------- */

START_TEST(test_documents_asked)
{
    const icp_form_document_t *license = icp_form_document("license"), *id = icp_form_document("id");
    ck_assert_ptr_null(icp_form_document("../id"));
    ck_assert(icp_form_document_required(license, ICP_FORM_FIRST, "business") && !icp_form_document_required(license, ICP_FORM_FIRST, "person"));
    ck_assert(icp_form_document_asked(license, ICP_FORM_FIRST, "") && !icp_form_document_asked(license, ICP_FORM_FIRST, "person"));
    for (int kind = 0; kind < ICP_FORM_KIND_COUNT; kind++) ck_assert(icp_form_document_required(id, kind, "person"));
    ck_assert(!icp_form_document_asked(icp_form_document("domain-certificate"), ICP_FORM_CANCEL_LICENSE, "person"));
}
END_TEST

START_TEST(test_a_host_of_two_websites)
{
    json_t *form = example(), *second = json_deep_copy(json_array_get(json_object_get(form, "websites"), 0));
    json_object_set_new(second, "hosts", json_pack("[s, s]", "new.cn", "Example.CN."));
    json_array_append_new(json_object_get(form, "websites"), second);
    check(form);
    ck_assert_msg(issues->nelts == 1 && issue("websites.1.hosts"), "%s", all_issues());
    ck_assert_str_eq(issue("websites.1.hosts")->message[ICP_LANGUAGE_ZH], "“example.cn”已填写在网站 1 中，请勿重复填写。");
}
END_TEST

START_TEST(test_labels_by_path)
{
    static const struct { const char *path; size_t websites; const char *en, *zh; } cases[] = {
        {"holder.uscc", 1, "Unified Social Credit Code", "统一社会信用代码"},
        {"license", 0, "ICP number on file", "已有备案号"},
        {"websites.0.hosts", 1, "Host names", "网站域名"},
        {"websites.0.hosts", 2, "Website 1: Host names", "网站 1：网站域名"},
        {"websites.1.name", 0, "Website 2: Name of the website", "网站 2：网站名称"},
        {"document.id", 1, "ID of the person in charge", "负责人身份证件"},
    };
    static const char *const none[] = {"", ".", ".license", "websites.+1.hosts", "websites.-1.hosts", "holder", "holder.shoe", "uscc", "websites.hosts", "websites.x.hosts", "websites..hosts",
                                       "websites.0", "websites.0.hosts.1", "websites.99.hosts", "document.shoe", "documents.id", "holder.0.uscc"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_str_eq(icp_form_label(cases[i].path, cases[i].websites, ICP_LANGUAGE_EN, pool), cases[i].en);
        ck_assert_str_eq(icp_form_label(cases[i].path, cases[i].websites, ICP_LANGUAGE_ZH, pool), cases[i].zh);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(!icp_form_label(none[i], 1, ICP_LANGUAGE_EN, pool), "%s", none[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_normal_form, test_warning_confirmed, test_missing, test_province_of_license, test_values, test_hosts, test_hosts_as_typed,
                                         test_too_much, test_hostile_shapes, test_every_field_has_words, test_documents_asked, test_labels_by_path, test_a_host_of_two_websites};
    apr_initialize();
    Suite *suite = suite_create("form");
    TCase *tcase = tcase_create("form");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
