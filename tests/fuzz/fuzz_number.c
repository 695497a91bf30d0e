/* Any bytes as page text: what is found lies inside, in order, without overlap; a normal form is read as itself; the same
 * text behind a block border is found once more. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "fold.h"
#include "number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void check_normal_form(const icp_number_t *number, apr_pool_t *pool)
{
    const icp_number_t *again = icp_number_parse(number->text, pool);
    must(again->kind == number->kind && !strcmp(again->text, number->text) && !strcmp(again->province, number->province));
    must(again->suffix == number->suffix && again->service == number->service);
    must(!(again->marks & (ICP_MARK_ALIAS_PROVINCE | ICP_MARK_NO_HAO)));
    must(icp_number_same_license(again, number) == (number->kind != ICP_NUMBER_POLICE));
}

static void check_found(const apr_array_header_t *found, size_t size, apr_pool_t *pool)
{
    size_t before = 0;
    for (int i = 0; i < found->nelts; i++) {
        const icp_number_t *number = &APR_ARRAY_IDX(found, i, icp_number_t);
        must(number->start >= before && number->end > number->start && number->end <= size);
        must((number->kind == ICP_NUMBER_NONE) == (number->reason != ICP_REASON_NONE));
        before = number->end;
        if (number->kind != ICP_NUMBER_NONE) {
            check_normal_form(number, pool);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_t *pool;
    apr_pool_create(&pool, root);
    char *twice = malloc(2 * size + 1); /* not from the pool, so that a sanitizer sees its ends */
    if (size) {
        memcpy(twice, data, size);
        memcpy(twice + size + 1, data, size);
    }
    twice[size] = ICP_FOLD_BORDER;

    apr_array_header_t *once = icp_number_find((const char *)data, size, pool);
    check_found(once, size, pool);
    apr_array_header_t *both = icp_number_find(twice, 2 * size + 1, pool);
    check_found(both, 2 * size + 1, pool);
    must(both->nelts == 2 * once->nelts);
    for (int i = 0; i < both->nelts; i++) {
        must(!strcmp(APR_ARRAY_IDX(both, i, icp_number_t).text, APR_ARRAY_IDX(once, i % once->nelts, icp_number_t).text));
    }
    free(twice);
    apr_pool_destroy(pool);
    return 0;
}
