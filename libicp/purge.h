/* Purging the personal data of applications that are finished: form, token, e-mail address, documents, messages. Reference, kind,
 * states, reasons, number and the audit log stay, and so does what an approval put on file: it is the holder's. */
#ifndef ICP_PURGE_H
#define ICP_PURGE_H

#include "register.h"

typedef struct icp_purge_t {
    apr_array_header_t *references; /* const char *: applications purged */
    int files;                      /* documents removed: those that nothing refers to, older than an hour */
} icp_purge_t;

/* Those finished for `days`. With reg->dry_run it only says what would be. */
icp_error_t *icp_purge(icp_purge_t *result, icp_register_t *reg, apr_int64_t days, apr_pool_t *pool);

#endif
