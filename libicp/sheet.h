/* The style sheets that stand in a page: which of their rules that could hide text, or show it again, match an element? Sheets elsewhere are
 * not fetched, and a sheet counts for what stands behind it. What is hidden so goes to a person, so that being wrong turns no site off.
 */
#ifndef ICP_SHEET_H
#define ICP_SHEET_H

#include "selector.h"
#include "style.h"

typedef struct icp_sheet_t icp_sheet_t;

icp_sheet_t *icp_sheet_create(apr_pool_t *pool);

/* A style element begins, a piece of its text, its end. */
void icp_sheet_begin(icp_sheet_t *sheet, const icp_tag_t *tag);
void icp_sheet_add(icp_sheet_t *sheet, const char *text, apr_size_t length);
void icp_sheet_end(icp_sheet_t *sheet);

/* Was there any rule that may decide whether text is seen? */
int icp_sheet_has_rules(const icp_sheet_t *sheet);

/* The custom properties that are set anywhere (see style.h). */
apr_hash_t *icp_sheet_variables(const icp_sheet_t *sheet);

/* Puts what the sheets say of an element into an empty cascade. `around`: the elements around it, the page itself first.
 * 0: nothing. `all`: something else may decide whether its text is seen, so that all rules count; else they do only where one of them may. */
int icp_sheet_cascade(const icp_sheet_t *sheet, icp_cascade_t *cascade, const icp_tag_t *tag, const icp_node_t *around, int depth, int all);

#endif
