/* Any bytes as the body of a form: what is found lies inside, in order. Then the same bytes as a text and as a file of a form that is in
 * order: both come out as they went in, unless a delimiter is among them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "../../mod_icp/multipart.h"

#define BOUNDARY "x-x"
#define TYPE "multipart/form-data; boundary=" BOUNDARY
#define START "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
#define MIDDLE "\r\n--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"name\"\r\n\r\n"
#define END "\r\n--" BOUNDARY "--\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void check_any(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    icp_multipart_t *form;
    const char *body = (const char *)data, *before = body;
    icp_multipart_e found = icp_multipart_parse(&form, TYPE, body, size, pool);
    int count = form->files->nelts + apr_table_elts(form->fields)->nelts;
    must(count <= ICP_MULTIPART_PARTS_MAX + 1);
    must(found == ICP_MULTIPART_WHOLE || found == ICP_MULTIPART_BROKEN || !count);
    for (int i = 0; i < form->files->nelts && found == ICP_MULTIPART_WHOLE; i++) {
        const icp_multipart_file_t *file = &APR_ARRAY_IDX(form->files, i, icp_multipart_file_t);
        if (!file->length) continue;
        must(file->bytes >= before && file->length <= (size_t)(body + size - file->bytes));
        before = file->bytes + file->length;
    }
}

static int holds_delimiter(const uint8_t *data, size_t size)
{
    static const char delimiter[] = "\n--" BOUNDARY;
    size_t length = sizeof delimiter - 1;
    return memmem(data, size, delimiter, length) || (size >= length - 1 && !memcmp(data, delimiter + 1, length - 1));
}

static void check_kept(const uint8_t *data, size_t size, apr_pool_t *pool)
{
    icp_multipart_t *form;
    size_t length = strlen(START MIDDLE END) + 2 * size;
    char *body = malloc(length), *at = body;
    at = (char *)memcpy(at, START, strlen(START)) + strlen(START);
    at = (char *)memcpy(at, data, size) + size;
    at = (char *)memcpy(at, MIDDLE, strlen(MIDDLE)) + strlen(MIDDLE);
    at = (char *)memcpy(at, data, size) + size;
    memcpy(at, END, strlen(END));
    must(icp_multipart_parse(&form, TYPE, body, length, pool) == ICP_MULTIPART_WHOLE);
    must(form->files->nelts == 1 && apr_table_elts(form->fields)->nelts == 1);
    const icp_multipart_file_t *file = &APR_ARRAY_IDX(form->files, 0, icp_multipart_file_t);
    must(!strcmp(file->field, "file") && !strcmp(file->name, "name") && file->length == size && !memcmp(file->bytes, data, size));
    const char *text = icp_multipart_field(form, "text");
    must(strlen(text) == size);
    for (size_t i = 0; i < size; i++) must((uint8_t)text[i] == (data[i] ? data[i] : 1));
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    apr_pool_t *pool;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        must(!icp_multipart_prepare(root));
    }
    apr_pool_create(&pool, root);
    uint8_t *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, data, size);
    check_any(exact, size, pool);
    if (!holds_delimiter(exact, size)) check_kept(exact, size, pool);
    free(exact);
    apr_pool_destroy(pool);
    return 0;
}
