/* Messages: what a holder, an applicant or the provider's own systems are told when something has happened.
 *
 * Posted inside the change that they tell of, so that none is lost and none tells of what did not happen; sent afterwards
 * (outbox.h), as mail from the template of its event, or by calling the policy's command as COMMAND EVENT SUBJECT. */
#ifndef ICP_MESSAGE_H
#define ICP_MESSAGE_H

#include <jansson.h>

#include "register.h"

/* Inside a change. `event`: "site.suspended"; `subject`: the site, application or domain that it is about; `recipient`: an
 * e-mail address, NULL or "" for none. `facts`: an object, the template's names to strings; no reference is stolen, NULL: none.
 * A mail is posted if there is a recipient and the policy `mail` is not off; an event if there is an `on-event`. */
icp_error_t *icp_message_post(icp_register_t *reg, const char *event, const char *subject, const char *recipient,
                              const json_t *facts, apr_pool_t *pool);

/* The same about a site, to every holder of a license that it must show; *mails (may be NULL): how many mails were posted. */
icp_error_t *icp_message_post_site(int *mails, icp_register_t *reg, const char *event, apr_int64_t site_id, const char *site,
                                   const json_t *facts, apr_pool_t *pool);

#endif
