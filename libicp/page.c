#include "page.h"

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "charref.h"
#include "decode.h"
#include "nesting.h"
#include "passage.h"
#include "scan.h"
#include "shell.h"
#include "visible.h"

/* Bytes are taken up in pieces that end at the same places however they came in, so that nothing can depend on the split. */
#define FIRST_PIECE 4096
#define PIECE 16384
#define FOOTER_BYTES 1500 /* of displayed text at a page's end, or a fifth of it, count as its footer */

typedef struct buffer_t {
    char *bytes;
    apr_size_t length, size;
} buffer_t;

struct icp_page_t {
    apr_pool_t *pool;
    icp_page_report_t *report;
    apr_size_t limit;
    const icp_charset_t *charset; /* NULL: not decided yet */
    icp_decoder_t *decoder;
    int undeclared;               /* all bytes are needed to tell */
    buffer_t held;                /* bytes not decoded yet */
    apr_size_t piece;             /* held->length at which they are looked at */
    buffer_t text;                /* decoded, not read yet */
    apr_size_t text_before;       /* bytes of text read and gone */
    apr_size_t retry;             /* text->length below which nothing new can be told */
    apr_size_t hint;              /* where in the text the next thing stands by which a number could be found … */
    apr_size_t reference, brace;  /* … and the next & and { */
    icp_markup_t markup;
    icp_nesting_t *nesting;
    icp_shell_t *shell;
    icp_sheet_t *sheet;
    icp_findings_t findings;
    icp_passage_t *shown, *hidden, *aside;
    const icp_element_t *raw;     /* whose content is read as raw text */
    apr_size_t shown_bytes, all_bytes; /* of text: displayed; that is markup's, displayed or not */
    unsigned footer_text; /* there is displayed text in a footer */
};

static void make_room(buffer_t *buffer, apr_size_t more, apr_pool_t *pool)
{
    if (buffer->length + more <= buffer->size) return;
    apr_size_t size = buffer->size ? buffer->size : PIECE;
    while (size < buffer->length + more) size *= 2;
    char *bytes = apr_palloc(pool, size);
    if (buffer->length) memcpy(bytes, buffer->bytes, buffer->length);
    buffer->bytes = bytes;
    buffer->size = size;
}

static void drop_front(buffer_t *buffer, apr_size_t length)
{
    buffer->length -= length;
    if (buffer->length) memmove(buffer->bytes, buffer->bytes + length, buffer->length);
}

/* Does something by which a number could be found stand in this part of the page's text, all before it having been asked about? */
static int hinted(icp_page_t *page, const char *text, apr_size_t length)
{
    apr_size_t at = (apr_size_t)(text - page->text.bytes);
    if (page->hint < at) page->hint = icp_number_hint(page->text.bytes, page->text.length, at);
    return page->hint < at + length;
}

static apr_size_t find(const icp_page_t *page, apr_size_t at, char wanted)
{
    const char *found = memchr(page->text.bytes + at, wanted, page->text.length - at);
    return found ? (apr_size_t)(found - page->text.bytes) : page->text.length;
}

/* Does the character stand there? `next`: the next one that is known. */
static int holds(const icp_page_t *page, apr_size_t *next, char wanted, const char *text, apr_size_t length)
{
    apr_size_t at = (apr_size_t)(text - page->text.bytes);
    if (*next < at) *next = find(page, at, wanted);
    return *next < at + length;
}

/* Is a number possible with this text, in which references or escapes were `decoded`? */
static int hopeful(icp_page_t *page, const char *text, apr_size_t length, int decoded)
{
    if (length == 0 || (!decoded && !hinted(page, text, length))) return 0;
    char last = text[length - 1] | 0x20; /* the rest of an anchor may stand in what comes next */
    return last == 'b' || last == 'c' || icp_number_possible(text, length);
}

static apr_size_t order_of(const icp_page_t *page, const char *text)
{
    return page->text_before + (apr_size_t)(text - page->text.bytes);
}

/* White space alone, no-break and ideographic spaces included? */
static int is_blank(const char *text, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (apr_isspace(text[i])) continue;
        if (length - i >= 2 && memcmp(text + i, "\xC2\xA0", 2) == 0) i += 1;
        else if (length - i >= 3 && memcmp(text + i, "\xE3\x80\x80", 3) == 0) i += 2;
        else return 0;
    }
    return 1;
}

static void end_lines(icp_page_t *page, int broke)
{
    if (broke & ICP_BROKE_SHOWN) icp_passage_end(page->shown);
    if (broke & ICP_BROKE_HIDDEN) icp_passage_end(page->hidden);
}

static void add_displayed(icp_page_t *page, char *text, apr_size_t length, icp_source_t *source, int hope)
{
    const icp_surroundings_t *around = icp_nesting_text(page->nesting);
    page->all_bytes += length;
    source->link = around->link;
    source->footer = around->flags & ICP_FX_FOOTER;
    source->element = around->because;
    if (around->because) {
        source->where = around->flags & ICP_FX_STORED ? ICP_WHERE_TEMPLATE : ICP_WHERE_HIDDEN;
        icp_passage_add(page->hidden, text, length, source, hope);
        return;
    }
    source->where = ICP_WHERE_DISPLAYED;
    icp_passage_add(page->shown, text, length, source, hope);
    page->shown_bytes += length;
    page->footer_text |= (unsigned)source->footer;
}

static void on_text(void *baton, char *text, apr_size_t length, int line, icp_content_e content)
{
    icp_page_t *page = baton;
    apr_size_t written = length;
    int drawn = content == ICP_CONTENT_MARKUP || content == ICP_CONTENT_PLAINTEXT || !page->raw || page->raw->which == ICP_ELEMENT_XMP;
    if (drawn && holds(page, &page->brace, '{', text, length) && memmem(text, length, "{{", 2)) icp_shell_braces(page->shell);
    if ((content == ICP_CONTENT_MARKUP || content == ICP_CONTENT_RCDATA) && holds(page, &page->reference, '&', text, length)) {
        length = icp_charref_decode(text, text, length, 0);
    }
    if (drawn && is_blank(text, length)) {
        icp_passage_gap(page->shown, ' ');
        icp_passage_gap(page->hidden, ' ');
        return;
    }
    icp_source_t source = {.line = line, .order = order_of(page, text), .shown_bytes = page->shown_bytes};
    if (drawn) {
        add_displayed(page, text, length, &source, hopeful(page, text, length, length != written));
        return;
    }
    if (page->raw->which == ICP_ELEMENT_SCRIPT) length = icp_script_decode(text, text, length);
    int hope = hopeful(page, text, length, length != written);
    switch (page->raw->which) {
    case ICP_ELEMENT_SCRIPT:
        source.where = ICP_WHERE_SCRIPT;
        icp_shell_script(page->shell, text, length, page->all_bytes, hope);
        break;
    case ICP_ELEMENT_STYLE:
        source.where = ICP_WHERE_STYLE;
        icp_sheet_add(page->sheet, text, length);
        break;
    case ICP_ELEMENT_TITLE: source.where = ICP_WHERE_TITLE; break;
    default: source.where = ICP_WHERE_TEMPLATE; break;
    }
    icp_passage_add(page->aside, text, length, &source, hope);
}

static void look_at_attributes(icp_page_t *page, const icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    apr_size_t all = (apr_size_t)(tag->end - tag->attributes);
    if (tag->count == 0 || (!hinted(page, tag->attributes, all) && !holds(page, &page->reference, '&', tag->attributes, all))) return;
    while ((attribute = icp_markup_attribute(&at))) {
        char *value = attribute->value;
        apr_size_t length = attribute->length;
        if (length < 4) continue;
        if (memchr(value, '&', length)) {
            value = apr_palloc(page->findings.scratch, length);
            length = icp_charref_decode(value, attribute->value, length, 1);
        }
        if (!icp_number_possible(value, length)) continue;
        icp_source_t source = {.where = ICP_WHERE_ATTRIBUTE, .line = icp_markup_line(&page->markup, tag->name), .order = order_of(page, attribute->value)};
        source.element = apr_psprintf(page->pool, "%.*s %.*s", (int)(tag->name_length < 32 ? tag->name_length : 32), tag->name,
                                      (int)(attribute->name_length < 32 ? attribute->name_length : 32), attribute->name);
        icp_passage_add(page->aside, value, length, &source, 1);
        icp_passage_end(page->aside);
    }
}

/* An image in a link to the Ministry's host, or one that it had before, may be the number; one in a link to the police is theirs. */
static void look_at_image(icp_page_t *page, const icp_tag_t *tag)
{
    const char *link = icp_nesting_link(page->nesting);
    if (link && strstr(link, "beian")) {
        if (strstr(link, "beian.miit.gov.cn") || strstr(link, "miitbeian.gov.cn") || strstr(link, "miibeian.gov.cn")) icp_shell_ministry(page->shell);
        if (strstr(link, "www.beian.gov.cn") || strstr(link, "beian.mps.gov.cn")) return;
    }
    icp_shell_tag(page->shell, tag);
}

static icp_content_e on_start(void *baton, icp_tag_t *tag)
{
    icp_page_t *page = baton;
    icp_effect_t effect;
    icp_passage_end(page->aside);
    look_at_attributes(page, tag);
    if (tag->element->which == ICP_ELEMENT_IMG) look_at_image(page, tag);
    else icp_shell_tag(page->shell, tag);
    tag->element = icp_nesting_element(page->nesting, tag);
    int opens = icp_nesting_prepare(page->nesting, tag);
    icp_visible_effect(&effect, tag, page->sheet, page->nesting, page->pool);
    if (effect.flags & ICP_FX_FOOTER) icp_shell_footer(page->shell, tag);
    if (opens) icp_nesting_start(page->nesting, tag, &effect);
    end_lines(page, icp_nesting_broke(page->nesting));
    if (tag->element->which == ICP_ELEMENT_BR) {
        icp_passage_gap(page->shown, '\n');
        icp_passage_gap(page->hidden, '\n');
    }
    else if (tag->element->flags & ICP_EL_GAP) {
        icp_passage_gap(page->shown, ' ');
    }
    else if (tag->element->flags & ICP_EL_VOID && tag->element->flags & ICP_EL_BLOCK) {
        end_lines(page, ICP_BROKE_SHOWN);
    }
    icp_content_e content = icp_nesting_foreign(page->nesting) ? ICP_CONTENT_MARKUP : tag->element->content;
    if (content != ICP_CONTENT_MARKUP) page->raw = tag->element;
    if (tag->element->which == ICP_ELEMENT_STYLE) icp_sheet_begin(page->sheet, tag);
    return content;
}

static void on_end(void *baton, icp_tag_t *tag)
{
    icp_page_t *page = baton;
    icp_passage_end(page->aside);
    if (tag->element->which == ICP_ELEMENT_BR) icp_passage_gap(page->shown, '\n');
    if (tag->element->which == ICP_ELEMENT_P) end_lines(page, ICP_BROKE_SHOWN);
    if (tag->element->which == ICP_ELEMENT_STYLE) icp_sheet_end(page->sheet);
    icp_nesting_end(page->nesting, tag);
    end_lines(page, icp_nesting_broke(page->nesting));
}

static void on_comment(void *baton, const char *text, apr_size_t length, int line, int last)
{
    icp_page_t *page = baton;
    icp_source_t source = {.where = ICP_WHERE_COMMENT, .line = line, .order = order_of(page, text)};
    icp_passage_add(page->aside, text, length, &source, hopeful(page, text, length, 0));
    if (last) icp_passage_end(page->aside);
}

static int on_cdata(void *baton)
{
    return icp_nesting_foreign(((icp_page_t *)baton)->nesting);
}

static const icp_markup_events_t events = {on_text, on_start, on_end, on_comment, on_cdata};

/* No type, or HTML in one of its two forms. */
static int is_html(const char *content_type)
{
    static const char *const types[] = {"text/html", "application/xhtml+xml", NULL};
    if (!content_type) return 1;
    while (apr_isspace(*content_type)) content_type++;
    apr_size_t length = strcspn(content_type, "; \t,");
    for (int i = 0; types[i]; i++) {
        if (length == strlen(types[i]) && strncasecmp(content_type, types[i], length) == 0) return 1;
    }
    return length == 0;
}

icp_page_t *icp_page_create(const char *content_type, apr_size_t limit, apr_pool_t *parent)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, parent);
    icp_page_t *page = apr_pcalloc(pool, sizeof *page);
    page->pool = pool;
    page->limit = limit;
    page->piece = FIRST_PIECE;
    page->report = apr_pcalloc(pool, sizeof *page->report);
    page->report->mentions = apr_array_make(pool, 8, sizeof(icp_mention_t));
    page->report->charset = "utf-8";
    if (!is_html(content_type)) {
        page->report->unreadable = ICP_UNREADABLE_TYPE;
        page->report->detail = apr_pstrdup(pool, content_type);
    }
    page->charset = icp_charset_by_type(content_type);
    page->findings.pool = pool;
    apr_pool_create(&page->findings.scratch, pool);
    page->findings.list = apr_array_make(pool, 8, sizeof(icp_found_t));
    page->shown = icp_passage_create(&page->findings, pool);
    page->hidden = icp_passage_create(&page->findings, pool);
    page->aside = icp_passage_create(&page->findings, pool);
    page->nesting = icp_nesting_create(pool);
    page->shell = icp_shell_create(pool);
    page->sheet = icp_sheet_create(pool);
    icp_markup_init(&page->markup, &events, page);
    make_room(&page->held, 1, pool);
    return page;
}

/* Decides on the charset if that can be done now. */
static void decide(icp_page_t *page, int last)
{
    apr_size_t mark;
    int settled = 0;
    const icp_charset_t *marked = icp_charset_by_mark(page->held.bytes, page->held.length, &mark);
    if (marked) {
        page->charset = marked;
        drop_front(&page->held, mark);
        page->report->bytes += mark;
    }
    if (!page->charset && !page->undeclared) {
        char *copy = apr_pmemdup(page->findings.scratch, page->held.bytes, page->held.length);
        page->charset = icp_charset_declared(copy, page->held.length, &settled);
        page->undeclared = settled && !page->charset;
        apr_pool_clear(page->findings.scratch);
    }
    if (!page->charset && last) page->charset = icp_charset_guess(page->held.bytes, page->held.length);
    if (page->charset) {
        page->decoder = icp_decoder_create(page->charset, page->pool);
        page->report->charset = page->charset->name;
    }
}

/* Looks at the held bytes. */
static void take_up(icp_page_t *page, int last)
{
    if (!page->decoder) {
        decide(page, last);
        page->piece = page->decoder ? PIECE : page->piece * 2;
        if (!page->decoder) return;
    }
    apr_size_t used;
    make_room(&page->text, ICP_DECODED_MAX(page->held.length), page->pool);
    page->text.length += icp_decoder_read(page->decoder, page->text.bytes + page->text.length, page->held.bytes, page->held.length, &used, last);
    drop_front(&page->held, used);
    if (page->text.length < page->retry && !last) return;
    page->hint = icp_number_hint(page->text.bytes, page->text.length, 0);
    page->reference = find(page, 0, '&');
    page->brace = find(page, 0, '{');
    used = icp_markup_read(&page->markup, page->text.bytes, page->text.length, last);
    drop_front(&page->text, used);
    page->text_before += used;
    page->retry = page->text.length * 2;
}

int icp_page_feed(icp_page_t *page, const char *data, apr_size_t length)
{
    icp_page_report_t *report = page->report;
    if (report->unreadable == ICP_UNREADABLE_TYPE || report->cut) return 0;
    if (page->limit && length > page->limit - report->bytes) {
        length = page->limit - report->bytes;
        report->cut = 1;
        report->unreadable = ICP_UNREADABLE_LIMIT;
    }
    report->bytes += length;
    while (length > 0) {
        apr_size_t part = page->piece - page->held.length;
        if (part > length) part = length;
        make_room(&page->held, part, page->pool);
        memcpy(page->held.bytes + page->held.length, data, part);
        page->held.length += part;
        data += part;
        length -= part;
        if (page->held.length == page->piece) take_up(page, 0);
    }
    return !report->cut;
}

static int by_order(const void *a, const void *b)
{
    const icp_found_t *first = a, *second = b;
    return first->order < second->order ? -1 : first->order > second->order;
}

static void list_mentions(icp_page_t *page)
{
    apr_array_header_t *list = page->findings.list;
    apr_size_t total = page->shown_bytes, footer = total / 5 > FOOTER_BYTES ? total / 5 : FOOTER_BYTES;
    qsort(list->elts, (size_t)list->nelts, sizeof(icp_found_t), by_order);
    for (int i = 0; i < list->nelts; i++) {
        icp_found_t *found = &APR_ARRAY_IDX(list, i, icp_found_t);
        found->mention.in_footer = found->footer || found->shown_bytes + footer >= total;
        APR_ARRAY_PUSH(page->report->mentions, icp_mention_t) = found->mention;
    }
}

const icp_page_report_t *icp_page_finish(icp_page_t *page, int complete)
{
    icp_page_report_t *report = page->report;
    if (report->unreadable == ICP_UNREADABLE_TYPE) return report;
    take_up(page, 1);
    icp_passage_end(page->aside);
    icp_passage_end(page->shown);
    icp_passage_end(page->hidden);
    list_mentions(page);
    report->text_bytes = page->shown_bytes;
    if (!complete && !report->cut) {
        report->cut = 1;
        report->unreadable = ICP_UNREADABLE_TRUNCATED;
    }
    if (page->findings.full && !report->cut) {
        report->cut = 1;
        report->unreadable = ICP_UNREADABLE_LIMIT;
        report->detail = "more numbers than are listed";
    }
    if (!report->cut) {
        report->unreadable = icp_shell_reason(page->shell, page->all_bytes, page->footer_text != 0, &report->detail, page->pool);
    }
    return report;
}
