/* A second reader of pages, on libxml2's HTML push parser, for the differential test. It shares the grammar of numbers and of style sheets with
 * the reader, not how a page is cut into tags, nested and read.
 */
#ifndef LIBXML2_READER_H
#define LIBXML2_READER_H

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <libxml/HTMLparser.h>

#include "charref.h"
#include "fold.h"
#include "scan.h"
#include "sheet.h"
#include "verdict.h"

#define DEPTH 240 /* libxml2 gives up at 256 */
#define ATTRIBUTES 16

/* Text that is looked through as a whole at the end, or when its element ends. */
typedef struct text_t {
    char *bytes;
    size_t length;
} text_t;

typedef struct state_t {
    unsigned char none, inner_none, invisible, tiny, faint, stored, block;
    unsigned char details; /* 1: its summary is still to come */
} state_t;

typedef struct other_t {
    apr_pool_t *pool;
    apr_array_header_t *mentions; /* icp_mention_t */
    text_t shown, hidden, stored, raw;
    icp_where_e raw_where; /* of the text in `raw` */
    int raw_depth;         /* of the element that it is in; 0: in none */
    state_t open[DEPTH + 1];
    icp_node_t nodes[DEPTH + 1]; /* the page itself first, html and body in one */
    int node_count[DEPTH + 1];
    int depth, too_deep;
    icp_sheet_t *sheet;
} other_t;

static void put(text_t *text, const char *bytes, size_t length)
{
    for (; length > 0; bytes++, length--) {
        int space = icp_is_space(*bytes);
        if (!space || !text->length || text->bytes[text->length - 1] != ' ') text->bytes[text->length++] = space ? ' ' : *bytes;
    }
}

static void put_border(text_t *text)
{
    static const char line = ICP_FOLD_BORDER;
    put(text, &line, 1);
}

static void look_through(other_t *other, const char *text, size_t length, icp_where_e where)
{
    apr_array_header_t *found = icp_number_find(text, length, other->pool);
    for (int i = 0; i < found->nelts; i++) {
        const icp_number_t *number = &APR_ARRAY_IDX(found, i, icp_number_t);
        if (number->kind == ICP_NUMBER_POLICE) continue;
        icp_mention_t *mention = apr_array_push(other->mentions);
        memset(mention, 0, sizeof *mention);
        mention->number = *number;
        mention->where = where;
    }
}

static int is_hidden(const state_t *state)
{
    return state->none || state->inner_none || state->invisible || state->tiny || state->faint;
}

/* Blocks part the text around them, if they are drawn at all; hidden text ends with the element that hides it. */
static void border(other_t *other)
{
    const state_t *state = &other->open[other->depth], *outside = &other->open[other->depth - 1];
    if (state->block && !state->none) put_border(&other->shown);
    if (state->block || is_hidden(state) != is_hidden(outside)) {
        put_border(&other->hidden);
        put_border(&other->stored);
    }
}

static icp_attribute_e attribute_named(const char *name)
{
    static const struct { const char *name; icp_attribute_e which; } known[] = {
        {"id", ICP_ATTRIBUTE_ID}, {"class", ICP_ATTRIBUTE_CLASS}, {"type", ICP_ATTRIBUTE_TYPE}, {"media", ICP_ATTRIBUTE_MEDIA}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i].name) == 0) return known[i].which;
    }
    return ICP_ATTRIBUTE_OTHER;
}

/* A start tag as the style sheets' reader wants it. */
static void make_tag(icp_tag_t *tag, icp_attribute_t *attributes, const xmlChar *name, const xmlChar **pairs)
{
    *tag = (icp_tag_t){.name = (const char *)name, .name_length = strlen((const char *)name),
                       .key = icp_markup_key((const char *)name, strlen((const char *)name)), .first = attributes};
    tag->element = icp_element(tag->name, tag->name_length);
    for (; pairs && pairs[0] && tag->count < ATTRIBUTES; pairs += 2) {
        icp_attribute_t *attribute = &attributes[tag->count++];
        attribute->name = (const char *)pairs[0];
        attribute->name_length = strlen(attribute->name);
        attribute->which = attribute_named(attribute->name);
        attribute->value = pairs[1] ? (char *)pairs[1] : "";
        attribute->length = strlen(attribute->value);
        tag->has |= 1u << attribute->which;
    }
}

static const char *value_of(const xmlChar **pairs, const char *name)
{
    for (; pairs && pairs[0]; pairs += 2) {
        if (strcmp((const char *)pairs[0], name) == 0) return pairs[1] ? (const char *)pairs[1] : "";
    }
    return NULL;
}

/* Elements whose content is looked through by itself: *where is where that is. */
static int is_raw(const icp_element_t *element, icp_where_e *where)
{
    *where = element->which == ICP_ELEMENT_SCRIPT ? ICP_WHERE_SCRIPT : element->which == ICP_ELEMENT_STYLE ? ICP_WHERE_STYLE :
             element->which == ICP_ELEMENT_TITLE ? ICP_WHERE_TITLE : ICP_WHERE_TEMPLATE;
    return element->content != ICP_CONTENT_MARKUP && element->content != ICP_CONTENT_PLAINTEXT && element->which != ICP_ELEMENT_XMP;
}

static void note_node(other_t *other, const icp_tag_t *tag)
{
    icp_node_t node;
    int *count = &other->node_count[other->depth];
    *count = other->node_count[other->depth - 1];
    icp_node_read(&node, tag, other->nodes[*count - 1].names);
    if (tag->element->which != ICP_ELEMENT_HTML && tag->element->which != ICP_ELEMENT_BODY) {
        other->nodes[(*count)++] = node;
        return;
    }
    if (node.id) other->nodes[0].id = node.id;
    for (int i = 0; i < node.class_count && other->nodes[0].class_count < ICP_NODE_CLASSES; i++) {
        other->nodes[0].classes[other->nodes[0].class_count++] = node.classes[i];
    }
    for (int i = 0; i < *count; i++) other->nodes[i].names |= node.names;
}

static void open_element(other_t *other, const icp_tag_t *tag, const xmlChar **pairs)
{
    const icp_element_t *element = tag->element;
    icp_style_t style;
    icp_declaration_t own[ICP_DECLARATIONS_MAX];
    icp_cascade_t cascade = {{0}, {0}, icp_sheet_variables(other->sheet)};
    const char *attribute = value_of(pairs, "style");
    icp_sheet_cascade(other->sheet, &cascade, tag, other->nodes, other->node_count[other->depth], 1);
    if (attribute) icp_style_cascade(&cascade, own, icp_style_parse(own, attribute, strlen(attribute), NULL), NULL);
    icp_style_evaluate(&style, &cascade);

    int is_open = value_of(pairs, "open") != NULL, undrawn = element->flags & ICP_EL_UNDRAWN;
    int none = undrawn || value_of(pairs, "hidden") || value_of(pairs, "popover") || (element->which == ICP_ELEMENT_DIALOG && !is_open);
    if (style.display) none = style.display == ICP_DISPLAY_NONE || undrawn;
    state_t *outside = &other->open[other->depth];
    int summary = outside->details && element->which == ICP_ELEMENT_SUMMARY; /* seen when the rest is not */
    if (summary) outside->details = 0;
    state_t *state = &other->open[++other->depth];
    note_node(other, tag);
    state->none = outside->none || (outside->inner_none && !summary) || none || style.away;
    state->details = element->which == ICP_ELEMENT_DETAILS;
    state->inner_none = (element->which == ICP_ELEMENT_DETAILS && !is_open) || element->flags & ICP_EL_FALLBACK ? 1 : element->which == ICP_ELEMENT_SELECT;
    state->invisible = style.visibility ? style.visibility == 1 : outside->invisible;
    state->tiny = style.font ? style.font == 1 : outside->tiny;
    state->faint = style.color ? style.color == 1 : outside->faint;
    state->stored = is_hidden(outside) ? outside->stored : element->which == ICP_ELEMENT_TEMPLATE || element->which == ICP_ELEMENT_SELECT;
    state->block = element->flags & ICP_EL_BLOCK ? style.display != ICP_DISPLAY_INLINE : style.display == ICP_DISPLAY_BLOCK;
    border(other);
    if (!state->none && element->which == ICP_ELEMENT_BR) put(&other->shown, "\n", 1);
    else if (!state->none && element->flags & ICP_EL_GAP) put(&other->shown, " ", 1);
}

static void on_start(void *baton, const xmlChar *name, const xmlChar **pairs)
{
    other_t *other = baton;
    icp_attribute_t attributes[ATTRIBUTES];
    icp_tag_t tag;
    make_tag(&tag, attributes, name, pairs);
    if (other->depth == DEPTH) other->too_deep = 1;
    if (other->too_deep) return;
    if (other->raw_depth) { /* tags are text here */
        put(&other->raw, "<", 1);
        put(&other->raw, tag.name, tag.name_length);
        for (; pairs && pairs[0]; pairs += 2) {
            const char *text = apr_psprintf(other->pool, " %s=\"%s\"", (const char *)pairs[0], pairs[1] ? (const char *)pairs[1] : "");
            put(&other->raw, text, strlen(text));
        }
        put(&other->raw, ">", 1);
        other->depth++;
        return;
    }
    for (const xmlChar **pair = pairs; pair && pair[0]; pair += 2) {
        if (pair[1]) look_through(other, (const char *)pair[1], strlen((const char *)pair[1]), ICP_WHERE_ATTRIBUTE);
    }
    open_element(other, &tag, pairs);
    if (is_raw(tag.element, &other->raw_where)) other->raw_depth = other->depth;
    if (tag.element->which == ICP_ELEMENT_STYLE) icp_sheet_begin(other->sheet, &tag);
}

static void on_end(void *baton, const xmlChar *name)
{
    other_t *other = baton;
    if (other->depth == 0) return;
    if (other->raw_depth == other->depth) {
        text_t *raw = &other->raw;
        if (other->raw_where == ICP_WHERE_STYLE) {
            icp_sheet_add(other->sheet, raw->bytes, raw->length);
            icp_sheet_end(other->sheet);
        }
        if (other->raw_where == ICP_WHERE_SCRIPT) raw->length = icp_script_decode(raw->bytes, raw->bytes, raw->length);
        look_through(other, raw->bytes, raw->length, other->raw_where);
        raw->length = 0;
        other->raw_depth = 0;
    }
    if (!other->raw_depth) border(other);
    other->depth--;
}

static void on_text(void *baton, const xmlChar *text, int length)
{
    other_t *other = baton;
    const state_t *state = &other->open[other->depth];
    text_t *to = &other->shown;
    if (other->raw_depth) to = &other->raw;
    else if (is_hidden(state)) to = state->stored ? &other->stored : &other->hidden;
    put(to, (const char *)text, (size_t)length);
}

static void on_comment(void *baton, const xmlChar *text)
{
    look_through(baton, (const char *)text, strlen((const char *)text), ICP_WHERE_COMMENT);
}

static const icp_page_report_t *by_libxml2(const char *page, size_t length, const icp_page_report_t *own, int *too_deep, apr_pool_t *pool)
{
    other_t *other = apr_pcalloc(pool, sizeof *other);
    text_t *texts[] = {&other->shown, &other->hidden, &other->stored, &other->raw};
    for (int i = 0; i < 4; i++) texts[i]->bytes = apr_palloc(pool, 6 * length + 1000); /* borders at either end of "<p>" */
    other->pool = pool;
    other->mentions = apr_array_make(pool, 8, sizeof(icp_mention_t));
    other->sheet = icp_sheet_create(pool);
    other->node_count[0] = 1;

    htmlSAXHandler events = {.startElement = on_start, .endElement = on_end, .characters = on_text, .ignorableWhitespace = on_text,
                             .cdataBlock = on_text, .comment = on_comment};
    htmlParserCtxtPtr parser = htmlCreatePushParserCtxt(&events, other, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    htmlCtxtUseOptions(parser, HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_IGNORE_ENC);
    htmlParseChunk(parser, page, (int)length, 0);
    htmlParseChunk(parser, NULL, 0, 1);
    htmlFreeParserCtxt(parser);
    look_through(other, other->shown.bytes, other->shown.length, ICP_WHERE_DISPLAYED);
    look_through(other, other->hidden.bytes, other->hidden.length, ICP_WHERE_HIDDEN);
    look_through(other, other->stored.bytes, other->stored.length, ICP_WHERE_TEMPLATE);
    *too_deep = other->too_deep;

    icp_page_report_t *report = apr_pmemdup(pool, own, sizeof *own); /* what it says of scripts, frames and charset is not compared */
    report->mentions = other->mentions;
    return report;
}

#endif
