/* Exempt paths and passes. Both are narrow on purpose: what is let through here is the site's content, served although the
 * register says no. */
#include "admit.h"

#include <string.h>

#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "bearer.h"
#include "shared.h"

APLOG_USE_MODULE(icp);

/* --- the mark on a request that was let through ----------------------------------------------------- */

const icp_mark_t icp_mark_open = {ICP_ADMIT_OPEN, 0, 0};

static void mark(request_rec *r, icp_admission_e admission, apr_int64_t site_id, apr_time_t expiry)
{
    icp_mark_t *made = apr_palloc(r->pool, sizeof *made);
    made->admission = admission;
    made->site_id = site_id;
    made->expiry = expiry;
    icp_mark(r, made);
}

/* Of the request, or of the nearest one that it was made from. */
static const icp_mark_t *nearest_mark(const request_rec *r)
{
    static const icp_mark_t none = {ICP_ADMIT_NO, 0, 0};
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

/* Is the path, as the client sent it, one that ICPExempt lets through? No spelling of another path is. */
static int is_exempt(request_rec *r, const icp_conf_t *conf)
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

int icp_admit_is_bearer(const request_rec *r)
{
    return nearest_mark(r)->admission == ICP_ADMIT_PASS;
}

int icp_admit_strayed(request_rec *r, const icp_conf_t *conf)
{
    return nearest_mark(r)->admission == ICP_ADMIT_EXEMPT && !is_exempt(r, conf);
}

/* --- passes ----------------------------------------------------------------------------------------- */

/* The filter that has the last word on the header of what a pass lets through. */
static ap_filter_rec_t *banner_filter;

static apr_status_t put_banner(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    icp_bearer_banner(f->r, nearest_mark(f->r)->expiry);
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

static void insert_banner(request_rec *r)
{
    if (icp_mark_of(r) == &icp_mark_open || nearest_mark(r)->admission != ICP_ADMIT_PASS) return;
    ap_add_output_filter_handle(banner_filter, NULL, r, r->connection);
}

void icp_admit_register(void)
{
    banner_filter = ap_register_output_filter("ICP_PASS", put_banner, NULL, AP_FTYPE_PROTOCOL - 1);
    ap_hook_insert_filter(insert_banner, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_insert_error_filter(insert_banner, NULL, NULL, APR_HOOK_REALLY_LAST);
}

static int is_good(icp_pass_t *pass, const char *token, icp_pass_kind_e kind, const icp_snapshot_site_t *site)
{
    *pass = (icp_pass_t){kind, site->case_id, site->pass_epoch, 0, 0};
    return token && icp_pass_check(&icp_main_conf()->pass_key, token, strlen(token), pass, apr_time_now());
}

/* What was used before httpd was started nobody remembers: of that time no pass is good. Unless the clock was put back since: then it
 * does not tell. */
static int is_first_use(const icp_pass_t *pass)
{
    uint32_t now = (uint32_t)apr_time_sec(apr_time_now()), since = (uint32_t)apr_time_sec(icp_shared->since);
    uint32_t expiry = (uint32_t)apr_time_sec(pass->expiry);
    if (since <= now && expiry < since + ICP_PASS_CHECK_SECONDS) return 0;
    return icp_once_use(&icp_shared->once, pass->nonce, expiry, now);
}

static icp_admission_e let_through(request_rec *r, const icp_snapshot_site_t *site, const icp_pass_t *pass)
{
    icp_count(pass->kind == ICP_PASS_CHECK ? &icp_shared->counts.check_passes : &icp_shared->counts.owner_passes);
    icp_bearer_keep_private(r);
    mark(r, ICP_ADMIT_PASS, site->id, pass->expiry);
    return ICP_ADMIT_PASS;
}

static icp_admission_e admit_bearer(request_rec *r, const icp_snapshot_site_t *site, const icp_tokens_t *tokens)
{
    icp_pass_t pass;
    if (!tokens->header && !tokens->query && !tokens->cookies->nelts) return ICP_ADMIT_NO;
    if (is_good(&pass, tokens->header, ICP_PASS_CHECK, site) && is_first_use(&pass)) return let_through(r, site, &pass);
    if (r->method_number == M_GET && is_good(&pass, tokens->query, ICP_PASS_OWNER, site)) {
        icp_bearer_move_to_cookie(r, tokens->query, pass.expiry);
        return ICP_ADMIT_MOVED;
    }
    for (int i = 0; i < tokens->cookies->nelts; i++) {
        if (is_good(&pass, APR_ARRAY_IDX(tokens->cookies, i, const char *), ICP_PASS_OWNER, site)) return let_through(r, site, &pass);
    }
    icp_count(&icp_shared->counts.refused_passes);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "A pass opens nothing here: it has ended, was revoked or used, is for another site, or is "
                  "signed with a key that httpd has not read");
    return ICP_ADMIT_NO;
}

icp_admission_e icp_admit(request_rec *r, const icp_conf_t *conf, const icp_snapshot_site_t *site)
{
    const icp_mark_t *before = nearest_mark(r);
    icp_admission_e admission = ICP_ADMIT_NO;
    icp_tokens_t tokens;
    if (before->admission == ICP_ADMIT_PASS && site && before->site_id == site->id) return ICP_ADMIT_PASS;
    icp_bearer_take(&tokens, r);
    if (site && icp_main_conf()->has_pass_key) admission = admit_bearer(r, site, &tokens);
    if (admission != ICP_ADMIT_NO || before->admission == ICP_ADMIT_EXEMPT || !is_exempt(r, conf)) return admission;
    icp_count(&icp_shared->counts.exempt);
    mark(r, ICP_ADMIT_EXEMPT, site ? site->id : 0, 0);
    return ICP_ADMIT_EXEMPT;
}
