/* .cn registrations: for each the documents that its registrant hands in for the registry's check of real names, and
 * how far they are. domain_rules.h has the names, documents and states; private.db the rows, documents/ the files.
 *
 * Each change posts a message (message.h) to the registrant's address: domain.documents-wanted (added, or begun anew
 * for another registrant), domain.received, domain.submitted, domain.accepted, domain.refused, domain.reminder. Its
 * facts, all of them strings: `domain` (in its own letters, with the A-label form behind it where that differs),
 * `registrant`, `state`, `documents` (what is missing, a line each: Chinese / English), `reasons` (of the newest
 * refusal, a line each). */
#ifndef ICP_DOMAIN_H
#define ICP_DOMAIN_H

#include <apr_tables.h>
#include <jansson.h>

#include "document.h"
#include "domain_rules.h"
#include "register.h"

typedef struct icp_domain_document_t {
    const icp_domain_kind_t *kind;
    icp_document_t file; /* bytes 0: not there */
    apr_time_t added_at;
    int refused; /* the registry did not take it */
} icp_domain_document_t;

typedef struct icp_domain_t {
    apr_int64_t id;
    const char *name;       /* A-label form */
    const char *registrant; /* its name */
    const char *kind;       /* "individual", "organisation" */
    const char *email;      /* "": nobody is reminded */
    icp_domain_state_e state;
    apr_array_header_t *reasons;   /* const char *: of the newest refusal */
    apr_array_header_t *documents; /* icp_domain_document_t: every kind that is needed, in order */
    int missing;                   /* how many of them are not there, or refused */
    apr_time_t added_at, state_at, reminded_at;
} icp_domain_t;

/* Is this one wanted (not there, or refused)? */
int icp_domain_wants(const icp_domain_document_t *document);

/* Inside a change. `domain` has name, registrant, kind, email (NULL: none). ICP_REFUSED: it is on file. */
icp_error_t *icp_domain_add(icp_register_t *reg, icp_domain_t *domain, apr_pool_t *pool);

/* Inside a change: what is not NULL among registrant, kind and email becomes so. Another registrant or kind begins
 * anew: no document is there; `dropped` (const char *) gets the SHA-256 of those that were (icp_document_forget, after
 * the change). */
icp_error_t *icp_domain_edit(icp_register_t *reg, const char *name, const icp_domain_t *changes,
                             apr_array_header_t *dropped, apr_pool_t *pool);

/* Inside a change: it is no longer kept here. `dropped` as above. */
icp_error_t *icp_domain_remove(icp_register_t *reg, const char *name, const char *note, apr_array_header_t *dropped,
                               apr_pool_t *pool);

/* `name` in either form; ICP_NOT_FOUND. */
icp_error_t *icp_domain_get(icp_domain_t **domain, icp_register_t *reg, const char *name, apr_pool_t *pool);

/* In the order of their names. */
typedef icp_error_t *icp_domain_fn(const icp_domain_t *domain, void *baton, apr_pool_t *pool);
icp_error_t *icp_domain_each(icp_register_t *reg, icp_domain_fn *fn, void *baton, apr_pool_t *pool);

/* Inside a change: a document that is kept already (icp_document_keep) comes in place of what was there of its kind;
 * `dropped` gets that one's SHA-256. With the last one that is missing the registration is received. */
icp_error_t *icp_domain_put_document(icp_register_t *reg, const char *name, const char *kind,
                                     const icp_document_t *document, apr_array_header_t *dropped, apr_pool_t *pool);

/* Inside a change: submit, accept or refuse. A refusal has reasons (const char *, at least one), and names the kinds of
 * documents that are wanted again; with `kinds` empty all are. Both are NULL for other steps. */
icp_error_t *icp_domain_take_step(icp_register_t *reg, const char *name, icp_domain_step_e step,
                                  const apr_array_header_t *reasons, const apr_array_header_t *kinds, const char *note,
                                  apr_pool_t *pool);

/* Inside a change: reminds everybody who is due by the policy `remind-days`; with `all` also those who are not.
 * `reminded` (const char *) gets the names. */
icp_error_t *icp_domain_remind(icp_register_t *reg, int all, apr_array_header_t *reminded, apr_pool_t *pool);

#endif
