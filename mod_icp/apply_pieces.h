/* The pieces of conf/apply/apply.html, and the values that are filled into them: what apply_page.c and apply_fields.c write pages with. */
#ifndef MOD_ICP_APPLY_PIECES_H
#define MOD_ICP_APPLY_PIECES_H

#include "apply_page.h"

/* X(name in C, name): the placeholders; up to CONTACT they are the page's, the rest a piece's. */
#define ICP_APPLY_VALUES(X)                                                                                                             \
    X(LANG, "lang") X(ZH, "zh") X(EN, "en") X(TITLE, "title") X(PROVIDER, "provider") X(PROVIDER_URL, "provider-url")                   \
    X(OTHER_LINK, "other-link") X(OTHER_LANG, "other-lang") X(FAQ, "faq") X(TICKET, "ticket") X(APPLICATION, "application")             \
    X(KIND, "kind") X(KIND_LABEL, "kind-label") X(FORM, "form") X(CONTACT, "contact")                                                   \
    X(WRONG, "wrong") X(HOLIDAY, "holiday") X(HOLIDAY_FIRST, "holiday-first") X(HOLIDAY_LAST, "holiday-last") X(LINK, "link")           \
    X(LABEL, "label") X(PROBLEM, "problem") X(ID, "id") X(ERROR, "error") X(WEBSITES, "count") X(AGAIN, "again")                        \
    X(ONLY_BUSINESS, "only-business") X(ONLY_PERSON, "only-person") X(HINT, "hint") X(DESCRIBED, "described") X(WARNED, "warned")       \
    X(RETURNED, "returned") X(REASON, "reason") X(SUGGESTION, "suggestion")                                                             \
    X(CONFIRMED, "confirmed") X(VALUE, "value") X(MAX, "max") X(AUTOCOMPLETE, "autocomplete") X(INPUTMODE, "inputmode")                 \
    X(REQUIRED, "required") X(SELECTED, "selected") X(OPTIONAL, "optional") X(ON_FILE, "on-file") X(INDEX, "index")                     \
    X(NUMBER, "number") X(SEVERAL, "several") X(GOOD, "good") X(BAD, "bad") X(FRESH, "fresh") X(REFERENCE, "reference")                 \
    X(SINCE, "since") X(EXPECTED, "expected") X(SITE, "site") X(SNIPPET, "snippet")                                                     \
    X(FIRST, "first") X(WEBSITE, "website") X(ACCESS, "access") X(CHANGE, "change") X(CANCEL_WEBSITE, "cancel-website")                 \
    X(CANCEL_LICENSE, "cancel-license") X(CANCEL_ACCESS, "cancel-access")

enum {
#define X(c, name) V_##c,
    ICP_APPLY_VALUES(X)
#undef X
    V_COUNT
};

/* One page being written: its values stand until they are forgotten. */
typedef struct icp_apply_page_t {
    icp_apply_view_t *view;
    request_rec *r;
    apr_pool_t *pool;
    icp_language_e language;
    const char *values[V_COUNT];
} icp_apply_page_t;

/* Headers and head of a page; `title` is a piece. With a form on it the other language is a button of the form, which keeps what was typed. */
void icp_apply_begin(icp_apply_page_t *page, icp_apply_view_t *view, const char *title, int has_form);
void icp_apply_end(icp_apply_page_t *page);

/* Writes a piece with the values of this moment. */
void icp_apply_put(icp_apply_page_t *page, const char *piece);

/* Forgets the values of the last piece; the page's stay. */
void icp_apply_forget(icp_apply_page_t *page);

/* A piece's words alone, to be a value of another. */
const char *icp_apply_words(icp_apply_page_t *page, const char *piece);

/* The value of a placeholder that is there or not. */
static inline const char *icp_apply_flag(int is)
{
    return is ? "1" : NULL;
}

#endif
