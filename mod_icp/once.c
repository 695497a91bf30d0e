#include "once.h"

static int is_taken(uint64_t slot, uint32_t now)
{
    uint32_t expiry = (uint32_t)slot;
    return expiry && (uint64_t)expiry + ICP_ONCE_SLACK > now;
}

/* Is it in another slot than number `mine`? */
static int is_elsewhere(const atomic_uint_fast64_t *bucket, uint64_t mark, int mine)
{
    for (int i = 0; i < ICP_ONCE_WAYS; i++) {
        if (i != mine && atomic_load(&bucket[i]) == mark) return 1;
    }
    return 0;
}

int icp_once_use(icp_once_t *once, uint64_t nonce, uint32_t expiry, uint32_t now)
{
    atomic_uint_fast64_t *bucket = once->slots[nonce % ICP_ONCE_BUCKETS];
    uint64_t mark = (nonce & 0xffffffff00000000u) | expiry;
    if (expiry <= now || is_elsewhere(bucket, mark, -1)) return 0;
    for (int i = 0; i < ICP_ONCE_WAYS; i++) {
        uint_fast64_t present = atomic_load(&bucket[i]);
        if (is_taken(present, now) || !atomic_compare_exchange_strong(&bucket[i], &present, mark)) continue;
        /* Whoever came at the same time may have taken another slot. Each looks after it has written, so one at least sees the other;
         * should both, neither goes through. */
        return !is_elsewhere(bucket, mark, i);
    }
    return 0;
}
