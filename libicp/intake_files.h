/* The intake's files, for intake.c, intake_take.c and intake_progress.c; nobody else includes this. */
#ifndef ICP_INTAKE_FILES_H
#define ICP_INTAKE_FILES_H

#include "intake.h"

#define ICP_INTAKE_REFUSED "intake.refused"
#define ICP_INTAKE_FORM "form"
#define ICP_INTAKE_NEW ".new"
#define ICP_INTAKE_READY ".ready"
#define ICP_INTAKE_ID_LENGTH 32
#define ICP_INTAKE_SEALED_FORM_MAX (512 * 1024)
#define ICP_INTAKE_SEAL_ROOM 4096 /* what sealing adds to a document, and more */

/* A document's file name. */
const char *icp_intake_document_file(int index, apr_pool_t *pool);

/* 32 hex digits and `ending`? */
int icp_intake_is_entry(const char *name, const char *ending);

/* Removes a submission, or what bears such a name, from the folder `fd`, and follows nothing; what holds more than a submission stays.
 * Nonzero: gone. */
int icp_intake_remove(int fd, const char *name);

/* A plain file of at most `most` bytes in the folder `fd`, owned by `owner` or by us, with no second name. ICP_FAULT: the
 * system cannot; any other error: it is no such file. */
icp_error_t *icp_intake_read(const void **bytes, apr_size_t *length, int fd, const char *name, uid_t owner, apr_size_t most, apr_pool_t *pool);

#endif
