#include "verdict.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "display.h"

#define MINISTRY_HOST "beian.miit.gov.cn"

static const char *const verdict_names[ICP_VERDICT_COUNT] = {"displayed", "missing", "incorrect", "invalid", "hidden", "unreadable"};
static const char *const finding_names[ICP_FINDING_COUNT] = {
    "suffix-differs", "suffix-missing", "app-number", "alias-province", "suspect-number", "placeholder",
    "link-missing", "link-wrong", "not-in-footer", "several-numbers",
};

/* The expected numbers, parsed. */
typedef struct wanted_t {
    icp_number_t **numbers;
    int count;
} wanted_t;

/* What the mentions come to. */
typedef struct tally_t {
    const icp_mention_t *matched;     /* the best one displayed */
    int rank;                         /* of it */
    int other, invalid;               /* displayed: well-formed numbers of others, things that are none */
    int hidden_match, hidden;         /* well-formed numbers that are not displayed */
} tally_t;

static const icp_mention_t *mention_at(const icp_page_report_t *seen, int i)
{
    return &APR_ARRAY_IDX(seen->mentions, i, icp_mention_t);
}

static wanted_t parse_wanted(const icp_expectation_t *expected, apr_pool_t *pool)
{
    wanted_t wanted = {NULL, 0};
    int count = expected ? expected->count : 0;
    wanted.numbers = apr_palloc(pool, sizeof *wanted.numbers * (apr_size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        icp_number_t *number = icp_number_parse(expected->numbers[i], pool);
        if (number->kind != ICP_NUMBER_NONE) wanted.numbers[wanted.count++] = number;
    }
    return wanted;
}

static int well_formed(const icp_number_t *number)
{
    return number->kind != ICP_NUMBER_NONE && number->kind != ICP_NUMBER_POLICE;
}

/* 0: not this site's; 1: another suffix of its license; 2: its license, the suffix left out on one side; 3: exactly. */
static int rank(const icp_number_t *number, const wanted_t *wanted)
{
    int best = 0;
    for (int i = 0; i < wanted->count; i++) {
        const icp_number_t *want = wanted->numbers[i];
        if (!icp_number_same_license(number, want)) continue;
        int same = number->suffix == want->suffix && number->service == want->service;
        int level = same ? 3 : number->service ? 1 : !number->suffix || !want->suffix ? 2 : 1;
        if (level > best) best = level;
    }
    return best;
}

/* What a mention is worth to the site: 0 nothing. A placeholder is a number only where exactly that one is expected. */
static int worth(const icp_number_t *number, const wanted_t *wanted, int any_will_do)
{
    if (!well_formed(number)) return 0;
    if (!any_will_do) return rank(number, wanted);
    if (number->marks & ICP_MARK_PLACEHOLDER) return 0;
    return number->service ? 1 : 3;
}

static int is_real(const icp_number_t *number)
{
    return well_formed(number) && !(number->marks & ICP_MARK_PLACEHOLDER);
}

/* The website number is asked for where the license number is not enough; only filings have the two forms. */
static int lacks_wanted_suffix(const icp_number_t *number)
{
    return number->kind == ICP_NUMBER_FILING && !number->suffix && !icp_display_by_license(number);
}

static tally_t count_up(const icp_page_report_t *seen, const wanted_t *wanted, int any_will_do)
{
    tally_t tally = {0};
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = mention_at(seen, i);
        const icp_number_t *number = &mention->number;
        int value = worth(number, wanted, any_will_do);
        if (mention->where != ICP_WHERE_DISPLAYED) {
            tally.hidden_match |= value > 0;
            tally.hidden |= well_formed(number);
        }
        else if (value > tally.rank) {
            tally.rank = value;
            tally.matched = mention;
        }
        else if (value == 0) {
            tally.other |= is_real(number);
            tally.invalid |= !is_real(number);
        }
    }
    return tally;
}

static int hopeless(icp_unreadable_e reason)
{
    return reason == ICP_UNREADABLE_STATUS || reason == ICP_UNREADABLE_TYPE || reason == ICP_UNREADABLE_ENCODED ||
           reason == ICP_UNREADABLE_UNREACHED;
}

static icp_verdict_e decide(const icp_page_report_t *seen, const tally_t *tally)
{
    if (hopeless(seen->unreadable)) return ICP_UNREADABLE;
    if (tally->matched) return ICP_DISPLAYED;
    if (tally->hidden_match) return ICP_HIDDEN;
    if (seen->cut) return ICP_UNREADABLE; /* the rest may hold it */
    if (tally->other) return ICP_INCORRECT;
    if (tally->hidden) return ICP_HIDDEN;
    int drawn_elsewhere = seen->unreadable != ICP_READABLE && seen->unreadable != ICP_UNREADABLE_IMAGE;
    if (tally->invalid && !drawn_elsewhere) return ICP_INVALID;
    return seen->unreadable ? ICP_UNREADABLE : ICP_MISSING;
}

/* Does a link lead to the Ministry's host? Read as browsers read addresses: tabs and line breaks in it do not count, a backslash is a slash. */
static int host_is_ministry(const char *link, apr_pool_t *pool)
{
    char *address = apr_palloc(pool, strlen(link) + 1), *end = address;
    for (link += strspn(link, " \t\r\n\f"); *link; link++) {
        if (!strchr("\t\r\n", *link)) *end++ = *link == '\\' ? '/' : *link;
    }
    *end = '\0';
    if (strncasecmp(address, "https:", 6) == 0) address += 6;
    else if (strncasecmp(address, "http:", 5) == 0) address += 5;
    if (strncmp(address, "//", 2) != 0) return 0;
    address += strspn(address, "/");
    address[strcspn(address, "/?# ")] = '\0';
    const char *user = strrchr(address, '@'), *host = user ? user + 1 : address;
    apr_size_t length = strcspn(host, ":");
    return length == strlen(MINISTRY_HOST) && strncasecmp(host, MINISTRY_HOST, length) == 0;
}

/* Where the matched number stands, over all places where it is displayed: the best counts. */
static unsigned place_findings(const icp_page_report_t *seen, const icp_mention_t *matched, apr_pool_t *pool)
{
    int linked = 0, right = 0, footer = 0;
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = mention_at(seen, i);
        if (mention->where != ICP_WHERE_DISPLAYED || !well_formed(&mention->number)) continue;
        if (!icp_number_same_license(&mention->number, &matched->number)) continue;
        footer |= mention->in_footer;
        linked |= mention->link != NULL;
        right |= mention->link && host_is_ministry(mention->link, pool);
    }
    unsigned findings = footer ? 0 : 1u << ICP_FINDING_NOT_IN_FOOTER;
    if (!linked) findings |= 1u << ICP_FINDING_LINK_MISSING;
    else if (!right) findings |= 1u << ICP_FINDING_LINK_WRONG;
    return findings;
}

static unsigned number_findings(const icp_page_report_t *seen)
{
    unsigned findings = 0;
    const char *first_filing = NULL;
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = mention_at(seen, i);
        const icp_number_t *number = &mention->number;
        if (mention->where != ICP_WHERE_DISPLAYED) continue;
        if (number->service) findings |= 1u << ICP_FINDING_APP_NUMBER;
        if (number->marks & ICP_MARK_ALIAS_PROVINCE) findings |= 1u << ICP_FINDING_ALIAS_PROVINCE;
        if (number->marks & ICP_MARK_SUSPECT) findings |= 1u << ICP_FINDING_SUSPECT_NUMBER;
        if (number->marks & ICP_MARK_PLACEHOLDER || number->reason == ICP_REASON_PLACEHOLDER) findings |= 1u << ICP_FINDING_PLACEHOLDER;
        if (number->kind != ICP_NUMBER_FILING || number->service || !is_real(number)) continue;
        if (first_filing && strcmp(first_filing, number->text) != 0) findings |= 1u << ICP_FINDING_SEVERAL_NUMBERS;
        if (!first_filing) first_filing = number->text;
    }
    return findings;
}

static int listed(const apr_array_header_t *list, const char *text)
{
    for (int i = 0; i < list->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(list, i, const char *), text) == 0) return 1;
    }
    return 0;
}

static apr_array_header_t *list_displayed(const icp_page_report_t *seen, const wanted_t *wanted, int any_will_do, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = mention_at(seen, i);
        if (mention->where != ICP_WHERE_DISPLAYED || !well_formed(&mention->number)) continue;
        if (!is_real(&mention->number) && !worth(&mention->number, wanted, any_will_do)) continue;
        if (!listed(list, mention->number.text)) APR_ARRAY_PUSH(list, const char *) = mention->number.text;
    }
    return list;
}

icp_inspection_t *icp_verdict_judge(const icp_page_report_t *seen, const icp_expectation_t *expected,
                                    const icp_policy_t *policy, apr_pool_t *pool)
{
    icp_inspection_t *inspection = apr_pcalloc(pool, sizeof *inspection);
    icp_suffix_rule_e rule = policy ? policy->suffix : ICP_SUFFIX_WARN;
    int any_will_do = !expected || expected->count == 0;
    wanted_t wanted = parse_wanted(expected, pool);
    tally_t tally = count_up(seen, &wanted, any_will_do);

    inspection->seen = seen;
    inspection->displayed = list_displayed(seen, &wanted, any_will_do, pool);
    inspection->verdict = decide(seen, &tally);
    inspection->findings = number_findings(seen);
    if (inspection->verdict == ICP_UNREADABLE) inspection->unreadable = seen->unreadable;
    if (inspection->verdict != ICP_DISPLAYED) return inspection;

    const icp_number_t *number = &tally.matched->number;
    inspection->matched = number->text;
    inspection->findings |= place_findings(seen, tally.matched, pool);
    if (!any_will_do && tally.rank == 1) inspection->findings |= 1u << ICP_FINDING_SUFFIX_DIFFERS;
    if (rule != ICP_SUFFIX_OFF && lacks_wanted_suffix(number)) {
        inspection->findings |= 1u << ICP_FINDING_SUFFIX_MISSING;
        if (rule == ICP_SUFFIX_ON && !(tally.rank == 3 && !any_will_do)) {
            inspection->verdict = ICP_INCORRECT;
            inspection->matched = NULL;
        }
    }
    return inspection;
}

int icp_verdict_fails(icp_verdict_e verdict)
{
    return verdict == ICP_MISSING || verdict == ICP_INCORRECT || verdict == ICP_INVALID;
}

const char *icp_verdict_name(icp_verdict_e verdict)
{
    return verdict < ICP_VERDICT_COUNT ? verdict_names[verdict] : "unreadable";
}

icp_verdict_e icp_verdict_parse(const char *name)
{
    int i = 0;
    while (i < ICP_VERDICT_COUNT && strcmp(verdict_names[i], name) != 0) i++;
    return (icp_verdict_e)i;
}

const char *icp_finding_name(icp_finding_e finding)
{
    return finding < ICP_FINDING_COUNT ? finding_names[finding] : "";
}

static int json_has(const json_t *array, const char *number, const char *where)
{
    size_t i;
    json_t *entry;
    json_array_foreach(array, i, entry) {
        if (!where && strcmp(json_string_value(entry), number) == 0) return 1;
        if (where && strcmp(json_string_value(json_object_get(entry, "number")), number) == 0 &&
            strcmp(json_string_value(json_object_get(entry, "where")), where) == 0) {
            return 1;
        }
    }
    return 0;
}

json_t *icp_inspection_json(const icp_inspection_t *inspection)
{
    const icp_page_report_t *seen = inspection->seen;
    json_t *displayed = json_array(), *hidden = json_array(), *invalid = json_array(), *findings = json_array();
    for (int i = 0; i < inspection->displayed->nelts; i++) {
        json_array_append_new(displayed, json_string(APR_ARRAY_IDX(inspection->displayed, i, const char *)));
    }
    for (int i = 0; i < seen->mentions->nelts; i++) {
        const icp_mention_t *mention = mention_at(seen, i);
        const char *text = mention->number.text, *where = icp_where_name(mention->where);
        if (mention->where == ICP_WHERE_DISPLAYED) {
            if (!listed(inspection->displayed, text) && !json_has(invalid, text, NULL)) json_array_append_new(invalid, json_string(text));
        }
        else if (well_formed(&mention->number) && !json_has(hidden, text, where)) {
            json_array_append_new(hidden, json_pack("{s:s,s:s}", "number", text, "where", where));
        }
    }
    for (int i = 0; i < ICP_FINDING_COUNT; i++) {
        if (inspection->findings & 1u << i) json_array_append_new(findings, json_string(finding_names[i]));
    }
    json_t *object = json_pack("{s:s,s:o,s:o,s:o,s:o,s:s}", "verdict", icp_verdict_name(inspection->verdict), "displayed", displayed, "hidden",
                               hidden, "invalid", invalid, "findings", findings, "charset", seen->charset);
    if (inspection->verdict == ICP_UNREADABLE) {
        json_object_set_new(object, "reason", json_string(icp_unreadable_name(inspection->unreadable)));
        if (seen->detail) json_object_set_new(object, "detail", json_string(seen->detail));
    }
    return object;
}
