#include "approval_site.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "exemption.h"
#include "host.h"
#include "license_number.h"
#include "policy.h"
#include "site.h"
#include "text.h"

#define SUFFIX_MAX 99999

typedef struct website_t {
    const char *name, *homepage;
    apr_array_header_t *hosts; /* const char *, normal form */
    apr_array_header_t *sites; /* icp_site_t *: on file, having one of the hosts */
    int suffix;
} website_t;

static int holds(const apr_array_header_t *texts, const char *text)
{
    for (int i = 0; i < texts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(texts, i, const char *), text)) return 1;
    }
    return 0;
}

static icp_error_t *find_sites(website_t *website, icp_register_t *reg, apr_pool_t *pool)
{
    website->sites = apr_array_make(pool, 1, sizeof(icp_site_t *));
    for (int i = 0; i < website->hosts->nelts; i++) {
        icp_site_t *site;
        int known = 0;
        icp_error_t *error = icp_site_get(&site, reg, APR_ARRAY_IDX(website->hosts, i, const char *), pool);
        if (error && error->status == ICP_NOT_FOUND) continue;
        if (error) return error;
        for (int j = 0; j < website->sites->nelts; j++) known |= APR_ARRAY_IDX(website->sites, j, icp_site_t *)->id == site->id;
        if (!known) APR_ARRAY_PUSH(website->sites, icp_site_t *) = site;
    }
    return NULL;
}

/* The form's websites, with what is on file of them: array of website_t. */
static icp_error_t *read_websites(apr_array_header_t **result, icp_register_t *reg, const json_t *form, apr_pool_t *pool)
{
    const json_t *list = json_object_get(form, "websites");
    *result = apr_array_make(pool, 2, sizeof(website_t));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i), *hosts = json_object_get(entry, "hosts");
        website_t *website = apr_array_push(*result);
        website->name = apr_pstrdup(pool, icp_form_value(entry, "name"));
        website->hosts = apr_array_make(pool, 2, sizeof(const char *));
        for (size_t j = 0; j < json_array_size(hosts); j++) {
            const char *host;
            ICP_TRY(icp_host_normalise(&host, json_string_value(json_array_get(hosts, j)), 0, pool));
            APR_ARRAY_PUSH(website->hosts, const char *) = host;
        }
        website->homepage = apr_pstrdup(pool, icp_form_value(entry, "homepage"));
        ICP_TRY(find_sites(website, reg, pool));
    }
    return NULL;
}

/* --- numbers ---------------------------------------------------------------------------------------------------------- */

static icp_error_t *bad_suffix(const icp_approval_website_t *given, const icp_number_t *license, apr_pool_t *pool)
{
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "give -1 to -%d, or the whole number, %s-1", SUFFIX_MAX, license->license),
                     "`%s` is no website number of %s", icp_text_printable(given->number, 60, pool), license->license);
}

static icp_error_t *read_suffix(int *suffix, const icp_approval_website_t *given, const icp_number_t *license, apr_pool_t *pool)
{
    const char *digits = given->number + (*given->number == '-');
    apr_size_t length = strlen(digits);
    if (strspn(digits, "0123456789") == length) {
        *suffix = length <= 5 ? atoi(digits) : 0;
        return *suffix && *digits != '0' ? NULL : bad_suffix(given, license, pool);
    }
    icp_number_t *number;
    ICP_TRY(icp_license_parse(&number, given->number, pool));
    *suffix = number->suffix;
    return number->service || !number->suffix || !icp_number_same_license(number, license) ? bad_suffix(given, license, pool) : NULL;
}

static icp_error_t *no_website(const apr_array_header_t *websites, const char *name, apr_pool_t *pool)
{
    const char *known = "";
    for (int i = 0; i < websites->nelts; i++) {
        const website_t *website = &APR_ARRAY_IDX(websites, i, website_t);
        known = apr_pstrcat(pool, known, i ? ", " : "", website->name, " (", APR_ARRAY_IDX(website->hosts, 0, const char *), ")", NULL);
    }
    return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "it has %s", known), "the application has no website %s",
                     icp_text_printable(name, 80, pool));
}

/* By one of its hosts, or by its name if no other has that. */
static icp_error_t *find_website(website_t **found, const apr_array_header_t *websites, const char *name, apr_pool_t *pool)
{
    const char *host = NULL;
    int named = 0;
    *found = NULL;
    if (icp_host_normalise(&host, name, 0, pool)) host = NULL;
    for (int i = 0; i < websites->nelts; i++) {
        website_t *website = &APR_ARRAY_IDX(websites, i, website_t);
        int is_named = !strcmp(website->name, name), is_host = host && holds(website->hosts, host);
        named += is_named;
        if (is_host || (is_named && !*found)) *found = website;
        if (is_host) return NULL;
    }
    if (!named) return no_website(websites, name, pool);
    return named == 1 ? NULL
                      : icp_error(pool, ICP_USAGE, "name each of them by one of its hosts", "the application has %d websites named %s", named, name);
}

/* Nobody else may have the number: neither another website of the form nor another site on file. */
static icp_error_t *check_free(icp_register_t *reg, const apr_array_header_t *websites, const website_t *website,
                               const icp_number_t *license, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    for (int i = 0; i < websites->nelts; i++) {
        const website_t *other = &APR_ARRAY_IDX(websites, i, website_t);
        if (other == website || !website->suffix || other->suffix != website->suffix) continue;
        return icp_error(pool, ICP_USAGE, "each website has a number of its own", "%s-%d is given to both %s and %s", license->license,
                         website->suffix, APR_ARRAY_IDX(other->hosts, 0, const char *), APR_ARRAY_IDX(website->hosts, 0, const char *));
    }
    if (!website->suffix) return NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPROVAL_NUMBER_SITES, "si", license->license, (apr_int64_t)website->suffix));
    for (;;) {
        int own = 0;
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        const char *name = icp_stmt_text(stmt, 0, pool);
        for (int i = 0; i < website->sites->nelts; i++) own |= !strcmp(APR_ARRAY_IDX(website->sites, i, icp_site_t *)->name, name);
        if (own) continue;
        icp_stmt_reset(stmt);
        return icp_error(pool, ICP_REFUSED, "compare the number with the bureau's notice", "%s-%d is the number of the site %s",
                         license->license, website->suffix, name);
    }
}

static icp_error_t *assign_numbers(icp_register_t *reg, apr_array_header_t *websites, const icp_approval_t *approval,
                                   const icp_number_t *license, apr_pool_t *pool)
{
    if (websites->nelts == 1) APR_ARRAY_IDX(websites, 0, website_t).suffix = license->suffix; /* access: as the form says */
    for (int i = 0; i < approval->websites->nelts; i++) {
        const icp_approval_website_t *given = &APR_ARRAY_IDX(approval->websites, i, icp_approval_website_t);
        website_t *website;
        ICP_TRY(find_website(&website, websites, given->website, pool));
        ICP_TRY(read_suffix(&website->suffix, given, license, pool));
    }
    for (int i = 0; i < websites->nelts; i++)
        ICP_TRY(check_free(reg, websites, &APR_ARRAY_IDX(websites, i, website_t), license, pool));
    return NULL;
}

/* --- giving ----------------------------------------------------------------------------------------------------------- */

/* A host of a site that shows another holder's number is that holder's. */
static icp_error_t *check_owner(icp_register_t *reg, const icp_site_t *site, const char *holder, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPROVAL_OTHER_HOLDER, "is", site->id, holder));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    const char *number = icp_stmt_text(stmt, 0, pool), *other = icp_stmt_text(stmt, 1, pool);
    icp_stmt_reset(stmt);
    return icp_error(pool, ICP_REFUSED,
                     apr_psprintf(pool, "if the site changed hands: icpadmin site edit %s --remove-license %s, then approve again",
                                  site->name, number),
                     "the site %s shows %s of %s", site->name, number, other);
}

/* The host may lie under a wildcard, which is somebody's. */
static icp_error_t *check_wildcards(icp_register_t *reg, const char *host, const char *holder, apr_pool_t *pool)
{
    for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.')) {
        icp_site_t *site;
        icp_error_t *error = icp_site_get(&site, reg, apr_pstrcat(pool, "*", dot, NULL), pool);
        if (error && error->status != ICP_NOT_FOUND) return error;
        if (!error) ICP_TRY(check_owner(reg, site, holder, pool));
    }
    return NULL;
}

/* Its owner must still put the number in: until then it is looked at, and not suspended. */
static icp_error_t *exempt(icp_register_t *reg, const char *site, const char *reference, apr_pool_t *pool)
{
    apr_int64_t days;
    ICP_TRY(icp_policy_number(&days, reg, ICP_POLICY_GRACE_DAYS, pool));
    return icp_exemption_grant(reg, site, NULL, days, apr_psprintf(pool, "approved: %s", reference), pool);
}

static apr_array_header_t *one(const char *text, apr_pool_t *pool)
{
    apr_array_header_t *texts = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(texts, const char *) = text;
    return texts;
}

/* Hosts of the website that no site has: they go to the first one. */
static apr_array_header_t *new_hosts(const website_t *website, apr_pool_t *pool)
{
    apr_array_header_t *hosts = apr_array_make(pool, 2, sizeof(const char *));
    for (int i = 0; i < website->hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(website->hosts, i, const char *);
        int known = 0;
        for (int j = 0; j < website->sites->nelts; j++) known |= holds(APR_ARRAY_IDX(website->sites, j, icp_site_t *)->hosts, host);
        if (!known) APR_ARRAY_PUSH(hosts, const char *) = host;
    }
    return hosts;
}

static void tell(icp_approval_t *approval, const char *site, const char *number, const char *what)
{
    APR_ARRAY_PUSH(approval->sites, icp_approval_site_t) = (icp_approval_site_t){site, number, what};
}

static icp_error_t *give_new(icp_register_t *reg, const website_t *website, const char *number, icp_approval_t *approval,
                             const char *reference, apr_pool_t *pool)
{
    icp_site_t site = {.name = APR_ARRAY_IDX(website->hosts, 0, const char *), .hosts = website->hosts, .numbers = one(number, pool),
                       .homepage = website->homepage};
    for (int i = 0; i < website->hosts->nelts; i++)
        ICP_TRY(check_wildcards(reg, APR_ARRAY_IDX(website->hosts, i, const char *), approval->holder, pool));
    ICP_TRY(icp_site_add(reg, &site, pool));
    tell(approval, site.name, number, "added");
    return exempt(reg, site.name, reference, pool);
}

static icp_error_t *give_known(icp_register_t *reg, const website_t *website, const char *number, icp_approval_t *approval,
                               const char *reference, apr_pool_t *pool)
{
    for (int i = 0; i < website->sites->nelts; i++) {
        const icp_site_t *site = APR_ARRAY_IDX(website->sites, i, icp_site_t *);
        icp_site_edit_t edit = {.name = site->name, .add_numbers = one(number, pool), .serve_unlicensed = -1};
        ICP_TRY(check_owner(reg, site, approval->holder, pool));
        if (!i) edit.add_hosts = new_hosts(website, pool);
        ICP_TRY(icp_site_edit(reg, &edit, pool));
        tell(approval, site->name, number, "on file");
        ICP_TRY(exempt(reg, site->name, reference, pool));
    }
    return NULL;
}

icp_error_t *icp_approval_give(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                               const icp_number_t *license, apr_pool_t *pool)
{
    apr_array_header_t *websites;
    ICP_TRY(read_websites(&websites, reg, application->form, pool));
    ICP_TRY(assign_numbers(reg, websites, approval, license, pool));
    for (int i = 0; i < websites->nelts; i++) {
        const website_t *website = &APR_ARRAY_IDX(websites, i, website_t);
        const char *number =
            website->suffix ? apr_psprintf(pool, "%s-%d", license->license, website->suffix) : license->license;
        if (website->sites->nelts)
            ICP_TRY(give_known(reg, website, number, approval, application->reference, pool));
        else
            ICP_TRY(give_new(reg, website, number, approval, application->reference, pool));
    }
    return NULL;
}

icp_error_t *icp_approval_extend(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                 apr_pool_t *pool)
{
    apr_array_header_t *websites;
    ICP_TRY(read_websites(&websites, reg, application->form, pool));
    for (int i = 0; i < websites->nelts; i++) {
        const website_t *website = &APR_ARRAY_IDX(websites, i, website_t);
        apr_array_header_t *hosts = new_hosts(website, pool);
        if (!website->sites->nelts || !hosts->nelts) continue;
        const icp_site_t *site = APR_ARRAY_IDX(website->sites, 0, icp_site_t *);
        icp_site_edit_t edit = {.name = site->name, .add_hosts = hosts, .serve_unlicensed = -1};
        ICP_TRY(check_owner(reg, site, approval->holder, pool));
        ICP_TRY(icp_site_edit(reg, &edit, pool));
        tell(approval, site->name, "", "on file");
    }
    return NULL;
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

/* Its numbers of this license. *others: active ones of other licenses stay. */
static apr_array_header_t *numbers_of(int *others, const icp_site_t *site, const icp_number_t *license, apr_pool_t *pool)
{
    apr_array_header_t *numbers = apr_array_make(pool, 1, sizeof(const char *));
    *others = 0;
    for (int i = 0; i < site->numbers->nelts; i++) {
        const char *text = APR_ARRAY_IDX(site->numbers, i, const char *);
        if (icp_number_same_license(icp_number_parse(text, pool), license))
            APR_ARRAY_PUSH(numbers, const char *) = text;
        else
            *others |= holds(site->expected, text);
    }
    return numbers;
}

static icp_error_t *take_from(icp_register_t *reg, const icp_site_t *site, const icp_number_t *license, icp_approval_t *approval,
                              const char *reference, apr_pool_t *pool)
{
    icp_suspension_t *suspension;
    int others;
    apr_array_header_t *numbers = numbers_of(&others, site, license, pool);
    icp_site_edit_t edit = {.name = site->name, .remove_numbers = numbers, .serve_unlicensed = -1};
    if (!numbers->nelts) {
        return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "icpadmin site show %s lists its numbers", site->name),
                         "the site %s shows no number of %s", site->name, license->license);
    }
    icp_site_t ended = *site; /* nothing is left for it to show */
    ended.expected = apr_array_make(pool, 1, sizeof(const char *));
    if (!others && !site->suspension)
        ICP_TRY(icp_suspension_open_site(&suspension, reg, &ended, "cancelled", reference, pool));
    ICP_TRY(icp_site_edit(reg, &edit, pool));
    tell(approval, site->name, "", others ? "on file" : "suspended");
    return NULL;
}

icp_error_t *icp_approval_take(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                               const icp_number_t *license, apr_pool_t *pool)
{
    apr_array_header_t *websites;
    ICP_TRY(read_websites(&websites, reg, application->form, pool));
    for (int i = 0; i < websites->nelts; i++) {
        const website_t *website = &APR_ARRAY_IDX(websites, i, website_t);
        for (int j = 0; j < website->sites->nelts; j++) {
            ICP_TRY(take_from(reg, APR_ARRAY_IDX(website->sites, j, icp_site_t *), license, approval, application->reference, pool));
        }
    }
    return NULL;
}
