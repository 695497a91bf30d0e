/* Confirmation: between two full reads of a page judged `displayed`, does a response still hold the very bytes that were judged?
 *
 * During a full read `icp_learn_*` watches the raw bytes go by and keeps, for the digits of the number that was matched, the
 * bytes in which they stood. Afterwards `icp_confirm_*` looks for those bytes in every response at the speed of memchr: each
 * pattern is searched by the one of its bytes that was rarest in the page. Neither knows charset or markup; that is the
 * full read's business, and a response that is not confirmed only means that the next one gets a full read.
 */
#ifndef ICP_CONFIRM_H
#define ICP_CONFIRM_H

#include <apr_pools.h>

#define ICP_PATTERN_MAX 128 /* bytes of one pattern */
#define ICP_PATTERNS_MAX 4  /* occurrences of the digits that are kept; a page with more cannot be confirmed */

typedef struct icp_pattern_t {
    unsigned char bytes[ICP_PATTERN_MAX];
    unsigned char length;
    unsigned char rare; /* index of the byte to search by */
} icp_pattern_t;

typedef struct icp_patterns_t {
    int count; /* 0: this page cannot be confirmed */
    icp_pattern_t pattern[ICP_PATTERNS_MAX];
} icp_patterns_t;

/* --- learning, beside a full read --- */

typedef struct icp_learn_t icp_learn_t;

/* `numbers`: normal forms whose digits are looked for, those the site must show. `around`: bytes kept on either side of the
 * digits, at most 48. */
icp_learn_t *icp_learn_create(const char *const *numbers, int count, int around, apr_pool_t *pool);

void icp_learn_feed(icp_learn_t *learn, const char *bytes, apr_size_t length);

/* What to look for so that `number` (normal form) is still there. A page that spells the digits in another way than as plain adjacent
 * digits, or more than ICP_PATTERNS_MAX times, gives count 0. Call once, after the last byte. */
void icp_learn_finish(icp_learn_t *learn, const char *number, icp_patterns_t *patterns);

/* --- confirming --- */

/* The state of one response: small enough to live in a request's pool, no allocation. */
typedef struct icp_confirm_t {
    const icp_patterns_t *patterns; /* must stay */
    unsigned found;                 /* bit per pattern */
    unsigned char tail_length;
    unsigned char tail[ICP_PATTERN_MAX - 1]; /* the end of what was fed, for a pattern that lies across a border */
} icp_confirm_t;

void icp_confirm_begin(icp_confirm_t *confirm, const icp_patterns_t *patterns);

/* Any split of the response gives the same answer. Nonzero as soon as every pattern was found: nothing more need be fed. */
int icp_confirm_feed(icp_confirm_t *confirm, const char *bytes, apr_size_t length);

#endif
