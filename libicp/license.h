/* Licenses: one ICP number issued to a holder; active, cancelled or revoked. */
#ifndef ICP_LICENSE_H
#define ICP_LICENSE_H

#include "number.h"
#include "register.h"

typedef struct icp_license_t {
    apr_int64_t id;
    const char *number; /* normal form, without suffix */
    const char *holder; /* its name */
    const char *uscc;   /* of the holder; NULL if not known */
    const char *status; /* "active", "cancelled", "revoked" */
    apr_time_t status_at, created_at;
    apr_int64_t sites; /* that must show it; only read */
} icp_license_t;

/* Inside a change. `number` in any wild form, with or without suffix (dropped); a holder not on file is added as a
 * business. ICP_USAGE if the number cannot be one (says why), ICP_REFUSED if it is on file or a placeholder. Of its
 * errors only ICP_FAULT can have written something. */
icp_error_t *icp_license_add(icp_license_t **license, icp_register_t *reg, const char *number, const char *holder,
                             const char *uscc, apr_pool_t *pool);

icp_error_t *icp_license_get(icp_license_t **license, icp_register_t *reg, const char *number, apr_pool_t *pool);

/* Only its id, and whether it is active: what adding a site needs, at the same cost however many sites show the number.
 */
icp_error_t *icp_license_id(apr_int64_t *id, int *active, icp_register_t *reg, const icp_number_t *number,
                            apr_pool_t *pool);

/* Inside a change: to "cancelled" or "revoked". Sites that have no other active license are suspended for `cancelled`;
 * `suspended` (const char * site names) may be NULL. */
icp_error_t *icp_license_end(icp_register_t *reg, const char *number, const char *status, const char *note,
                             apr_array_header_t *suspended, apr_pool_t *pool);

/* Inside a change: a cancelled or revoked license is active again (the authority gave it back). Enables no site. */
icp_error_t *icp_license_reinstate(icp_register_t *reg, const char *number, const char *note, apr_pool_t *pool);

/* Inside a change: what was put on file wrongly is corrected. It is of another holder, who is put on file as by
 * icp_license_add. */
icp_error_t *icp_license_edit(icp_license_t **license, icp_register_t *reg, const char *number, const char *holder,
                              const char *uscc, const char *note, apr_pool_t *pool);

/* Inside a change: off file, as if it had never been; ICP_REFUSED while a site must show it. One that ended is
 * cancelled. */
icp_error_t *icp_license_remove(icp_register_t *reg, const char *number, const char *note, apr_pool_t *pool);

typedef icp_error_t *icp_license_fn(const icp_license_t *license, void *baton, apr_pool_t *pool);
icp_error_t *icp_license_each(icp_register_t *reg, icp_license_fn *fn, void *baton, apr_pool_t *pool);

#endif
