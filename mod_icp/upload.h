/* The body of a form with files, multipart/form-data (RFC 7578), parsed by libhtp, which was made for hostile traffic. All of it is
 * kept in memory: what a client sends here is nobody's to find in a folder of temporary files. */
#ifndef MOD_ICP_UPLOAD_H
#define MOD_ICP_UPLOAD_H

#include <apr_tables.h>
#include <httpd.h>

#include "error.h"

#define ICP_UPLOAD_LIMIT (17 * 1024 * 1024) /* bytes of a body: a submission's documents, and a mebibyte for the rest */
#define ICP_UPLOAD_PARTS_MAX 200
#define ICP_UPLOADS_MAX 4                   /* bodies that a child keeps at a time */

typedef struct icp_upload_file_t {
    const char *field;
    const char *name; /* as the client has it; "": none was chosen */
    const char *bytes;
    apr_size_t length;
    int too_large;    /* over ICP_DOCUMENT_LIMIT, and not kept */
} icp_upload_file_t;

typedef struct icp_upload_t {
    apr_table_t *fields;       /* every value of every field, in order; a NUL in one is now a U+0001 */
    apr_array_header_t *files; /* icp_upload_file_t */
} icp_upload_t;

/* post_config, once per configuration. */
icp_error_t *icp_upload_prepare(apr_pool_t *pool);

/* Reads the body to its end, also where it takes no more of it, so that the client gets to read the answer. OK, or: 415 it is
 * something else, 400 it is broken off or malformed, 413 too large or in too many parts, 503 the child has too many at a time,
 * or what httpd's input filters say (408 ...). *upload always has what came before the fault. */
int icp_upload_read(icp_upload_t **upload, request_rec *r);

/* The first value of a field, "" if there is none. */
const char *icp_upload_field(const icp_upload_t *upload, const char *name);

#endif
