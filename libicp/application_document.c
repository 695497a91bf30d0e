#include "application_document.h"

#include <string.h>

#include <apr_strings.h>

#include "application.h"

icp_error_t *icp_application_documents_add(icp_register_t *reg, apr_int64_t application_id, const apr_array_header_t *documents,
                                           apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < documents->nelts; i++) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_DOCUMENT_SUPERSEDE, "is", application_id,
                                 APR_ARRAY_IDX(documents, i, icp_application_document_t).kind));
        ICP_TRY(icp_stmt_run(stmt));
    }
    for (int i = 0; i < documents->nelts; i++) {
        const icp_application_document_t *document = &APR_ARRAY_IDX(documents, i, icp_application_document_t);
        const icp_document_t *file = &document->file;
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_DOCUMENT_INSERT, "isssisi", application_id, document->kind,
                                 file->name, file->type, file->bytes, file->sha256, (apr_int64_t)apr_time_sec(reg->now)));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

icp_error_t *icp_application_documents(apr_array_header_t **documents, icp_register_t *reg, apr_int64_t application_id,
                                       apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *documents = apr_array_make(pool, 4, sizeof(icp_application_document_t));
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_APPLICATION_DOCUMENTS, "i", application_id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) return NULL;
        icp_application_document_t *document = apr_array_push(*documents);
        document->kind = icp_stmt_text(stmt, 0, pool);
        document->file = (icp_document_t){.name = icp_stmt_text(stmt, 1, pool),
                                          .type = icp_stmt_text(stmt, 2, pool),
                                          .bytes = icp_stmt_int(stmt, 3),
                                          .sha256 = icp_stmt_text(stmt, 4, pool)};
        document->added_at = apr_time_from_sec(icp_stmt_int(stmt, 5));
    }
}

static int has_kind(const apr_array_header_t *documents, const char *kind)
{
    for (int i = 0; i < documents->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(documents, i, icp_application_document_t).kind, kind)) return 1;
    }
    return 0;
}

icp_error_t *icp_application_documents_missing(apr_array_header_t *issues, icp_register_t *reg, const json_t *form,
                                               const apr_array_header_t *documents, apr_int64_t application_id, apr_pool_t *pool)
{
    apr_array_header_t *on_file;
    int kind = icp_form_kind(icp_form_value(form, "kind"));
    if (kind < 0) return NULL;
    ICP_TRY(icp_application_documents(&on_file, reg, application_id, pool));
    for (const icp_form_document_t *wanted = icp_form_documents; wanted->kind; wanted++) {
        if (!icp_form_document_required(wanted, (icp_form_kind_e)kind, icp_form_value(form, "holder.kind"))) continue;
        if (has_kind(documents, wanted->kind) || has_kind(on_file, wanted->kind)) continue;
        APR_ARRAY_PUSH(issues, icp_form_issue_t) = (icp_form_issue_t){
            .field = apr_pstrcat(pool, "document.", wanted->kind, NULL),
            .message = {apr_psprintf(pool, "Please add this document: %s.", wanted->label[ICP_LANGUAGE_EN]),
                        apr_psprintf(pool, "请上传：%s。", wanted->label[ICP_LANGUAGE_ZH])}};
    }
    return NULL;
}
