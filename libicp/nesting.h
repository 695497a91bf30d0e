/* The open elements around the text that is being read, and whether a visitor sees text in their midst. Follows the HTML Standard's
 * rules of what closes what (13.2.6) as far as they move text into or out of an element that hides it. Bounded depth, bounded work per tag.
 */
#ifndef ICP_NESTING_H
#define ICP_NESTING_H

#include <apr_pools.h>

#include "markup.h"

/* As deep as Chromium nests elements; what is deeper takes no place of its own. */
#define ICP_NESTING_DEPTH 512

/* What an element does by itself to the text in it. 0 everywhere: nothing. */
typedef struct icp_effect_t {
    unsigned none : 1;       /* not displayed */
    unsigned inner_none : 1; /* displayed, its content is not (a closed details but for its summary, a video) */
    unsigned away : 1;       /* drawn where or so that nobody sees it */
    unsigned visibility : 2; /* 1 hidden, 2 visible */
    unsigned font : 2;       /* font size: 1 zero, 2 some */
    unsigned graphic : 2;    /* 1: svg, which draws no text of its own; 2: an element in it that does */
    unsigned block : 1;      /* its text is not joined with that around it */
    unsigned footer : 1;
    unsigned stored : 1;     /* content that is kept for other uses: template, select */
    const char *because;     /* what hides, for people: "div style=display:none"; NULL where nothing does */
    const char *link;        /* href of an a; NULL */
} icp_effect_t;

/* What all open elements together do to text. */
typedef struct icp_surroundings_t {
    unsigned none : 1, inner_none : 1, away : 1, invisible : 1, tiny : 1, graphic : 1;
    unsigned footer : 1, stored : 1;
    const char *because; /* NULL: a visitor sees the text */
    const char *link;    /* NULL: in no a */
} icp_surroundings_t;

typedef struct icp_nesting_t icp_nesting_t;

icp_nesting_t *icp_nesting_create(apr_pool_t *pool);

/* What a start tag's element is here: svg and math have others than HTML, and some of HTML's end them (which this does). */
const icp_element_t *icp_nesting_element(icp_nesting_t *nesting, const icp_tag_t *tag);

/* A start tag, its element as icp_nesting_element says: opens its element or, where the Standard ignores it, does not. `effect` is copied. */
void icp_nesting_start(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect);
void icp_nesting_end(icp_nesting_t *nesting, const icp_tag_t *tag);

/* Where text that comes now stands. Lives until the next call. Not for white space alone. */
const icp_surroundings_t *icp_nesting_text(icp_nesting_t *nesting);

/* Does the text that comes now stand in svg or math? */
int icp_nesting_foreign(const icp_nesting_t *nesting);

/* Did a line of displayed (of undisplayed) text end since this was asked last? */
enum { ICP_BROKE_SHOWN = 1, ICP_BROKE_HIDDEN = 2 };
int icp_nesting_broke(icp_nesting_t *nesting);

#endif
