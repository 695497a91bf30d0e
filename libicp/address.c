/* What is accepted is what every mail server takes: no quoted local parts, comments, groups or address literals, and nothing
 * that could end a header field or an SMTP command. */
#include "address.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "host.h"
#include "text.h"

#define LOCAL_MAX 64
#define ADDRESS_MAX 254

static icp_error_t *bad(const char *text, const char *what, apr_pool_t *pool)
{
    return icp_error(pool, ICP_USAGE, "write it as info@example.cn", "`%s` is no e-mail address: %s",
                     icp_text_printable(text, 80, pool), what);
}

static const char *local_fault(const char *local)
{
    if (!*local) return "nothing stands before the @";
    if (strlen(local) > LOCAL_MAX) return "what stands before the @ is too long";
    for (const char *at = local; *at; at++) {
        if ((unsigned char)*at >= 0x80) return "before the @ only ASCII letters can be delivered everywhere";
        if (!apr_isalnum(*at) && !strchr("!#$%&'*+-/=?^_`{|}~.", *at)) return "there is a character before the @ that cannot be";
    }
    if (*local == '.' || local[strlen(local) - 1] == '.' || strstr(local, "..")) return "a dot is out of place";
    return NULL;
}

icp_error_t *icp_address_parse(const char **address, const char *text, apr_pool_t *pool)
{
    const char *trimmed = icp_text_trim(text, pool), *at = strrchr(trimmed, '@'), *domain;
    if (!at) return bad(text, "there is no @", pool);
    const char *local = apr_pstrmemdup(pool, trimmed, (apr_size_t)(at - trimmed)), *fault = local_fault(local);
    if (fault) return bad(text, fault, pool);
    if (strpbrk(at, ":[]") || icp_host_normalise(&domain, at + 1, 0, pool)) {
        return bad(text, "what stands after the @ is no domain", pool);
    }
    if (!strpbrk(domain, "abcdefghijklmnopqrstuvwxyz")) return bad(text, "after the @ stands no name", pool);
    *address = apr_pstrcat(pool, local, "@", domain, NULL);
    return strlen(*address) > ADDRESS_MAX ? bad(text, "it is too long", pool) : NULL;
}

icp_error_t *icp_address_parse_named(const char **name, const char **address, const char *text, apr_pool_t *pool)
{
    const char *trimmed = icp_text_trim(text, pool), *open = strrchr(trimmed, '<');
    apr_size_t length = strlen(trimmed);
    *name = "";
    if (!open) return icp_address_parse(address, trimmed, pool);
    if (trimmed[length - 1] != '>') return bad(text, "a < is not closed", pool);
    const char *given = icp_text_trim(apr_pstrmemdup(pool, trimmed, (apr_size_t)(open - trimmed)), pool);
    apr_size_t size = strlen(given);
    if (size >= 2 && *given == '"' && given[size - 1] == '"') given = apr_pstrmemdup(pool, given + 1, size - 2);
    if (!icp_text_plain(given)) return bad(text, "its name is no plain text", pool);
    *name = given;
    return icp_address_parse(address, apr_pstrmemdup(pool, open + 1, (apr_size_t)(trimmed + length - 1 - (open + 1))), pool);
}
