/* What one start tag does to the visibility of the text inside it, from its name, its attributes and the style sheets before it. */
#ifndef ICP_VISIBLE_H
#define ICP_VISIBLE_H

#include "nesting.h"
#include "sheet.h"

/* `nesting`: the elements around it. `because` and `link` are in `pool`. */
void icp_visible_effect(icp_effect_t *effect, const icp_tag_t *tag, const icp_sheet_t *sheet, const icp_nesting_t *nesting, apr_pool_t *pool);

#endif
