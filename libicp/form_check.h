/* The checks of the table of fields; for form.c and form_fields.c alone. */
#ifndef ICP_FORM_CHECK_H
#define ICP_FORM_CHECK_H

#include "form.h"

struct icp_form_check_t {
    const json_t *typed;
    json_t *clean;
    apr_array_header_t *issues; /* icp_form_issue_t */
    const char *path;           /* of the field being checked */
    const char *holder;         /* "business", "person", "" */
    apr_pool_t *pool;
};

void icp_form_refuse(icp_form_check_t *check, const char *english, const char *chinese);

const char *icp_form_check_uscc(icp_form_check_t *check, const char *value);
const char *icp_form_check_id_number(icp_form_check_t *check, const char *value);
const char *icp_form_check_holder_name(icp_form_check_t *check, const char *value);
const char *icp_form_check_person(icp_form_check_t *check, const char *value);
const char *icp_form_check_address(icp_form_check_t *check, const char *value);
const char *icp_form_check_email(icp_form_check_t *check, const char *value);
const char *icp_form_check_mobile(icp_form_check_t *check, const char *value);
const char *icp_form_check_license(icp_form_check_t *check, const char *value);
const char *icp_form_check_site_name(icp_form_check_t *check, const char *value);
const char *icp_form_check_host(icp_form_check_t *check, const char *value); /* one of a list */
const char *icp_form_check_homepage(icp_form_check_t *check, const char *value);
const char *icp_form_check_category(icp_form_check_t *check, const char *value);

#endif
