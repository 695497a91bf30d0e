/* The open elements around the text that is being read, and whether a visitor sees text in their midst. Follows the HTML Standard's
 * rules of what closes what (13.2.6) as far as they move text into or out of an element that hides it. Bounded depth, bounded work per tag.
 */
#ifndef ICP_NESTING_H
#define ICP_NESTING_H

#include <apr_pools.h>

#include "selector.h"

/* As deep as Chromium nests elements; what is deeper takes no place of its own. */
#define ICP_NESTING_DEPTH 512

/* What an element does by itself to the text in it. */
enum {
    ICP_FX_NONE = 1 << 0,       /* not displayed */
    ICP_FX_INNER_NONE = 1 << 1, /* displayed, its content is not (a closed details but for its summary, a video) */
    ICP_FX_AWAY = 1 << 2,       /* drawn where or so that nobody sees it */
    ICP_FX_INVISIBLE = 1 << 3,
    ICP_FX_TINY = 1 << 4,       /* of font size zero */
    ICP_FX_GRAPHIC = 1 << 5,    /* svg, which draws no text of its own */
    ICP_FX_FAINT = 1 << 6,      /* in the colour of its background */
    ICP_FX_FOOTER = 1 << 7,
    ICP_FX_STORED = 1 << 8,     /* content that is kept for other uses: template, select */
    ICP_FX_BLOCK = 1 << 9,      /* its text is not joined with that around it */
    ICP_FX_VISIBLE = 1 << 10,   /* these end what an element around it does: INVISIBLE, */
    ICP_FX_SIZED = 1 << 11,     /* TINY, */
    ICP_FX_DRAWN = 1 << 12,     /* GRAPHIC, */
    ICP_FX_COLORED = 1 << 13    /* FAINT */
};

typedef struct icp_effect_t {
    unsigned flags;      /* ICP_FX_… */
    const char *because; /* what hides, for people: "div style=display:none"; NULL where nothing does */
    const char *link;    /* href of an a; NULL */
} icp_effect_t;

/* What all open elements together do to text. */
typedef struct icp_surroundings_t {
    unsigned flags;      /* of the first nine of ICP_FX_… */
    const char *because; /* NULL: a visitor sees the text */
    const char *link;    /* NULL: in no a */
} icp_surroundings_t;

typedef struct icp_nesting_t icp_nesting_t;

icp_nesting_t *icp_nesting_create(apr_pool_t *pool);

/* What a start tag's element is here: svg and math have others than HTML, and some of HTML's end them (which this does). */
const icp_element_t *icp_nesting_element(icp_nesting_t *nesting, const icp_tag_t *tag);

/* A start tag, its element as icp_nesting_element says: closes what it ends. 0: the Standard ignores the tag. */
int icp_nesting_prepare(icp_nesting_t *nesting, const icp_tag_t *tag);

/* Then opens the element, if it is one that has content. `effect` is copied. */
void icp_nesting_start(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect);
void icp_nesting_end(icp_nesting_t *nesting, const icp_tag_t *tag);

/* Where text that comes now stands. Lives until the next call. Not for white space alone. */
const icp_surroundings_t *icp_nesting_text(icp_nesting_t *nesting);

/* The open elements as selectors see them, the page itself first. */
const icp_node_t *icp_nesting_nodes(const icp_nesting_t *nesting, int *count);

/* href of the a that an element which comes now stands in; NULL: in none. */
const char *icp_nesting_link(const icp_nesting_t *nesting);

/* Is text that comes now not seen? */
int icp_nesting_hides(const icp_nesting_t *nesting);

/* Does the text that comes now stand in svg or math? */
int icp_nesting_foreign(const icp_nesting_t *nesting);

/* Did a line of displayed (of undisplayed) text end since this was asked last? */
enum { ICP_BROKE_SHOWN = 1, ICP_BROKE_HIDDEN = 2 };
int icp_nesting_broke(icp_nesting_t *nesting);

#endif
