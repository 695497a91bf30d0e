/* Sixteen bytes at a time, in the vectors of gcc and clang: comparisons give 0xFF in each byte where they hold. */
#ifndef ICP_BLOCK_H
#define ICP_BLOCK_H

#include <endian.h>
#include <string.h>

#include <apr.h>

#define ICP_BLOCK 16

typedef unsigned char icp_block_t __attribute__((vector_size(ICP_BLOCK)));

static inline icp_block_t icp_block_load(const void *bytes)
{
    icp_block_t block;
    memcpy(&block, bytes, ICP_BLOCK);
    return block;
}

/* Has any byte its highest bit set: does a comparison hold anywhere, is there a byte beyond ASCII? */
static inline int icp_block_any(icp_block_t block)
{
    apr_uint64_t halves[2];
    memcpy(halves, &block, sizeof halves);
    return ((halves[0] | halves[1]) & APR_UINT64_C(0x8080808080808080)) != 0;
}

/* The first byte from `from` on where a comparison holds; ICP_BLOCK: none. */
static inline apr_size_t icp_block_next(icp_block_t block, apr_size_t from)
{
    apr_uint64_t halves[2];
    memcpy(halves, &block, sizeof halves);
    for (apr_size_t half = from / 8; half < 2; half++, from = half * 8) {
        apr_uint64_t bytes = (le64toh(halves[half]) & APR_UINT64_C(0x8080808080808080)) >> 8 * (from % 8);
        if (bytes) return from + (apr_size_t)__builtin_ctzll(bytes) / 8;
    }
    return ICP_BLOCK;
}

#endif
