/* What a mail says: the template of its event, filled with the facts it was posted with and with what the provider says of itself.
 *
 * A template is the file EVENT.txt: built in from conf/mail/, or the operator's own in the folder of the policy
 * mail-templates. Its first line is "Subject: …", the text follows after an empty line. Placeholders, sections and parts are those
 * of template.h; parts of conf/notice/words.txt and of parts.txt can be shown. docs/mail.md has the names.
 *
 * An operator's template that cannot be used is an error when the policy is set. One that was spoilt afterwards is warned of, and the
 * built-in one used: the message matters more than its looks. */
#ifndef ICP_MAIL_TEMPLATE_H
#define ICP_MAIL_TEMPLATE_H

#include <jansson.h>

#include "register.h"

typedef struct icp_mail_templates_t icp_mail_templates_t;

/* Those in force; templates are read as they are needed. */
icp_error_t *icp_mail_templates_open(icp_mail_templates_t **templates, icp_register_t *reg, apr_pool_t *pool);

/* Subject (one line) and text of a mail about `event`. Facts that no name asks for are left out, missing ones empty.
 * ICP_NOT_FOUND: there is no template for that event. */
icp_error_t *icp_mail_fill(const char **subject, const char **text, icp_mail_templates_t *templates, const char *event,
                           const char *about, const json_t *facts, apr_pool_t *pool);

/* Every .txt file of the folder; the error names file and line. A file whose name is no event's is one too. */
icp_error_t *icp_mail_templates_check(const char *folder, apr_pool_t *pool);

#endif
