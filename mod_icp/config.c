/* Reads the directives: every argument is checked here, and an error names the directive, what was given and what is
 * allowed. Nothing is opened but the notice's template. */
#include "config.h"

#include <stddef.h>

#include <apr_strings.h>
#include <apr_uri.h>

#include "host.h"
#include "notice.h"
#include "register.h"

static const char *const root_path[] = {"/"};
static const char *const acme_prefix[] = {ICP_ACME_PREFIX};
static const apr_array_header_t only_root = {NULL, sizeof(char *), 1, 1, (char *)root_path};
static const apr_array_header_t only_acme = {NULL, sizeof(char *), 1, 1, (char *)acme_prefix};

static icp_main_conf_t *the_main_conf;

icp_main_conf_t *icp_main_conf(void)
{
    return the_main_conf;
}

/* --- defaults and merge --------------------------------------------------------------------------- */

typedef enum directive_e {
#define X(name, arguments, setter, first, last, initial, usage) DIRECTIVE_##name,
    ICP_SERVER_DIRECTIVES(X)
#undef X
} directive_e;

static const icp_conf_t defaults = {
#define X(name, arguments, setter, first, last, initial, usage) .first = initial,
    ICP_SERVER_DIRECTIVES(X)
#undef X
};

/* The bytes of icp_conf_t that a directive sets. */
static const struct span_t {
    apr_size_t begin, end;
} spans[] = {
#define X(name, arguments, setter, first, last, initial, usage) \
    {offsetof(icp_conf_t, first), offsetof(icp_conf_t, last) + sizeof defaults.last},
    ICP_SERVER_DIRECTIVES(X)
#undef X
};

void *icp_conf_create(apr_pool_t *pool, server_rec *server)
{
    icp_conf_t *conf = apr_pmemdup(pool, &defaults, sizeof defaults);
    conf->server = server;
    if (!server->is_virtual) {
        the_main_conf = apr_pcalloc(pool, sizeof *the_main_conf);
        the_main_conf->register_path = ICP_REGISTER_DEFAULT;
    }
    return conf;
}

void *icp_conf_merge(apr_pool_t *pool, void *base, void *add)
{
    const icp_conf_t *own = add;
    icp_conf_t *conf = apr_pmemdup(pool, base, sizeof *conf);
    conf->server = own->server;
    conf->given |= own->given;
    for (unsigned i = 0; i < sizeof spans / sizeof *spans; i++) {
        if (own->given & (1u << i)) {
            memcpy((char *)conf + spans[i].begin, (const char *)own + spans[i].begin, spans[i].end - spans[i].begin);
        }
    }
    return conf;
}

static void add_host(apr_array_header_t *hosts, const char *name, apr_pool_t *pool)
{
    const char *normal;
    if (name && !icp_host_normalise(&normal, name, 1, pool)) APR_ARRAY_PUSH(hosts, const char *) = normal;
}

static void add_hosts(apr_array_header_t *hosts, const apr_array_header_t *names, apr_pool_t *pool)
{
    for (int i = 0; names && i < names->nelts; i++) {
        add_host(hosts, APR_ARRAY_IDX(names, i, const char *), pool);
    }
}

void icp_conf_finish(apr_pool_t *pool, server_rec *main_server)
{
    icp_main_conf_t *mine = the_main_conf;
    for (server_rec *server = main_server; server; server = server->next) {
        icp_conf_t *conf = icp_conf(server);
        if (conf->server != server) { /* no directive of this module stands in this vhost, and httpd gave it the main server's */
            conf = apr_pmemdup(pool, conf, sizeof *conf);
            conf->server = server;
            ap_set_module_config(server->module_config, &icp_module, conf);
        }
        if (conf->engine == ICP_ENGINE_OFF) continue;
        mine->any_engine = 1;
        apr_array_header_t *hosts = apr_array_make(pool, 4, sizeof(const char *));
        add_host(hosts, server->server_hostname, pool);
        add_hosts(hosts, server->names, pool);
        add_hosts(hosts, server->wild_names, pool);
        conf->hosts = hosts;
    }
    if (!mine->sightings_path) {
        mine->sightings_path = icp_register_companion(mine->register_path, "sightings/sightings.db", pool);
    }
}

/* --- arguments (httpd lets none be empty) ---------------------------------------------------------- */

/* The setter's server, with the directive marked as given; `first` tells the first argument of an ITERATE. */
static icp_conf_t *given_here(cmd_parms *cmd, int *first)
{
    icp_conf_t *conf = icp_conf(cmd->server);
    apr_uint32_t bit = 1u << (directive_e)(apr_uintptr_t)cmd->info;
    if (first) *first = !(conf->given & bit);
    conf->given |= bit;
    return conf;
}

static const char *wrong(cmd_parms *cmd, const char *given, const char *allowed)
{
    return apr_psprintf(cmd->pool, "%s: '%s' is not allowed here; it takes %s", cmd->cmd->name, given, allowed);
}

/* One of a few words, which stand for 0, 1, 2 …; -1 if it is none of them. */
static int word_index(const char *text, const char *const *words)
{
    for (int i = 0; words[i]; i++) {
        if (!ap_cstr_casecmp(text, words[i])) return i;
    }
    return -1;
}

static const char *number_within(apr_int64_t *number, cmd_parms *cmd, const char *text, apr_int64_t least,
                                 apr_int64_t most, const char *unit)
{
    char *end;
    errno = 0;
    *number = apr_strtoi64(text, &end, 10);
    if (errno || end == text || *end || *number < least || *number > most) {
        return wrong(cmd, text, apr_psprintf(cmd->pool, "a whole number of %s from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                                             unit, least, most));
    }
    return NULL;
}

static int is_web_url(cmd_parms *cmd, const char *text)
{
    apr_uri_t uri;
    return apr_uri_parse(cmd->pool, text, &uri) == APR_SUCCESS && uri.scheme && uri.hostname && *uri.hostname
           && (!ap_cstr_casecmp(uri.scheme, "http") || !ap_cstr_casecmp(uri.scheme, "https"))
           && !text[strcspn(text, " \"<>\\^`{|}\r\n\t")];
}

/* A page a visitor is sent to: absolute, or a path on the site's own host. */
static const char *link_to(const char **field, cmd_parms *cmd, const char *text)
{
    if (!is_web_url(cmd, text) && (text[0] != '/' || text[1] == '/')) {
        return wrong(cmd, text, "a URL that begins with http:// or https://, or a path that begins with '/'");
    }
    *field = text;
    return NULL;
}

static const char *add_path(const apr_array_header_t **list, cmd_parms *cmd, const char *path, int first)
{
    if (first) *list = apr_array_make(cmd->pool, 4, sizeof(const char *));
    APR_ARRAY_PUSH((apr_array_header_t *)*list, const char *) = path;
    return NULL;
}

static const char *file_of_main_server(const char **field, cmd_parms *cmd, const char *text)
{
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    if (error) return error;
    *field = ap_server_root_relative(cmd->pool, text);
    return *field ? NULL : wrong(cmd, text, "the path of a file");
}

/* --- one setter for each directive ------------------------------------------------------------------ */

static const char *set_engine(cmd_parms *cmd, void *dir, const char *text)
{
    static const char *const words[] = {"Off", "Observe", "On", NULL};
    int value = word_index(text, words);
    if (value < 0) return wrong(cmd, text, "On, Observe or Off");
    given_here(cmd, NULL)->engine = value;
    return NULL;
}

static const char *set_site(cmd_parms *cmd, void *dir, const char *text)
{
    const char *normal;
    icp_error_t *error = icp_host_normalise(&normal, text, 1, cmd->pool);
    given_here(cmd, NULL)->site = error ? text : normal;
    return NULL;
}

static const char *set_unregistered(cmd_parms *cmd, void *dir, const char *text)
{
    static const char *const words[] = {"Serve", "Notice", NULL};
    int value = word_index(text, words);
    if (value < 0) return wrong(cmd, text, "Serve or Notice");
    given_here(cmd, NULL)->unregistered_notice = value;
    return NULL;
}

static const char *set_homepage(cmd_parms *cmd, void *dir, const char *text)
{
    int first;
    if (*text != '/') return wrong(cmd, text, "paths that begin with '/'");
    icp_conf_t *conf = given_here(cmd, &first);
    return add_path(&conf->homepages, cmd, text, first);
}

static const char *set_inspect(cmd_parms *cmd, void *dir, const char *text)
{
    static const char *const words[] = {"Off", "On", NULL};
    int value = word_index(text, words);
    if (value < 0) return wrong(cmd, text, "On or Off");
    given_here(cmd, NULL)->inspect = value;
    return NULL;
}

static const char *set_interval(cmd_parms *cmd, void *dir, const char *text)
{
    apr_int64_t seconds;
    const char *error = number_within(&seconds, cmd, text, 0, 86400, "seconds");
    if (error) return error;
    given_here(cmd, NULL)->inspect_interval = apr_time_from_sec(seconds);
    return NULL;
}

static const char *set_limit(cmd_parms *cmd, void *dir, const char *text)
{
    apr_int64_t bytes;
    const char *error = number_within(&bytes, cmd, text, 1024, 1024 * 1024 * 1024, "bytes");
    if (error) return error;
    given_here(cmd, NULL)->inspect_limit = bytes;
    return NULL;
}

static const char *set_notice(cmd_parms *cmd, void *dir, const char *text)
{
    const char *file = ap_server_root_relative(cmd->pool, text);
    if (!file) return wrong(cmd, text, "the path of a template file");

    icp_error_t *error = icp_notice_prepare(cmd->pool);
    if (!error) error = icp_notice_load(&given_here(cmd, NULL)->notice, file, cmd->pool);
    if (!error) return NULL;
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", error->message, error->remedy ? "; " : NULL, error->remedy, NULL);
}

static const char *set_notice_status(cmd_parms *cmd, void *dir, const char *text)
{
    static const char *const words[] = {"451", "503", "403", "200", NULL};
    static const int codes[] = {451, 503, 403, 200};
    int value = word_index(text, words);
    if (value < 0) return wrong(cmd, text, "451, 503, 403 or 200");
    given_here(cmd, NULL)->notice_status = codes[value];
    return NULL;
}

static const char *set_provider(cmd_parms *cmd, void *dir, const char *name, const char *url)
{
    if (!is_web_url(cmd, url)) return wrong(cmd, url, "a name, and a URL that begins with http:// or https://");
    icp_conf_t *conf = given_here(cmd, NULL);
    conf->provider_name = name;
    conf->provider_url = url;
    return NULL;
}

static const char *set_contact(cmd_parms *cmd, void *dir, const char *text)
{
    given_here(cmd, NULL)->contact = text;
    return NULL;
}

static const char *set_faq(cmd_parms *cmd, void *dir, const char *text)
{
    return link_to(&given_here(cmd, NULL)->faq, cmd, text);
}

static const char *set_apply(cmd_parms *cmd, void *dir, const char *text)
{
    return link_to(&given_here(cmd, NULL)->apply, cmd, text);
}

static const char *set_apply_limit(cmd_parms *cmd, void *dir, const char *text)
{
    apr_int64_t limit;
    const char *error = number_within(&limit, cmd, text, 0, 1000, "submissions");
    if (error) return error;
    given_here(cmd, NULL)->apply_limit = (int)limit;
    return NULL;
}

static const char *set_exempt(cmd_parms *cmd, void *dir, const char *text)
{
    int first;
    char *plain = apr_pstrdup(cmd->pool, text);
    if (*text != '/' || !text[1] || !ap_normalize_path(plain, AP_NORMALIZE_MERGE_SLASHES) || strcmp(plain, text) || ap_strchr_c(text, '%')
        || ap_strchr_c(text, '\\')) {
        return wrong(cmd, text, "path prefixes that begin with '/', longer than \"/\", with no '%', '\\', '//' or '..' in them");
    }
    icp_conf_t *conf = given_here(cmd, &first);
    return add_path(&conf->exempt, cmd, text, first);
}

static const char *set_register(cmd_parms *cmd, void *dir, const char *text)
{
    return file_of_main_server(&the_main_conf->register_path, cmd, text);
}

static const char *set_sightings(cmd_parms *cmd, void *dir, const char *text)
{
    return file_of_main_server(&the_main_conf->sightings_path, cmd, text);
}

static const char *set_holidays(cmd_parms *cmd, void *dir, const char *text)
{
    return file_of_main_server(&the_main_conf->holidays_path, cmd, text);
}

static const char *set_pass_key(cmd_parms *cmd, void *dir, const char *text)
{
    return file_of_main_server(&the_main_conf->pass_key_path, cmd, text);
}

const command_rec icp_commands[] = {
#define X(name, arguments, setter, first, last, initial, usage) \
    AP_INIT_##arguments(#name, setter, (void *)(apr_uintptr_t)DIRECTIVE_##name, RSRC_CONF, usage),
    ICP_SERVER_DIRECTIVES(X)
#undef X
#define X(name, setter, field, usage) AP_INIT_TAKE1(#name, setter, NULL, RSRC_CONF, usage),
    ICP_MAIN_DIRECTIVES(X)
#undef X
    {.name = NULL}};
