/* Writes the pages of the application form: pieces of conf/apply/apply.html, filled in and put one after the other. What was typed and what
 * staff wrote is escaped; nothing else of the request is shown. */
#ifndef MOD_ICP_APPLY_PAGE_H
#define MOD_ICP_APPLY_PAGE_H

#include "config.h"
#include "form.h"
#include "workday.h"

typedef struct icp_apply_view_t {
    request_rec *r;
    apr_bucket_brigade *answer;        /* where the page is written */
    icp_language_e language;
    int language_given;                /* by the request's lang: links keep it */
    const char *token;                 /* of the link; NULL: none */
    const json_t *state;               /* intake.h; NULL: nothing is known */
    int fresh;                         /* something was sent that staff have not taken over yet */
    int kind;                          /* icp_form_kind_e; -1: none */
    const json_t *typed;               /* what the fields hold */
    const apr_array_header_t *issues;  /* icp_form_issue_t; those of documents as "document.license"; NULL: none */
    const char *problem;               /* what is wrong with all of it; NULL: nothing */
    int again;                         /* documents were chosen, and have to be once more */
    const char *withdraw_problem;
    const char *ticket;                /* apply_guard.h */
    const icp_calendar_t *calendar;    /* NULL: no list of holidays */
} icp_apply_view_t;

/* While the configuration is read: makes the pieces, once per `pool`. */
icp_error_t *icp_apply_page_prepare(apr_pool_t *pool);

/* Each writes the whole page; r->status is set before. */
void icp_apply_show_start(icp_apply_view_t *view);
void icp_apply_show_form(icp_apply_view_t *view);
void icp_apply_show_state(icp_apply_view_t *view); /* with form and withdrawal where they are allowed */
void icp_apply_show_problem(icp_apply_view_t *view);

/* Another page of the handler: `query` "" or "kind=first"; with the language where it was given. */
const char *icp_apply_link(const icp_apply_view_t *view, const char *query);

#endif
