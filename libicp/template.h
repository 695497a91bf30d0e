/* Pages and mails with placeholders, built in or written by an operator. Knows APR only: no httpd, no notice, no mail.
 *
 *   {{name}}                the value, escaped
 *   {{#name}} … {{/name}}   shown if the value is not empty; {{^name}} … {{/name}} if it is
 *   {{<part}} … {{/part}}   defines a part, at the top level only; nothing is shown
 *   {{>part}}               shows a part that stands further up (so parts cannot run in circles), but for the line
 *                           ends at its end
 *   {{! … }}                a remark
 *
 * Names are lower-case ASCII letters, digits and dashes. A line that holds one such tag and nothing else leaves
 * no empty line behind, unless the tag shows something itself.
 */
#ifndef ICP_TEMPLATE_H
#define ICP_TEMPLATE_H

#include "error.h"

#define ICP_TEMPLATE_LIMIT (256 * 1024) /* bytes of a template's text */

typedef struct icp_template_t icp_template_t;

typedef enum icp_escape_e {
    ICP_ESCAPE_NONE, /* plain text, and the strings that become JSON */
    ICP_ESCAPE_HTML  /* safe in text and in quoted attributes */
} icp_escape_e;

/* Parses `text` (kept: it must live as long as `pool`). `source` is the file that errors name, with the line. `names` is
 * the vocabulary, ended by NULL: it must stay as it is while the template is used. Parts of `parts` (may be NULL) can be
 * shown too. ICP_USAGE: not UTF-8, empty, too large, unknown name, a section left open or closed by another name. */
icp_error_t *icp_template_parse(icp_template_t **result, const char *source, const char *text, apr_size_t length,
                                const char *const *names, const icp_template_t *parts, apr_pool_t *pool);

/* Reads and parses a file. */
icp_error_t *icp_template_load(icp_template_t **result, const char *file, const char *const *names,
                               const icp_template_t *parts, apr_pool_t *pool);

/* The page, or where `part` is not NULL that part, which must exist; `values` in the order of `names`, NULL is empty. */
const char *icp_template_render(const icp_template_t *template, const char *part, const char *const *values,
                                icp_escape_e escape, apr_pool_t *pool);

#endif
