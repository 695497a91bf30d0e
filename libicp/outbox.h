/* The outbox: messages from their posting until they are sent, given up or dropped. It sends nothing itself.
 *
 * At least once: a message is marked as sent in a change after it was taken, so a sender that is killed in between
 * sends it again. A message that does not leave is tried again after a minute, two, four … at most an hour, until the policy
 * message-hours is over; what was given up waits for a person. */
#ifndef ICP_OUTBOX_H
#define ICP_OUTBOX_H

#include "register.h"

typedef struct icp_message_t {
    apr_int64_t id;
    apr_time_t posted_at;
    const char *way; /* "mail", "event" */
    const char *event, *subject, *recipient;
    const char *facts; /* JSON */
    apr_int64_t attempts;
    apr_time_t next_at;  /* not before */
    const char *fault;   /* of the newest attempt, "" for none */
    const char *state;   /* "waiting", "sent", "given-up", "dropped" */
    apr_time_t state_at; /* since when */
} icp_message_t;

/* ICP_NOT_FOUND: no such message. */
icp_error_t *icp_outbox_get(icp_message_t **message, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool);

/* Ids of those waiting or given up, or of `all`; about `subject`, or NULL. Array of apr_int64_t, oldest first. */
icp_error_t *icp_outbox_ids(apr_array_header_t **ids, icp_register_t *reg, int all, const char *subject, apr_pool_t *pool);

/* At most `limit` that are due at `now`, or were put off by a clock that has been set back since, those that wait longest first: array of
 * icp_message_t *. `mails`, `events`: whether such are wanted. */
icp_error_t *icp_outbox_due(apr_array_header_t **messages, icp_register_t *reg, apr_time_t now, int mails, int events, int limit,
                            apr_pool_t *pool);

/* How an attempt ended. */
typedef struct icp_outcome_t {
    apr_int64_t id;
    int sent, for_good; /* for_good: trying again is of no use */
    const char *fault;  /* NULL if sent */
} icp_outcome_t;

/* Inside a change. *gave_up: how many of those that failed are given up with it. */
icp_error_t *icp_outbox_mark(int *gave_up, icp_register_t *reg, const apr_array_header_t *outcomes, apr_pool_t *pool);

/* Inside a change: a message is due at once, and has all its time again; `to` NULL: to whom it was. ICP_REFUSED: it was sent. */
icp_error_t *icp_outbox_retry(icp_register_t *reg, apr_int64_t id, const char *to, apr_pool_t *pool);

/* Inside a change: a message that is not to be sent. ICP_REFUSED: it was sent. */
icp_error_t *icp_outbox_drop(icp_register_t *reg, apr_int64_t id, const char *note, apr_pool_t *pool);

/* Inside a change: removes what was sent or dropped more than `days` ago. */
icp_error_t *icp_outbox_prune(int *count, icp_register_t *reg, apr_int64_t days, apr_pool_t *pool);

/* How many messages of this way are in this state, and when the oldest was posted; 0: none. */
icp_error_t *icp_outbox_count(apr_int64_t *count, apr_time_t *oldest, icp_register_t *reg, const char *way, const char *state);

/* Since when messages of this way have been waiting though none left since, if that is before `before`; 0: none. *fault: of the oldest. */
icp_error_t *icp_outbox_stalled(apr_time_t *since, const char **fault, icp_register_t *reg, const char *way, apr_time_t before,
                                apr_pool_t *pool);

/* Array of icp_message_t *. */
icp_error_t *icp_outbox_given_up(apr_array_header_t **messages, icp_register_t *reg, apr_pool_t *pool);

/* One sender at a time: *locked is 0 while another has it. Held until `pool` is cleared. */
icp_error_t *icp_outbox_lock(int *locked, icp_register_t *reg, apr_pool_t *pool);

#endif
