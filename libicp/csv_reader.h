/* CSV (RFC 4180) record by record, in UTF-8 with or without BOM, any line ends. What the fields mean is the caller's
 * business.
 */
#ifndef ICP_CSV_READER_H
#define ICP_CSV_READER_H

#include "error.h"

typedef struct icp_csv_record_t {
    apr_int64_t line;    /* of the file, from 1: where the record starts */
    apr_size_t bytes;    /* of the file, up to the record's end */
    const char **fields; /* white space around unquoted ones is left out */
    int count;
    const char *fault, *remedy; /* why it cannot be read, and what to do; then there are no fields; NULL */
} icp_csv_record_t;

/* Called for every record but empty lines; `pool` is cleared after each. An error ends the reading. */
typedef icp_error_t *icp_csv_fn(const icp_csv_record_t *record, void *baton, apr_pool_t *pool);
icp_error_t *icp_csv_each(const char *text, apr_size_t length, icp_csv_fn *fn, void *baton, apr_pool_t *pool);

#endif
