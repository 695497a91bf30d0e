/* CSS declarations, as far as they decide whether text can be seen: read from a rule or a style attribute, cascaded, evaluated.
 * Knows no selectors (selector.h) and no elements.
 */
#ifndef ICP_STYLE_H
#define ICP_STYLE_H

#include <apr_hash.h>

typedef enum icp_display_e { ICP_DISPLAY_UNSET, ICP_DISPLAY_NONE, ICP_DISPLAY_BLOCK, ICP_DISPLAY_INLINE } icp_display_e;

/* 0 everywhere: nothing is said. */
typedef struct icp_style_t {
    unsigned char display;    /* icp_display_e */
    unsigned char visibility; /* 1 hidden, 2 visible; inherited */
    unsigned char font;       /* font-size: 1 zero, 2 some; inherited */
    unsigned char color;      /* 1 that of its background, or none; 2 another; inherited */
    unsigned char away;       /* 1 drawn where or so that nobody sees it: opacity 0, far off the page, clipped away */
    const char *because;      /* the declaration that hides, "display:none"; NULL: none does */
    const char *from;         /* the selector of the rule that it stands in; NULL: a style attribute */
} icp_style_t;

/* One declaration of a property that is looked at. */
typedef struct icp_declaration_t {
    unsigned char property, important;
    char value[46]; /* lower case, white space folded; longer ones are cut: none that matters is */
} icp_declaration_t;

#define ICP_PROPERTIES 28
#define ICP_DECLARATIONS_MAX 32 /* of one rule or attribute; the rest is not read */

/* The declarations in `text` (of an attribute: references decoded), in their order. Custom properties (--name) go to `variables`
 * (name → value, in the pool of the table) if that is not NULL. Returns their number. */
int icp_style_parse(icp_declaration_t out[ICP_DECLARATIONS_MAX], const char *text, apr_size_t length, apr_hash_t *variables);

/* For each property the declaration that holds. */
typedef struct icp_cascade_t {
    const icp_declaration_t *holds[ICP_PROPERTIES];
    const char *from[ICP_PROPERTIES];
    apr_hash_t *variables; /* for var(); may be NULL */
} icp_cascade_t;

/* Adds the next ones in the order of the cascade: they hold against those before, but for important ones. */
void icp_style_cascade(icp_cascade_t *cascade, const icp_declaration_t *declarations, int count, const char *from);
void icp_style_evaluate(icp_style_t *style, const icp_cascade_t *cascade);

/* May these decide by themselves? Others, such as a size or a place, only do with another declaration on the same element or around it. */
int icp_style_decides(const icp_declaration_t *declarations, int count);

#endif
