/* Cutting HTML into tags, text, comments and raw text, as a browser does (HTML Standard, 13.2.5). Works on UTF-8, keeps nothing of
 * the page but what it is in the midst of, and never decides what anything means.
 */
#ifndef ICP_MARKUP_H
#define ICP_MARKUP_H

#include <apr.h>

#include "element.h"

/* The attributes that somebody asks for. */
typedef enum icp_attribute_e {
    ICP_ATTRIBUTE_OTHER,
    ICP_ATTRIBUTE_ID, ICP_ATTRIBUTE_SRC, ICP_ATTRIBUTE_HREF, ICP_ATTRIBUTE_OPEN, ICP_ATTRIBUTE_SIZE, ICP_ATTRIBUTE_DATA,
    ICP_ATTRIBUTE_STYLE, ICP_ATTRIBUTE_CLASS, ICP_ATTRIBUTE_HIDDEN, ICP_ATTRIBUTE_POPOVER, ICP_ATTRIBUTE_CONTENT, ICP_ATTRIBUTE_CHARSET,
    ICP_ATTRIBUTE_HTTP_EQUIV, ICP_ATTRIBUTE_TYPE, ICP_ATTRIBUTE_MEDIA, ICP_ATTRIBUTE_SHADOWROOTMODE
} icp_attribute_e;

typedef struct icp_attribute_t {
    icp_attribute_e which;
    const char *name; /* in lower case */
    apr_size_t name_length;
    char *value; /* references as written; "" where there is none */
    apr_size_t length;
} icp_attribute_t;

#define ICP_TAG_ATTRIBUTES 16 /* read once for all that ask; the rest of a tag with more is read again for each */

typedef struct icp_tag_t {
    const char *name; /* in lower case */
    apr_size_t name_length;
    apr_uint64_t key;     /* its hash: tags with the same key have the same name */
    const icp_element_t *element;
    char *attributes; /* from behind the name up to '>' */
    char *end;
    int closing;      /* an end tag */
    int selfclosing;  /* written "/>" */
    unsigned has;     /* bit 1 << icp_attribute_e: there is one */
    int count;        /* of the attributes in `first` */
    const icp_attribute_t *first;
    char *rest;       /* where the ones behind those begin */
} icp_tag_t;

/* What is told about a page, in its order. `text` and `hidden_text` come in pieces that may end anywhere but inside a character or reference. */
typedef struct icp_markup_events_t {
    /* References as written. */
    void (*text)(void *baton, char *text, apr_size_t length, int line, icp_content_e content);
    /* How what follows is to be read: element->content, unless the element is none of HTML's. */
    icp_content_e (*start)(void *baton, icp_tag_t *tag);
    void (*end)(void *baton, icp_tag_t *tag);
    void (*comment)(void *baton, const char *text, apr_size_t length, int line, int last);
    /* Does `<![CDATA[` begin text here? (in svg and math) */
    int (*cdata)(void *baton);
} icp_markup_events_t;

typedef struct icp_markup_t {
    const icp_markup_events_t *events;
    void *baton;
    int line;           /* from 1, of what stands before `newline` */
    const char *newline, *end; /* the next line break in the text being read, NULL: none up to its end */
    enum { ICP_MARKUP_DATA, ICP_MARKUP_COMMENT, ICP_MARKUP_BOGUS, ICP_MARKUP_CDATA, ICP_MARKUP_RAW } mode;
    icp_content_e content; /* of RAW */
    char raw_end[14];   /* the element whose end tag ends it */
    apr_size_t raw_end_length;
    int script_escape;  /* 0: none, 1: after <!--, 2: after <script in that */
    struct { apr_uint64_t key; const icp_element_t *element; } known[64]; /* elements met lately */
    icp_attribute_t attributes[ICP_TAG_ATTRIBUTES]; /* of the tag that is being read */
    int comment_begun;  /* bytes of the comment seen, up to 2: ">" and "->" end it at once */
} icp_markup_t;

void icp_markup_init(icp_markup_t *markup, const icp_markup_events_t *events, void *baton);

/* Reads as far as it is clear what the bytes are and returns how many that was; the rest must come again, with more behind it.
 * `last`: no more will come, all is read. `text` is changed: names are put in lower case. */
apr_size_t icp_markup_read(icp_markup_t *markup, char *text, apr_size_t length, int last);

/* The line of a byte of the tag that an event is about. */
int icp_markup_line(icp_markup_t *markup, const char *at);

static inline int icp_tag_has(const icp_tag_t *tag, icp_attribute_e which)
{
    return tag->has >> which & 1;
}

/* Where one is among a tag's attributes; begins as {.tag = tag}. */
typedef struct icp_attributes_t {
    const icp_tag_t *tag;
    int index;
    char *at;             /* behind the first ones */
    icp_attribute_t last; /* of the others */
} icp_attributes_t;

/* The next attribute, NULL after the last; it lives until the next call. */
const icp_attribute_t *icp_markup_attribute(icp_attributes_t *place);

/* The key of a tag's name, which is in lower case. */
apr_uint64_t icp_markup_key(const char *name, apr_size_t length);

#endif
