/* Any bytes as a page: the report must be the same however they are split, and hold only what the header promises. The first three bytes
 * choose the charset of the header and the splits.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <unistr.h>

#include "verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds) abort();
}

static const icp_page_report_t *read_page(const uint8_t *data, size_t size, const char *type, unsigned seed, apr_pool_t *pool)
{
    icp_page_t *page = icp_page_create(type, 100000, pool);
    for (size_t at = 0, step; at < size; at += step) {
        seed = seed * 1103515245u + 12345u;
        step = 1 + (seed >> 16) % 5000;
        if (step > size - at) step = size - at;
        icp_page_feed(page, (const char *)data + at, step);
    }
    return icp_page_finish(page, 1);
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void compare(const icp_page_report_t *a, const icp_page_report_t *b)
{
    must(a->mentions->nelts == b->mentions->nelts && a->unreadable == b->unreadable && same_text(a->detail, b->detail));
    must(same_text(a->charset, b->charset) && a->text_bytes == b->text_bytes);
    for (int i = 0; i < a->mentions->nelts; i++) {
        const icp_mention_t *m = &APR_ARRAY_IDX(a->mentions, i, icp_mention_t), *n = &APR_ARRAY_IDX(b->mentions, i, icp_mention_t);
        must(m->where == n->where && m->line == n->line && m->in_footer == n->in_footer && same_text(m->number.text, n->number.text));
        must(same_text(m->context, n->context) && same_text(m->element, n->element) && same_text(m->link, n->link));
        must(m->line >= 1 && m->number.kind != ICP_NUMBER_POLICE);
        must((m->where == ICP_WHERE_HIDDEN || m->where == ICP_WHERE_ATTRIBUTE) <= (m->element != NULL));
        must(!u8_check((const uint8_t *)m->context, strlen(m->context)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"text/html", "text/html; charset=utf-8", "text/html; charset=gbk", "text/html; charset=big5",
                                        "text/html; charset=utf-16le", "text/html; charset=shift_jis"};
    static apr_pool_t *root;
    apr_pool_t *pool;
    if (size < 3) return 0;
    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
    }
    apr_pool_create(&pool, root);
    const char *type = types[data[0] % 6];
    const icp_page_report_t *report = read_page(data + 3, size - 3, type, data[1], pool);
    compare(report, read_page(data + 3, size - 3, type, 256u + data[2], pool));
    json_decref(icp_inspection_json(icp_verdict_judge(report, NULL, NULL, pool)));
    apr_pool_destroy(pool);
    return 0;
}
