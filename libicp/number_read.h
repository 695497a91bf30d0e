/* The grammar of ICP numbers, at one place of a text. Only libicp/number.c uses it: it knows where to look. */
#ifndef ICP_NUMBER_READ_H
#define ICP_NUMBER_READ_H

#include "number.h"

/* Is there a number around the character at `anchor` (备 or 证 in any form, the P of ICP, the B of a telecom number), not
 * beginning before `floor`? Nonzero: `number` is filled in, its texts in `pool`. Time bounded by a constant. */
int icp_number_read(icp_number_t *number, const char *text, apr_size_t floor, apr_size_t length, apr_size_t anchor,
                    apr_pool_t *pool);

/* The symbols (fold.h) of bytes [start, end), without what they skip. */
const char *icp_number_fold(const char *text, apr_size_t start, apr_size_t end, apr_pool_t *pool);

#endif
