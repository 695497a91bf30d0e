/* The rules of .cn registrations, pure: which names are registered, which documents a registrant hands in, and the way
 * of a registration from the first document wanted to the registry's answer. Knows no register; domain.h takes the
 * steps. */
#ifndef ICP_DOMAIN_RULES_H
#define ICP_DOMAIN_RULES_H

#include "error.h"

#define ICP_DOMAIN_REVIEW_DAYS 5 /* working days that the registry's review of a registrant takes at most (3 to 5) */

/* The A-label form of a name that is registered under .cn or .中国, written in either form: one label below a suffix
 * (cn, com.cn, bj.cn …; the public suffix list knows them). ICP_USAGE: a suffix, a name below a registered one, another
 * TLD, or no host name; it says which name to give. */
icp_error_t *icp_domain_name(const char **normal, const char *text, apr_pool_t *pool);

/* X(kind, registrant's kind, English, Chinese) */
/* clang-format off */
#define ICP_DOMAIN_DOCUMENTS(X)                                                                                        \
    X("identity", "individual", "ID card, passport or permit of the registrant",                                       \
      "注册人的身份证、护照或通行证等证件")                                                                            \
    X("license", "organisation", "business license or another certificate of the organisation",                        \
      "营业执照或组织的其他合法证件")                                                                                  \
    X("contact", "organisation", "ID card, passport or permit of the contact person",                                  \
      "联系人的身份证、护照或通行证等证件")

/* X(name in C, name) */
#define ICP_DOMAIN_STATES(X)                                                                                           \
    X(WANTED, "wanted") X(RECEIVED, "received") X(SUBMITTED, "submitted") X(ACCEPTED, "accepted") X(REFUSED, "refused")

/* X(name in C, verb of the command); documents: one came in */
#define ICP_DOMAIN_STEPS(X)                                                                                            \
    X(DOCUMENTS, "documents") X(SUBMIT, "submit") X(ACCEPT, "accept") X(REFUSE, "refuse")
/* clang-format on */

typedef enum icp_domain_state_e {
#define ICP_DOMAIN_STATE_ENUM(c, name) ICP_DOMAIN_##c,
    ICP_DOMAIN_STATES(ICP_DOMAIN_STATE_ENUM)
#undef ICP_DOMAIN_STATE_ENUM
        ICP_DOMAIN_STATE_COUNT
} icp_domain_state_e;

typedef enum icp_domain_step_e {
#define ICP_DOMAIN_STEP_ENUM(c, name) ICP_DOMAIN_DO_##c,
    ICP_DOMAIN_STEPS(ICP_DOMAIN_STEP_ENUM)
#undef ICP_DOMAIN_STEP_ENUM
        ICP_DOMAIN_STEP_COUNT
} icp_domain_step_e;

typedef struct icp_domain_kind_t {
    const char *kind, *registrant, *en, *zh;
} icp_domain_kind_t;

extern const icp_domain_kind_t icp_domain_kinds[]; /* ended by a NULL kind */
extern const char *const icp_domain_states[ICP_DOMAIN_STATE_COUNT];

/* The index of a name; ICP_DOMAIN_STATE_COUNT if there is none such. */
icp_domain_state_e icp_domain_state(const char *name);

/* A kind of document that a registrant of this kind hands in. ICP_USAGE names those there are. */
icp_error_t *icp_domain_kind(const icp_domain_kind_t **kind, const char *registrant, const char *name,
                             apr_pool_t *pool);

/* The state after a step; `complete`: every document is there then. ICP_REFUSED: impossible, and which steps are
 * possible for `domain`, which only the error names. */
icp_error_t *icp_domain_next(icp_domain_state_e *next, const char *domain, icp_domain_state_e from,
                             icp_domain_step_e step, int complete, apr_pool_t *pool);

#endif
