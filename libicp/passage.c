#include "passage.h"

#include <string.h>

#include <apr_strings.h>

#include "scan.h"

#define PASSAGE_MAX 32768  /* bytes looked through at once */
#define PASSAGE_KEPT 1024  /* of them kept before what comes next: longer than any number is written */
#define WAITING_KEPT 8192  /* of waiting bytes, kept where no number is possible in them: what is left after folding is enough for one */
#define WAITING_PARTS 1024
#define CONTEXT 80         /* bytes of text shown on either side of a number */
#define MENTIONS_MAX 2000

typedef struct part_t {
    apr_size_t start; /* in the passage's text */
    icp_source_t source;
} part_t;

/* Nearly no text holds a number. So it waits as it came, and only where one is possible it is folded and looked through. */
struct icp_passage_t {
    icp_findings_t *findings;
    apr_pool_t *pool;
    char *waiting; /* '\0': a line break that was drawn, not written */
    apr_size_t waiting_length;
    part_t *waiting_parts;
    int waiting_count;
    char *text; /* folded; NULL until there is any */
    apr_size_t length, size;
    part_t *parts;
    int part_count, part_size;
    int hope;      /* a number is possible in it */
};

icp_passage_t *icp_passage_create(icp_findings_t *findings, apr_pool_t *pool)
{
    icp_passage_t *passage = apr_pcalloc(pool, sizeof *passage);
    passage->findings = findings;
    passage->pool = pool;
    passage->waiting = apr_palloc(pool, PASSAGE_MAX);
    passage->waiting_parts = apr_palloc(pool, sizeof *passage->waiting_parts * WAITING_PARTS);
    return passage;
}

static void make_text(icp_passage_t *passage)
{
    if (passage->text) return;
    passage->size = PASSAGE_MAX;
    passage->text = apr_palloc(passage->pool, PASSAGE_MAX);
    passage->part_size = 256;
    passage->parts = apr_palloc(passage->pool, sizeof *passage->parts * (apr_size_t)passage->part_size);
}

static const part_t *part_at(const icp_passage_t *passage, apr_size_t offset)
{
    int low = 0, high = passage->part_count - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (passage->parts[middle].start <= offset) low = middle;
        else high = middle - 1;
    }
    return &passage->parts[low];
}

static const char *context(const icp_passage_t *passage, apr_size_t start, apr_size_t end, apr_pool_t *pool)
{
    const char *text = passage->text;
    apr_size_t from = start > CONTEXT ? start - CONTEXT : 0;
    apr_size_t to = passage->length - end > CONTEXT ? end + CONTEXT : passage->length;
    while (from < start && (text[from] & 0xC0) == 0x80) from++;
    while (to > end && to < passage->length && (text[to] & 0xC0) == 0x80) to--;
    return apr_pstrmemdup(pool, text + from, to - from);
}

/* The link that a number, or a part of it, stands in. */
static const char *link_of(const icp_passage_t *passage, const icp_number_t *number)
{
    const part_t *part = part_at(passage, number->start), *end = passage->parts + passage->part_count;
    while (!part->source.link && part + 1 < end && part[1].start < number->end) part++;
    return part->source.link;
}

static void keep(icp_passage_t *passage, const icp_number_t *number)
{
    icp_findings_t *findings = passage->findings;
    const icp_source_t *source = &part_at(passage, number->start)->source;
    if (findings->list->nelts >= MENTIONS_MAX) {
        findings->full = 1;
        return;
    }
    icp_found_t *found = apr_array_push(findings->list);
    memset(found, 0, sizeof *found);
    found->mention.number = *number;
    found->mention.number.text = apr_pstrdup(findings->pool, number->text);
    found->mention.number.license = apr_pstrdup(findings->pool, number->license);
    found->mention.number.province = apr_pstrdup(findings->pool, number->province);
    found->mention.where = source->where;
    found->mention.line = source->line;
    found->mention.element = source->element;
    found->mention.link = link_of(passage, number);
    found->mention.context = context(passage, number->start, number->end, findings->pool);
    found->footer = source->footer;
    found->order = source->order;
    found->shown_bytes = source->shown_bytes + (number->start - part_at(passage, number->start)->start);
}

/* Keeps the numbers that end by `end` and returns where the first one left begins, else `end`. */
static apr_size_t look_through(icp_passage_t *passage, apr_size_t end)
{
    apr_size_t rest = end;
    apr_array_header_t *numbers = icp_number_find(passage->text, passage->length, passage->findings->scratch);
    for (int i = 0; i < numbers->nelts; i++) {
        const icp_number_t *number = &APR_ARRAY_IDX(numbers, i, icp_number_t);
        if (number->end > end) {
            if (number->start < rest) rest = number->start;
            break;
        }
        if (number->kind != ICP_NUMBER_POLICE) keep(passage, number);
    }
    apr_pool_clear(passage->findings->scratch);
    return rest;
}

/* Looks through all but the end of a full passage and keeps that end. */
static void slide(icp_passage_t *passage)
{
    apr_size_t end = passage->length - PASSAGE_KEPT;
    while (end > 0 && (passage->text[end] & 0xC0) == 0x80) end--;
    apr_size_t from = look_through(passage, end);
    if (from + 2 * PASSAGE_KEPT < passage->length) from = end; /* no number is that long */
    int first = (int)(part_at(passage, from) - passage->parts), kept = 0;
    for (int i = first; i < passage->part_count; i++) {
        part_t part = passage->parts[i];
        part.start = part.start > from ? part.start - from : 0;
        passage->parts[kept++] = part;
    }
    passage->part_count = kept;
    memmove(passage->text, passage->text + from, passage->length - from);
    passage->length -= from;
}

static void begin_part(icp_passage_t *passage, const icp_source_t *source)
{
    int empty = passage->part_count > 0 && passage->parts[passage->part_count - 1].start == passage->length;
    if (empty) passage->part_count--;
    if (passage->part_count == passage->part_size) {
        part_t *larger = apr_palloc(passage->pool, sizeof *larger * (apr_size_t)passage->part_size * 2);
        memcpy(larger, passage->parts, sizeof *larger * (apr_size_t)passage->part_count);
        passage->parts = larger;
        passage->part_size *= 2;
    }
    passage->parts[passage->part_count++] = (part_t){.start = passage->length, .source = *source};
}

static void add_folded(icp_passage_t *passage, const char *text, apr_size_t length)
{
    const char *end = text + length;
    while (text < end) {
        if (passage->length + 4 > passage->size) slide(passage);
        apr_size_t room = passage->size - passage->length;
        const char *stop = room < (apr_size_t)(end - text) ? text + room : end, *low = icp_scan_low(text, stop);
        memcpy(passage->text + passage->length, text, (apr_size_t)(low - text));
        passage->length += (apr_size_t)(low - text);
        for (text = low; text < stop && (unsigned char)*text <= ' '; text++) {
            int space = icp_is_space(*text) || !*text, after = passage->length > 0 && icp_is_space(passage->text[passage->length - 1]);
            if (!space || !after) passage->text[passage->length++] = space ? (*text ? ' ' : '\n') : *text;
        }
    }
}

/* Folds one piece of what waited, line by line, so that the line of each is known. */
static void fold(icp_passage_t *passage, const char *text, apr_size_t length, const icp_source_t *source)
{
    icp_source_t here = *source;
    while (length > 0) {
        const char *newline = memchr(text, '\n', length);
        apr_size_t piece = newline ? (apr_size_t)(newline + 1 - text) : length;
        begin_part(passage, &here);
        add_folded(passage, text, piece);
        here.line++;
        here.order += piece;
        text += piece;
        length -= piece;
    }
}

static void fold_waiting(icp_passage_t *passage)
{
    make_text(passage);
    int count = passage->waiting_count;
    add_folded(passage, passage->waiting, count ? passage->waiting_parts[0].start : passage->waiting_length); /* a gap alone */
    for (int i = 0; i < count; i++) {
        const part_t *part = &passage->waiting_parts[i];
        apr_size_t end = i + 1 < count ? part[1].start : passage->waiting_length;
        fold(passage, passage->waiting + part->start, end - part->start, &part->source);
    }
    passage->waiting_length = 0;
    passage->waiting_count = 0;
}

/* Drops what waited but for its end. */
static void drop_waiting(icp_passage_t *passage)
{
    apr_size_t from = passage->waiting_length > WAITING_KEPT ? passage->waiting_length - WAITING_KEPT : 0;
    while (from > 0 && (passage->waiting[from] & 0xC0) == 0x80) from--;
    int first = passage->waiting_count - 1, kept = 0;
    while (first > 0 && passage->waiting_parts[first].start > from) first--;
    if (passage->waiting_count - first > WAITING_PARTS / 2) first = passage->waiting_count - WAITING_PARTS / 2;
    if (passage->waiting_parts[first].start > from) from = passage->waiting_parts[first].start;
    for (int i = first; i < passage->waiting_count; i++) {
        part_t part = passage->waiting_parts[i];
        apr_size_t cut = part.start < from ? from - part.start : 0;
        part.source.line += icp_scan_lines(passage->waiting + part.start, cut);
        part.source.order += cut;
        part.start = part.start + cut - from;
        passage->waiting_parts[kept++] = part;
    }
    passage->waiting_count = kept;
    passage->waiting_length -= from;
    memmove(passage->waiting, passage->waiting + from, passage->waiting_length);
}

static void make_room(icp_passage_t *passage)
{
    if (passage->hope) fold_waiting(passage);
    else drop_waiting(passage);
}

void icp_passage_end(icp_passage_t *passage)
{
    if (passage->hope) {
        fold_waiting(passage);
        look_through(passage, passage->length);
    }
    passage->hope = 0;
    passage->length = 0;
    passage->part_count = 0;
    passage->waiting_length = 0;
    passage->waiting_count = 0;
}

void icp_passage_add(icp_passage_t *passage, const char *text, apr_size_t length, const icp_source_t *source, int hope)
{
    icp_source_t here = *source;
    while (length > 0) {
        if (passage->waiting_length == PASSAGE_MAX || passage->waiting_count == WAITING_PARTS) make_room(passage);
        passage->hope |= hope;
        apr_size_t room = PASSAGE_MAX - passage->waiting_length, piece = length < room ? length : room;
        passage->waiting_parts[passage->waiting_count++] = (part_t){.start = passage->waiting_length, .source = here};
        memcpy(passage->waiting + passage->waiting_length, text, piece);
        passage->waiting_length += piece;
        if (piece == length) return;
        here.line += icp_scan_lines(text, piece);
        here.order += piece;
        text += piece;
        length -= piece;
    }
}

void icp_passage_gap(icp_passage_t *passage, char gap)
{
    char before = ' ';
    if (passage->length > 0) before = passage->text[passage->length - 1];
    if (passage->waiting_length > 0) before = passage->waiting[passage->waiting_length - 1];
    if (!before || icp_is_space(before)) return;
    if (passage->waiting_length == PASSAGE_MAX) make_room(passage);
    passage->waiting[passage->waiting_length++] = gap == '\n' ? '\0' : gap;
}
