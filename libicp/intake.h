/* From the workers' hands into staff's, and back to the client.
 *
 * Beside the register:
 *   intake/                 root, group of the worker, 01730: workers add to it, and cannot list it
 *     <32 hex>.new/         0700, a submission being written: form, document-0, document-1 ...; each sealed to staff (seal.h)
 *     <32 hex>.ready/       handed over, by one rename
 *   progress/               root 0711: workers open a file in it by name, and cannot list it
 *     <sha256 of the token> root 0644: how an application stands, sealed to its link's token
 *   intake.refused/         root 0700: what lay in intake/ and was no submission; staff look at it and remove it
 * Whoever is the worker user can put anything into intake/. What staff take from it is read once, by descriptors that
 * follow no link, within bounds, and is trusted only after form.h has checked it.
 */
#ifndef ICP_INTAKE_H
#define ICP_INTAKE_H

#include <apr_tables.h>
#include <apr_time.h>
#include <jansson.h>

#include "error.h"
#include "seal.h"

#define ICP_INTAKE_FOLDER "intake"
#define ICP_INTAKE_PROGRESS "progress"
#define ICP_INTAKE_DOCUMENTS_MAX 8
#define ICP_INTAKE_BYTES_MAX (16 * 1024 * 1024) /* of all documents of a submission */
#define ICP_TOKEN_LENGTH 32 /* characters of base64url: 192 bits */

typedef enum icp_intake_action_e {
    ICP_INTAKE_SUBMIT,   /* a new application */
    ICP_INTAKE_CORRECT,  /* the form of the token's application anew; documents only where they were sent again */
    ICP_INTAKE_WITHDRAW, /* the token's application; no form */
    ICP_INTAKE_ACTIONS
} icp_intake_action_e;

extern const char *const icp_intake_actions[ICP_INTAKE_ACTIONS]; /* "submit", "correct", "withdraw" */

typedef struct icp_intake_document_t {
    const char *kind; /* form.h */
    const char *name; /* of the file, as the client had it; only to be shown */
    const char *type; /* by content: "application/pdf" ... */
    const void *bytes;
    apr_size_t length;
} icp_intake_document_t;

typedef struct icp_submission_t {
    const char *id;                      /* 32 hex digits */
    icp_intake_action_e action;
    const char *token;                   /* of the link, icp_token_is */
    apr_time_t at;                       /* when the client sent it; by the worker's clock, never later than the take-over */
    json_t *form;                        /* form.h; NULL for a withdrawal; belongs to whoever made the submission */
    const apr_array_header_t *documents; /* icp_intake_document_t */
} icp_submission_t;

/* Is the text such a token? */
int icp_token_is(const char *token);

/* A new one, of random bytes. */
icp_error_t *icp_token_make(const char **token, apr_pool_t *pool);

/* --- made once: by init, and for an older register by icpadmin doctor --repair or application pull --- */

/* Both folders and the key, where they are not there; owners and modes as above. `worker`: user name; NULL: the owner of
 * sightings/. */
icp_error_t *icp_intake_create(const char *register_path, const char *worker, apr_pool_t *pool);

/* What is wrong with owners and modes; NULL: nothing. The remedy sets it right. */
icp_error_t *icp_intake_inspect(const char *register_path, apr_pool_t *pool);

/* --- the worker's half; `folder` is intake/, `progress` progress/ ------------------------------------- */

/* ICP_REFUSED: `most` submissions wait already (and as many more as were being handed in at that moment), or the disk has less than a twentieth or a gibibyte free, whichever is less. */
icp_error_t *icp_intake_room(const char *folder, apr_int64_t most, apr_pool_t *pool);

/* Writes and hands over. Nothing is there if it fails. *again: a submission of this id is there already, and nothing was done;
 * may be NULL. */
icp_error_t *icp_intake_submit(int *again, const char *folder, const icp_seal_t *seal, const icp_submission_t *submission,
                               apr_pool_t *pool);

/* How the token's application stands: what icp_intake_publish was given, freed with `pool`. ICP_NOT_FOUND: nothing is known of it. */
icp_error_t *icp_intake_progress(json_t **state, const char *progress, const char *token, apr_pool_t *pool);

/* --- staff's half ---------------------------------------------------------------------------------- */

/* Several submissions (icp_submission_t), in their order, so that one change can take them. *taken: it is committed, and all of them can
 * go. An error ends the round; they stay. After a crash between commit and removal the same submissions come once more: their ids
 * are the same. */
typedef icp_error_t *icp_intake_fn(int *taken, const apr_array_header_t *submissions, void *baton, apr_pool_t *pool);

typedef struct icp_intake_round_t {
    int taken;                    /* committed and removed */
    int left;                     /* the call-back did not take them */
    apr_array_header_t *refused;  /* const char *: entries that are no submission or cannot be opened, with why and where they were
                                   * moved to, so that each is told once */
    int more;                     /* there are more than one round takes */
} icp_intake_round_t;

/* Every submission handed over, oldest first, at most 1000 in a round, some of them at a time. Removes what was being written and is older than an
 * hour. Nothing that lies there makes it fail but what keeps root from reading. */
icp_error_t *icp_intake_each(icp_intake_round_t *round, const char *register_path, icp_intake_fn *fn, void *baton, apr_pool_t *pool);

/* After a commit. `state`, what the client's page shows:
 *   reference "APP-000012", kind, state, label and next ({en, zh}: where it stands, what to do), since (seconds), language, expected (seconds; absent: not known), number (absent: none),
 *   reasons [{field?, en, zh, suggestion_en?, suggestion_zh?}], editable, withdrawable (booleans),
 *   form (as form.h; only where editable), documents [kind, ...] that are on file, numbers [{site, number}]: what to display where, of an
 *   approved one. */
icp_error_t *icp_intake_publish(const char *register_path, const char *token, const json_t *state, apr_pool_t *pool);

/* Once it is purged; not there: done. */
icp_error_t *icp_intake_unpublish(const char *register_path, const char *token, apr_pool_t *pool);

#endif
