/* Where the notice sends the owner of a suspended site to read on. */
#ifndef MOD_ICP_FAQ_LINK_H
#define MOD_ICP_FAQ_LINK_H

#include <apr_pools.h>

/* The question that a suspension's reason leads to, at `faq` (what ICPFaq says): the language, the number (NULL: none) and the
 * anchor are added, unless the URL has an anchor of its own. `known`: there is an answer for that reason. */
const char *icp_faq_link(const char *faq, int chinese, const char *number, const char *reason, int known, apr_pool_t *pool);

#endif
