#include "application_number.h"

#include <string.h>

#include <apr_strings.h>

#include "display.h"
#include "host.h"
#include "site.h"

/* NULL: it has none of that license. */
static const char *number_of(const icp_site_t *site, const icp_number_t *license, apr_pool_t *pool)
{
    for (int i = 0; i < site->expected->nelts; i++) {
        const char *number = APR_ARRAY_IDX(site->expected, i, const char *);
        if (icp_number_same_license(icp_number_parse(number, pool), license)) return icp_display_number(number, pool);
    }
    return NULL;
}

static void add(apr_array_header_t *numbers, const icp_site_t *site, const icp_number_t *license, apr_pool_t *pool)
{
    const char *name = icp_host_display(site->name, pool), *number = number_of(site, license, pool);
    for (int i = 0; i < numbers->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(numbers, i, icp_application_number_t).site, name)) return;
    }
    if (number) APR_ARRAY_PUSH(numbers, icp_application_number_t) = (icp_application_number_t){name, number};
}

static icp_error_t *add_of_host(apr_array_header_t *numbers, icp_register_t *reg, const char *host, const icp_number_t *license,
                                apr_pool_t *pool)
{
    icp_site_t *site;
    icp_error_t *error = icp_site_get(&site, reg, host, pool);
    if (error) return error->status == ICP_NOT_FOUND ? NULL : error;
    add(numbers, site, license, pool);
    return NULL;
}

icp_error_t *icp_application_numbers(apr_array_header_t **numbers, icp_register_t *reg, const icp_application_t *application,
                                     apr_pool_t *pool)
{
    const json_t *websites = json_object_get(application->form, "websites");
    *numbers = apr_array_make(pool, 2, sizeof(icp_application_number_t));
    if (application->state != ICP_APP_IS_APPROVED || !icp_app_adds(application->kind)) return NULL;
    const icp_number_t *license = icp_number_parse(application->number, pool);
    if (license->kind == ICP_NUMBER_NONE) return NULL;
    for (size_t i = 0; i < json_array_size(websites); i++) {
        const json_t *hosts = json_object_get(json_array_get(websites, i), "hosts");
        for (size_t j = 0; j < json_array_size(hosts); j++)
            ICP_TRY(add_of_host(*numbers, reg, json_string_value(json_array_get(hosts, j)), license, pool));
    }
    return NULL;
}

const char *icp_application_numbers_text(const apr_array_header_t *numbers, apr_pool_t *pool)
{
    const char *text = "";
    for (int i = 0; i < numbers->nelts; i++) {
        const icp_application_number_t *one = &APR_ARRAY_IDX(numbers, i, icp_application_number_t);
        text = apr_pstrcat(pool, text, i ? "\n\n" : "", one->site, ": ", one->number, "\n", icp_display_html(one->number, pool), NULL);
    }
    return text;
}
