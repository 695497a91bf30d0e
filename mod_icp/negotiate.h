/* Which form and which language a client asks for: RFC 9110, sections 12.4.2, 12.5.1 and 12.5.4. httpd's own choice
 * (mod_negotiation) works on files only. */
#ifndef MOD_ICP_NEGOTIATE_H
#define MOD_ICP_NEGOTIATE_H

#include <apr_pools.h>

typedef enum icp_form_e { ICP_FORM_HTML, ICP_FORM_JSON, ICP_FORM_TEXT } icp_form_e;

/* `accept` is the header's value, NULL if there is none. The form with the highest quality; among equals the one that is
 * named most precisely, then HTML, JSON, text in this order; HTML where none is acceptable. Any type that ends in +json
 * counts as JSON. */
icp_form_e icp_negotiate_form(const char *accept, apr_pool_t *pool);

/* Nonzero unless `accept_language` ranks English above Chinese of any region and script; among equals the first named. */
int icp_negotiate_chinese(const char *accept_language, apr_pool_t *pool);

#endif
