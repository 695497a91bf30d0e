#include "bulk.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* As the kernel counts: whole pages. */
static size_t whole(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return bytes ? (bytes + page - 1) / page * page : page;
}

void *icp_bulk_resize(void *block, size_t old_bytes, size_t new_bytes)
{
    size_t old_size = whole(old_bytes), new_size = whole(new_bytes);
    if (block && old_size == new_size) return block;
    block = block ? mremap(block, old_size, new_size, MREMAP_MAYMOVE)
                  : mmap(NULL, new_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) abort();
    return block;
}

void icp_bulk_free(void *block, size_t bytes)
{
    if (block) munmap(block, whole(bytes));
}
