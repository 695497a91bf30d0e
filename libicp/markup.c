#include "markup.h"

#include <endian.h>
#include <string.h>

#include <apr_lib.h>

#include "charref.h"
#include "scan.h"

#define MORE ((apr_size_t)0) /* an answer of "bytes read": it takes more to tell */

void icp_markup_init(icp_markup_t *markup, const icp_markup_events_t *events, void *baton)
{
    memset(markup, 0, sizeof *markup);
    markup->events = events;
    markup->baton = baton;
    markup->line = 1;
}

static int is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

static void find_newline(icp_markup_t *markup, const char *from)
{
    markup->newline = memchr(from, '\n', (apr_size_t)(markup->end - from));
}

int icp_markup_line(icp_markup_t *markup, const char *at)
{
    while (markup->newline && markup->newline < at) {
        markup->line++;
        find_newline(markup, markup->newline + 1);
    }
    return markup->line;
}

static void text_event(icp_markup_t *markup, char *text, apr_size_t length, icp_content_e content)
{
    if (length == 0) return;
    int line = icp_markup_line(markup, text);
    icp_markup_line(markup, text + length); /* first: the event may change the text */
    markup->events->text(markup->baton, text, length, line, content);
}

/* How much of a text can be told now: a reference at its end may still be cut. */
static apr_size_t whole_references(const char *text, apr_size_t length, int last)
{
    apr_size_t from = length > ICP_CHARREF_LONGEST ? length - ICP_CHARREF_LONGEST : 0;
    if (last) return length;
    const char *mark = memrchr(text + from, '&', length - from);
    return mark ? (apr_size_t)(mark - text) : length;
}

/* The same for the escapes of a script. */
static apr_size_t whole_escapes(const char *text, apr_size_t length)
{
    for (apr_size_t back = length < ICP_ESCAPE_LONGEST ? length : ICP_ESCAPE_LONGEST - 1; back > 0; back--) {
        if (text[length - back] == '\\' || text[length - back] == '%') return length - back;
    }
    return length;
}

enum { ENDS_NAMES = 1, ENDS_ATTRIBUTE = 2, BETWEEN = 4 }; /* names, an attribute's name; stands between attributes */

static const unsigned char stops[256] = {
    [' '] = ENDS_NAMES | BETWEEN,  ['\n'] = ENDS_NAMES | BETWEEN, ['\t'] = ENDS_NAMES | BETWEEN, ['\r'] = ENDS_NAMES | BETWEEN,
    ['\f'] = ENDS_NAMES | BETWEEN, ['/'] = ENDS_NAMES | BETWEEN,  ['>'] = ENDS_NAMES,            ['='] = ENDS_ATTRIBUTE,
};

static int is_capital(char c)
{
    return (unsigned char)(c - 'A') < 26;
}

/* How many of the next eight bytes, in order, are small letters (or {, |, }, ~ and others that stand for themselves in names). */
static apr_size_t small_letters(const char *p, const char *end, apr_uint64_t *bytes)
{
    if (end - p < 8) return 0;
    memcpy(bytes, p, sizeof *bytes);
    *bytes = le64toh(*bytes);
    apr_uint64_t others = ~*bytes & APR_UINT64_C(0x6060606060606060);
    return others ? (apr_size_t)__builtin_ctzll(others) / 8 : 8;
}

/* The end of a name, which is put in lower case. */
static char *read_name(char *p, const char *end, int which)
{
    apr_uint64_t bytes;
    for (p += small_letters(p, end, &bytes); p < end && !(stops[(unsigned char)*p] & which); p++) {
        if (is_capital(*p)) *p |= 0x20;
    }
    return p;
}

/* Short names are their own keys, longer ones are hashed (FNV-1a). */
apr_uint64_t icp_markup_key(const char *name, apr_size_t length)
{
    apr_uint64_t key = length < 8 ? 0 : APR_UINT64_C(14695981039346656037);
    for (apr_size_t i = 0; i < length; i++) {
        if (length < 8) key |= (apr_uint64_t)(unsigned char)name[i] << 8 * i;
        else key = (key ^ (unsigned char)name[i]) * APR_UINT64_C(1099511628211);
    }
    return key;
}

static void read_tag_name(icp_tag_t *tag, char *name, const char *end)
{
    apr_uint64_t bytes;
    apr_size_t length = small_letters(name, end, &bytes);
    if (length < 8 && length > 0 && stops[(unsigned char)name[length]] & ENDS_NAMES) {
        tag->key = bytes & ((APR_UINT64_C(1) << 8 * length) - 1);
    }
    else {
        length = (apr_size_t)(read_name(name, end, ENDS_NAMES) - name);
        tag->key = icp_markup_key(name, length);
    }
    tag->name = name;
    tag->name_length = length;
    tag->attributes = tag->end = tag->rest = name + length;
}

#define NAMED(word) (memcmp(name, word, sizeof word - 1) == 0)

static icp_attribute_e attribute_named(const char *name, apr_size_t length)
{
    switch (length) {
    case 2: return NAMED("id") ? ICP_ATTRIBUTE_ID : ICP_ATTRIBUTE_OTHER;
    case 3: return NAMED("src") ? ICP_ATTRIBUTE_SRC : ICP_ATTRIBUTE_OTHER;
    case 4:
        if (NAMED("href")) return ICP_ATTRIBUTE_HREF;
        if (NAMED("data")) return ICP_ATTRIBUTE_DATA;
        if (NAMED("open")) return ICP_ATTRIBUTE_OPEN;
        if (NAMED("type")) return ICP_ATTRIBUTE_TYPE;
        return NAMED("size") ? ICP_ATTRIBUTE_SIZE : ICP_ATTRIBUTE_OTHER;
    case 5:
        if (NAMED("class")) return ICP_ATTRIBUTE_CLASS;
        if (NAMED("media")) return ICP_ATTRIBUTE_MEDIA;
        return NAMED("style") ? ICP_ATTRIBUTE_STYLE : ICP_ATTRIBUTE_OTHER;
    case 6: return NAMED("hidden") ? ICP_ATTRIBUTE_HIDDEN : ICP_ATTRIBUTE_OTHER;
    case 7:
        if (NAMED("content")) return ICP_ATTRIBUTE_CONTENT;
        if (NAMED("charset")) return ICP_ATTRIBUTE_CHARSET;
        return NAMED("popover") ? ICP_ATTRIBUTE_POPOVER : ICP_ATTRIBUTE_OTHER;
    case 10: return NAMED("http-equiv") ? ICP_ATTRIBUTE_HTTP_EQUIV : ICP_ATTRIBUTE_OTHER;
    case 14: return NAMED("shadowrootmode") ? ICP_ATTRIBUTE_SHADOWROOTMODE : ICP_ATTRIBUTE_OTHER;
    default: return ICP_ATTRIBUTE_OTHER;
    }
}

/* One attribute from *at, which is moved behind it. 0: the tag ends at *at ('>' or end of text). */
static inline int next_attribute(icp_attribute_t *attribute, char **at, char *end)
{
    char *p = *at;
    while (p < end && stops[(unsigned char)*p] & BETWEEN) p++;
    *at = p;
    if (p == end || *p == '>') return 0;

    char *name = p;
    if (*p == '=') p++; /* in first place it belongs to the name */
    p = read_name(p, end, ENDS_NAMES | ENDS_ATTRIBUTE);
    attribute->name = name;
    attribute->name_length = (apr_size_t)(p - name);
    attribute->which = attribute_named(name, attribute->name_length);
    attribute->value = p;
    attribute->length = 0;
    *at = p;
    while (p < end && icp_is_space(*p)) p++;
    if (p == end || *p != '=') return 1;
    p++;
    while (p < end && icp_is_space(*p)) p++;
    if (p < end && (*p == '"' || *p == '\'')) {
        char *close = memchr(p + 1, *p, (apr_size_t)(end - p - 1));
        attribute->value = p + 1;
        attribute->length = (apr_size_t)((close ? close : end) - (p + 1));
        *at = close ? close + 1 : end;
        return 1;
    }
    attribute->value = p;
    while (p < end && !icp_is_space(*p) && *p != '>') p++;
    attribute->length = (apr_size_t)(p - attribute->value);
    *at = p;
    return 1;
}

const icp_attribute_t *icp_markup_attribute(icp_attributes_t *place)
{
    const icp_tag_t *tag = place->tag;
    if (place->index < tag->count) return &tag->first[place->index++];
    if (tag->count < ICP_TAG_ATTRIBUTES) return NULL;
    if (!place->at) place->at = tag->rest;
    return next_attribute(&place->last, &place->at, tag->end) ? &place->last : NULL;
}

/* Reads the attributes up to the end of the tag: its '>', or `end` if that is not there. */
static void read_attributes(icp_tag_t *tag, icp_attribute_t *attributes, char *end)
{
    icp_attribute_t more, *last = NULL;
    char *p = tag->attributes;
    for (;;) {
        icp_attribute_t *next = tag->count < ICP_TAG_ATTRIBUTES ? &attributes[tag->count] : &more;
        if (!next_attribute(next, &p, end)) break;
        last = next;
        tag->has |= 1u << next->which;
        if (next == &more) continue;
        tag->count++;
        tag->rest = p;
    }
    int slash_in_value = last && last->length && last->value + last->length == p;
    tag->selfclosing = p > tag->attributes && p[-1] == '/' && !slash_in_value;
    tag->end = p;
}

static void enter(icp_markup_t *markup, const icp_tag_t *tag, icp_content_e content)
{
    if (content == ICP_CONTENT_MARKUP) return;
    markup->mode = ICP_MARKUP_RAW;
    markup->content = content;
    markup->script_escape = 0;
    memcpy(markup->raw_end, tag->name, tag->name_length);
    markup->raw_end_length = tag->name_length;
}

/* Nearly all tags of a page have one of a few names. */
static const icp_element_t *element_named(icp_markup_t *markup, const icp_tag_t *tag)
{
    apr_size_t slot = (tag->key ^ tag->key >> 7 ^ tag->key >> 14) & (sizeof markup->known / sizeof *markup->known - 1);
    if (markup->known[slot].key != tag->key) {
        markup->known[slot].key = tag->key;
        markup->known[slot].element = icp_element(tag->name, tag->name_length);
    }
    return markup->known[slot].element;
}

/* A tag from its '<'; MORE if its '>' is not there. */
static apr_size_t read_tag(icp_markup_t *markup, char *text, char *end)
{
    icp_tag_t tag = {.closing = text[1] == '/', .first = markup->attributes};
    read_tag_name(&tag, text + 1 + tag.closing, end);
    if (tag.end < end && *tag.end != '>') read_attributes(&tag, markup->attributes, end);
    if (tag.end == end) return MORE;
    tag.element = element_named(markup, &tag);
    if (tag.closing) markup->events->end(markup->baton, &tag);
    else enter(markup, &tag, markup->events->start(markup->baton, &tag));
    return (apr_size_t)(tag.end + 1 - text);
}

/* What begins at '<'. The bytes read; MORE if it cannot be told yet. */
static apr_size_t read_angle(icp_markup_t *markup, char *text, char *end, int last)
{
    apr_size_t length = (apr_size_t)(end - text);
    if (length > 1 && (is_letter(text[1]) || (length > 2 && text[1] == '/' && is_letter(text[2])))) {
        apr_size_t used = read_tag(markup, text, end);
        return used == MORE && last ? length : used; /* a tag cut by the end of the page is not drawn */
    }
    if (!last && (length < 3 || (text[1] == '!' && length < 9 && !memchr(text, '>', length)))) return MORE;
    if (length > 1 && text[1] == '!') {
        if (length > 3 && memcmp(text, "<!--", 4) == 0) {
            markup->mode = ICP_MARKUP_COMMENT;
            markup->comment_begun = 0;
            return 4;
        }
        if (length > 8 && memcmp(text, "<![CDATA[", 9) == 0 && markup->events->cdata(markup->baton)) {
            markup->mode = ICP_MARKUP_CDATA;
            return 9;
        }
        markup->mode = ICP_MARKUP_BOGUS;
        return 2;
    }
    if (length > 1 && text[1] == '?') {
        markup->mode = ICP_MARKUP_BOGUS;
        return 2;
    }
    if (length > 2 && text[1] == '/') {
        if (text[2] == '>') return 3;
        markup->mode = ICP_MARKUP_BOGUS;
        return 2;
    }
    text_event(markup, text, 1, ICP_CONTENT_MARKUP);
    return 1;
}

static apr_size_t read_data(icp_markup_t *markup, char *text, apr_size_t length, int last)
{
    char *end = text + length;
    if (*text == '<') return read_angle(markup, text, end, last);
    char *mark = memchr(text, '<', length);
    apr_size_t known = mark ? (apr_size_t)(mark - text) : whole_references(text, length, last);
    text_event(markup, text, known, ICP_CONTENT_MARKUP);
    return known;
}

static apr_size_t comment_event(icp_markup_t *markup, const char *text, apr_size_t length, apr_size_t used, int done)
{
    if (length > 0 || done) markup->events->comment(markup->baton, text, length, icp_markup_line(markup, text), done);
    if (done) markup->mode = ICP_MARKUP_DATA;
    return used;
}

static apr_size_t read_comment(icp_markup_t *markup, const char *text, apr_size_t length, int last)
{
    if (!markup->comment_begun) {
        if (text[0] == '>') return comment_event(markup, text, 0, 1, 1);
        if (length > 1 && text[0] == '-' && text[1] == '>') return comment_event(markup, text, 0, 2, 1);
        if (!last && length < 2 && text[0] == '-') return MORE;
        markup->comment_begun = 1;
    }
    const char *end = text + length, *p = text;
    while ((p = memchr(p, '-', (apr_size_t)(end - p)))) {
        apr_size_t before = (apr_size_t)(p - text);
        if (end - p >= 3 && p[1] == '-' && p[2] == '>') return comment_event(markup, text, before, before + 3, 1);
        if (end - p >= 4 && memcmp(p, "--!>", 4) == 0) return comment_event(markup, text, before, before + 4, 1);
        if (!last && end - p < 4) break; /* not clear yet */
        p++;
    }
    apr_size_t known = p ? (apr_size_t)(p - text) : length;
    return comment_event(markup, text, known, known, last);
}

static apr_size_t read_until(icp_markup_t *markup, char *text, apr_size_t length, int last)
{
    if (markup->mode == ICP_MARKUP_BOGUS) {
        const char *mark = memchr(text, '>', length);
        apr_size_t known = mark ? (apr_size_t)(mark - text) : length;
        return comment_event(markup, text, known, known + !!mark, mark || last);
    }
    char *mark = memmem(text, length, "]]>", 3);
    apr_size_t known = mark ? (apr_size_t)(mark - text) : last ? length : length > 2 ? length - 2 : 0;
    while (known > 0 && !mark && !last && (text[known] & 0xC0) == 0x80) known--;
    text_event(markup, text, known, ICP_CONTENT_PLAINTEXT);
    if (mark) markup->mode = ICP_MARKUP_DATA;
    return mark ? known + 3 : known;
}

/* At '<': does an end tag (or, with slash 0, a start tag) of this name stand here? -1: it takes more to tell. */
static int names(const char *p, const char *end, int slash, const char *name, apr_size_t length, int last)
{
    apr_size_t need = 1 + (apr_size_t)slash + length + 1, have = (apr_size_t)(end - p);
    apr_size_t compare = have < need ? have : need - 1;
    for (apr_size_t i = 1; i < compare; i++) {
        char c = p[i], want = slash && i == 1 ? '/' : name[i - 1 - (apr_size_t)slash];
        if (is_capital(c)) c |= 0x20;
        if (c != want) return 0;
    }
    if (have < need) return last ? 0 : -1;
    char after = p[need - 1];
    return icp_is_space(after) || after == '/' || after == '>';
}

/* Keeps account of <!-- and <script inside a script at '<'. Returns 0 if it takes more to tell. */
static int script_step(icp_markup_t *markup, const char *p, const char *end, int last)
{
    if (markup->script_escape == 0) {
        if (end - p >= 4) markup->script_escape = memcmp(p, "<!--", 4) == 0;
        else return last || memcmp(p, "<!--", (apr_size_t)(end - p)) != 0;
        return 1;
    }
    int slash = markup->script_escape == 2;
    int found = names(p, end, slash, "script", 6, last);
    if (found > 0) markup->script_escape = slash ? 1 : 2;
    return found >= 0;
}

static apr_size_t read_raw(icp_markup_t *markup, char *text, apr_size_t length, int last)
{
    char *end = text + length, *p = text;
    int ends = 0;
    if (markup->content == ICP_CONTENT_PLAINTEXT) p = end;
    for (; p < end; p++) {
        if (markup->script_escape) {
            while (p < end && *p != '<' && *p != '-') p++;
            if (p < end && *p == '-') {
                if (end - p < 3 && !last) break;
                if (end - p >= 3 && p[1] == '-' && p[2] == '>') markup->script_escape = 0;
                continue;
            }
        }
        else {
            p = memchr(p, '<', (apr_size_t)(end - p));
            if (!p) p = end;
        }
        if (p == end) break;
        if (markup->script_escape < 2) {
            ends = names(p, end, 1, markup->raw_end, markup->raw_end_length, last);
            if (ends) break;
        }
        if (markup->content == ICP_CONTENT_SCRIPT && !script_step(markup, p, end, last)) break;
    }
    apr_size_t known = (apr_size_t)(p - text);
    if (markup->content == ICP_CONTENT_RCDATA && p == end) known = whole_references(text, length, last);
    if (markup->content == ICP_CONTENT_SCRIPT && p == end && !last) known = whole_escapes(text, length);
    text_event(markup, text, known, markup->content);
    if (ends > 0) markup->mode = ICP_MARKUP_DATA; /* the end tag is read as a tag */
    return known;
}

apr_size_t icp_markup_read(icp_markup_t *markup, char *text, apr_size_t length, int last)
{
    apr_size_t used = 0;
    markup->end = text + length;
    find_newline(markup, text);
    while (used < length) {
        unsigned mode = markup->mode;
        char *at = text + used;
        apr_size_t rest = length - used, step;
        switch (mode) {
        case ICP_MARKUP_DATA: step = read_data(markup, at, rest, last); break;
        case ICP_MARKUP_COMMENT: step = read_comment(markup, at, rest, last); break;
        case ICP_MARKUP_RAW: step = read_raw(markup, at, rest, last); break;
        default: step = read_until(markup, at, rest, last); break;
        }
        used += step;
        if (step == 0 && markup->mode == mode) break;
    }
    icp_markup_line(markup, text + used);
    return used;
}
