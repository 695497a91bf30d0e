#include "display.h"

#include <string.h>

#include <apr_strings.h>

#define GUANGDONG "粤"

int icp_display_by_license(const icp_number_t *number)
{
    return number->kind == ICP_NUMBER_FILING && !number->service && !strcmp(number->province, GUANGDONG);
}

const char *icp_display_number(const char *number, apr_pool_t *pool)
{
    const icp_number_t *parsed = icp_number_parse(number, pool);
    return parsed->kind != ICP_NUMBER_NONE && icp_display_by_license(parsed) ? parsed->license : number;
}

apr_array_header_t *icp_display_numbers(const char *const *numbers, int count, apr_pool_t *pool)
{
    apr_array_header_t *shown = apr_array_make(pool, count, sizeof(const char *));
    for (int i = 0; i < count; i++) {
        const char *number = icp_display_number(numbers[i], pool);
        int known = 0;
        for (int j = 0; j < shown->nelts; j++) known |= !strcmp(APR_ARRAY_IDX(shown, j, const char *), number);
        if (!known) APR_ARRAY_PUSH(shown, const char *) = number;
    }
    return shown;
}

const char *icp_display_html(const char *text, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "<a href=\"" ICP_DISPLAY_LINK "\" target=\"_blank\" rel=\"noopener\">", text, "</a>", NULL);
}
