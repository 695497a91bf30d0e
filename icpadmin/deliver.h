/* Messages of the outbox on their way out: as mail, by SMTP or a sendmail command, or to the event command. What becomes of them
 * afterwards is the outbox's. */
#ifndef ICP_DELIVER_H
#define ICP_DELIVER_H

#include "delivery.h"
#include "outbox.h"
#include "policy.h"

typedef struct icp_deliver_t icp_deliver_t;

/* Reads the policies in force. */
icp_error_t *icp_deliver_open(icp_deliver_t **deliver, icp_register_t *reg, apr_pool_t *pool);

/* Whether messages of this way can leave at all by the policies; *why (may be NULL) says why not, and what to do. */
int icp_deliver_ready(const icp_deliver_t *deliver, const char *way, icp_error_t **why);

/* May take as long as the policy message-timeout allows. */
icp_delivery_t icp_deliver_message(icp_deliver_t *deliver, const icp_message_t *message, apr_pool_t *pool);

/* As it would leave: the mail with its header, lines ended by LF; or the event's arguments and facts. */
icp_error_t *icp_deliver_text(const char **text, const char **subject, const char **body, icp_deliver_t *deliver,
                              const icp_message_t *message, apr_pool_t *pool);

/* Inside a change that set policies: do those of messages make sense by themselves, and together? ICP_USAGE. */
icp_error_t *icp_deliver_check(icp_register_t *reg, icp_policy_e policy, apr_pool_t *pool);

#endif
