/* Reading one home page as it streams by: which numbers are in it, where each stands, and whether a visitor sees it.
 *
 * Fed with the bytes as received, in chunks of any size; the report does not depend on how they were split. Memory is
 * bounded by the limit; nothing here knows what the register expects (verdict.h does).
 */
#ifndef ICP_PAGE_H
#define ICP_PAGE_H

#include <apr_tables.h>

#include "number.h"

/* Where a number stands. Only the first is seen by a visitor. */
typedef enum icp_where_e {
    ICP_WHERE_DISPLAYED,
    ICP_WHERE_COMMENT,
    ICP_WHERE_SCRIPT,
    ICP_WHERE_STYLE,
    ICP_WHERE_ATTRIBUTE,
    ICP_WHERE_TITLE,
    ICP_WHERE_HIDDEN,   /* in an element that is not displayed */
    ICP_WHERE_TEMPLATE, /* template, noscript, noframes, form values */
    ICP_WHERE_COUNT
} icp_where_e;

/* Why no honest judgement is possible, or may not be if no number is displayed. */
typedef enum icp_unreadable_e {
    ICP_READABLE,
    ICP_UNREADABLE_STATUS,    /* the response was no 200 */
    ICP_UNREADABLE_TYPE,      /* not HTML */
    ICP_UNREADABLE_ENCODED,   /* compressed in a way that cannot be undone here */
    ICP_UNREADABLE_TRUNCATED, /* the response ended before its end */
    ICP_UNREADABLE_LIMIT,     /* longer than the limit */
    ICP_UNREADABLE_EMPTY,     /* no text at all */
    ICP_UNREADABLE_SCRIPT,    /* an empty shell that scripts fill, or a footer that script draws */
    ICP_UNREADABLE_FRAMES,    /* the text is in frames */
    ICP_UNREADABLE_REDIRECT,  /* meta refresh or script redirect to another page */
    ICP_UNREADABLE_IMAGE,     /* the footer is an image */
    ICP_UNREADABLE_UNREACHED, /* icpadmin: no answer, or none of this site's (reason text says which) */
    ICP_UNREADABLE_COUNT
} icp_unreadable_e;

typedef struct icp_mention_t {
    icp_number_t number;
    icp_where_e where;
    int line;            /* of the source, from 1 */
    const char *element; /* the hiding element for HIDDEN ("div style=display:none"), the element and attribute for ATTRIBUTE; else NULL */
    const char *context; /* up to about 80 bytes of text on either side, white space folded, UTF-8 */
    const char *link;    /* href of the <a> it stands in; NULL if in none */
    int in_footer;       /* in the last part of the page's displayed text, or in a footer element */
} icp_mention_t;

typedef struct icp_page_report_t {
    const char *charset;          /* lower-case WHATWG name of what the bytes were read as: "utf-8", "gb18030" (for gbk, gb2312 labels too: "gbk") */
    apr_array_header_t *mentions; /* icp_mention_t in page order; police numbers are not in it */
    icp_unreadable_e unreadable;  /* READABLE, or the reason that holds if no number is displayed */
    int cut;                      /* nonzero: truncated or over the limit; then nothing may be said to be missing */
    const char *detail;           /* a few words on `unreadable` for staff ("<div id=app> and 3 scripts"); NULL */
    apr_size_t bytes;             /* read */
    apr_size_t text_bytes;        /* of displayed text */
} icp_page_report_t;

typedef struct icp_page_t icp_page_t;

/* `content_type`: the Content-Type header's value, NULL for text/html. `limit`: bytes read at most, 0 for none. The reader
 * lives in a subpool of `pool` that icp_page_finish leaves alone: report and reader end with `pool`. */
icp_page_t *icp_page_create(const char *content_type, apr_size_t limit, apr_pool_t *pool);

/* Bytes past the limit are ignored; returns 0 once no further byte is wanted. */
int icp_page_feed(icp_page_t *page, const char *data, apr_size_t length);

/* `complete`: 0 if the response ended before its end. Call once; the page takes no bytes afterwards. */
const icp_page_report_t *icp_page_finish(icp_page_t *page, int complete);

/* All of it in `pool`, so that the page's memory can be used for the next one. */
icp_page_report_t *icp_page_report_copy(const icp_page_report_t *report, apr_pool_t *pool);

/* Words for JSON and staff: "displayed" "comment" "script" "style" "attribute" "title" "hidden" "template";
 * "status" "type" "encoded" "truncated" "limit" "empty" "script" "frames" "redirect" "image" "unreached". */
const char *icp_where_name(icp_where_e where);
const char *icp_unreadable_name(icp_unreadable_e reason);

#endif
