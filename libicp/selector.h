/* CSS selectors: the part of them that pages hide things by. Reads one selector and says whether an element, seen by its start tag and
 * those around it, matches. Names are compared by hashes; nothing here knows what a rule declares.
 */
#ifndef ICP_SELECTOR_H
#define ICP_SELECTOR_H

#include "markup.h"

#define ICP_NODE_CLASSES 12 /* of an element that are looked at */

/* An element as selectors see it. */
typedef struct icp_node_t {
    apr_uint64_t tag, id; /* hashes of names; 0: none */
    apr_uint64_t names;   /* a bit for each of those and of its classes, and of the elements around it: most selectors ask for one that is nowhere around */
    int class_count;
    apr_uint64_t classes[ICP_NODE_CLASSES]; /* up to class_count */
} icp_node_t;

/* `around`: the names of the elements around it. */
void icp_node_read(icp_node_t *node, const icp_tag_t *tag, apr_uint64_t around);

#define ICP_SELECTOR_PARTS 5
#define ICP_SELECTOR_CLASSES 4

/* What one element must be like: "div.icp". */
typedef struct icp_compound_t {
    apr_uint64_t tag, id, classes[ICP_SELECTOR_CLASSES];
    apr_uint64_t not_class; /* :not(.x) */
    unsigned char class_count;
    unsigned char of_page;  /* its tag is html or body */
    unsigned char root;     /* :root */
    unsigned char child;    /* its parent must match the part before, not any element around it */
    char attribute[24];     /* [name], "" for none */
} icp_compound_t;

typedef struct icp_selector_t {
    icp_compound_t parts[ICP_SELECTOR_PARTS]; /* the last is the element itself */
    int count;
    apr_uint64_t names; /* those that elements around it must have, as in icp_node_t */
    int specificity;
    int sure; /* 0: it has parts that are not understood here: it matches some of what is said to match */
} icp_selector_t;

/* 0: it matches no element as it is first drawn (:hover, ::before), or is longer than what is read. */
int icp_selector_read(icp_selector_t *selector, const char *text, apr_size_t length);

/* The hash by which it can be looked up: of an id, a class or a tag that the element must have; 0: of none. */
apr_uint64_t icp_selector_key(const icp_selector_t *selector);

/* Does the element match? `around`: those around it, the page itself first. */
int icp_selector_matches(const icp_selector_t *selector, const icp_tag_t *tag, const icp_node_t *node, const icp_node_t *around, int depth);

#endif
