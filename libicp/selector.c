#include "selector.h"

#include <string.h>

#include <apr_lib.h>

#include "scan.h"

#define STEPS_MAX 200 /* elements looked at for one selector */

static apr_uint64_t hash(char kind, const char *name, apr_size_t length)
{
    apr_uint64_t value = APR_UINT64_C(14695981039346656037) ^ (unsigned char)kind;
    for (apr_size_t i = 0; i < length; i++) value = (value ^ (unsigned char)name[i]) * APR_UINT64_C(1099511628211);
    return value | 1;
}

/* Behind an escape at its backslash, which stands for *c (md\:block, \32xl). */
static const char *read_escape(char *c, const char *p, const char *end)
{
    static const char digits[] = "0123456789abcdef";
    int code = 0, count = 0;
    const char *digit;
    for (p++; p < end && count < 6 && *p && (digit = strchr(digits, apr_tolower(*p))); p++, count++) code = code * 16 + (int)(digit - digits);
    if (count) {
        *c = code < 0x80 ? (char)code : 1; /* one beyond ASCII matches nothing */
        return p < end && icp_is_space(*p) ? p + 1 : p;
    }
    *c = p < end ? *p : '\\';
    return p < end ? p + 1 : p;
}

/* Of a name as selectors write it. */
static apr_uint64_t hash_name(char kind, const char *name, apr_size_t length)
{
    char plain[128];
    const char *p = name, *end = name + length;
    apr_size_t count = 0;
    if (length > sizeof plain || !memchr(name, '\\', length)) return hash(kind, name, length);
    while (p < end) {
        if (*p == '\\') p = read_escape(&plain[count++], p, end);
        else plain[count++] = *p++;
    }
    return hash(kind, plain, count);
}

/* Of a tag's name, by its key: spread over all bits, as the others are. */
static apr_uint64_t hash_key(apr_uint64_t key)
{
    return key * APR_UINT64_C(0x9E3779B97F4A7C15);
}

/* The same of a name in a selector, which may be in either case. */
static apr_uint64_t hash_tag(const char *name, apr_size_t length)
{
    char lower[32];
    if (length > sizeof lower) return hash_key(icp_markup_key(name, length));
    for (apr_size_t i = 0; i < length; i++) lower[i] = (char)apr_tolower(name[i]);
    return hash_key(icp_markup_key(lower, length));
}

static apr_uint64_t bit_of(apr_uint64_t name)
{
    return name ? APR_UINT64_C(1) << (name >> 58) : 0;
}

static void read_classes(icp_node_t *node, const icp_attribute_t *attribute)
{
    const char *p = attribute->value, *end = p + attribute->length;
    while (p < end && node->class_count < ICP_NODE_CLASSES) {
        while (p < end && icp_is_space(*p)) p++;
        const char *word = p;
        while (p < end && !icp_is_space(*p)) p++;
        if (p == word) break;
        apr_uint64_t class = hash('.', word, (apr_size_t)(p - word));
        node->classes[node->class_count++] = class;
        node->names |= bit_of(class);
    }
}

void icp_node_read(icp_node_t *node, const icp_tag_t *tag, apr_uint64_t around)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    node->tag = hash_key(tag->key);
    node->id = 0;
    node->class_count = 0;
    node->names = around | bit_of(node->tag);
    if (!icp_tag_has(tag, ICP_ATTRIBUTE_ID) && !icp_tag_has(tag, ICP_ATTRIBUTE_CLASS)) return;
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_ID && !node->id) node->id = hash('#', attribute->value, attribute->length);
        if (attribute->which == ICP_ATTRIBUTE_CLASS && !node->class_count) read_classes(node, attribute);
    }
    node->names |= bit_of(node->id);
}

static int in_name(char c)
{
    return apr_isalnum(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

static const char *name_end(const char *p, const char *end)
{
    char escaped;
    while (p < end && (in_name(*p) || *p == '\\')) p = *p == '\\' ? read_escape(&escaped, p, end) : p + 1;
    return p;
}

static int is_word(const char *word, const char *end, const char *const *words)
{
    for (; *words; words++) {
        if (strlen(*words) == (apr_size_t)(end - word) && strncasecmp(word, *words, (apr_size_t)(end - word)) == 0) return 1;
    }
    return 0;
}

/* Behind the bracket that closes the one at `p`. */
static const char *closing(const char *p, const char *end)
{
    char open = *p, close = open == '(' ? ')' : ']', quote = 0;
    int depth = 0;
    for (; p < end; p++) {
        if (quote) quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'') quote = *p;
        else if (*p == open) depth++;
        else if (*p == close && --depth == 0) return p + 1;
    }
    return end;
}

/* A pseudo-class or pseudo-element from its ':'; NULL: nothing matches that as it is first drawn. */
static const char *read_pseudo(icp_selector_t *selector, icp_compound_t *part, const char *p, const char *end)
{
    static const char *const never[] = {"hover", "focus", "active", "visited", "before", "after", "focus-within", "focus-visible", "target",
                                        "checked", "first-letter", "first-line", "selection", "placeholder", "disabled", "invalid", "empty",
                                        "fullscreen", "backdrop", "marker", NULL};
    static const char *const always[] = {"link", "any-link", "enabled", "defined", NULL}, *const root[] = {"root", NULL}, *const not[] = {"not", NULL};
    if (end - p > 1 && p[1] == ':') return NULL;
    const char *name = p + 1, *stop = name_end(name, end);
    selector->specificity += 100;
    if (is_word(name, stop, never)) return NULL;
    if (is_word(name, stop, root)) part->root = 1;
    else if (stop < end && *stop == '(') {
        const char *inner = stop + 1, *after = closing(stop, end), *last = after - 1;
        if (is_word(name, stop, not) && inner < last && *inner == '.' && name_end(inner + 1, last) == last && !part->not_class) {
            part->not_class = hash_name('.', inner + 1, (apr_size_t)(last - inner - 1));
        }
        else selector->sure = 0;
        return after;
    }
    else if (!is_word(name, stop, always)) selector->sure = 0;
    return stop;
}

/* [name] from its bracket; one with a value is not looked at. */
static const char *read_attribute(icp_selector_t *selector, icp_compound_t *part, const char *p, const char *end)
{
    const char *name = p + 1, *after = closing(p, end), *stop = name_end(name, after);
    selector->specificity += 100;
    if (stop + 1 == after && (apr_size_t)(stop - name) < sizeof part->attribute && !*part->attribute) {
        for (apr_size_t i = 0; name + i < stop; i++) part->attribute[i] = (char)apr_tolower(name[i]);
    }
    else selector->sure = 0;
    return after;
}

/* One element's part. NULL: it cannot match, or is not one. */
static const char *read_compound(icp_selector_t *selector, icp_compound_t *part, const char *p, const char *end)
{
    static const char *const page[] = {"html", "body", NULL};
    const char *begin = p;
    if (p < end && *p == '*') p++;
    else if (p < end && in_name(*p)) {
        const char *stop = name_end(p, end);
        part->tag = hash_tag(p, (apr_size_t)(stop - p));
        part->of_page = (unsigned char)is_word(p, stop, page);
        selector->specificity += 1;
        p = stop;
    }
    while (p && p < end && !icp_is_space(*p) && !strchr(">+~", *p)) {
        const char *stop = name_end(p + 1, end);
        if (*p == ':') p = read_pseudo(selector, part, p, end);
        else if (*p == '[') p = read_attribute(selector, part, p, end);
        else if (*p == '#' && stop > p + 1) {
            part->id = hash_name('#', p + 1, (apr_size_t)(stop - p - 1));
            selector->specificity += 10000;
            p = stop;
        }
        else if (*p == '.' && stop > p + 1 && part->class_count < ICP_SELECTOR_CLASSES) {
            part->classes[part->class_count++] = hash_name('.', p + 1, (apr_size_t)(stop - p - 1));
            selector->specificity += 100;
            p = stop;
        }
        else return NULL;
    }
    return p == begin ? NULL : p;
}

/* The page's own tags are not among the names of open elements. */
static apr_uint64_t names_of(const icp_compound_t *part)
{
    apr_uint64_t names = bit_of(part->id) | (part->of_page ? 0 : bit_of(part->tag));
    for (int i = 0; i < part->class_count; i++) names |= bit_of(part->classes[i]);
    return names;
}

int icp_selector_read(icp_selector_t *selector, const char *text, apr_size_t length)
{
    const char *p = text, *end = text + length;
    memset(selector, 0, sizeof *selector);
    selector->sure = 1;
    while (p < end && icp_is_space(*p)) p++;
    while (end > p && icp_is_space(end[-1])) end--;
    while (p < end) {
        char combinator = ' ';
        if (selector->count == ICP_SELECTOR_PARTS) return 0;
        for (; p < end && (icp_is_space(*p) || strchr(">+~", *p)); p++) {
            if (!icp_is_space(*p)) combinator = *p;
        }
        icp_compound_t *part = &selector->parts[selector->count++];
        if (combinator == '>') part->child = 1;
        else if (combinator != ' ') selector->sure = 0; /* elements beside it are not known */
        p = read_compound(selector, part, p, end);
        if (!p) return 0;
    }
    for (int i = 0; i + 1 < selector->count; i++) selector->names |= names_of(&selector->parts[i]);
    return selector->count > 0;
}

apr_uint64_t icp_selector_key(const icp_selector_t *selector)
{
    const icp_compound_t *part = &selector->parts[selector->count - 1];
    return part->id ? part->id : part->class_count ? part->classes[0] : part->tag;
}

static int has_class(const icp_node_t *node, apr_uint64_t class)
{
    for (int i = 0; i < node->class_count; i++) {
        if (node->classes[i] == class) return 1;
    }
    return 0;
}

static int has_attribute(const icp_tag_t *tag, const char *name)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->name_length == strlen(name) && memcmp(attribute->name, name, attribute->name_length) == 0) return 1;
    }
    return 0;
}

/* `tag`: NULL for an element around, whose attributes are not known. `is_page`: the page's html and body in one. */
static int fits(const icp_compound_t *part, const icp_tag_t *tag, const icp_node_t *node, int is_page)
{
    if (part->tag && (is_page ? !part->of_page : part->tag != node->tag)) return 0;
    if (part->root && !is_page && !(tag && tag->element->which == ICP_ELEMENT_HTML)) return 0;
    if (part->id && part->id != node->id) return 0;
    if (part->not_class && has_class(node, part->not_class)) return 0;
    if (*part->attribute && (!tag || !has_attribute(tag, part->attribute))) return 0;
    for (int i = 0; i < part->class_count; i++) {
        if (!has_class(node, part->classes[i])) return 0;
    }
    return 1;
}

/* Do the elements up to `index` match the parts up to `part`, the last being one of them, or with `child` the innermost? */
static int fits_around(const icp_selector_t *selector, int part, int child, const icp_node_t *around, int index, int *steps)
{
    for (; index >= 0 && ++*steps < STEPS_MAX; index--) {
        const icp_compound_t *wanted = &selector->parts[part];
        int outer = index > 0 ? index - 1 : part > 0 ? 0 : -1; /* html around body */
        if (fits(wanted, NULL, &around[index], index == 0) &&
            (part == 0 || fits_around(selector, part - 1, wanted->child, around, outer, steps))) {
            return 1;
        }
        if (child) return 0;
    }
    return 0;
}

int icp_selector_matches(const icp_selector_t *selector, const icp_tag_t *tag, const icp_node_t *node, const icp_node_t *around, int depth)
{
    int last = selector->count - 1, steps = 0;
    if (last > 0 && selector->names & ~around[depth - 1].names) return 0;
    if (!fits(&selector->parts[last], tag, node, 0)) return 0;
    return last == 0 || fits_around(selector, last - 1, selector->parts[last].child, around, depth - 1, &steps);
}
