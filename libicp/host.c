#include "host.h"

#include <arpa/inet.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <idn2.h>

#define NAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63
#define TEXT_MAX_BYTES 1024 /* of what a person wrote: four bytes a character, and room for a port */

static icp_error_t *bad(apr_pool_t *pool, const char *text, const char *what)
{
    return icp_error(pool, ICP_USAGE, "write the host name alone, such as www.example.cn", "'%s' is no host name: %s",
                     apr_pstrmemdup(pool, text, strnlen(text, 80)), what);
}

/* "host:8080", "[::1]:443" → without the port; a bare IPv6 address has several colons and no port. */
static icp_error_t *strip_port(char **name, const char *text, apr_pool_t *pool)
{
    char *host = apr_pstrdup(pool, text), *port = NULL;
    if (*host == '[') {
        char *close = strchr(host, ']');
        if (!close) return bad(pool, text, "a '[' is not closed");
        *close = '\0';
        if (!strchr(host, ':')) return bad(pool, text, "only an IPv6 address stands in brackets");
        if (close[1] == ':')
            port = close + 2;
        else if (close[1])
            return bad(pool, text, "something follows the ']'");
        host++;
    }
    else {
        char *colon = strchr(host, ':');
        if (colon && !strchr(colon + 1, ':')) {
            *colon = '\0';
            port = colon + 1;
        }
    }
    if (port && (!*port || strlen(port) > 5 || strspn(port, "0123456789") != strlen(port))) {
        return bad(pool, text, "what follows the colon is no port");
    }
    *name = host;
    return NULL;
}

static int is_ipv6(const char **normal, const char *name, apr_pool_t *pool)
{
    struct in6_addr address;
    char buffer[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, name, &address) != 1) return 0;
    *normal = apr_pstrdup(pool, inet_ntop(AF_INET6, &address, buffer, sizeof buffer));
    return 1;
}

/* The A-label form, by the rules browsers use: UTS 46 mapping, non-transitional, over IDNA2008. ASCII names are left
 * alone: IDNA has rules for them (no "--") that names in use do not follow. */
static icp_error_t *to_ascii(char **ascii, const char *name, const char *text, apr_pool_t *pool)
{
    char *result = NULL;
    const char *c = name;
    while (*c && apr_isascii(*c)) c++;
    if (!*c) {
        *ascii = apr_pstrdup(pool, name);
        return NULL;
    }
    int rc = idn2_to_ascii_8z(name, &result, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc != IDN2_OK) {
        return bad(pool, text, idn2_strerror(rc));
    }
    *ascii = apr_pstrdup(pool, result);
    idn2_free(result);
    return NULL;
}

static icp_error_t *check_labels(const char *name, const char *text, apr_pool_t *pool)
{
    const char *label = name;
    if (strlen(name) > NAME_MAX_BYTES) return bad(pool, text, "it is longer than 253 characters");
    for (;;) {
        size_t length = strcspn(label, ".");
        if (!length) return bad(pool, text, "a label between two dots is empty");
        if (length > LABEL_MAX_BYTES) return bad(pool, text, "a label is longer than 63 characters");
        for (size_t i = 0; i < length; i++) {
            if (label[i] == '*')
                return bad(pool, text, "'*' may only stand for the whole first label, as in *.example.cn");
            if (!apr_isalnum(label[i]) && label[i] != '-' && label[i] != '_') {
                return bad(pool, text, apr_psprintf(pool, "it contains '%c'", label[i]));
            }
        }
        if (!label[length]) break;
        label += length + 1;
    }
    /* As in URLs: a name whose last label is a number is meant as an IPv4 address. */
    struct in_addr address;
    if (strspn(label, "0123456789") == strlen(label) && inet_pton(AF_INET, name, &address) != 1) {
        return bad(pool, text, "it ends in a number but is no IPv4 address");
    }
    return NULL;
}

icp_error_t *icp_host_normalise(const char **normal, const char *text, int allow_wildcard, apr_pool_t *pool)
{
    char *name = NULL, *ascii = NULL;
    int wildcard = 0;

    if (!*text) return bad(pool, text, "it is empty");
    if (strlen(text) > TEXT_MAX_BYTES) return bad(pool, text, "it is too long");
    for (const char *c = text; *c; c++) {
        if (apr_isspace(*c) || apr_iscntrl(*c))
            return bad(pool, text, "it contains white space or a control character");
    }
    if (strpbrk(text, "/\\?#@")) return bad(pool, text, "a scheme, path or user name is no part of it");
    if (is_ipv6(normal, text, pool)) return NULL;

    ICP_TRY(strip_port(&name, text, pool));
    if (is_ipv6(normal, name, pool)) return NULL;
    if (strchr(name, ':')) return bad(pool, text, "it has several colons and is no IPv6 address");

    if (name[0] == '*') {
        static const char *const dots[] = {".", "\xE3\x80\x82", "\xEF\xBC\x8E", "\xEF\xBD\xA1"}; /* . 。 ． ｡ */
        for (size_t i = 0; i < sizeof dots / sizeof *dots && !wildcard; i++) {
            size_t length = strlen(dots[i]);
            if (strncmp(name + 1, dots[i], length) == 0) {
                wildcard = 1;
                name += 1 + length;
            }
        }
        if (wildcard && !allow_wildcard) return bad(pool, text, "a wildcard cannot be used here");
    }

    ICP_TRY(to_ascii(&ascii, name, text, pool));
    apr_size_t length = strlen(ascii);
    if (length && ascii[length - 1] == '.') ascii[--length] = '\0';
    for (char *c = ascii; *c; c++) *c = apr_tolower(*c);
    ICP_TRY(check_labels(ascii, text, pool));

    if (wildcard) {
        struct in_addr address;
        if (inet_pton(AF_INET, ascii, &address) == 1) return bad(pool, text, "an address has no wildcard");
        if (length + 2 > NAME_MAX_BYTES) return bad(pool, text, "it is longer than 253 characters");
        *normal = apr_pstrcat(pool, "*.", ascii, NULL);
        return NULL;
    }
    *normal = ascii;
    return NULL;
}

const char *icp_host_display(const char *normal, apr_pool_t *pool)
{
    char *unicode = NULL, *back = NULL;
    const char *text = normal;
    int wildcard = strncmp(normal, "*.", 2) == 0;
    const char *name = normal + (wildcard ? 2 : 0);
    if (!strstr(name, "xn--")) return normal;
    /* Only what leads back to the same name is shown in its place. */
    if (idn2_to_unicode_8z8z(name, &unicode, 0) == IDN2_OK &&
        idn2_to_ascii_8z(unicode, &back, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK && strcmp(back, name) == 0) {
        text = apr_pstrcat(pool, wildcard ? "*." : "", unicode, NULL);
    }
    idn2_free(back);
    idn2_free(unicode);
    return text;
}

int icp_host_covers(const char *wildcard, const char *name)
{
    if (strncmp(wildcard, "*.", 2) != 0 || strncmp(name, "*.", 2) == 0) return 0;
    apr_size_t suffix = strlen(wildcard + 1), length = strlen(name);
    return length > suffix && strcmp(name + length - suffix, wildcard + 1) == 0;
}
