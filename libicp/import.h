/* Import of CSV (RFC 4180, UTF-8, with or without BOM) into the register: one change, all or nothing.
 *
 * Sites: name,hosts,license,homepage. Hosts are separated by spaces; license: numbers whose licenses are on file, separated
 * by spaces, may be empty; homepage may be absent. A site on file is a bad line: icpadmin site edit changes it.
 *
 * Licenses: number,holder,uscc,status. uscc and status may be absent or empty; a number on file gets its new status.
 *
 * Domains: domain,registrant,kind,email. kind and email may be absent or empty (organisation; nobody is asked for documents). One that
 * is on file as the line says is left alone, one with other data is a bad line: icpadmin domain edit changes it.
 */
#ifndef ICP_IMPORT_H
#define ICP_IMPORT_H

#include <stdio.h>

#include <apr_tables.h>

#include "register.h"

typedef struct icp_import_options_t {
    int skip_bad;         /* take the good lines though some are bad */
    int serve_unlicensed; /* sites only */
    void (*progress)(apr_int64_t lines, apr_off_t bytes, void *baton); /* now and then; NULL */
    void *progress_baton;
} icp_import_options_t;

typedef struct icp_bad_line_t {
    apr_int64_t line;           /* of the file, from 1: where the record starts */
    const char *column, *value; /* what is bad, as the header calls it, and what stands there; NULL: the line as such */
    const char *reason;
    const char *remedy; /* what to write instead, or to do first */
} icp_bad_line_t;

typedef struct icp_import_result_t {
    apr_int64_t lines, added, changed, unchanged, suspended;
    apr_array_header_t *bad; /* icp_bad_line_t */
} icp_import_result_t;

/* Run their own icp_register_change; `file` is read to its end first, so that a change that runs twice sees the same.
 * ICP_REFUSED if any line is bad and skip_bad is 0: *result then lists them and nothing was changed; ICP_USAGE for a bad
 * header. One event for the whole import, and those of each site, license or domain. */
icp_error_t *icp_import_sites(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                              const icp_import_options_t *options, apr_pool_t *pool);
icp_error_t *icp_import_licenses(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                                 const icp_import_options_t *options, apr_pool_t *pool);
icp_error_t *icp_import_domains(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                                const icp_import_options_t *options, apr_pool_t *pool);

#endif
