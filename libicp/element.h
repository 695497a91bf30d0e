/* What the HTML Standard says of each element, as far as it decides where a text stands and whether it is drawn:
 * one table. Nothing here looks at a particular page. Source: https://html.spec.whatwg.org, 13.1.2 (void elements),
 * 13.2.4.2 (special elements, scopes), 13.2.6.4.7 (what closes what), 15.3 (what is drawn without a style sheet).
 */
#ifndef ICP_ELEMENT_H
#define ICP_ELEMENT_H

#include <apr.h>

enum {
    ICP_EL_VOID = 1 << 0,       /* no content, no end tag */
    ICP_EL_BLOCK = 1 << 1,      /* its text is not joined with that around it */
    ICP_EL_SPECIAL = 1 << 2,    /* an end tag of an ordinary element does not reach through it */
    ICP_EL_CLOSES_P = 1 << 3,   /* its start tag ends an open p */
    ICP_EL_FORMATTING = 1 << 4, /* b, i, a …: opened again in the next paragraph where it was not ended */
    ICP_EL_SCOPE = 1 << 5,      /* no end tag reaches through it */
    ICP_EL_TABLE = 1 << 6,      /* table, tbody, tfoot, thead, tr: text straight inside is drawn before the table */
    ICP_EL_CELL = 1 << 7,       /* part of a table that may stand in one of those */
    ICP_EL_UNDRAWN = 1 << 8,    /* not displayed, nor anything inside */
    ICP_EL_FALLBACK = 1 << 9,   /* is displayed, but its content only where the browser does not know it */
    ICP_EL_HEADING = 1 << 10,
    ICP_EL_BREAKOUT = 1 << 11,  /* ends svg and math */
    ICP_EL_GAP = 1 << 12,       /* drawn as something between two texts: img, input … */
    ICP_EL_FOREIGN = 1 << 13    /* an element in svg and math only */
};

/* How the bytes after a start tag are read. */
typedef enum icp_content_e {
    ICP_CONTENT_MARKUP,
    ICP_CONTENT_RCDATA,   /* title, textarea: character references, but no tags */
    ICP_CONTENT_RAW,      /* style, iframe, noscript …: nothing but its end tag */
    ICP_CONTENT_SCRIPT,   /* raw, with the comments of old */
    ICP_CONTENT_PLAINTEXT /* to the end of the page */
} icp_content_e;

typedef enum icp_element_e {
    ICP_ELEMENT_OTHER,
    ICP_ELEMENT_HTML, ICP_ELEMENT_HEAD, ICP_ELEMENT_BODY, ICP_ELEMENT_P, ICP_ELEMENT_LI, ICP_ELEMENT_DD, ICP_ELEMENT_DT,
    ICP_ELEMENT_A, ICP_ELEMENT_BR, ICP_ELEMENT_BUTTON, ICP_ELEMENT_FORM, ICP_ELEMENT_TABLE, ICP_ELEMENT_TABLE_PART, ICP_ELEMENT_TR,
    ICP_ELEMENT_CELL, ICP_ELEMENT_CAPTION, ICP_ELEMENT_OPTION, ICP_ELEMENT_OPTGROUP, ICP_ELEMENT_SELECT, ICP_ELEMENT_DETAILS,
    ICP_ELEMENT_SUMMARY, ICP_ELEMENT_DIALOG, ICP_ELEMENT_TEMPLATE, ICP_ELEMENT_SCRIPT, ICP_ELEMENT_STYLE, ICP_ELEMENT_TITLE,
    ICP_ELEMENT_SVG, ICP_ELEMENT_MATH, ICP_ELEMENT_FOREIGN_HTML, ICP_ELEMENT_FOOTER, ICP_ELEMENT_IMG, ICP_ELEMENT_META,
    ICP_ELEMENT_FRAME, ICP_ELEMENT_FONT, ICP_ELEMENT_HEADING, ICP_ELEMENT_LISTS, ICP_ELEMENT_INPUT, ICP_ELEMENT_DIV,
    ICP_ELEMENT_OBJECT, ICP_ELEMENT_SVG_TEXT, ICP_ELEMENT_COL, ICP_ELEMENT_COLGROUP, ICP_ELEMENT_FRAMESET, ICP_ELEMENT_XMP, ICP_ELEMENT_NOBR, ICP_ELEMENT_ROOT
} icp_element_e;

typedef struct icp_element_t {
    char name[16]; /* filled up with zero bytes */
    unsigned short flags;
    unsigned char which;   /* icp_element_e */
    unsigned char content; /* icp_content_e */
} icp_element_t;

/* Never NULL: an element that the table does not have is an ordinary inline one. `name` in lower case. */
const icp_element_t *icp_element(const char *name, apr_size_t length);

#endif
