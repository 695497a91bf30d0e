/* The verdict: what was seen + what the register expects + policy → verdict and findings. A pure function. */
#ifndef ICP_VERDICT_H
#define ICP_VERDICT_H

#include <jansson.h>

#include "page.h"

typedef enum icp_verdict_e {
    ICP_DISPLAYED,  /* compliant */
    ICP_MISSING,    /* failing: no number anywhere */
    ICP_INCORRECT,  /* failing: well-formed numbers are displayed, none is this site's */
    ICP_INVALID,    /* failing: only things meant as a number that cannot be one */
    ICP_HIDDEN,     /* for a person: in the page but not displayed */
    ICP_UNREADABLE, /* for a person: no honest judgement possible */
    ICP_VERDICT_COUNT
} icp_verdict_e;

/* Findings are reported beside the verdict and never decide alone. */
typedef enum icp_finding_e {
    ICP_FINDING_SUFFIX_DIFFERS,
    ICP_FINDING_SUFFIX_MISSING, /* the license number where the website number is asked for: everywhere but in Guangdong */
    ICP_FINDING_APP_NUMBER,
    ICP_FINDING_ALIAS_PROVINCE,
    ICP_FINDING_SUSPECT_NUMBER,
    ICP_FINDING_PLACEHOLDER,
    ICP_FINDING_LINK_MISSING,
    ICP_FINDING_LINK_WRONG,
    ICP_FINDING_NOT_IN_FOOTER,
    ICP_FINDING_SEVERAL_NUMBERS,
    ICP_FINDING_COUNT
} icp_finding_e;

typedef enum icp_suffix_rule_e { ICP_SUFFIX_OFF, ICP_SUFFIX_WARN, ICP_SUFFIX_ON } icp_suffix_rule_e;

typedef struct icp_policy_t {
    icp_suffix_rule_e suffix; /* default WARN: reported as a finding; ON: a number without the wanted suffix is incorrect */
} icp_policy_t;

/* What the site must show: any one is enough. Empty: any well-formed number will do. */
typedef struct icp_expectation_t {
    const char **numbers; /* normal form, of active licenses */
    int count;
} icp_expectation_t;

typedef struct icp_inspection_t {
    icp_verdict_e verdict;
    icp_unreadable_e unreadable;   /* the reason, for UNREADABLE */
    const char *matched;           /* the displayed number that is the site's, normal form; NULL if none */
    apr_array_header_t *displayed; /* const char *: normal forms of every number a visitor sees, once each, in page order */
    unsigned findings;             /* bit 1 << icp_finding_e */
    const icp_page_report_t *seen; /* as given */
} icp_inspection_t;

/* `policy` NULL: the default. The result is in `pool` and points into `seen`. */
icp_inspection_t *icp_verdict_judge(const icp_page_report_t *seen, const icp_expectation_t *expected,
                                    const icp_policy_t *policy, apr_pool_t *pool);

int icp_verdict_fails(icp_verdict_e verdict); /* missing, incorrect, invalid */

/* "displayed" …; "suffix-differs" …; icp_verdict_parse gives ICP_VERDICT_COUNT for an unknown word. */
const char *icp_verdict_name(icp_verdict_e verdict);
icp_verdict_e icp_verdict_parse(const char *name);
const char *icp_finding_name(icp_finding_e finding);

/* The object that `icpadmin inspect --json` prints (new reference):
 * {"verdict","displayed":[…],"hidden":[{"number","where"}],"invalid":[…],"findings":[…],"charset"} and, for unreadable, "reason" and "detail". */
json_t *icp_inspection_json(const icp_inspection_t *inspection);

#endif
