#include "bearer.h"

#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>
#include <scoreboard.h>
#include <util_cookies.h>

/* --- taking tokens ---------------------------------------------------------------------------------- */

/* The query of `length` bytes without any parameter icp-pass; NULL if nothing else is in it. *value: of the first such parameter. */
static char *without_token(const char **value, const char *query, apr_size_t length, apr_pool_t *pool)
{
    static const char name[] = ICP_PASS_NAME "=";
    const char *end = query + length;
    char *rest = NULL;
    while (query < end) {
        const char *stop = memchr(query, '&', (apr_size_t)(end - query));
        apr_size_t size = (apr_size_t)((stop ? stop : end) - query);
        if (size < sizeof name - 1 || strncmp(query, name, sizeof name - 1) != 0) {
            rest = apr_psprintf(pool, "%s%s%.*s", rest ? rest : "", rest ? "&" : "", (int)size, query);
        }
        else if (value && !*value) {
            *value = apr_pstrmemdup(pool, query + sizeof name - 1, size - (sizeof name - 1));
        }
        query += size + (stop != NULL);
    }
    return rest;
}

/* A request line or a URL without it. */
static char *line_without_token(char *line, apr_pool_t *pool)
{
    char *query = line ? strchr(line, '?') : NULL;
    if (!query) return line;
    apr_size_t length = strcspn(++query, " #");
    const char *rest = without_token(NULL, query, length, pool);
    return apr_psprintf(pool, "%.*s%s%s", (int)(query - line) - !rest, line, rest ? rest : "", query + length);
}

static const char *take_query(request_rec *r)
{
    const char *token = NULL;
    if (!r->args || !strstr(r->args, ICP_PASS_NAME "=")) return NULL;
    char *rest = without_token(&token, r->args, strlen(r->args), r->pool);
    if (!token) return NULL;
    r->args = rest;
    r->parsed_uri.query = rest;
    r->the_request = line_without_token(r->the_request, r->pool);
    r->unparsed_uri = line_without_token(r->unparsed_uri, r->pool);
    ap_update_child_status(r->connection->sbh, SERVER_BUSY_WRITE, r); /* which mod_status shows */
    return token;
}

static int is_token_name(const char *name, apr_size_t length)
{
    static const char *const names[] = {ICP_PASS_NAME, ICP_PASS_NAME_HTTPS};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (length == strlen(names[i]) && !strncmp(name, names[i], length)) return 1;
    }
    return 0;
}

/* All of them: a stale one must not stand in a fresh one's way. */
static apr_array_header_t *take_cookies(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Cookie");
    apr_array_header_t *tokens = apr_array_make(r->pool, 1, sizeof(const char *));
    char *rest = NULL;
    if (!header || !strstr(header, ICP_PASS_NAME "=")) return tokens;
    for (const char *at = header; *at;) {
        at += strspn(at, " \t;");
        apr_size_t size = strcspn(at, ";"), name = strcspn(at, "=;");
        if (name < size && is_token_name(at, name)) {
            const char *value = at + name + 1;
            apr_size_t length = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyz.");
            APR_ARRAY_PUSH(tokens, const char *) = apr_pstrmemdup(r->pool, value, length);
        }
        else if (size) {
            rest = apr_psprintf(r->pool, "%s%s%.*s", rest ? rest : "", rest ? "; " : "", (int)size, at);
        }
        at += size;
    }
    if (!tokens->nelts) return tokens;
    if (rest) apr_table_setn(r->headers_in, "Cookie", rest);
    else apr_table_unset(r->headers_in, "Cookie");
    return tokens;
}

void icp_bearer_take(icp_tokens_t *tokens, request_rec *r)
{
    tokens->header = apr_table_get(r->headers_in, ICP_PASS_HEADER);
    apr_table_unset(r->headers_in, ICP_PASS_HEADER);
    tokens->query = take_query(r);
    tokens->cookies = take_cookies(r);
}

/* --- answers ---------------------------------------------------------------------------------------- */

void icp_bearer_keep_private(request_rec *r)
{
    apr_table_setn(r->subprocess_env, "no-cache", "1");
}

void icp_bearer_banner(request_rec *r, apr_time_t expiry)
{
    static const char *const replaced[] = {"Cache-Control", "CDN-Cache-Control", "Surrogate-Control", "Expires", ICP_PASS_HEADER};
    for (unsigned i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        apr_table_unset(r->headers_out, replaced[i]);
        apr_table_unset(r->err_headers_out, replaced[i]);
    }
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-store");
    apr_table_setn(r->headers_out, "CDN-Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Surrogate-Control", "no-store");
    apr_table_setn(r->headers_out, ICP_PASS_HEADER, apr_psprintf(r->pool, "until=%" APR_TIME_T_FMT, apr_time_sec(expiry)));
    apr_table_mergen(r->headers_out, "Vary", "Cookie");
}

void icp_bearer_move_to_cookie(request_rec *r, const char *token, apr_time_t expiry)
{
    /* On this host: two slashes, or what browsers take for them, would name another. */
    const char *path = r->uri + strspn(r->uri, "/\\");
    int is_https = !strcmp(ap_http_scheme(r), "https");
    long seconds = (long)apr_time_sec(expiry - apr_time_now());
    ap_cookie_write(r, is_https ? ICP_PASS_NAME_HTTPS : ICP_PASS_NAME, token,
                    is_https ? "Path=/;HttpOnly;SameSite=Lax;Secure" : "Path=/;HttpOnly;SameSite=Lax", seconds > 0 ? seconds : 1,
                    r->err_headers_out, NULL);

    r->status = HTTP_SEE_OTHER;
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, "/", path, r->args ? "?" : NULL, r->args, NULL));
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    icp_bearer_banner(r, expiry);
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_set_content_length(r, 0);
    if (ap_discard_request_body(r) != OK) r->connection->keepalive = AP_CONN_CLOSE;
}
