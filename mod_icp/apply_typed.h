/* From the fields of the page to the form of form.h, and from its files to documents. */
#ifndef MOD_ICP_APPLY_TYPED_H
#define MOD_ICP_APPLY_TYPED_H

#include "apply_page.h"
#include "intake.h"
#include "multipart.h"

/* What the fields hold, freed with `pool`. `add`: one website more; `remove`: without that one (-1: none). */
json_t *icp_apply_typed(const icp_multipart_t *upload, int kind, icp_language_e language, int add, int remove, apr_pool_t *pool);

/* icp_intake_document_t of those that can be taken; what is wrong with the others, or missing, goes to `issues`. `on_file`: kinds that
 * need not be sent. */
apr_array_header_t *icp_apply_documents(apr_array_header_t *issues, const icp_multipart_t *upload, int kind, const char *holder,
                                        const json_t *on_file, apr_pool_t *pool);

#endif
