/* The body of a request that sends a form with files. All of it is kept in memory: what a client sends here is nobody's to find in
 * a folder of temporary files. */
#ifndef MOD_ICP_UPLOAD_H
#define MOD_ICP_UPLOAD_H

#include <httpd.h>

#include "multipart.h"

#define ICP_UPLOAD_LIMIT (17 * 1024 * 1024) /* bytes of a body: a submission's documents, and a mebibyte for the rest */
#define ICP_UPLOADS_MAX 4                   /* bodies that a child keeps at a time */
#define ICP_UPLOADS_OF_ONE 2                /* of these, from the same address */

/* Reads the body to its end, also where it takes no more of it, so that the client gets to read the answer. OK, or: 415 it is
 * something else, 400 it is broken off or malformed, 413 too large or in too many parts, 503 the child has too many at a time, in all or of this address,
 * or what httpd's input filters say (408 ...). `address`: whose it is, icp_apply_address. *form always has what came before the fault; it and the
 * place that it takes go with `pool`, which ends before the answer begins: who has one may send again. */
int icp_upload_read(icp_multipart_t **form, request_rec *r, apr_uint32_t address, apr_pool_t *pool);

#endif
