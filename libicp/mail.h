/* A mail as it travels: RFC 5322 header fields and one UTF-8 text, in ASCII lines short enough for every server. It renders
 * no template, and sends nothing. */
#ifndef ICP_MAIL_H
#define ICP_MAIL_H

#include <apr_time.h>

#include "error.h"

typedef struct icp_mail_t {
    const char *from_name, *from, *to; /* name may be ""; addresses as icp_address_parse gives them */
    const char *subject, *text;        /* UTF-8; of a control character in the subject only a space is left */
    const char *message_id;            /* without the angle brackets */
    apr_time_t date;
} icp_mail_t;

/* The whole message, lines ended by CRLF. */
const char *icp_mail_compose(const icp_mail_t *mail, apr_pool_t *pool);

#endif
