/* The sites that a running httpd has, from what `apachectl -t -D DUMP_VHOSTS` prints. It knows nothing of the register.
 */
#ifndef ICP_DISCOVER_H
#define ICP_DISCOVER_H

#include <stdio.h>

#include <apr_tables.h>

#include "error.h"

typedef struct icp_vhost_t {
    const char *name; /* ServerName, as written */
    apr_array_header_t
        *hosts;        /* const char *: the aliases of all vhosts of that name, each once, as written; without `name` */
    const char *where; /* "FILE:LINE" of the first of them */
    int https_only;    /* all of them are on port 443: by http another vhost answers for it, if any */
} icp_vhost_t;

/* Vhosts with one ServerName on several addresses and ports are one entry; in order of appearance. The dump leaves the
 * aliases of a vhost that is alone on its address out: they are read from the configuration file it names, where that
 * can be read. ICP_USAGE if `dump` is no such listing. */
icp_error_t *icp_discover_parse(apr_array_header_t **vhosts, FILE *dump, apr_pool_t *pool);

#endif
