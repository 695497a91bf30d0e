/* The stack of open elements, from the page itself to the innermost: what text in each is surrounded by, and the formatting elements
 * that are opened again where another's end tag closed them. Which tag opens and closes what is nesting.c's business, the only one to include this.
 */
#ifndef ICP_OPEN_H
#define ICP_OPEN_H

#include "nesting.h"

#define ICP_OPEN_AGAIN 16 /* formatting elements that are remembered to be opened again */

/* Most elements do nothing to the text in them: their surroundings are those of an element around them. */
typedef struct icp_entry_t {
    const icp_element_t *element;
    apr_uint64_t key;      /* of its name */
    unsigned short parent; /* index of the entry it is drawn in: that below it but for what a table pushes out */
    unsigned short around; /* index of the surroundings that text in it has */
    unsigned char foreign; /* 1: in svg or math; 2: what is in it is HTML again */
    unsigned char first_summary, block;
    unsigned char plain;   /* its own effect is none but to be a block or not */
} icp_entry_t;

typedef struct icp_again_t {
    icp_entry_t entry;
    icp_effect_t own;
    int at;     /* where it is open; 0: nowhere */
    int marker; /* the entry that it is not opened again outside of */
} icp_again_t;

struct icp_nesting_t {
    apr_pool_t *pool;
    int depth;    /* entry 0 is the page itself */
    int overflow; /* elements open beyond the depth */
    int overflow_hides;
    int form;     /* where the open form is; 0: none */
    int paragraphs;
    int broke;
    int foreign;  /* text that comes now stands in svg or math */
    int again_count;
    int again_waiting; /* those of `again` that are open nowhere */
    icp_surroundings_t deep;
    icp_entry_t open[ICP_NESTING_DEPTH];       /* this and what follows is set up to `depth` alone */
    icp_node_t nodes[ICP_NESTING_DEPTH];       /* those of `open` as selectors see them */
    icp_effect_t own[ICP_NESTING_DEPTH];       /* of those of `open` that are not plain */
    icp_surroundings_t all[ICP_NESTING_DEPTH]; /* where an entry's `around` is its own index */
    icp_again_t again[ICP_OPEN_AGAIN];         /* up to `again_count` */
};

static inline const icp_surroundings_t *icp_open_around(const icp_nesting_t *nesting, int index)
{
    return &nesting->all[nesting->open[index].around];
}

static inline const icp_element_t *icp_open_top(const icp_nesting_t *nesting)
{
    return nesting->open[nesting->depth - 1].element;
}

/* Reckons the surroundings in entry `index` anew. */
void icp_open_compute(icp_nesting_t *nesting, int index);

/* Opens an element: its index; 0 if there is no room for it. */
int icp_open_push(icp_nesting_t *nesting, const icp_entry_t *entry, const icp_effect_t *effect);

/* Closes entry `index` and all above it. */
void icp_open_pop_to(icp_nesting_t *nesting, int index);

/* Takes one entry out from below others. */
void icp_open_take_out(icp_nesting_t *nesting, int index);

/* The innermost open element `which`, not looking through elements with one of the flags or of the kind `barrier`; 0: none. */
int icp_open_find(const icp_nesting_t *nesting, int which, unsigned flags, int barrier);
int icp_open_find_key(const icp_nesting_t *nesting, apr_uint64_t key, unsigned flags);
int icp_open_in_table(const icp_nesting_t *nesting);

/* Where what comes now is drawn: what stands straight in a table's rows, outside the table. */
int icp_open_drawn_in(const icp_nesting_t *nesting);

/* A formatting element that is open at `index`, to be opened again where it is closed by another's end tag; opening those that were;
 * the end tag of one, or a new a in an open one. */
void icp_open_remember(icp_nesting_t *nesting, const icp_entry_t *entry, const icp_effect_t *effect, int index);
void icp_open_again(icp_nesting_t *nesting);
void icp_open_end_formatting(icp_nesting_t *nesting, apr_uint64_t key);

#endif
