/* Exempt paths and passes. Both are narrow on purpose: what is let through here is the site's content, served although the
 * register says no. */
#include "admit.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <util_cookies.h>

/* --- the mark on a request that was let through ----------------------------------------------------- */

const icp_mark_t icp_mark_open = {ICP_ADMIT_OPEN, 0};

static void mark(request_rec *r, icp_admission_e admission, apr_int64_t site_id)
{
    icp_mark_t *made = apr_palloc(r->pool, sizeof *made);
    made->admission = admission;
    made->site_id = site_id;
    icp_mark(r, made);
}

/* Of the request, or of the nearest one that it was made from. */
static const icp_mark_t *nearest_mark(const request_rec *r)
{
    static const icp_mark_t none = {ICP_ADMIT_NO, 0};
    while (r) {
        const icp_mark_t *found = icp_mark_of(r);
        if (found) return found;
        r = r->prev ? r->prev : r->main;
    }
    return &none;
}

/* --- exempt paths ----------------------------------------------------------------------------------- */

static int begins_with(const char *path, const char *prefix)
{
    apr_size_t length = strlen(prefix);
    return !strncmp(path, prefix, length) && (prefix[length - 1] == '/' || !path[length] || path[length] == '/');
}

/* A challenge is fetched, and its name is base64url (RFC 8555, 8.3): nothing that could lead elsewhere. */
static int is_acme_challenge(const request_rec *r, const char *path)
{
    static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    apr_size_t length = sizeof ICP_ACME_PREFIX - 1;
    return r->method_number == M_GET && !strncmp(path, ICP_ACME_PREFIX, length) && path[length]
           && !path[length + strspn(path + length, base64url)];
}

/* The path with its escapes undone, if that is all there is to undo: NULL for a path with dot segments, doubled or escaped
 * slashes, backslashes or escapes of escapes, which some part of httpd or of the site might read as another path. */
static const char *plain_path(request_rec *r)
{
    char *once = apr_pstrdup(r->pool, r->uri), *twice;
    if (*once != '/' || ap_unescape_url(once) != OK || ap_strchr_c(once, '%') || ap_strchr_c(once, '\\')) return NULL;
    twice = apr_pstrdup(r->pool, once);
    return ap_normalize_path(twice, AP_NORMALIZE_MERGE_SLASHES) && !strcmp(once, twice) ? once : NULL;
}

int icp_admit_exempt(request_rec *r, const icp_conf_t *conf)
{
    const char *path = NULL;
    for (int i = 0; i < conf->exempt->nelts; i++) {
        const char *prefix = APR_ARRAY_IDX(conf->exempt, i, const char *);
        if (!strcmp(prefix, ICP_ACME_PREFIX)) {
            if (is_acme_challenge(r, r->uri)) return 1;
        }
        else if ((path || (path = plain_path(r))) && begins_with(path, prefix)) {
            return 1;
        }
    }
    return 0;
}

int icp_admit_strayed(request_rec *r, const icp_conf_t *conf)
{
    return nearest_mark(r)->admission == ICP_ADMIT_EXEMPT && !icp_admit_exempt(r, conf);
}

/* --- passes ----------------------------------------------------------------------------------------- */

static int is_pass(const char *token, apr_size_t length, apr_int64_t site_id, apr_time_t *expiry)
{
    return token && icp_pass_check(&icp_main_conf()->pass_key, token, length, site_id, apr_time_now(), expiry);
}

/* The value of the first parameter icp-pass of a query, its length in `length`; NULL if there is none. `rest` is the query without
 * any of them, NULL if nothing else is in it. */
static const char *pass_parameter(apr_size_t *length, char **rest, const char *args, apr_pool_t *pool)
{
    static const char name[] = ICP_PASS_NAME "=";
    const char *value = NULL;
    *rest = NULL;
    while (args && *args) {
        apr_size_t size = strcspn(args, "&");
        if (!strncmp(args, name, sizeof name - 1)) {
            if (!value) {
                value = args + sizeof name - 1;
                *length = size - (sizeof name - 1);
            }
        }
        else {
            *rest = apr_psprintf(pool, "%s%s%.*s", *rest ? *rest : "", *rest ? "&" : "", (int)size, args);
        }
        args += size + (args[size] == '&');
    }
    return value;
}

/* The same URL without the token, on this host: two slashes, or what browsers take for them, would name another. */
static void move_to_cookie(request_rec *r, const char *token, const char *rest, apr_time_t expiry)
{
    const char *path = r->uri + strspn(r->uri, "/\\");
    int is_https = !strcmp(ap_http_scheme(r), "https");
    long seconds = (long)apr_time_sec(expiry - apr_time_now());
    ap_cookie_write(r, ICP_PASS_NAME, token, is_https ? "Path=/;HttpOnly;SameSite=Lax;Secure" : "Path=/;HttpOnly;SameSite=Lax",
                    seconds > 0 ? seconds : 1, r->err_headers_out, NULL);

    r->status = HTTP_SEE_OTHER;
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, "/", path, rest ? "?" : NULL, rest, NULL));
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_set_content_length(r, 0);
    if (ap_discard_request_body(r) != OK) r->connection->keepalive = AP_CONN_CLOSE;
}

/* The site's own code is not to be trusted with a token, nor a cache with what it let through. */
static void let_through(request_rec *r, apr_int64_t site_id)
{
    const char *ignored;
    apr_table_unset(r->headers_in, ICP_PASS_HEADER);
    ap_cookie_read(r, ICP_PASS_NAME, &ignored, 1);
    apr_table_setn(r->err_headers_out, "Cache-Control", "private, no-store");
    mark(r, ICP_ADMIT_PASS, site_id);
}

static icp_admission_e admit_bearer(request_rec *r, apr_int64_t site_id)
{
    const char *token = apr_table_get(r->headers_in, ICP_PASS_HEADER);
    apr_size_t length;
    apr_time_t expiry;
    char *rest;

    if (token && is_pass(token, strlen(token), site_id, NULL)) {
        let_through(r, site_id);
        return ICP_ADMIT_PASS;
    }
    token = pass_parameter(&length, &rest, r->args, r->pool);
    if (token && r->method_number == M_GET && is_pass(token, length, site_id, &expiry)) {
        move_to_cookie(r, apr_pstrmemdup(r->pool, token, length), rest, expiry);
        return ICP_ADMIT_MOVED;
    }
    if (ap_cookie_read(r, ICP_PASS_NAME, &token, 0) == APR_SUCCESS && token && is_pass(token, strlen(token), site_id, NULL)) {
        let_through(r, site_id);
        return ICP_ADMIT_PASS;
    }
    return ICP_ADMIT_NO;
}

icp_admission_e icp_admit(request_rec *r, const icp_conf_t *conf, apr_int64_t site_id)
{
    const icp_mark_t *before = nearest_mark(r);
    if (before->admission == ICP_ADMIT_PASS && before->site_id == site_id) return ICP_ADMIT_PASS;
    if (before->admission != ICP_ADMIT_EXEMPT && icp_admit_exempt(r, conf)) {
        mark(r, ICP_ADMIT_EXEMPT, site_id);
        return ICP_ADMIT_EXEMPT;
    }
    if (!site_id || !icp_main_conf()->has_pass_key) return ICP_ADMIT_NO;
    return admit_bearer(r, site_id);
}
