/* The declarations of a style attribute, as far as they decide whether text can be seen. Reads one attribute, keeps nothing. */
#ifndef ICP_STYLE_H
#define ICP_STYLE_H

#include <apr.h>

typedef enum icp_display_e { ICP_DISPLAY_UNSET, ICP_DISPLAY_NONE, ICP_DISPLAY_BLOCK, ICP_DISPLAY_INLINE, ICP_DISPLAY_OTHER } icp_display_e;

/* 0 everywhere: nothing is said. */
typedef struct icp_style_t {
    unsigned char display;    /* icp_display_e */
    unsigned char visibility; /* 1 hidden, 2 visible; inherited */
    unsigned char font;       /* font-size: 1 zero, 2 some; inherited */
    unsigned char away;       /* 1 drawn where or so that nobody sees it: opacity 0, far off the page, clipped away, transparent */
    const char *because;      /* the declaration that hides, "display:none"; NULL: none does */
} icp_style_t;

/* `text`: the attribute's value, references decoded. */
void icp_style_read(icp_style_t *style, const char *text, apr_size_t length);

#endif
