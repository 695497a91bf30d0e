/* A stretch of text whose parts are read as one, such as a paragraph or a script, with the memory of where in the source each part
 * stands, so that a number found in it can be shown to a person. Bounded: a longer one is looked through piece by piece.
 */
#ifndef ICP_PASSAGE_H
#define ICP_PASSAGE_H

#include "nesting.h"
#include "page.h"

/* A mention as found, before it is known how long the page is. */
typedef struct icp_found_t {
    icp_mention_t mention;
    int footer;             /* in a footer element */
    apr_size_t order;       /* in the source */
    apr_size_t shown_bytes; /* of displayed text before it */
} icp_found_t;

/* What all passages of a page add to. */
typedef struct icp_findings_t {
    apr_pool_t *pool, *scratch;
    apr_array_header_t *list; /* icp_found_t */
    int full;                 /* more mentions than anybody needs: the rest is not listed */
} icp_findings_t;

/* Where a piece of text comes from. */
typedef struct icp_source_t {
    icp_where_e where;
    int line;
    apr_size_t order, shown_bytes;
    const char *element, *link;
    int footer;
} icp_source_t;

typedef struct icp_passage_t icp_passage_t;

icp_passage_t *icp_passage_create(icp_findings_t *findings, apr_pool_t *pool);

/* Adds UTF-8 text, references decoded; white space is folded. `hope`: something may stand in it by which a number is found
 * (icp_number_hint); a passage without any is not looked through. */
void icp_passage_add(icp_passage_t *passage, const char *text, apr_size_t length, const icp_source_t *source, int hope);

/* A space or line break between two texts, where there is one before. */
void icp_passage_gap(icp_passage_t *passage, char gap);

/* The passage ends: its numbers go to the findings, and it is empty again. */
void icp_passage_end(icp_passage_t *passage);

#endif
