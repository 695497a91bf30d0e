#include "markup.h"

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

enum { ENDS_NAMES = 1, ENDS_ATTRIBUTE = 2 };

static const unsigned char stops[256] = {
    [' '] = ENDS_NAMES, ['\n'] = ENDS_NAMES, ['\t'] = ENDS_NAMES, ['\r'] = ENDS_NAMES, ['\f'] = ENDS_NAMES,
    ['/'] = ENDS_NAMES, ['>'] = ENDS_NAMES, ['='] = ENDS_ATTRIBUTE,
};

/* The end of a name, which is put in lower case. */
static char *read_name(char *p, const char *end, int which)
{
    for (; p < end && !(stops[(unsigned char)*p] & which); p++) {
        if ((unsigned char)(*p - 'A') < 26) *p |= 0x20;
    }
    return p;
}

/* One attribute from *at, which is moved behind it. 0: the tag ends at *at ('>' or end of text). */
static int next_attribute(icp_attribute_t *attribute, char **at, char *end)
{
    char *p = *at;
    while (p < end && (icp_is_space(*p) || *p == '/')) p++;
    *at = p;
    if (p == end || *p == '>') return 0;

    char *name = p;
    if (*p == '=') p++; /* in first place it belongs to the name */
    p = read_name(p, end, ENDS_NAMES | ENDS_ATTRIBUTE);
    attribute->name = name;
    attribute->name_length = (apr_size_t)(p - name);
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

int icp_markup_attribute(icp_attribute_t *attribute, icp_attributes_t *place, const icp_tag_t *tag)
{
    if (place->index < tag->count) {
        *attribute = tag->first[place->index++];
        return 1;
    }
    if (!place->at) place->at = tag->rest;
    return next_attribute(attribute, &place->at, tag->end);
}

/* Reads the attributes up to the end of the tag: its '>', or `end` if that is not there. */
static char *read_attributes(icp_tag_t *tag, char *end)
{
    icp_attribute_t attribute = {0};
    char *p = tag->attributes;
    while (next_attribute(&attribute, &p, end)) {
        if (tag->count == ICP_TAG_ATTRIBUTES) continue;
        tag->first[tag->count++] = attribute;
        tag->rest = p;
    }
    int slash_in_value = attribute.length && attribute.value + attribute.length == p;
    tag->selfclosing = p > tag->attributes && p[-1] == '/' && !slash_in_value;
    return p;
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
    const icp_element_t **known = &markup->known[tag->name[0] & 31][tag->name_length & 3];
    int same = *known && tag->name_length < sizeof (*known)->name && memcmp((*known)->name, tag->name, tag->name_length) == 0;
    if (!same || (*known)->name[tag->name_length]) *known = icp_element(tag->name, tag->name_length);
    return *known;
}

/* A tag from its '<'; MORE if its '>' is not there. */
static apr_size_t read_tag(icp_markup_t *markup, char *text, char *end)
{
    icp_attribute_t first[ICP_TAG_ATTRIBUTES];
    icp_tag_t tag = {.closing = text[1] == '/', .first = first};
    char *name = text + 1 + tag.closing;
    tag.name = name;
    tag.attributes = read_name(name, end, ENDS_NAMES);
    tag.name_length = (apr_size_t)(tag.attributes - name);
    tag.end = tag.rest = tag.attributes;
    if (tag.end < end && *tag.end != '>') tag.end = read_attributes(&tag, end);
    if (tag.end == end) return MORE;
    tag.element = element_named(markup, &tag);
    if (tag.closing) {
        markup->events->end(markup->baton, &tag);
    }
    else {
        enter(markup, &tag, markup->events->start(markup->baton, &tag));
    }
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
    char *end = text + length, *mark = memchr(text, '<', length);
    if (mark == text) return read_angle(markup, text, end, last);
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
        if ((unsigned char)(c - 'A') < 26) c |= 0x20;
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
