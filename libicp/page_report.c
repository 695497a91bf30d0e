/* What page.c says of a page once it is read: to be kept for longer than the page, and in words. */
#include <apr_strings.h>

#include "page.h"

icp_page_report_t *icp_page_report_copy(const icp_page_report_t *report, apr_pool_t *pool)
{
    icp_page_report_t *copy = apr_pmemdup(pool, report, sizeof *copy);
    copy->detail = apr_pstrdup(pool, report->detail);
    copy->mentions = apr_array_copy(pool, report->mentions);
    for (int i = 0; i < copy->mentions->nelts; i++) {
        icp_mention_t *mention = &APR_ARRAY_IDX(copy->mentions, i, icp_mention_t);
        icp_number_t *number = &mention->number;
        number->text = apr_pstrdup(pool, number->text);
        number->license = apr_pstrdup(pool, number->license);
        number->province = apr_pstrdup(pool, number->province);
        mention->element = apr_pstrdup(pool, mention->element);
        mention->context = apr_pstrdup(pool, mention->context);
        mention->link = apr_pstrdup(pool, mention->link);
    }
    return copy;
}

const char *icp_where_name(icp_where_e where)
{
    static const char *const names[ICP_WHERE_COUNT] = {"displayed", "comment", "script", "style", "attribute", "title", "hidden", "template"};
    return where < ICP_WHERE_COUNT ? names[where] : "displayed";
}

const char *icp_unreadable_name(icp_unreadable_e reason)
{
    static const char *const names[ICP_UNREADABLE_COUNT] = {
        "", "status", "type", "encoded", "truncated", "limit", "empty", "script", "frames", "redirect", "image", "unreached",
    };
    return reason < ICP_UNREADABLE_COUNT ? names[reason] : "";
}
