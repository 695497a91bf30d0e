/* Which passes for one request have been used: a table in memory that all children share. Without locks, bounded, and never
 * wrong to the unsafe side: of two who come with the same pass at the same moment at most one is let through. Knows no httpd.
 */
#ifndef MOD_ICP_ONCE_H
#define MOD_ICP_ONCE_H

#include <stdatomic.h>
#include <stdint.h>

#define ICP_ONCE_BUCKETS 16384 /* a power of two */
#define ICP_ONCE_WAYS 8        /* a bucket is a cache line */

/* A slot: the upper half of the nonce, and the second at which the pass ends; 0 has never been used. All zeros is an empty table. */
typedef struct icp_once_t {
    _Alignas(64) atomic_uint_fast64_t slots[ICP_ONCE_BUCKETS][ICP_ONCE_WAYS];
} icp_once_t;

/* Slots are used again only this long after their pass has ended: a thread may be that late, or the clock be put back. */
#define ICP_ONCE_SLACK 60

/* Nonzero for the first who comes with this nonce; 0 if it was used, if it ends before `now` (seconds since 1970), or if there is no
 * room: a pass that cannot be remembered is not good. */
int icp_once_use(icp_once_t *once, uint64_t nonce, uint32_t expiry, uint32_t now);

#endif
