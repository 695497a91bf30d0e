/* What icpadmin prints: data on standard output, as a table for people or as JSON for programs; all else on standard
 * error. Texts that come from a register, a page or a file never reach a terminal with control characters in them.
 */
#ifndef ICP_OUTPUT_H
#define ICP_OUTPUT_H

#include <apr_time.h>
#include <jansson.h>

#include "command.h"

/* A list of records: a table for people, or with --json an array with one object a line. Printed at its end. On a terminal that is too
 * narrow nothing is cut: what does not fit into a row's line stands below it, with its heading. */
typedef struct icp_list_t icp_list_t;

/* `headings`: "SITE|STATE|SINCE"; NULL for a table without any (one record as name and value). */
icp_list_t *icp_list_begin(const icp_cli_t *cli, const char *headings);
void icp_list_object(icp_list_t *list, json_t *object);             /* with --json only; steals the reference */
void icp_list_row(icp_list_t *list, ...) __attribute__((sentinel)); /* const char * per column, NULL ends; else only */

/* Prints it. `nothing` (may be NULL) is said on standard error if there was no row. */
void icp_list_end(icp_list_t *list, const char *nothing);

/* One object, indented; steals the reference. */
void icp_print_object(json_t *object);

/* A line for people on standard output; nothing with --json. */
void icp_say(const icp_cli_t *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text of several lines on standard output, each as harmless as a table's. */
void icp_print_text(const char *text, apr_pool_t *pool);

/* A remark on standard error; nothing with --quiet. */
void icp_remark(const icp_cli_t *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "icpadmin: warning: ..." on standard error. */
void icp_warn(const icp_cli_t *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "icpadmin: MESSAGE", and the remedy on the next line. */
void icp_print_error(const icp_cli_t *cli, const icp_error_t *error);

/* Progress: one line that is written over; only where standard error is a terminal. The last call has `text` NULL. */
void icp_progress(const icp_cli_t *cli, const char *text);

/* `text` with every control and direction character replaced by U+FFFD, and invalid UTF-8 too; itself if there is none.
 */
const char *icp_printable(const char *text, apr_pool_t *pool);

/* "2026-11-24 10:17" in local time; "-" for 0. And for JSON: seconds since 1970, null for 0. */
const char *icp_time_text(apr_time_t time, apr_pool_t *pool);
json_t *icp_time_json(apr_time_t time);

/* A JSON string, or null for NULL; an array of strings from an array of const char *. */
json_t *icp_text_json(const char *text);
json_t *icp_texts_json(const apr_array_header_t *texts);

/* const char * joined by ", "; "-" if there are none. */
const char *icp_join(const apr_array_header_t *texts, apr_pool_t *pool);

/* Flushes standard output; ICP_FAULT if any of it could not be written. */
icp_error_t *icp_output_finish(apr_pool_t *pool);

#endif
