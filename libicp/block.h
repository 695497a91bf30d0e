/* Sixteen bytes at a time, in the vectors of gcc and clang: comparisons give 0xFF in each byte where they hold. */
#ifndef ICP_BLOCK_H
#define ICP_BLOCK_H

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

#endif
