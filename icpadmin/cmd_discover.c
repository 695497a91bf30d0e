/* `icpadmin site discover`: proposes the vhosts of the running configuration that are not on file as sites. It changes
 * nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "discover.h"
#include "host.h"
#include "options.h"
#include "output.h"
#include "site.h"

#define COMMAND "apachectl -t -D DUMP_VHOSTS"

typedef struct proposing_t {
    const icp_cli_t *cli;
    apr_hash_t *taken; /* host names proposed already */
    icp_list_t *list;
    int proposed, on_file;
} proposing_t;

/* In normal form, if it can be proposed; else NULL, and why on standard error. `owner`: the site that has it on file,
 * else NULL. */
static icp_error_t *acceptable(const char **normal, const char **owner, const proposing_t *proposing,
                               const icp_vhost_t *vhost, const char *host)
{
    const icp_cli_t *cli = proposing->cli;
    icp_site_t *site;
    *normal = *owner = NULL;
    icp_error_t *error = icp_host_normalise(normal, host, 1, cli->pool);
    if (error) {
        *normal = NULL;
        icp_warn(cli, "%s: %s cannot be put on file: %s", vhost->where, host, error->message);
        return NULL;
    }
    const char *taken = apr_hash_get(proposing->taken, *normal, APR_HASH_KEY_STRING);
    if (taken) {
        icp_warn(cli, "%s: %s is proposed for %s already", vhost->where, host, taken);
        *normal = NULL;
        return NULL;
    }
    error = icp_site_get(&site, cli->reg, *normal, cli->pool);
    if (!error) *owner = site->name;
    return error && error->status != ICP_NOT_FOUND ? error : NULL;
}

static void print_proposal(proposing_t *proposing, const icp_vhost_t *vhost, const char *name,
                           const apr_array_header_t *hosts)
{
    int named = vhost->https_only && *name != '*';
    const char *homepage = named ? apr_pstrcat(proposing->cli->pool, "https://", name, "/", NULL) : "";
    if (!proposing->cli->json) {
        printf("%s,%s,,%s\n", name, apr_array_pstrcat(proposing->cli->pool, hosts, ' '), homepage);
        return;
    }
    json_t *object = json_object();
    json_object_set_new(object, "name", icp_text_json(name));
    json_object_set_new(object, "hosts", icp_texts_json(hosts));
    json_object_set_new(object, "license", json_string(""));
    json_object_set_new(object, "homepage", icp_text_json(homepage));
    json_object_set_new(object, "where", icp_text_json(vhost->where));
    icp_list_object(proposing->list, object);
}

static icp_error_t *propose(proposing_t *proposing, const icp_vhost_t *vhost)
{
    const icp_cli_t *cli = proposing->cli;
    const char *name, *host, *owner;
    ICP_TRY(acceptable(&name, &owner, proposing, vhost, vhost->name));
    if (owner) proposing->on_file++;
    if (!name || owner) return NULL;
    apr_array_header_t *hosts = apr_array_make(cli->pool, 4, sizeof(const char *));
    apr_hash_set(proposing->taken, name, APR_HASH_KEY_STRING, name);
    for (int i = 0; i < vhost->hosts->nelts; i++) {
        ICP_TRY(acceptable(&host, &owner, proposing, vhost, APR_ARRAY_IDX(vhost->hosts, i, const char *)));
        if (owner) icp_warn(cli, "%s: %s is on file as a host of %s", vhost->where, host, owner);
        if (!host || owner) continue;
        apr_hash_set(proposing->taken, host, APR_HASH_KEY_STRING, name);
        APR_ARRAY_PUSH(hosts, const char *) = host;
    }
    print_proposal(proposing, vhost, name, hosts);
    proposing->proposed++;
    return NULL;
}

static icp_error_t *read_file(apr_array_header_t **vhosts, const char *name, apr_pool_t *pool)
{
    if (!strcmp(name, "-")) return icp_discover_parse(vhosts, stdin, pool);
    FILE *file = fopen(name, "r");
    if (!file) return icp_error_os(pool, errno, "cannot open %s", name);
    icp_error_t *error = icp_discover_parse(vhosts, file, pool);
    fclose(file);
    return error;
}

static icp_error_t *run_command(apr_array_header_t **vhosts, const char *command, apr_pool_t *pool)
{
    FILE *pipe = popen(command, "r");
    if (!pipe) return icp_error_os(pool, errno, "cannot run `%s`", command);
    icp_error_t *error = icp_discover_parse(vhosts, pipe, pool);
    int status = pclose(pipe);
    if (WIFEXITED(status) && !WEXITSTATUS(status)) return error;
    return icp_error(
        pool, ICP_FAULT,
        "say with --command how this httpd is started, as in: --command 'apache2 -f FILE -t -D DUMP_VHOSTS'",
        "`%s` failed", command);
}

static icp_error_t *run_discover(icp_cli_t *cli)
{
    apr_array_header_t *vhosts;
    const char *from = icp_option(cli, "from"), *command = icp_option(cli, "command");
    if (from && command)
        return icp_error(cli->pool, ICP_USAGE, "give one of them", "--from and --command are given both");
    if (from)
        ICP_TRY(read_file(&vhosts, from, cli->pool));
    else
        ICP_TRY(run_command(&vhosts, command ? command : COMMAND, cli->pool));
    proposing_t proposing = {
        .cli = cli, .taken = apr_hash_make(cli->pool), .list = cli->json ? icp_list_begin(cli, NULL) : NULL};
    if (!cli->json) puts("name,hosts,license,homepage");
    for (int i = 0; i < vhosts->nelts; i++) {
        ICP_TRY(propose(&proposing, &APR_ARRAY_IDX(vhosts, i, icp_vhost_t)));
    }
    if (cli->json) icp_list_end(proposing.list, NULL);
    icp_remark(cli, "%d sites proposed, %d on file already", proposing.proposed, proposing.on_file);
    return NULL;
}

static const icp_option_t options[] = {
    {"command", "COMMAND", 0, "what prints the virtual hosts (default: " COMMAND ")"},
    {"from", "FILE|-", 0, "read what it printed from a file or from standard input"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_site_discover = {
    .noun = "site",
    .verb = "discover",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "propose the virtual hosts of the running configuration as sites",
    .details = "Prints those that are not on file as CSV for `icpadmin site import`, one site for each ServerName with "
               "all its aliases, on whatever ports. A site that is on port 443 alone gets its home page by https: by http "
               "another virtual host would answer for it. Fill the column license in before the import. Nothing is changed.",
    .json = "an array; each has name, hosts, license, homepage, where (file and line)",
    .example = "icpadmin site discover > sites.csv\nicpadmin site discover --command 'apache2 -f /etc/icp-httpd.conf "
               "-t -D DUMP_VHOSTS'",
    .options = options,
    .run = run_discover,
};
