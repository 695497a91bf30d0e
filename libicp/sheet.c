#include "sheet.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "media.h"
#include "scan.h"

#define SHEET_MAX 262144 /* bytes of a style element that are read */
#define RULES_MAX 4096   /* that are remembered */
#define CHAIN_MAX 32     /* … of those with the same key */
#define MATCHES_MAX 64   /* of an element */
#define BUCKETS 256

typedef struct rule_t {
    struct rule_t *next; /* with a key of the same bucket */
    icp_selector_t selector;
    apr_uint64_t key;
    const char *text;    /* its selector, for people */
    const icp_declaration_t *declarations;
    int count;
    int order;
    int decides;         /* see icp_style_decides */
    int layered;         /* stands in an @layer: any that does not goes before it */
} rule_t;

struct icp_sheet_t {
    apr_pool_t *pool;
    apr_hash_t *variables;
    rule_t *buckets[BUCKETS];
    int rules;
    int decides; /* one of them does */
    int ignored; /* the style element that is being read */
    int layered; /* the rules that are being read stand in an @layer */
    char *text;
    apr_size_t length, size;
};

icp_sheet_t *icp_sheet_create(apr_pool_t *pool)
{
    icp_sheet_t *sheet = apr_pcalloc(pool, sizeof *sheet);
    sheet->pool = pool;
    sheet->variables = apr_hash_make(pool);
    return sheet;
}

static int is_css(const icp_attribute_t *type)
{
    return type->length == 0 || (type->length == 8 && strncasecmp(type->value, "text/css", 8) == 0);
}

void icp_sheet_begin(icp_sheet_t *sheet, const icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    sheet->ignored = 0;
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_TYPE && !is_css(attribute)) sheet->ignored = 1;
        if (attribute->which == ICP_ATTRIBUTE_MEDIA && !icp_media_applies(attribute->value, attribute->length)) sheet->ignored = 1;
    }
}

void icp_sheet_add(icp_sheet_t *sheet, const char *text, apr_size_t length)
{
    if (sheet->ignored) return;
    if (length > SHEET_MAX - sheet->length) length = SHEET_MAX - sheet->length;
    if (sheet->length + length > sheet->size) {
        apr_size_t size = sheet->size ? sheet->size : 8192;
        while (size < sheet->length + length) size *= 2;
        char *larger = apr_palloc(sheet->pool, size);
        if (sheet->length) memcpy(larger, sheet->text, sheet->length);
        sheet->text = larger;
        sheet->size = size;
    }
    memcpy(sheet->text + sheet->length, text, length);
    sheet->length += length;
}

/* Blanks the comments out, and what hid sheets from the browsers of old. */
static void drop_comments(char *text, apr_size_t length)
{
    char *p = text, *end = text + length;
    while ((p = memchr(p, '/', (apr_size_t)(end - p)))) {
        if (end - p < 2 || p[1] != '*') {
            p++;
            continue;
        }
        char *close = memmem(p + 2, (apr_size_t)(end - p - 2), "*/", 2);
        close = close ? close + 2 : end;
        memset(p, ' ', (apr_size_t)(close - p));
        p = close;
    }
    for (p = text; p < end && icp_is_space(*p); p++) continue;
    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) memset(p, ' ', 4);
    while (end > text && icp_is_space(end[-1])) end--;
    if (end - text >= 3 && memcmp(end - 3, "-->", 3) == 0) memset(end - 3, ' ', 3);
}

static void add_rule(icp_sheet_t *sheet, const rule_t *like, const char *text, apr_size_t length)
{
    rule_t rule = *like;
    if (sheet->rules == RULES_MAX || !icp_selector_read(&rule.selector, text, length)) return;
    rule.key = icp_selector_key(&rule.selector);
    rule_t **bucket = &sheet->buckets[rule.key & (BUCKETS - 1)];
    int same = 0;
    for (const rule_t *other = *bucket; other; other = other->next) same += other->key == rule.key;
    if (same == CHAIN_MAX) return;
    while (length > 0 && apr_isspace(*text)) text++, length--;
    while (length > 0 && apr_isspace(text[length - 1])) length--;
    rule.text = apr_pstrmemdup(sheet->pool, text, length < 64 ? length : 64);
    rule.order = sheet->rules++;
    rule.next = *bucket;
    *bucket = apr_pmemdup(sheet->pool, &rule, sizeof rule);
}

/* Where the selector ends that begins at `p`: at a comma outside brackets. */
static const char *selector_end(const char *p, const char *end)
{
    int depth = 0;
    for (; p < end; p++) {
        if (*p == '(' || *p == '[') depth++;
        else if (*p == ')' || *p == ']') depth--;
        else if (*p == ',' && depth <= 0) break;
    }
    return p;
}

/* A rule: its selectors, and its declarations up to rules nested in it. */
static void read_rule(icp_sheet_t *sheet, const char *selectors, const char *open, const char *close)
{
    icp_declaration_t declarations[ICP_DECLARATIONS_MAX];
    const char *begin = open + 1, *nested = memchr(begin, '{', (apr_size_t)(close - begin));
    if (nested) {
        const char *last = memrchr(begin, ';', (apr_size_t)(nested - begin));
        close = last ? last : begin;
    }
    rule_t rule = {.count = icp_style_parse(declarations, begin, (apr_size_t)(close - begin), sheet->variables)};
    if (!rule.count) return;
    rule.decides = icp_style_decides(declarations, rule.count);
    rule.layered = sheet->layered;
    sheet->decides |= rule.decides;
    rule.declarations = apr_pmemdup(sheet->pool, declarations, sizeof *declarations * (apr_size_t)rule.count);
    for (const char *stop; selectors < open; selectors = stop + 1) {
        stop = selector_end(selectors, open);
        add_rule(sheet, &rule, selectors, (apr_size_t)(stop - selectors));
    }
}

/* Does what stands in the braces of an at-rule apply as rules do? */
static int at_rule_applies(const char *p, const char *open)
{
    static const struct { const char *name; int applies; } names[] = {{"@media", -1}, {"@supports", 1}, {"@layer", 1}, {"@scope", 0}, {NULL, 0}};
    for (int i = 0; names[i].name; i++) {
        apr_size_t length = strlen(names[i].name);
        if ((apr_size_t)(open - p) < length || strncasecmp(p, names[i].name, length) != 0) continue;
        return names[i].applies < 0 ? icp_media_applies(p + length, (apr_size_t)(open - p) - length) : names[i].applies;
    }
    return 0;
}

static const char *closing_brace(const char *open, const char *end)
{
    int depth = 0;
    const char *p = open;
    for (; p < end; p++) {
        p = icp_scan_either(p, end, '{', '}');
        if (p == end) break;
        depth += *p == '{' ? 1 : -1;
        if (depth == 0) break;
    }
    return p;
}

static void read_rules(icp_sheet_t *sheet, const char *p, const char *end, int depth)
{
    const char *open = NULL;
    while (p < end) {
        if (!open || open < p) open = memchr(p, '{', (apr_size_t)(end - p));
        if (!open) return;
        while (p < open && apr_isspace(*p)) p++;
        const char *stop = memchr(p, ';', (apr_size_t)(open - p));
        if (stop && *p == '@') { /* @import, @charset */
            p = stop + 1;
            continue;
        }
        const char *close = closing_brace(open, end);
        if (!stop && *p != '@') read_rule(sheet, p, open, close);
        else if (!stop && depth < 3 && at_rule_applies(p, open)) { /* a semicolon behind a rule, "};", spoils the next one */
            int outer = sheet->layered;
            sheet->layered |= open - p > 6 && strncasecmp(p, "@layer", 6) == 0;
            read_rules(sheet, open + 1, close, depth + 1);
            sheet->layered = outer;
        }
        p = close + 1;
    }
}

void icp_sheet_end(icp_sheet_t *sheet)
{
    if (!sheet->length) return;
    drop_comments(sheet->text, sheet->length);
    read_rules(sheet, sheet->text, sheet->text + sheet->length, 0);
    sheet->length = 0;
}

int icp_sheet_has_rules(const icp_sheet_t *sheet)
{
    return sheet->decides;
}

apr_hash_t *icp_sheet_variables(const icp_sheet_t *sheet)
{
    return sheet->variables;
}

typedef struct matches_t {
    const rule_t *rules[MATCHES_MAX];
    int count;
} matches_t;

/* A selector that is only partly understood shows, but hides nothing. */
static void find(matches_t *matches, const icp_sheet_t *sheet, apr_uint64_t key, const icp_tag_t *tag, const icp_node_t *node,
                 const icp_node_t *around, int depth, int decides)
{
    for (const rule_t *rule = sheet->buckets[key & (BUCKETS - 1)]; rule && matches->count < MATCHES_MAX; rule = rule->next) {
        if (rule->key != key || rule->decides != decides || !icp_selector_matches(&rule->selector, tag, node, around, depth)) continue;
        matches->rules[matches->count++] = rule;
    }
}

static int in_order(const void *a, const void *b)
{
    const rule_t *first = *(const rule_t *const *)a, *second = *(const rule_t *const *)b;
    int by_weight = first->selector.specificity - second->selector.specificity;
    if (first->layered != second->layered) return second->layered - first->layered;
    return by_weight ? by_weight : first->order - second->order;
}

static int hides(const rule_t *rule, const icp_sheet_t *sheet)
{
    icp_style_t style;
    icp_cascade_t cascade = {{0}, {0}, sheet->variables};
    icp_style_cascade(&cascade, rule->declarations, rule->count, NULL);
    icp_style_evaluate(&style, &cascade);
    return style.because != NULL;
}

int icp_sheet_cascade(const icp_sheet_t *sheet, icp_cascade_t *cascade, const icp_tag_t *tag, const icp_node_t *around, int depth, int all)
{
    matches_t matches;
    icp_node_t node;
    matches.count = 0;
    icp_node_read(&node, tag, 0);
    for (int decides = 1; decides >= 0; decides--) {
        if (node.id) find(&matches, sheet, node.id, tag, &node, around, depth, decides);
        for (int i = 0; i < node.class_count; i++) find(&matches, sheet, node.classes[i], tag, &node, around, depth, decides);
        find(&matches, sheet, node.tag, tag, &node, around, depth, decides);
        find(&matches, sheet, 0, tag, &node, around, depth, decides);
        if (!matches.count && !all) return 0;
    }
    if (matches.count > 1) qsort(matches.rules, (size_t)matches.count, sizeof *matches.rules, in_order);
    for (int i = 0; i < matches.count; i++) {
        const rule_t *rule = matches.rules[i];
        if (rule->selector.sure || !hides(rule, sheet)) icp_style_cascade(cascade, rule->declarations, rule->count, rule->text);
    }
    return matches.count > 0;
}
