/* Any bytes as a compressed response: however they are cut, the output is the same and so is the end; a sink that has enough gets no
 * more, so that a bomb costs what the sink allows. The first byte chooses the codings, the second where the bytes are cut. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "coding.h"

#define ENOUGH 300000 /* bytes the sink takes: more than a window of each coding */
#define STEP 16384    /* and at most that much at once, so it may be handed as much over */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct output_t {
    uint64_t sum;
    size_t length;
    int full;
} output_t;

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static int take(void *baton, const char *bytes, apr_size_t length)
{
    output_t *output = baton;
    must(!output->full && length > 0 && length <= STEP);
    for (size_t i = 0; i < length && output->length < ENOUGH; i++, output->length++) {
        output->sum = (output->sum ^ (unsigned char)bytes[i]) * 1099511628211u;
    }
    output->full = output->length == ENOUGH;
    return !output->full;
}

/* Feeds pieces of 1 to `most` bytes, from copies that end where the piece ends. */
static icp_coding_e feed(icp_coding_t *coding, const uint8_t *data, size_t size, size_t most)
{
    icp_coding_e state = ICP_CODING_MORE;
    for (size_t at = 0, turn = most; at < size; turn = turn * 31 + 7) {
        size_t piece = 1 + turn % most;
        if (piece > size - at) piece = size - at;
        char *copy = malloc(piece);
        memcpy(copy, data + at, piece);
        icp_coding_e before = state;
        state = icp_coding_feed(coding, copy, piece);
        must(before == ICP_CODING_MORE || state == before);
        free(copy);
        at += piece;
    }
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const codings[] = {"gzip", "deflate", "br", "gzip, br", "deflate, gzip", "br, deflate, gzip", "identity", "gzip, gzip"};
    static apr_pool_t *root;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    if (size < 2) return 0;
    apr_pool_t *pool;
    apr_pool_create(&pool, root);
    output_t whole = {0}, pieces = {0};
    const char *name = codings[data[0] % (sizeof codings / sizeof *codings)];
    icp_coding_t *first = icp_coding_create(name, take, &whole, pool), *second = icp_coding_create(name, take, &pieces, pool);
    must(first && second);

    size_t rest = size - 2 < STEP ? size - 2 : STEP; /* an identity hands over what it gets */
    icp_coding_e once = rest ? icp_coding_feed(first, (const char *)data + 2, rest) : ICP_CODING_MORE;
    icp_coding_e cut = feed(second, data + 2, rest, 1 + data[1]);
    if (once == ICP_CODING_BAD || cut == ICP_CODING_BAD) {
        must(once != ICP_CODING_MORE && cut != ICP_CODING_MORE); /* one may have had enough before the fault */
    }
    else {
        must(once == cut && whole.sum == pieces.sum && whole.length == pieces.length);
        must(once == ICP_CODING_FULL || icp_coding_ended(first) == icp_coding_ended(second));
    }
    must((once == ICP_CODING_FULL) == whole.full && (cut == ICP_CODING_FULL) == pieces.full);
    apr_pool_destroy(pool);
    return 0;
}
