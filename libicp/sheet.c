#include "sheet.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_hash.h>

#include "style.h"

#define SHEET_MAX 262144 /* bytes of a style element that are read */
#define NAMES_MAX 4096   /* classes and ids that are remembered */

/* What the rules say of one ".class" or "#id". */
typedef struct rule_t {
    const char *hidden_by; /* NULL: no rule for it alone hides it */
    int shown;             /* some rule that ends in it shows it */
} rule_t;

struct icp_sheet_t {
    apr_pool_t *pool;
    apr_hash_t *rules; /* ".class" or "#id" → rule_t */
    char *text;
    apr_size_t length, size;
};

icp_sheet_t *icp_sheet_create(apr_pool_t *pool)
{
    icp_sheet_t *sheet = apr_pcalloc(pool, sizeof *sheet);
    sheet->pool = pool;
    sheet->rules = apr_hash_make(pool);
    return sheet;
}

void icp_sheet_add(icp_sheet_t *sheet, const char *text, apr_size_t length)
{
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

static int in_name(char c)
{
    return apr_isalnum(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* Blanks the comments out. */
static void drop_comments(char *text, apr_size_t length)
{
    char *p = text, *end = text + length;
    while ((p = memmem(p, (apr_size_t)(end - p), "/*", 2))) {
        char *close = memmem(p + 2, (apr_size_t)(end - p - 2), "*/", 2);
        close = close ? close + 2 : end;
        memset(p, ' ', (apr_size_t)(close - p));
        p = close;
    }
}

static rule_t *rule_of(icp_sheet_t *sheet, const char *name, apr_size_t length)
{
    rule_t *rule = apr_hash_get(sheet->rules, name, (apr_ssize_t)length);
    if (rule || apr_hash_count(sheet->rules) >= NAMES_MAX) return rule;
    rule = apr_pcalloc(sheet->pool, sizeof *rule);
    apr_hash_set(sheet->rules, apr_pstrmemdup(sheet->pool, name, length), (apr_ssize_t)length, rule);
    return rule;
}

/* One selector of a rule: does it hide a class or id that stands by itself, or show one that its last part names? */
static void apply(icp_sheet_t *sheet, const char *selector, const char *end, const icp_style_t *style, int conditional)
{
    int hides = style->because != NULL;
    int shows = !hides && (style->display > ICP_DISPLAY_NONE || style->visibility == 2 || style->font == 2);
    while (selector < end && apr_isspace(*selector)) selector++;
    while (end > selector && apr_isspace(end[-1])) end--;
    while (hides != shows && end > selector) {
        const char *name = end;
        while (name > selector && in_name(name[-1])) name--;
        if (name == selector || name == end || (name[-1] != '.' && name[-1] != '#')) return;
        name--;
        int alone = name == selector && *end != '.' && *end != '#' && !conditional;
        rule_t *rule = alone || shows ? rule_of(sheet, name, (apr_size_t)(end - name)) : NULL;
        if (rule && shows && !alone) rule->shown = 1;
        if (rule && alone) {
            rule->hidden_by = !hides ? NULL : apr_psprintf(sheet->pool, "%.*s{%s}", (int)(end - name < 64 ? end - name : 64), name, style->because);
        }
        end = name;
    }
}

/* Most rules say nothing about it: told quickly. */
static int of_interest(const char *text, apr_size_t length)
{
    return memmem(text, length, "display", 7) || memmem(text, length, "visib", 5) || memmem(text, length, "opacity", 7);
}

static void read_rules(icp_sheet_t *sheet, const char *p, const char *end, int conditional)
{
    const char *open = NULL;
    while (p < end) {
        if (!open || open < p) open = memchr(p, '{', (apr_size_t)(end - p));
        if (!open) return;
        const char *stop = memchr(p, ';', (apr_size_t)(open - p));
        const char *close = open;
        if (stop) { /* @import, @charset */
            p = stop + 1;
            continue;
        }
        for (int depth = 0; close < end; close++) {
            if (*close == '{') depth++;
            if (*close == '}' && --depth == 0) break;
        }
        const char *mark = p;
        while (mark < open && apr_isspace(*mark)) mark++;
        if (*mark == '@') {
            if (!conditional) read_rules(sheet, open + 1, close, 1);
        }
        else if (of_interest(open + 1, (apr_size_t)(close - open - 1))) {
            icp_style_t style;
            icp_style_read(&style, open + 1, (apr_size_t)(close - open - 1));
            for (const char *comma; p < open; p = comma + 1) {
                comma = memchr(p, ',', (apr_size_t)(open - p));
                if (!comma) comma = open;
                apply(sheet, p, comma, &style, conditional);
            }
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

static const char *hidden_by(const icp_sheet_t *sheet, char mark, const char *name, apr_size_t length)
{
    char key[128];
    if (length + 1 > sizeof key) return NULL;
    key[0] = mark;
    memcpy(key + 1, name, length);
    const rule_t *rule = apr_hash_get(sheet->rules, key, (apr_ssize_t)length + 1);
    return rule && !rule->shown ? rule->hidden_by : NULL;
}

const char *icp_sheet_hides(const icp_sheet_t *sheet, const icp_attribute_t *class_or_id)
{
    const char *p = class_or_id->value, *end = p + class_or_id->length;
    if (apr_hash_count(sheet->rules) == 0) return NULL;
    if (class_or_id->name[0] == 'i') return hidden_by(sheet, '#', p, class_or_id->length);
    while (p < end) {
        while (p < end && apr_isspace(*p)) p++;
        const char *word = p;
        while (p < end && !apr_isspace(*p)) p++;
        const char *because = p > word ? hidden_by(sheet, '.', word, (apr_size_t)(p - word)) : NULL;
        if (because) return because;
    }
    return NULL;
}
