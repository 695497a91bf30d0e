/* Finding and listing sites. */
#include "site.h"

#include <string.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "host.h"
#include "text.h"

static icp_error_t *find(apr_int64_t *id, icp_register_t *reg, icp_stmt_e which, const char *name)
{
    icp_stmt_t *stmt;
    int row;
    *id = 0;
    ICP_TRY(icp_db_statement(&stmt, reg->db, which, "s", name));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (row) *id = icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    return NULL;
}

static icp_error_t *read_lists(icp_site_t *site, icp_register_t *reg, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    site->hosts = apr_array_make(pool, 2, sizeof(const char *));
    site->numbers = apr_array_make(pool, 1, sizeof(const char *));
    site->expected = apr_array_make(pool, 1, sizeof(const char *));

    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_HOSTS, "i", site->id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        APR_ARRAY_PUSH(site->hosts, const char *) = icp_stmt_text(stmt, 0, pool);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_NUMBERS, "i", site->id));
    for (;;) {
        ICP_TRY(icp_stmt_step(&row, stmt));
        if (!row) break;
        const char *number = icp_stmt_text(stmt, 0, pool);
        APR_ARRAY_PUSH(site->numbers, const char *) = number;
        if (icp_stmt_int(stmt, 1)) APR_ARRAY_PUSH(site->expected, const char *) = number;
    }
    return NULL;
}

static icp_error_t *get_by_id(icp_site_t **result, icp_register_t *reg, apr_int64_t id, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *result = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_BY_ID, "i", id));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    icp_site_t *site = apr_pcalloc(pool, sizeof *site);
    site->id = icp_stmt_int(stmt, 0);
    site->name = icp_stmt_text(stmt, 1, pool);
    site->homepage = icp_stmt_text(stmt, 2, pool);
    site->serve_unlicensed = (int)icp_stmt_int(stmt, 3);
    site->created_at = apr_time_from_sec(icp_stmt_int(stmt, 4));
    if (!icp_stmt_null(stmt, 5)) {
        site->suspension = apr_pcalloc(pool, sizeof *site->suspension);
        site->suspension->id = icp_stmt_int(stmt, 5);
        site->suspension->reason = icp_stmt_text(stmt, 6, pool);
        site->suspension->opened_at = apr_time_from_sec(icp_stmt_int(stmt, 7));
        site->suspension->opened_by = icp_stmt_text(stmt, 8, pool);
        site->suspension->pass_epoch = (apr_uint32_t)icp_stmt_int(stmt, 11);
    }
    site->enabled = icp_stmt_int(stmt, 12);
    site->verdict = icp_stmt_null(stmt, 9) ? "" : icp_stmt_text(stmt, 9, pool);
    site->checked_at = apr_time_from_sec(icp_stmt_int(stmt, 10));
    icp_stmt_reset(stmt);
    *result = site;
    return read_lists(site, reg, pool);
}

/* As it is copied from a browser: the host of a URL. */
static const char *host_given(const char *text, apr_pool_t *pool)
{
    apr_uri_t uri;
    const char *given = icp_text_trim(text, pool), *host;
    if (strstr(given, "://") && apr_uri_parse(pool, given, &uri) == APR_SUCCESS && uri.hostname) given = uri.hostname;
    return icp_host_normalise(&host, given, 1, pool) ? NULL : host;
}

/* The site whose wildcard covers the host, for the remedy: a mistyped name is not taken for it. */
static icp_error_t *not_on_file(icp_register_t *reg, const char *name, const char *host, apr_pool_t *pool)
{
    icp_site_t *site = NULL;
    const char *remedy = "icpadmin site list shows those on file; icpadmin site add puts one there";
    for (const char *dot = host; dot && !site && (dot = strchr(dot, '.')); dot++) {
        apr_int64_t id;
        ICP_TRY(find(&id, reg, ICP_STMT_SITE_FIND_BY_HOST, apr_pstrcat(pool, "*", dot, NULL)));
        if (id) ICP_TRY(get_by_id(&site, reg, id, pool));
    }
    if (site) remedy = apr_psprintf(pool, "the site %s covers that host: give its name", site->name);
    return icp_error(pool, ICP_NOT_FOUND, remedy, "no site is on file as %s", icp_text_printable(name, ICP_TEXT_NAME_MAX, pool));
}

icp_error_t *icp_site_get(icp_site_t **site, icp_register_t *reg, const char *name, apr_pool_t *pool)
{
    apr_int64_t id;
    const char *host = NULL;
    *site = NULL;
    ICP_TRY(find(&id, reg, ICP_STMT_SITE_FIND, name));
    if (!id && (host = host_given(name, pool))) {
        ICP_TRY(find(&id, reg, ICP_STMT_SITE_FIND_BY_HOST, host));
    }
    if (id) ICP_TRY(get_by_id(site, reg, id, pool));
    return *site ? NULL : not_on_file(reg, name, host, pool);
}

icp_error_t *icp_site_each(icp_register_t *reg, icp_site_filter_e filter, icp_site_fn *fn, void *baton,
                           apr_pool_t *pool)
{
    icp_site_t *site;
    apr_array_header_t *ids;
    apr_pool_t *item_pool;
    icp_stmt_t *stmt;
    if (filter == ICP_SITES_ALL)
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_IDS, ""));
    else
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_IDS, "i", (apr_int64_t)(filter == ICP_SITES_SUSPENDED)));
    ICP_TRY(icp_stmt_ids(&ids, stmt, pool));
    apr_pool_create(&item_pool, pool);
    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_clear(item_pool);
        ICP_TRY(get_by_id(&site, reg, APR_ARRAY_IDX(ids, i, apr_int64_t), item_pool));
        if (site) ICP_TRY(fn(site, baton, item_pool));
    }
    apr_pool_destroy(item_pool);
    return NULL;
}

/* Before another among the hosts of a site, as they are listed. */
static int comes_before(const char *host, const char *other)
{
    int wild = *host == '*', other_wild = *other == '*';
    return wild != other_wild ? other_wild : strcmp(host, other) < 0;
}

const char *icp_site_page(const icp_site_t *site, const char *scheme, apr_pool_t *pool)
{
    const char *host = NULL;
    if (*site->homepage != '/') return site->homepage;
    for (int i = 0; i < site->hosts->nelts && (!host || strcmp(host, site->name)); i++) {
        const char *own = APR_ARRAY_IDX(site->hosts, i, const char *);
        if (!host || !strcmp(own, site->name) || comes_before(own, host)) host = own;
    }
    if (!host) host = site->name;
    return apr_pstrcat(pool, scheme, "://", *host == '*' ? "www" : "", *host == '*' ? host + 1 : host, site->homepage, NULL);
}
