/* What an applicant, and the provider's systems, are told of an application. */
#ifndef ICP_APPLICATION_MESSAGE_H
#define ICP_APPLICATION_MESSAGE_H

#include "application.h"

/* Inside the change that brought it where it stands: posts `application.STATE` (`application.done`: a change or cancellation was
 * approved). `act`: the step that did; NULL: it has come in. */
icp_error_t *icp_application_message_post(icp_register_t *reg, const icp_application_t *application, const icp_application_act_t *act,
                                          apr_pool_t *pool);

/* Where the client follows it; "" where the policy says no address, or once it is purged. */
icp_error_t *icp_application_link(const char **link, icp_register_t *reg, const icp_application_t *application, apr_pool_t *pool);

#endif
