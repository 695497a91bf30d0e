/* Adding, editing and removing sites. Everything that can be refused is refused before the first write, so that an
 * import can go on after a bad line without undoing anything. */
#include "site.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "audit.h"
#include "host.h"
#include "license.h"
#include "license_number.h"
#include "text.h"
#include "verdict.h"

#define HOMEPAGE_MAX 2000

typedef struct site_number_t {
    apr_int64_t license_id;
    int suffix, active;
    const char *text;
} site_number_t;

static json_t *strings_json(const apr_array_header_t *strings)
{
    json_t *array = json_array();
    for (int i = 0; i < strings->nelts; i++)
        json_array_append_new(array, json_string(APR_ARRAY_IDX(strings, i, const char *)));
    return array;
}

static json_t *site_json(const icp_site_t *site)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:b}", "name", site->name, "hosts", strings_json(site->hosts), "numbers",
                     strings_json(site->numbers), "homepage", site->homepage, "serve_unlicensed",
                     site->serve_unlicensed);
}

static int index_of(const apr_array_header_t *strings, const char *wanted)
{
    for (int i = 0; i < strings->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(strings, i, const char *), wanted) == 0) return i;
    }
    return -1;
}

static icp_error_t *bad_name(const char *name, const char *what, apr_pool_t *pool)
{
    return icp_error(pool, ICP_USAGE, "name the site after its main host, such as www.example.cn",
                     "'%s' cannot name a site: %s", icp_text_printable(name, 80, pool), what);
}

/* *host is the name itself where it is a host name, else NULL. */
static icp_error_t *check_name(const char **name, const char **host, const char *given, apr_pool_t *pool)
{
    *host = NULL;
    if (!*given) return bad_name(given, "it is empty", pool);
    if (*given != '*' && !icp_host_normalise(name, given, 0, pool) && strpbrk(*name, ".:")) {
        *host = *name;
        return NULL;
    }
    *name = apr_pstrdup(pool, given);
    if (strlen(given) > ICP_TEXT_NAME_MAX) return bad_name(given, "it is longer than 253 bytes", pool);
    if (!icp_text_plain(given)) return bad_name(given, "it contains control characters or is not UTF-8", pool);
    if (icp_text_has_space(given)) return bad_name(given, "it contains white space", pool);
    if (strpbrk(given, "/\\*")) return bad_name(given, "it contains a slash or an asterisk", pool);
    if (*given == '-') return bad_name(given, "it begins with '-', as options do", pool);
    return NULL;
}

/* Adds the normal form of each host to `hosts`, once. */
static icp_error_t *add_hosts(apr_array_header_t *hosts, const apr_array_header_t *given, apr_pool_t *pool)
{
    for (int i = 0; given && i < given->nelts; i++) {
        const char *host;
        ICP_TRY(icp_host_normalise(&host, APR_ARRAY_IDX(given, i, const char *), 1, pool));
        if (index_of(hosts, host) < 0) APR_ARRAY_PUSH(hosts, const char *) = host;
    }
    return NULL;
}

static icp_error_t *host_owner(const char **name, apr_int64_t *id, int *suspended, icp_register_t *reg,
                               const char *host, apr_pool_t *pool)
{
    icp_stmt_t *stmt;
    int row;
    *name = NULL;
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOST_OWNER, "s", host));
    ICP_TRY(icp_stmt_step(&row, stmt));
    if (!row) return NULL;
    *name = icp_stmt_text(stmt, 0, pool);
    *id = icp_stmt_int(stmt, 1);
    *suspended = (int)icp_stmt_int(stmt, 2);
    icp_stmt_reset(stmt);
    return NULL;
}

/* A host of its own would be taken out of the wildcard that keeps it from being served. */
static icp_error_t *refuse_under_suspended(icp_register_t *reg, const char *host, apr_int64_t site_id, apr_pool_t *pool)
{
    const char *owner, *dot = strncmp(host, "*.", 2) == 0 ? host + 1 : host;
    apr_int64_t owner_id = 0;
    int suspended, row;
    icp_stmt_t *stmt;

    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOST_WILDCARDS, ""));
    ICP_TRY(icp_stmt_step(&row, stmt));
    int any = row && icp_stmt_int(stmt, 0);
    icp_stmt_reset(stmt);
    while (any && (dot = strchr(dot + 1, '.'))) {
        ICP_TRY(host_owner(&owner, &owner_id, &suspended, reg, apr_pstrcat(pool, "*", dot, NULL), pool));
        if (!owner) continue;
        if (!suspended || owner_id == site_id) return NULL;
        return icp_error(
            pool, ICP_REFUSED, apr_psprintf(pool, "first enable %s, or add the host to it", owner),
            "%s is a host of %s, by the wildcard *%s, which is suspended: as another site's it would be served", host,
            owner, dot);
    }
    return NULL;
}

/* New hosts of the site of that name (0: not on file yet): nobody else's, and not kept from being served. */
static icp_error_t *check_hosts(icp_register_t *reg, const apr_array_header_t *hosts, const char *name,
                                apr_int64_t site_id, apr_pool_t *pool)
{
    for (int i = 0; i < hosts->nelts; i++) {
        const char *owner, *host = APR_ARRAY_IDX(hosts, i, const char *);
        apr_int64_t owner_id = 0;
        int suspended;
        ICP_TRY(host_owner(&owner, &owner_id, &suspended, reg, host, pool));
        if (owner && owner_id != site_id) {
            return icp_error_about(
                icp_error(pool, ICP_REFUSED,
                          apr_psprintf(pool, "if it is no longer that one's: icpadmin site edit %s --remove-host %s",
                                       owner, host),
                          "the host %s belongs to the site %s", host, owner),
                strcmp(host, name) ? "hosts" : "name");
        }
        ICP_TRY(
            icp_error_about(refuse_under_suspended(reg, host, site_id, pool), strcmp(host, name) ? "hosts" : "name"));
    }
    return NULL;
}

/* A list of site_number_t, each once; their licenses must be on file. */
static icp_error_t *check_numbers(apr_array_header_t **list, icp_register_t *reg, const apr_array_header_t *given,
                                  apr_pool_t *pool)
{
    *list = apr_array_make(pool, 1, sizeof(site_number_t));
    for (int i = 0; given && i < given->nelts; i++) {
        icp_number_t *number;
        apr_int64_t license_id;
        int active, known = 0;
        ICP_TRY(icp_license_parse(&number, APR_ARRAY_IDX(given, i, const char *), pool));
        if (number->service) {
            return icp_error(pool, ICP_USAGE, "give the website's number, with a suffix without letter",
                             "%s is the number of an app, not of a website", number->text);
        }
        ICP_TRY(icp_license_id(&license_id, &active, reg, number, pool));
        for (int j = 0; j < (*list)->nelts; j++)
            known |= strcmp(APR_ARRAY_IDX(*list, j, site_number_t).text, number->text) == 0;
        if (known) continue;
        APR_ARRAY_PUSH(*list, site_number_t) =
            (site_number_t){.license_id = license_id, .suffix = number->suffix, .active = active, .text = number->text};
    }
    return NULL;
}

static int is_host_of(const apr_array_header_t *hosts, const char *name)
{
    for (int i = 0; i < hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(hosts, i, const char *);
        if (strcmp(host, name) == 0 || icp_host_covers(host, name)) return 1;
    }
    return 0;
}

/* A path, or a URL on one of the site's hosts: its name becomes the host's normal form, which is the one that can be asked for. */
static icp_error_t *check_homepage(const char **result, const apr_array_header_t *hosts, apr_pool_t *pool)
{
    static const char remedy[] = "give a path such as /index.html, or a whole URL on one of the site's hosts";
    apr_uri_t uri;
    const char *homepage = *result, *host, *shown = icp_text_printable(homepage, 80, pool);

    if (strlen(homepage) > HOMEPAGE_MAX || !icp_text_plain(homepage) || icp_text_has_space(homepage)) {
        return icp_error(pool, ICP_USAGE, remedy,
                         "'%s' is no home page: it is too long, or contains white space or control characters", shown);
    }
    if (homepage[0] == '/' && homepage[1] != '/') return NULL;
    if (apr_uri_parse(pool, homepage, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        (strcasecmp(uri.scheme, "http") != 0 && strcasecmp(uri.scheme, "https") != 0)) {
        return icp_error(pool, ICP_USAGE, remedy, "'%s' is no home page: it is neither a path nor an http or https URL",
                         shown);
    }
    ICP_TRY(icp_host_normalise(&host, uri.hostname, 0, pool));
    if (!is_host_of(hosts, host)) {
        return icp_error(pool, ICP_USAGE, remedy, "'%s' is no home page of this site: %s is not one of its hosts",
                         shown, host);
    }
    if (strcmp(host, uri.hostname) != 0) {
        uri.hostname = apr_pstrdup(pool, host);
        *result = apr_uri_unparse(pool, &uri, APR_URI_UNP_REVEALPASSWORD);
    }
    return NULL;
}

static icp_error_t *insert_hosts(icp_register_t *reg, apr_int64_t site_id, const apr_array_header_t *hosts)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < hosts->nelts; i++) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOST_INSERT, "si", APR_ARRAY_IDX(hosts, i, const char *),
                                 site_id));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

static icp_error_t *change_numbers(icp_register_t *reg, icp_stmt_e which, apr_int64_t site_id,
                                   const apr_array_header_t *numbers)
{
    icp_stmt_t *stmt;
    for (int i = 0; i < numbers->nelts; i++) {
        const site_number_t *number = &APR_ARRAY_IDX(numbers, i, site_number_t);
        ICP_TRY(
            icp_db_statement(&stmt, reg->db, which, "iii", site_id, number->license_id, (apr_int64_t)number->suffix));
        ICP_TRY(icp_stmt_run(stmt));
    }
    return NULL;
}

icp_error_t *icp_site_add(icp_register_t *reg, icp_site_t *site, apr_pool_t *pool)
{
    const char *name, *host;
    icp_stmt_t *stmt;
    int row, active = 0;
    apr_array_header_t *numbers, *hosts = apr_array_make(pool, 2, sizeof(const char *));

    ICP_TRY(icp_error_about(check_name(&name, &host, site->name, pool), "name"));
    if (host) APR_ARRAY_PUSH(hosts, const char *) = host;
    ICP_TRY(icp_error_about(add_hosts(hosts, site->hosts, pool), "hosts"));
    if (!hosts->nelts) {
        return icp_error_about(
            icp_error(pool, ICP_USAGE, "say under which host names it is served: --host, or the column hosts of a file",
                      "the site %s has no host name", name),
            "hosts");
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_FIND, "s", name));
    ICP_TRY(icp_stmt_step(&row, stmt));
    icp_stmt_reset(stmt);
    if (row) {
        return icp_error_about(icp_error(pool, ICP_REFUSED,
                                         apr_psprintf(pool, "icpadmin site edit %s changes it", name),
                                         "the site %s is on file", name),
                               "name");
    }
    ICP_TRY(check_hosts(reg, hosts, name, 0, pool));
    ICP_TRY(icp_error_about(check_numbers(&numbers, reg, site->numbers, pool), "license"));
    const char *homepage = site->homepage && *site->homepage ? site->homepage : "/";
    ICP_TRY(icp_error_about(check_homepage(&homepage, hosts, pool), "homepage"));

    apr_int64_t now = apr_time_sec(reg->now);
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_INSERT, "ssii", name, homepage,
                             (apr_int64_t) !!site->serve_unlicensed, now));
    ICP_TRY(icp_stmt_run(stmt));
    site->id = icp_db_last_id(reg->db);
    ICP_TRY(insert_hosts(reg, site->id, hosts));
    ICP_TRY(change_numbers(reg, ICP_STMT_SITE_LICENSE_INSERT, site->id, numbers));

    site->name = name;
    site->hosts = hosts;
    site->homepage = homepage;
    site->numbers = apr_array_make(pool, 1, sizeof(const char *));
    site->expected = apr_array_make(pool, 1, sizeof(const char *));
    for (int i = 0; i < numbers->nelts; i++) {
        const site_number_t *number = &APR_ARRAY_IDX(numbers, i, site_number_t);
        APR_ARRAY_PUSH(site->numbers, const char *) = number->text;
        if (number->active) APR_ARRAY_PUSH(site->expected, const char *) = number->text;
        active |= number->active;
    }
    site->created_at = apr_time_from_sec(now);
    site->suspension = NULL;
    site->verdict = "";
    site->checked_at = 0;

    json_t *after = site_json(site);
    icp_error_t *error = icp_audit_event(reg, "site.add", name, NULL, after, NULL, pool);
    json_decref(after);
    if (!error && !active && !site->serve_unlicensed) {
        error = icp_suspension_open_site(&site->suspension, reg, site, "unlicensed", NULL, pool);
    }
    return error;
}

/* The hosts that go: the site's own, normal form. Refused where that would serve what is suspended. */
static icp_error_t *check_removed_hosts(apr_array_header_t **removed, const icp_site_t *site,
                                        const apr_array_header_t *given, apr_pool_t *pool)
{
    *removed = apr_array_make(pool, 1, sizeof(const char *));
    ICP_TRY(add_hosts(*removed, given, pool));
    for (int i = 0; i < (*removed)->nelts; i++) {
        const char *host = APR_ARRAY_IDX(*removed, i, const char *);
        if (index_of(site->hosts, host) < 0) {
            return icp_error(pool, ICP_NOT_FOUND,
                             apr_psprintf(pool, "icpadmin site show %s lists its hosts", site->name),
                             "%s is not a host of %s", host, site->name);
        }
        if (strcmp(host, site->name) == 0) {
            return icp_error(pool, ICP_REFUSED, "remove the site and add it under another name",
                             "the site %s is named after this host", host);
        }
        if (site->suspension) {
            return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "first enable it: icpadmin enable %s", site->name),
                             "%s is suspended: without the host %s it would be served there", site->name, host);
        }
    }
    return NULL;
}

static icp_error_t *check_removed_numbers(apr_array_header_t **removed, icp_register_t *reg, const icp_site_t *site,
                                          const apr_array_header_t *given, apr_pool_t *pool)
{
    ICP_TRY(check_numbers(removed, reg, given, pool));
    for (int i = 0; i < (*removed)->nelts; i++) {
        const char *text = APR_ARRAY_IDX(*removed, i, site_number_t).text;
        if (index_of(site->numbers, text) >= 0) continue;
        return icp_error(pool, ICP_NOT_FOUND, apr_psprintf(pool, "icpadmin site show %s lists its numbers", site->name),
                         "%s is not a number of %s", text, site->name);
    }
    return NULL;
}

/* Takes the entries that are not on file from a list of new ones. */
static void drop_known(apr_array_header_t *numbers, const icp_site_t *site)
{
    int kept = 0;
    for (int i = 0; i < numbers->nelts; i++) {
        site_number_t number = APR_ARRAY_IDX(numbers, i, site_number_t);
        if (index_of(site->numbers, number.text) < 0) APR_ARRAY_IDX(numbers, kept++, site_number_t) = number;
    }
    numbers->nelts = kept;
}

/* What a visitor of the site's front door was shown is why it is suspended: no other page can stand for that one. The same one by https
 * can: where the site has no virtual host for http, another's page was judged for its own. */
static icp_error_t *check_same_page(const icp_site_t *before, const icp_site_t *after, apr_pool_t *pool)
{
    if (!before->suspension || icp_verdict_parse(before->suspension->reason) == ICP_VERDICT_COUNT) return NULL;
    const char *was = icp_site_page(before, "http", pool), *is = icp_site_page(after, "http", pool);
    if (strcmp(was, is) == 0 || strcmp(apr_pstrcat(pool, "https", strstr(was, "://"), NULL), is) == 0) return NULL;
    return icp_error(pool, ICP_REFUSED, apr_psprintf(pool, "first enable it: icpadmin enable %s", before->name),
                     "%s is suspended for what %s shows: %s cannot be looked at in its place", before->name, was, is);
}

icp_error_t *icp_site_edit(icp_register_t *reg, const icp_site_edit_t *edit, apr_pool_t *pool)
{
    icp_site_t *before, *after;
    icp_stmt_t *stmt;
    apr_array_header_t *removed, *added_numbers, *removed_numbers,
        *given = apr_array_make(pool, 1, sizeof(const char *));
    apr_array_header_t *hosts = apr_array_make(pool, 2, sizeof(const char *)),
                       *added = apr_array_make(pool, 1, sizeof(const char *));

    ICP_TRY(icp_site_get(&before, reg, edit->name, pool));
    ICP_TRY(check_removed_hosts(&removed, before, edit->remove_hosts, pool));
    ICP_TRY(add_hosts(given, edit->add_hosts, pool));
    for (int i = 0; i < given->nelts; i++) {
        const char *host = APR_ARRAY_IDX(given, i, const char *);
        if (index_of(before->hosts, host) < 0) APR_ARRAY_PUSH(added, const char *) = host;
    }
    ICP_TRY(check_hosts(reg, added, before->name, before->id, pool));
    for (int i = 0; i < before->hosts->nelts; i++) {
        const char *host = APR_ARRAY_IDX(before->hosts, i, const char *);
        if (index_of(removed, host) < 0) APR_ARRAY_PUSH(hosts, const char *) = host;
    }
    apr_array_cat(hosts, added);
    if (!hosts->nelts) {
        return icp_error(pool, ICP_REFUSED, "add another host in the same command, or remove the site",
                         "%s would have no host name left", before->name);
    }
    ICP_TRY(check_numbers(&added_numbers, reg, edit->add_numbers, pool));
    drop_known(added_numbers, before);
    ICP_TRY(check_removed_numbers(&removed_numbers, reg, before, edit->remove_numbers, pool));
    const char *homepage = edit->homepage ? (*edit->homepage ? edit->homepage : "/") : before->homepage;
    ICP_TRY(check_homepage(&homepage, hosts, pool));
    int serve_unlicensed = edit->serve_unlicensed < 0 ? before->serve_unlicensed : !!edit->serve_unlicensed;
    icp_site_t wanted = *before;
    wanted.homepage = homepage;
    wanted.hosts = hosts;
    ICP_TRY(check_same_page(before, &wanted, pool));

    for (int i = 0; i < removed->nelts; i++) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_HOST_DELETE, "si", APR_ARRAY_IDX(removed, i, const char *),
                                 before->id));
        ICP_TRY(icp_stmt_run(stmt));
    }
    ICP_TRY(insert_hosts(reg, before->id, added));
    ICP_TRY(change_numbers(reg, ICP_STMT_SITE_LICENSE_DELETE, before->id, removed_numbers));
    ICP_TRY(change_numbers(reg, ICP_STMT_SITE_LICENSE_INSERT, before->id, added_numbers));
    if (strcmp(homepage, before->homepage) != 0 || serve_unlicensed != before->serve_unlicensed) {
        ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_UPDATE, "isi", before->id, homepage,
                                 (apr_int64_t)serve_unlicensed));
        ICP_TRY(icp_stmt_run(stmt));
    }
    ICP_TRY(icp_site_get(&after, reg, before->name, pool));

    json_t *old = site_json(before), *new = site_json(after);
    icp_error_t *error = NULL;
    if (!json_equal(old, new)) error = icp_audit_event(reg, "site.edit", before->name, old, new, NULL, pool);
    json_decref(old);
    json_decref(new);
    if (!error && !after->expected->nelts && !serve_unlicensed && !after->suspension) {
        icp_suspension_t *suspension;
        error = icp_suspension_open_site(&suspension, reg, after, "unlicensed", NULL, pool);
    }
    return error;
}

icp_error_t *icp_site_remove(icp_register_t *reg, const char *name, const char *note, apr_pool_t *pool)
{
    icp_site_t *site;
    icp_stmt_t *stmt;
    ICP_TRY(icp_site_get(&site, reg, name, pool));
    if (site->suspension) {
        return icp_error(pool, ICP_REFUSED,
                         apr_psprintf(pool, "keep it on file; once its page is right: icpadmin enable %s", site->name),
                         "%s is suspended: without its entry it would be served", site->name);
    }
    ICP_TRY(icp_db_statement(&stmt, reg->db, ICP_STMT_SITE_DELETE, "i", site->id));
    ICP_TRY(icp_stmt_run(stmt));

    json_t *before = site_json(site);
    icp_error_t *error = icp_audit_event(reg, "site.remove", site->name, before, NULL, note, pool);
    json_decref(before);
    return error;
}
