/* A body of multipart/form-data (RFC 7578) taken apart by libhtp, which was made for hostile traffic. Knows no httpd. */
#ifndef MOD_ICP_MULTIPART_H
#define MOD_ICP_MULTIPART_H

#include <apr_tables.h>

#include "error.h"

#define ICP_MULTIPART_PARTS_MAX 200
#define ICP_MULTIPART_HEAD_MAX 10 /* lines of headers in a part */

typedef struct icp_multipart_file_t {
    const char *field;
    const char *name;  /* as the client has it; "": none was chosen */
    const char *bytes; /* in the body */
    apr_size_t length;
} icp_multipart_file_t;

typedef struct icp_multipart_t {
    apr_table_t *fields;       /* every value of every field, in order; a NUL in one is now a U+0001 */
    apr_array_header_t *files; /* icp_multipart_file_t */
} icp_multipart_t;

typedef enum icp_multipart_e {
    ICP_MULTIPART_WHOLE,
    ICP_MULTIPART_BROKEN, /* broken off, malformed, or to be read in two ways */
    ICP_MULTIPART_LARGE,  /* too many parts, or too many headers in one; nothing was read */
    ICP_MULTIPART_OTHER,  /* by its type it is something else; nothing was read */
} icp_multipart_e;

/* Once before the first body, and while one thread runs. */
icp_error_t *icp_multipart_prepare(apr_pool_t *pool);

/* `type`: the Content-Type, or NULL. *form, of `pool`, always has what came before a fault, and is of use only as long as `body`. */
icp_multipart_e icp_multipart_parse(icp_multipart_t **form, const char *type, const char *body, apr_size_t length, apr_pool_t *pool);

/* The first value of a field, "" if there is none. */
const char *icp_multipart_field(const icp_multipart_t *form, const char *name);

#endif
