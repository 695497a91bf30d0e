/* What one start tag does to the visibility of the text inside it, from its name and attributes alone. */
#ifndef ICP_VISIBLE_H
#define ICP_VISIBLE_H

#include "nesting.h"

/* `because` and `link` are in `pool`. */
void icp_visible_effect(icp_effect_t *effect, const icp_tag_t *tag, apr_pool_t *pool);

#endif
