/* Applications: what a client asks for, where it stands, and the steps that workflow.h allows. Everything but the public words of
 * an application lies in private.db; its documents in documents/ (document.h). The audit log gets reference, states, codes of
 * reasons and number, and nothing that a purge would have to remove. */
#ifndef ICP_APPLICATION_H
#define ICP_APPLICATION_H

#include "register.h"
#include "rejection.h"
#include "workflow.h"

#define ICP_APP_FORMAT "APP-%06" APR_INT64_T_FMT

typedef struct icp_application_t {
    apr_int64_t id;
    const char *reference; /* "APP-000012" */
    icp_form_kind_e kind;
    icp_app_state_e state;
    const char *holder;
    const json_t *form;     /* form.h; NULL once purged */
    const char *token;      /* of the client's link; "" once purged */
    const char *email, *language, *province, *number;
    const json_t *reasons;  /* rejection.h: of the newest return, rejection or refusal */
    apr_time_t created_at, state_at;
    apr_time_t due_from;    /* what is due in this state is counted from here: term.h */
    apr_time_t purged_at;   /* 0: not purged */
    apr_int64_t untold;     /* changes that the client's page may not tell of: progress.h */
} icp_application_t;

/* By reference: "APP-000012", also "app-12" or "12". ICP_NOT_FOUND. */
icp_error_t *icp_application_get(icp_application_t **application, icp_register_t *reg, const char *reference, apr_pool_t *pool);
icp_error_t *icp_application_by_id(icp_application_t **application, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool);

/* NULL: there is none. */
icp_error_t *icp_application_by_token(icp_application_t **application, icp_register_t *reg, const char *token, apr_pool_t *pool);

/* The holder's open one; NULL: there is none. `form` as icp_form_check left it. */
icp_error_t *icp_application_open_of(icp_application_t **application, icp_register_t *reg, const json_t *form, apr_pool_t *pool);

typedef struct icp_application_filter_t {
    icp_app_state_e state; /* ICP_APP_STATE_COUNT: any */
    int finished;          /* with those to which nothing more happens */
    const char *holder;    /* part of its name, NULL: any */
} icp_application_filter_t;

typedef icp_error_t *icp_application_fn(const icp_application_t *application, void *baton, apr_pool_t *pool);
icp_error_t *icp_application_each(icp_register_t *reg, const icp_application_filter_t *filter, icp_application_fn *fn, void *baton,
                                  apr_pool_t *pool);

/* Inside a change: a new application, received at `at` from one of `by`. `form` as icp_form_check left it. ICP_REFUSED: the holder has
 * an open one (which is named). */
icp_error_t *icp_application_add(icp_application_t **application, icp_register_t *reg, const json_t *form, const char *token,
                                 apr_time_t at, unsigned by, apr_pool_t *pool);

/* Inside a change: what a client sent and cannot be taken, kept so that he learns why. `form` as icp_form_check left it, its issues
 * notwithstanding. */
icp_error_t *icp_application_refuse(icp_application_t **application, icp_register_t *reg, const json_t *form, const char *token,
                                    apr_time_t at, const json_t *reasons, apr_pool_t *pool);

typedef struct icp_application_act_t {
    icp_app_step_e step;
    unsigned by;           /* ICP_BY_STAFF ... */
    const json_t *reasons; /* where the step needs them */
    const json_t *form;    /* of a correction, as icp_form_check left it: of the same kind */
    const char *number;    /* of an approval: from approval.h, which alone makes one */
    const char *sites;     /* and what it did to which sites, a line each, for the applicant's mail */
    const char *stopped;   /* those that it turned off, a line each */
    const char *note;      /* for the audit log; NULL */
} icp_application_act_t;

/* Inside a change: takes the step, records it, posts `application.STATE` to the applicant (`application.done`: a change
 * or cancellation was approved); `application` is then as it stands.
 * ICP_REFUSED: impossible where it stands (says what is possible); ICP_USAGE: something that it needs is missing. */
icp_error_t *icp_application_step(icp_register_t *reg, icp_application_t *application, const icp_application_act_t *act,
                                  apr_pool_t *pool);

/* Inside a change: it stays where it is, for these reasons; the client's page tells them. */
icp_error_t *icp_application_answer(icp_register_t *reg, icp_application_t *application, const json_t *reasons, apr_pool_t *pool);

/* Inside a change: what the clock does. Codes not entered in time go back to the client, rejected applications that were not
 * corrected in time expire. *count (may be NULL): how many. */
icp_error_t *icp_application_expire(int *count, icp_register_t *reg, apr_pool_t *pool);

#endif
