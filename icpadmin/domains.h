/* What staff see of a .cn registration: shared by the `domain` commands and the queue. */
#ifndef ICP_DOMAINS_H
#define ICP_DOMAINS_H

#include <jansson.h>

#include "command.h"
#include "domain.h"
#include "workday.h"

/* "商店.中国 (xn--...)"; the name itself where both forms are the same. */
const char *icp_domains_name(const icp_domain_t *domain, apr_pool_t *pool);

/* The kinds that are missing, separated by ", "; "-" for none. */
const char *icp_domains_missing(const icp_domain_t *domain, apr_pool_t *pool);

/* By when the registry answers; 0 unless it was submitted. */
icp_day_t icp_domains_due(int *estimated, const icp_domain_t *domain, const icp_calendar_t *calendar);

/* domain, unicode, registrant, kind, email, state, state_at, missing, due, reasons, documents, added_at, reminded_at */
json_t *icp_domains_json(const icp_domain_t *domain, const icp_calendar_t *calendar, apr_pool_t *pool);
#define ICP_DOMAINS_JSON                                                                                               \
    "domain (A-label form), unicode, registrant, kind, email, state, state_at, missing (kinds), due (by when the "     \
    "registry answers, or null), reasons, documents (each with kind, name, type, bytes, sha256, added_at, refused), "  \
    "added_at, reminded_at"

#endif
