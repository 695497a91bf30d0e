/* Host names as the register compares them (rule 9): lower case, no port, no trailing dot, IDN in A-label form.
 * A wildcard is "*." and a name: it stands for every name below it, at any depth, but not for the name itself. */
#ifndef ICP_HOST_H
#define ICP_HOST_H

#include "error.h"

/* Normal form of a name as a person or a configuration writes it ("Shop.Example.CN.:8080", "商店.中国",
 * "*.example.cn"). IPv4 and IPv6 literals (in brackets or bare) are names too, never wildcards. ICP_USAGE says what is
 * wrong. */
icp_error_t *icp_host_normalise(const char **normal, const char *text, int allow_wildcard, apr_pool_t *pool);

/* For people: A-labels back to Unicode; the text itself where that fails. */
const char *icp_host_display(const char *normal, apr_pool_t *pool);

/* Does the wildcard cover the name? Both in normal form. */
int icp_host_covers(const char *wildcard, const char *name);

#endif
