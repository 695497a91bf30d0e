/* Any bytes as a document: its type is one of four and goes by how it begins; a byte before it makes it none, and so does an archive
 * behind it; what else stands behind a picture changes nothing. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

/* The type of before + data + after, from a copy that ends where they end. */
static const char *type_with(const char *before, size_t before_size, const uint8_t *data, size_t size, const char *after, size_t after_size)
{
    char *all = malloc(before_size + size + after_size + 1);
    memcpy(all, before, before_size);
    if (size) memcpy(all + before_size, data, size);
    memcpy(all + before_size + size, after, after_size);
    char *exact = realloc(all, before_size + size + after_size ? before_size + size + after_size : 1);
    const char *type = icp_document_type(exact, before_size + size + after_size);
    free(exact);
    return type;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct { const char *type, *magic; } kinds[] = {
        {"application/pdf", "%PDF-"}, {"image/jpeg", "\xff\xd8\xff"}, {"image/png", "\x89PNG\r\n\x1a\n"}, {"image/bmp", "BM"}};
    static const char zip_end[22] = "PK\5\6";
    const char *type = type_with("", 0, data, size, "", 0);
    if (!type) return 0;
    int known = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) known += !strcmp(type, kinds[i].type) && !memcmp(data, kinds[i].magic, strlen(kinds[i].magic));
    must(known == 1);
    must(!type_with("x", 1, data, size, "", 0));
    must(!type_with("", 0, data, size, zip_end, sizeof zip_end));
    const char *behind = type_with("", 0, data, size, "\0\1film", 6);
    must(strcmp(type, "application/pdf") ? behind == type : !behind);
    return 0;
}
