/* E-mail addresses: one mailbox, as a person writes it, and as a mail server can take it. */
#ifndef ICP_ADDRESS_H
#define ICP_ADDRESS_H

#include "error.h"

/* "info@example.cn": local part of ASCII letters, digits and what RFC 5322 allows unquoted, domain in normal form (host.h: an IDN in
 * A-label form). ICP_USAGE says what is wrong with it. */
icp_error_t *icp_address_parse(const char **address, const char *text, apr_pool_t *pool);

/* "Example Hosting <support@example.cn>", or an address alone; *name "" then. */
icp_error_t *icp_address_parse_named(const char **name, const char **address, const char *text, apr_pool_t *pool);

#endif
