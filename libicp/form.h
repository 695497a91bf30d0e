/* What a client fills in for an application: one table of fields, used by the web form, by `icpadmin application pull`, which
 * checks again what the workers handed over, and by `application add`.
 *
 * A form is a JSON object. Every value in it is text, as typed:
 *   kind      one of icp_form_kinds           language  "zh" or "en", that it was filled in
 *   holder    {kind: business|person, name, uscc | id_number, province, address, representative}
 *   contact   {name, email, mobile}
 *   license   the number on file, for all kinds but a first filing
 *   reason    what changes, or why it ends
 *   websites  [{name, hosts: ["www.example.cn", ...], category, person, homepage}]
 *   confirmed ["holder.uscc", ...]: fields whose warning the client has read and confirmed
 * A field is named by its path: "holder.uscc", "license", "websites.0.hosts"; a document by "document.KIND".
 */
#ifndef ICP_FORM_H
#define ICP_FORM_H

#include <apr_tables.h>
#include <jansson.h>

#include "document.h"

#define ICP_FORM_WEBSITES_MAX 10 /* in one application */
#define ICP_FORM_HOSTS_MAX 20    /* of one website */

/* Texts for people come in pairs. */
typedef enum icp_language_e { ICP_LANGUAGE_EN, ICP_LANGUAGE_ZH, ICP_LANGUAGES } icp_language_e;
typedef const char *icp_words_t[ICP_LANGUAGES];

/* X(name in C, word, English, Chinese) */
#define ICP_FORM_KINDS(X)                                                                  \
    X(FIRST, "first", "First filing", "首次备案")                                          \
    X(WEBSITE, "website", "New website under a license on file", "新增网站")               \
    X(ACCESS, "access", "New hosting provider for a filed website", "新增接入")            \
    X(CHANGE, "change", "Change of what is on file", "变更备案")                           \
    X(CANCEL_WEBSITE, "cancel-website", "Cancel a website's filing", "注销网站")           \
    X(CANCEL_LICENSE, "cancel-license", "Cancel the whole license", "注销主体")            \
    X(CANCEL_ACCESS, "cancel-access", "End the hosting of a filed website here", "取消接入")

typedef enum icp_form_kind_e {
#define ICP_FORM_ENUM(c, word, en, zh) ICP_FORM_##c,
    ICP_FORM_KINDS(ICP_FORM_ENUM)
#undef ICP_FORM_ENUM
    ICP_FORM_KIND_COUNT
} icp_form_kind_e;

/* One of a few: a kind of application, a province, a category. */
typedef struct icp_choice_t {
    const char *value; /* what is stored */
    icp_words_t label;
} icp_choice_t;

/* Each list ends with a NULL value. */
extern const icp_choice_t icp_form_kinds[];        /* in the order of icp_form_kind_e */
extern const icp_choice_t icp_form_holder_kinds[]; /* business, person */
extern const icp_choice_t icp_form_provinces[];    /* 京 … 新: the first character of a filing number */
extern const icp_choice_t icp_form_categories[];   /* of a website's content */

/* NULL: not in the list. */
const icp_choice_t *icp_choice_find(const icp_choice_t *list, const char *value);

typedef enum icp_form_widget_e {
    ICP_WIDGET_TEXT,
    ICP_WIDGET_LINES,  /* several lines: a text, or for hosts one an entry */
    ICP_WIDGET_CHOICE, /* of a long list */
    ICP_WIDGET_RADIO   /* of two or three */
} icp_form_widget_e;

typedef struct icp_form_check_t icp_form_check_t; /* form.c */

typedef struct icp_form_field_t {
    const char *group, *name;     /* "holder", "uscc"; group "" for those of the form itself, "websites" for each website's */
    unsigned asked, required;     /* bit 1u << kind: the field is there, and must be filled in */
    const char *holder;           /* only asked of holders of this kind; NULL: of both */
    icp_form_widget_e widget;
    const icp_choice_t *choices;  /* NULL: any text */
    int max;                      /* bytes */
    const char *autocomplete, *inputmode; /* attributes in HTML; NULL: none */
    icp_words_t label, hint;      /* hint NULL: none needed */
    /* Puts the value into normal form and tells the issues; it is not empty. NULL: none. */
    const char *(*check)(icp_form_check_t *check, const char *value);
} icp_form_field_t;

extern const icp_form_field_t icp_form_fields[]; /* in the order in which they are asked; ends with a NULL name */

/* Is it part of an application of this kind by such a holder ("business", "person", or "" while that is not known)? */
int icp_form_asks(const icp_form_field_t *field, icp_form_kind_e kind, const char *holder);

/* -1: no such kind. */
int icp_form_kind(const char *word);

/* A value by its path ("holder.name", "websites.0.person"); "" if there is none. */
const char *icp_form_value(const json_t *form, const char *path);

/* How many websites a form names. */
apr_size_t icp_form_websites(const json_t *form);

/* What the form calls the field at `path`, or the document at "document.KIND": "Unified Social Credit Code", and where there are
 * several `websites` "Website 2: Host names". NULL: there is no such field. */
const char *icp_form_label(const char *path, apr_size_t websites, icp_language_e language, apr_pool_t *pool);

/* What is wrong with one field. */
typedef struct icp_form_issue_t {
    const char *field;   /* its path */
    int is_warning;      /* may stay if the client confirms it */
    icp_words_t message; /* what is wrong and what to write instead */
} icp_form_issue_t;

/* Checks a whole form. *clean: the same in normal form, freed with `pool`, with what is not asked left out, and holder.province
 * always there (of the license's number where the form does not ask for it); *issues: array of icp_form_issue_t in the order of the
 * fields, without those warnings that are in `confirmed`. No issue: it can be taken. Nothing in `typed` is taken on trust. */
void icp_form_check(json_t **clean, apr_array_header_t **issues, const json_t *typed, apr_pool_t *pool);

/* ICP_USAGE with the first issues in words, for staff; NULL if there are none. */
icp_error_t *icp_form_error(const apr_array_header_t *issues, apr_pool_t *pool);

/* Documents: each at most ICP_DOCUMENT_LIMIT bytes (document.h). */

typedef struct icp_form_document_t {
    const char *kind;         /* "license", "id", "domain-certificate" */
    unsigned asked, required; /* as of fields */
    const char *holder;
    icp_words_t label, hint;
} icp_form_document_t;

extern const icp_form_document_t icp_form_documents[]; /* ends with a NULL kind */

/* NULL: no such kind of document. */
const icp_form_document_t *icp_form_document(const char *kind);

/* Must it be sent with an application of this kind by such a holder? */
int icp_form_document_required(const icp_form_document_t *document, icp_form_kind_e kind, const char *holder);
int icp_form_document_asked(const icp_form_document_t *document, icp_form_kind_e kind, const char *holder);

/* The type of a file that may be sent with the form, PDF, JPEG or PNG, by its content (document_type.h); NULL: it may not. */
const char *icp_form_document_type(const void *bytes, apr_size_t length);

#endif
