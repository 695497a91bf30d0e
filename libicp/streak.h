/* How long a site has been failing, look after look, and what the policy makes of that.
 *
 * A streak begins with the first failing look and ends with one that finds anything else, or with the enabling of the site.
 * A look that got no page counts for nothing, and so do failing looks at a site that is suspended, exempt or without a
 * number to show. Only icpadmin's own looks come here: what live traffic saw never does. */
#ifndef ICP_STREAK_H
#define ICP_STREAK_H

#include "inspection.h"

/* What the policy asks for. */
typedef struct icp_measure_t {
    apr_int64_t checks; /* failing looks in a row; at least 1 */
    apr_int64_t hours;  /* from the first to the newest of them */
    int warn;           /* tell the holder at the first, unless that suspends already */
} icp_measure_t;

icp_error_t *icp_measure_read(icp_measure_t *measure, icp_register_t *reg, apr_pool_t *pool);

typedef enum icp_ruling_e {
    ICP_RULING_NONE,       /* compliant */
    ICP_RULING_PERSON,     /* hidden or unreadable */
    ICP_RULING_UNREACHED,  /* no page came: another look will tell */
    ICP_RULING_SUSPENDED,  /* already */
    ICP_RULING_UNLICENSED, /* it has no number to show: not what looks are for */
    ICP_RULING_OUTDATED,   /* it must show another number since, and shows that */
    ICP_RULING_OVERTAKEN,  /* it was enabled, added anew or looked at since */
    ICP_RULING_EXEMPT,     /* until `until`, for `note` */
    ICP_RULING_WAIT,       /* not before `until` */
    ICP_RULING_SUSPEND,
    ICP_RULING_COUNT
} icp_ruling_e;

typedef struct icp_ruling_t {
    icp_ruling_e kind;
    icp_verdict_e verdict; /* of the look that it is on, and when that was made */
    apr_time_t at;
    apr_time_t until;
    const char *note;
    apr_int64_t looks; /* of the streak; 0: there is none */
    apr_time_t since;
    int warned; /* a warning was due in this change, */
    int mails;  /* and went to so many holders: 0 if mail is off, or none has an address */
} icp_ruling_t;

/* "none" "person" "unreached" "suspended" "unlicensed" "outdated" "overtaken" "exempt" "wait" "suspend" */
const char *icp_ruling_name(icp_ruling_e kind);

/* Inside a change: records the look (inspection.h), counts it, posts site.warned where it is the first of a streak
 * (with an event site.warn, whether or not anybody can be told), and gives the ruling. The streak is measured at the time of the look, so that the same looks always give the same. */
icp_error_t *icp_streak_look(icp_ruling_t *ruling, icp_register_t *reg, const icp_look_t *look,
                             const icp_measure_t *measure, apr_pool_t *pool);

/* The ruling on the newest look at the site, as it is on file. ICP_NOT_FOUND: no such site. */
icp_error_t *icp_streak_ruling(icp_ruling_t *ruling, icp_register_t *reg, const char *site, const icp_measure_t *measure,
                               apr_pool_t *pool);

#endif
