/* Mail to a server, by libcurl: one connection for many mails, and of every refusal what the server said and to which command. */
#ifndef ICP_SMTP_H
#define ICP_SMTP_H

#include "delivery.h"

typedef struct icp_smtp_t icp_smtp_t;

typedef struct icp_smtp_settings_t {
    const char *server;          /* smtp:// or smtps:// HOST[:PORT] */
    const char *tls;             /* "try", "require", "never" */
    const char *ca, *netrc;      /* files, "" for none */
    int seconds;                 /* for one mail */
} icp_smtp_settings_t;

/* ICP_USAGE: no such URL. */
icp_error_t *icp_smtp_check(const char *server, apr_pool_t *pool);

/* ICP_DENIED: others than the user running this may read or change the file with the password. Closed by `pool`. */
icp_error_t *icp_smtp_open(icp_smtp_t **smtp, const icp_smtp_settings_t *settings, apr_pool_t *pool);

/* `message` as icp_mail_compose makes it. */
icp_delivery_t icp_smtp_send(icp_smtp_t *smtp, const char *from, const char *to, const char *message, apr_pool_t *pool);

#endif
