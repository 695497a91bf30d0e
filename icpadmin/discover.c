/* The listing, line by line:
 *
 *     *:80                   is a NameVirtualHost
 *              default server shop.example.cn (/etc/apache2/sites-enabled/shop.conf:1)
 *              port 80 namevhost shop.example.cn (/etc/apache2/sites-enabled/shop.conf:1)
 *                      alias www.shop.example.cn
 *                      wild alias *.shop.example.cn
 *     *:443                  alone.example.cn (/etc/apache2/sites-enabled/alone.conf:9)
 */
#include "discover.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>

typedef struct reading_t {
    apr_array_header_t *vhosts; /* icp_vhost_t */
    icp_vhost_t *current;       /* that aliases belong to; NULL */
    apr_pool_t *pool;
} reading_t;

static int has_host(const icp_vhost_t *vhost, const char *host)
{
    if (!strcasecmp(vhost->name, host)) return 1;
    for (int i = 0; i < vhost->hosts->nelts; i++) {
        if (!strcasecmp(APR_ARRAY_IDX(vhost->hosts, i, const char *), host)) return 1;
    }
    return 0;
}

static void add_alias(reading_t *reading, const char *alias)
{
    if (reading->current && *alias && !has_host(reading->current, alias)) {
        APR_ARRAY_PUSH(reading->current->hosts, const char *) = apr_pstrdup(reading->pool, alias);
    }
}

/* "NAME (FILE:LINE)" of a listing for `port`; nonzero if it is that. */
static int add_vhost(reading_t *reading, char *text, const char *port)
{
    int https = !strncmp(port, "443", 3) && !apr_isdigit(port[3]);
    char *bracket = strstr(text, " ("), *end = strrchr(text, ')');
    if (!bracket || !end || end < bracket || bracket == text) return 0;
    *bracket = *end = '\0';
    reading->current = NULL;
    for (int i = 0; i < reading->vhosts->nelts; i++) {
        icp_vhost_t *known = &APR_ARRAY_IDX(reading->vhosts, i, icp_vhost_t);
        if (!strcasecmp(known->name, text)) reading->current = known;
    }
    if (!reading->current) {
        reading->current = apr_array_push(reading->vhosts);
        reading->current->name = apr_pstrdup(reading->pool, text);
        reading->current->hosts = apr_array_make(reading->pool, 4, sizeof(const char *));
        reading->current->where = apr_pstrdup(reading->pool, bracket + 2);
        reading->current->https_only = 1;
    }
    if (!https) reading->current->https_only = 0;
    return 1;
}

/* Reads `ServerAlias` lines from the vhost's own section, which begins at "FILE:LINE". */
static void read_aliases(reading_t *reading, const char *where)
{
    static const char directive[] = "ServerAlias", end[] = "</VirtualHost";
    char *line = NULL, *state = NULL;
    size_t size = 0;
    const char *colon = strrchr(where, ':');
    FILE *file = colon ? fopen(apr_pstrndup(reading->pool, where, (apr_size_t)(colon - where)), "r") : NULL;
    if (!file) return;
    long number = 0, first = strtol(colon + 1, NULL, 10);
    while (getline(&line, &size, file) >= 0) {
        const char *text = line + strspn(line, " \t");
        if (++number < first) continue;
        if (!strncasecmp(text, end, sizeof end - 1)) break;
        if (strncasecmp(text, directive, sizeof directive - 1)) continue;
        char *words = apr_pstrdup(reading->pool, text + sizeof directive - 1);
        for (char *word = apr_strtok(words, " \t\r\n\"", &state); word; word = apr_strtok(NULL, " \t\r\n\"", &state)) {
            add_alias(reading, word);
        }
    }
    free(line);
    fclose(file);
}

static void read_line(reading_t *reading, char *line, int indented)
{
    static const char named[] = " namevhost ";
    char *found;
    if (!strncmp(line, "alias ", 6))
        add_alias(reading, line + 6);
    else if (!strncmp(line, "wild alias ", 11))
        add_alias(reading, line + 11);
    else if (indented && !strncmp(line, "port ", 5) && (found = strstr(line, named))) {
        add_vhost(reading, found + sizeof named - 1, line + 5);
    }
    else if (!indented && (found = strpbrk(line, " \t")) && !strstr(line, " is a NameVirtualHost")) {
        found += strspn(found, " \t");
        const char *where = strstr(found, " (") ? apr_pstrdup(reading->pool, strstr(found, " (") + 2) : "";
        const char *port = strrchr(apr_pstrndup(reading->pool, line, strcspn(line, " \t")), ':');
        if (port && add_vhost(reading, found, port + 1)) {
            read_aliases(reading, apr_pstrndup(reading->pool, where, strcspn(where, ")")));
        }
        reading->current = NULL;
    }
}

icp_error_t *icp_discover_parse(apr_array_header_t **vhosts, FILE *dump, apr_pool_t *pool)
{
    reading_t reading = {apr_array_make(pool, 32, sizeof(icp_vhost_t)), NULL, pool};
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int listing = 0;
    while ((length = getline(&line, &size, dump)) >= 0) {
        while (length && apr_isspace(line[length - 1])) line[--length] = '\0';
        char *text = line + strspn(line, " \t");
        if (!strncmp(text, "VirtualHost configuration:", 26))
            listing = 1;
        else if (listing && *text)
            read_line(&reading, text, text != line);
    }
    free(line);
    if (!listing) {
        return icp_error(pool, ICP_USAGE, "give what `apachectl -t -D DUMP_VHOSTS` prints",
                         "there is no list of virtual hosts in it");
    }
    *vhosts = reading.vhosts;
    return NULL;
}
