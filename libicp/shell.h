/* Pages that text cannot judge: is there a sign that scripts, frames, images or another page show what is not in this one's text?
 * Collects such signs as the page is read; knows nothing of numbers' grammar.
 */
#ifndef ICP_SHELL_H
#define ICP_SHELL_H

#include "markup.h"
#include "page.h"

typedef struct icp_shell_t icp_shell_t;

icp_shell_t *icp_shell_create(apr_pool_t *pool);

void icp_shell_tag(icp_shell_t *shell, const icp_tag_t *tag);
/* The same of an element that is a footer by its name, class or id. */
void icp_shell_footer(icp_shell_t *shell, const icp_tag_t *tag);
/* There is an image in a link to the Ministry; there are {{ }} in displayed text, which a script replaces. */
void icp_shell_ministry(icp_shell_t *shell);
void icp_shell_braces(icp_shell_t *shell);
/* `text_bytes`: of text before it; `hope`: see icp_passage_add. */
void icp_shell_script(icp_shell_t *shell, const char *text, apr_size_t length, apr_size_t text_bytes, int hope);

/* The strongest sign, with a few words for staff; ICP_READABLE: there is none. `text_bytes`: of text, displayed or not. `footer_text`: some
 * of it stands in a footer. */
icp_unreadable_e icp_shell_reason(icp_shell_t *shell, apr_size_t text_bytes, int footer_text, const char **detail, apr_pool_t *pool);

#endif
