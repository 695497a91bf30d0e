/* Holders: the businesses and persons that licenses are issued to. Their contacts are in private.db. */
#ifndef ICP_HOLDER_H
#define ICP_HOLDER_H

#include "register.h"

typedef struct icp_holder_t {
    apr_int64_t id;
    const char *kind; /* "business", "person" */
    const char *name;
    const char *uscc;                         /* NULL if not known */
    const char *contact_name, *email, *phone; /* "" if not known */
    apr_time_t created_at;
    apr_int64_t licenses; /* how many; only read */
} icp_holder_t;

/* Inside a change. ICP_REFUSED for a name or USCC on file; the new id goes to holder->id. */
icp_error_t *icp_holder_add(icp_register_t *reg, icp_holder_t *holder, apr_pool_t *pool);

/* Inside a change: the new state of holder->id; NULL fields stay as they are. */
icp_error_t *icp_holder_edit(icp_register_t *reg, const icp_holder_t *holder, apr_pool_t *pool);

/* By name or USCC. ICP_NOT_FOUND names what was looked for. */
icp_error_t *icp_holder_get(icp_holder_t **holder, icp_register_t *reg, const char *name_or_uscc, apr_pool_t *pool);

typedef icp_error_t *icp_holder_fn(const icp_holder_t *holder, void *baton, apr_pool_t *pool);
icp_error_t *icp_holder_each(icp_register_t *reg, icp_holder_fn *fn, void *baton, apr_pool_t *pool);

/* GB 32100-2015. OK: length and characters right. CHECK: only the check character does not fit, which a few
 * codes of the pilot period legally have: it is a warning (log.h), not a refusal. */
typedef enum icp_uscc_e { ICP_USCC_OK, ICP_USCC_CHECK, ICP_USCC_LENGTH, ICP_USCC_CHARACTER } icp_uscc_e;
icp_uscc_e icp_uscc_test(const char *uscc);

#endif
