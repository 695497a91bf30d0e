/* What a person writes where a license or a site's number is asked for. Looks at the text alone, not at the register. */
#ifndef ICP_LICENSE_NUMBER_H
#define ICP_LICENSE_NUMBER_H

#include "error.h"
#include "number.h"

/* A number as a person writes it, for use as a site's or license's: filing, permit or telecom. ICP_USAGE says why it is
 * none: not a number (and what is wrong), a police number, an app's; ICP_REFUSED for a placeholder. */
icp_error_t *icp_license_parse(icp_number_t **parsed, const char *number, apr_pool_t *pool);

#endif
