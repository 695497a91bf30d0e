#include "approval.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "approval_site.h"
#include "display.h"
#include "holder.h"
#include "host.h"
#include "license.h"
#include "license_number.h"
#include "number_parts.h"
#include "policy.h"
#include "text.h"

static const char *value(const icp_application_t *application, const char *path)
{
    return icp_form_value(application->form, path);
}

/* --- the number ------------------------------------------------------------------------------------------------------- */

/* As a license number, whatever suffix it has. */
static icp_error_t *parse(icp_number_t **number, const char *text, apr_pool_t *pool)
{
    ICP_TRY(icp_license_parse(number, text, pool));
    if (!(*number)->service) return NULL;
    return icp_error(pool, ICP_USAGE, "give the license number, without A, X or K", "%s is the number of an app", (*number)->text);
}

static icp_error_t *check_province(const icp_application_t *application, const icp_number_t *number, apr_pool_t *pool)
{
    const icp_choice_t *bureau = icp_choice_find(icp_form_provinces, application->province);
    if (!bureau || !icp_choice_find(icp_form_provinces, number->province) ||
        icp_same_province(number->province, application->province))
        return NULL;
    return icp_error(pool, ICP_USAGE, "compare the number with the bureau's notice",
                     "%s is of another province: %s is decided by the bureau of %s (%s), whose numbers begin with %s", number->text,
                     application->reference, bureau->label[ICP_LANGUAGE_EN], bureau->label[ICP_LANGUAGE_ZH], bureau->value);
}

/* The license number that this is about: the bureau's, else the form's. */
static icp_error_t *find_license(icp_number_t **number, const icp_application_t *application, const icp_approval_t *approval,
                                 apr_pool_t *pool)
{
    icp_number_t *typed;
    const char *given = approval->number;
    if (icp_app_issues(application->kind)) {
        if (!given) {
            return icp_error(pool, ICP_USAGE, "add --number, the license number that the bureau gave",
                             "the approval of %s needs a number", application->reference);
        }
        ICP_TRY(parse(number, given, pool));
        if ((*number)->kind != ICP_NUMBER_FILING) {
            return icp_error(pool, ICP_USAGE, "give the number of the filing, such as 沪ICP备05012345号",
                             "%s is no filing number (备)", (*number)->text);
        }
        if ((*number)->suffix) {
            return icp_error(pool, ICP_USAGE,
                             apr_psprintf(pool, "give --number %s, and the website's with --website NAME=-%d", (*number)->license,
                                          (*number)->suffix),
                             "%s is a website's number, not the license's", (*number)->text);
        }
        return check_province(application, *number, pool);
    }
    ICP_TRY(parse(number, value(application, "license"), pool));
    if (!given) return NULL;
    ICP_TRY(parse(&typed, given, pool));
    if (icp_number_same_license(typed, *number)) return NULL;
    return icp_error(pool, ICP_USAGE, "leave --number out, or return the application if its license is wrong",
                     "%s is about the license %s, not %s", application->reference, (*number)->license, typed->license);
}

/* --- the holder ------------------------------------------------------------------------------------------------------- */

/* What the form says of the holder. */
static icp_holder_t typed_holder(const icp_application_t *application)
{
    const char *uscc = value(application, "holder.uscc");
    return (icp_holder_t){.kind = value(application, "holder.kind"),
                          .name = value(application, "holder.name"),
                          .uscc = *uscc ? uscc : NULL,
                          .contact_name = value(application, "contact.name"),
                          .email = value(application, "contact.email"),
                          .phone = value(application, "contact.mobile")};
}

static icp_error_t *is_other(const icp_holder_t *known, const char *what, apr_pool_t *pool)
{
    return icp_error(pool, ICP_REFUSED,
                     apr_psprintf(pool, "if it is the same one, correct what is on file first: icpadmin holder edit %s; else give "
                                        "the one on file a name that tells them apart", known->name),
                     "a holder named %s is on file with another %s", known->name, what);
}

/* Two persons may have the same name; a business has its code. */
static icp_error_t *check_same(const icp_holder_t *known, const icp_holder_t *typed, apr_pool_t *pool)
{
    if (known->uscc && typed->uscc && strcmp(known->uscc, typed->uscc)) return is_other(known, "code", pool);
    if (strcmp(known->kind, typed->kind)) return is_other(known, "kind", pool);
    int contact = *known->email || *known->phone, same = !strcmp(known->email, typed->email) || !strcmp(known->phone, typed->phone);
    if (!known->uscc && !typed->uscc && contact && !same) return is_other(known, "e-mail address and phone", pool);
    return NULL;
}

/* The applicant as he is on file: NULL if he is not. A holder with his code has his name, or it is another one. */
static icp_error_t *find_holder(icp_holder_t **known, icp_register_t *reg, const icp_holder_t *typed, apr_pool_t *pool)
{
    icp_error_t *error = typed->uscc ? icp_holder_get(known, reg, typed->uscc, pool) : NULL;
    if (typed->uscc && !error) {
        if (!strcmp((*known)->name, typed->name)) return NULL;
        return icp_error(pool, ICP_REFUSED,
                         apr_psprintf(pool, "if it was renamed: icpadmin holder edit %s --name NAME, then approve again", (*known)->name),
                         "%s is on file as the code of %s, not of %s", typed->uscc, (*known)->name, typed->name);
    }
    if (error && error->status != ICP_NOT_FOUND) return error;
    error = icp_holder_get(known, reg, typed->name, pool);
    if (!error) return check_same(*known, typed, pool);
    *known = NULL;
    return error->status == ICP_NOT_FOUND ? NULL : error;
}

/* The applicant's name on file, put there or brought up to date. */
static icp_error_t *take_holder(const char **name, icp_register_t *reg, const icp_application_t *application, apr_pool_t *pool)
{
    icp_holder_t *known, typed = typed_holder(application);
    ICP_TRY(find_holder(&known, reg, &typed, pool));
    *name = typed.name;
    if (!known) return icp_holder_add(reg, &typed, pool);
    typed.id = known->id;
    return icp_holder_edit(reg, &typed, pool);
}

/* The license must be on file, active, and this applicant's. */
static icp_error_t *own_license(icp_license_t **license, icp_register_t *reg, const icp_application_t *application,
                                const icp_number_t *number, apr_pool_t *pool)
{
    const char *uscc = value(application, "holder.uscc"), *name = value(application, "holder.name");
    ICP_TRY(icp_license_get(license, reg, number->license, pool));
    if (strcmp((*license)->status, "active")) {
        return icp_error(pool, ICP_REFUSED, "if the authority gave it back: icpadmin license reinstate", "the license %s is %s",
                         (*license)->number, (*license)->status);
    }
    int same = (*license)->uscc && *uscc ? !strcmp((*license)->uscc, uscc) : !strcmp((*license)->holder, name);
    if (same) return NULL;
    return icp_error(pool, ICP_REFUSED, "compare both with the authority's notice", "the license %s is %s's, not %s's",
                     (*license)->number, (*license)->holder, name);
}

/* One from elsewhere comes on file; one that is here must be the applicant's. */
static icp_error_t *take_license(icp_license_t **license, icp_register_t *reg, const icp_application_t *application,
                                 const icp_number_t *number, apr_pool_t *pool)
{
    const char *holder;
    if (!icp_app_issues(application->kind)) {
        icp_error_t *error = own_license(license, reg, application, number, pool);
        if (!error || error->status != ICP_NOT_FOUND) return error;
    }
    ICP_TRY(take_holder(&holder, reg, application, pool));
    return icp_license_add(license, reg, number->license, holder, NULL, pool);
}

/* --- the kinds -------------------------------------------------------------------------------------------------------- */

static icp_error_t *give_websites(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                  const icp_number_t *number, apr_pool_t *pool)
{
    icp_license_t *license;
    ICP_TRY(take_license(&license, reg, application, number, pool));
    approval->license = license->number;
    approval->holder = license->holder;
    return icp_approval_give(reg, application, approval, number, pool);
}

static icp_error_t *change_holder(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                  const icp_number_t *number, apr_pool_t *pool)
{
    icp_license_t *license;
    icp_holder_t *known, typed = typed_holder(application);
    ICP_TRY(icp_license_get(&license, reg, number->license, pool));
    ICP_TRY(icp_holder_get(&known, reg, license->holder, pool));
    if (known->uscc && typed.uscc && strcmp(known->uscc, typed.uscc)) {
        return icp_error(pool, ICP_REFUSED,
                         apr_psprintf(pool, "if its code itself has changed: icpadmin holder edit %s --uscc %s, then approve again",
                                      known->name, typed.uscc),
                         "the license %s is %s's, whose code is %s, not %s", license->number, known->name, known->uscc, typed.uscc);
    }
    typed.id = known->id;
    ICP_TRY(icp_holder_edit(reg, &typed, pool));
    approval->license = license->number;
    approval->holder = typed.name;
    return icp_approval_extend(reg, application, approval, pool);
}

static icp_error_t *cancel_license(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                   const icp_number_t *number, apr_pool_t *pool)
{
    apr_array_header_t *suspended = apr_array_make(pool, 4, sizeof(const char *));
    ICP_TRY(icp_license_end(reg, number->license, "cancelled", application->reference, suspended, pool));
    for (int i = 0; i < suspended->nelts; i++) {
        APR_ARRAY_PUSH(approval->sites, icp_approval_site_t) =
            (icp_approval_site_t){APR_ARRAY_IDX(suspended, i, const char *), "", "suspended"};
    }
    return NULL;
}

static icp_error_t *end(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                        const icp_number_t *number, apr_pool_t *pool)
{
    icp_license_t *license;
    ICP_TRY(own_license(&license, reg, application, number, pool));
    approval->license = license->number;
    approval->holder = license->holder;
    return application->kind == ICP_FORM_CANCEL_LICENSE ? cancel_license(reg, application, approval, number, pool)
                                                        : icp_approval_take(reg, application, approval, number, pool);
}

static icp_error_t *alter_register(icp_register_t *reg, const icp_application_t *application, icp_approval_t *approval,
                                   apr_pool_t *pool)
{
    icp_number_t *number;
    int adds = icp_app_adds(application->kind);
    ICP_TRY(find_license(&number, application, approval, pool));
    if (!adds && approval->websites->nelts) {
        return icp_error(pool, ICP_USAGE, "leave --website out", "no website gets a number by a %s application",
                         icp_form_kinds[application->kind].value);
    }
    if (adds) return give_websites(reg, application, approval, number, pool);
    return application->kind == ICP_FORM_CHANGE ? change_holder(reg, application, approval, number, pool)
                                                : end(reg, application, approval, number, pool);
}

/* "www.example.cn: 沪ICP备05012345号-3", a line each; `what` NULL: all. */
static const char *sites_text(const icp_approval_t *approval, const char *what, apr_pool_t *pool)
{
    const char *text = "";
    for (int i = 0; i < approval->sites->nelts; i++) {
        const icp_approval_site_t *site = &APR_ARRAY_IDX(approval->sites, i, icp_approval_site_t);
        if (what && strcmp(site->what, what)) continue;
        text = apr_pstrcat(pool, text, *text ? "\n" : "", icp_host_display(site->name, pool), *site->number ? ": " : "",
                           icp_display_number(site->number, pool), NULL);
    }
    return text;
}

icp_error_t *icp_approval_make(icp_register_t *reg, icp_application_t *application, icp_approval_t *approval, apr_pool_t *pool)
{
    icp_application_act_t act = {.step = ICP_APP_DO_APPROVE, .by = ICP_BY_STAFF, .note = approval->note};
    approval->sites = apr_array_make(pool, 4, sizeof(icp_approval_site_t));
    approval->license = approval->holder = NULL;
    if (icp_app_row(application->kind, application->state, act.step, act.by)) {
        ICP_TRY(alter_register(reg, application, approval, pool));
        act.number = approval->license;
        act.sites = sites_text(approval, NULL, pool);
        act.stopped = sites_text(approval, "suspended", pool);
    }
    return icp_application_step(reg, application, &act, pool);
}
