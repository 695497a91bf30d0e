/* See site_url.h. */
#include "site_url.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "host.h"
#include "text.h"

#define URL_MAX 2000 /* bytes of a URL that are kept and shown */

static char *part_of(CURLU *url, CURLUPart part, apr_pool_t *pool)
{
    char *value = NULL, *copy = NULL;
    if (url && !curl_url_get(url, part, &value, CURLU_DEFAULT_PORT)) copy = apr_pstrdup(pool, value);
    curl_free(value);
    return copy;
}

static CURLU *parse(const char *text)
{
    CURLU *url = curl_url();
    if (url && curl_url_set(url, CURLUPART_URL, text, 0)) {
        curl_url_cleanup(url);
        url = NULL;
    }
    return url;
}

const char *icp_site_url_resolve(const char *from, const char *location, apr_pool_t *pool)
{
    CURLU *url = parse(from);
    char *whole = NULL;
    const char *result = NULL;
    if (url && !curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) &&
        !curl_url_get(url, CURLUPART_URL, &whole, 0))
        result = apr_pstrdup(pool, whole);
    curl_free(whole);
    curl_url_cleanup(url);
    return result ? result : icp_text_printable(location, URL_MAX, pool);
}

static int is_host_of(const icp_site_t *site, const char *host, apr_pool_t *pool)
{
    const char *normal;
    if (!host || icp_host_normalise(&normal, host, 0, pool)) return 0;
    for (int i = 0; i < site->hosts->nelts; i++) {
        const char *own = APR_ARRAY_IDX(site->hosts, i, const char *);
        if (!strcmp(own, normal) || (!strncmp(own, "*.", 2) && icp_host_covers(own, normal))) return 1;
    }
    return 0;
}

static int is_web_port(const apr_array_header_t *connects, const char *port, const char *home_port)
{
    for (int i = 0; i < connects->nelts; i++) {
        if (APR_ARRAY_IDX(connects, i, icp_connect_t).port == atoi(port)) return 1;
    }
    return !strcmp(port, "80") || !strcmp(port, "443") || (home_port && !strcmp(port, home_port));
}

int icp_site_url_inside(const icp_site_t *site, const char *text, const apr_array_header_t *connects, apr_pool_t *pool)
{
    CURLU *url = parse(text), *home = *site->homepage == '/' ? NULL : parse(site->homepage);
    const char *port = part_of(url, CURLUPART_PORT, pool), *home_port = part_of(home, CURLUPART_PORT, pool);
    int inside = port && is_web_port(connects, port, home_port) && is_host_of(site, part_of(url, CURLUPART_HOST, pool), pool);
    curl_url_cleanup(url);
    curl_url_cleanup(home);
    return inside;
}
