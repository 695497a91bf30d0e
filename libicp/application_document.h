/* Which documents an application has: rows in private.db over the files of document.h. */
#ifndef ICP_APPLICATION_DOCUMENT_H
#define ICP_APPLICATION_DOCUMENT_H

#include <jansson.h>

#include "document.h"

typedef struct icp_application_document_t {
    const char *kind; /* form.h */
    icp_document_t file;
    apr_time_t added_at;
} icp_application_document_t;

/* Inside a change: gives the application these (icp_application_document_t, their files kept), in place of those of the same kinds
 * that it has. */
icp_error_t *icp_application_documents_add(icp_register_t *reg, apr_int64_t application_id, const apr_array_header_t *documents,
                                           apr_pool_t *pool);

/* Those of an application: array of icp_application_document_t. */
icp_error_t *icp_application_documents(apr_array_header_t **documents, icp_register_t *reg, apr_int64_t application_id,
                                       apr_pool_t *pool);

/* Documents that an application of this form must come with, and that are neither in `documents` nor on file for
 * `application_id` (0: none is), added to `issues` (icp_form_issue_t). */
icp_error_t *icp_application_documents_missing(apr_array_header_t *issues, icp_register_t *reg, const json_t *form,
                                               const apr_array_header_t *documents, apr_int64_t application_id, apr_pool_t *pool);

#endif
