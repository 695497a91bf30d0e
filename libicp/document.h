/* Documents that people hand in: what is taken, and the files of those that are kept, in documents/ beside the register
 * (depot.h). Who hands in what for which purpose is application.h's and domain.h's business. */
#ifndef ICP_DOCUMENT_H
#define ICP_DOCUMENT_H

#include "register.h"

#define ICP_DOCUMENT_FOLDER "documents"
#define ICP_DOCUMENT_LIMIT (5 * 1024 * 1024) /* bytes */

typedef struct icp_document_t {
    const char *name; /* of the file, as its owner had it; only shown */
    const char *type; /* "application/pdf" … */
    apr_int64_t bytes;
    const char *sha256; /* its name in documents/; NULL until it is kept */
    const char *data;   /* `bytes` of them; NULL once it is kept */
} icp_document_t;

/* Reads a file: PDF, JPEG, PNG or BMP by its content (document_type.h). ICP_REFUSED: empty, larger than the limit, of another type. */
icp_error_t *icp_document_read(icp_document_t **document, const char *file, apr_pool_t *pool);

/* Before the change that refers to it: puts the file into documents/, synced. */
icp_error_t *icp_document_keep(icp_document_t *document, icp_register_t *reg, apr_pool_t *pool);

/* Writes a kept document into `folder` as `name` and the extension of its type, 0600; never over a file. *file: its
 * path. */
icp_error_t *icp_document_save(const char **file, const icp_document_t *document, icp_register_t *reg,
                               const char *folder, const char *name, apr_pool_t *pool);

/* After a change that took a reference away: removes the file if no application and no domain refers to it any longer.
 */
icp_error_t *icp_document_forget(icp_register_t *reg, const char *sha256, apr_pool_t *pool);

/* Removes every file that nothing refers to, but for those put there in the last hour, whose change may still be under way.
 * *count: how many. With reg->dry_run they are only counted. */
icp_error_t *icp_document_clean(int *count, icp_register_t *reg, apr_pool_t *pool);

#endif
