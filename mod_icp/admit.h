/* Who goes through although the site is suspended: requests for an exempt path, and bearers of a pass. */
#ifndef MOD_ICP_ADMIT_H
#define MOD_ICP_ADMIT_H

#include "config.h"
#include "snapshot.h"

typedef enum icp_admission_e {
    ICP_ADMIT_NO,
    ICP_ADMIT_OPEN, /* only in marks */
    ICP_ADMIT_EXEMPT,
    ICP_ADMIT_PASS,
    ICP_ADMIT_MOVED /* a pass came in the URL: the answer, a redirect that sets it as a cookie, has been written */
} icp_admission_e;

/* What is known of a request that was let through, in its request_config: the gate's decision lives as long as the request. */
typedef struct icp_mark_t {
    icp_admission_e admission;
    apr_int64_t site_id;
    apr_time_t expiry; /* of the pass */
} icp_mark_t;

extern const icp_mark_t icp_mark_open; /* every request for an open site has this very one */

static inline void icp_mark(request_rec *r, const icp_mark_t *mark)
{
    ap_set_module_config(r->request_config, &icp_module, (void *)mark);
}

static inline const icp_mark_t *icp_mark_of(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &icp_module);
}

/* Once: the filter that marks what passes let through, so that no cache keeps it. */
void icp_admit_register(void);

/* Decides for a suspended site, or (NULL) for a host of none. Takes the tokens out of what the site will see, and marks the request, so
 * that an internal redirect of it keeps the pass but not the exemption. */
icp_admission_e icp_admit(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site);

/* Did a pass let it through, or the request that it was made from? */
int icp_admit_is_bearer(const request_rec *r);

/* Was the request, or the one it was made from, let through for its path, while its path now is another? */
int icp_admit_strayed(request_rec *r, const icp_conf_t *conf);

#endif
