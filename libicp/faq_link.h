/* Where the notice and the mails send a client to read on. */
#ifndef ICP_FAQ_LINK_H
#define ICP_FAQ_LINK_H

#include <apr_pools.h>

/* One question at `faq`, the address of the questions and answers (NULL or "": there are none, and no link): the language, the number that
 * its HTML is for (NULL: none) and the anchor of the question are added, unless the address has an anchor of its own. */
const char *icp_faq_link(const char *faq, int chinese, const char *number, const char *question, apr_pool_t *pool);

#endif
