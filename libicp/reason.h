/* Why a site is suspended: the words of the register, in the order in which people are shown them. */
#ifndef ICP_REASON_H
#define ICP_REASON_H

#define ICP_REASON_COUNT 7

extern const char *const icp_reason_names[ICP_REASON_COUNT]; /* "missing", "incorrect" … "order" */

/* -1: no such reason. */
int icp_reason_index(const char *name);

#endif
