/* SetHandler icp-faq: the questions and answers of conf/faq, in English or Chinese, with the HTML to paste for one number.
 *
 * Of the request only two parameters count: lang (en, zh; else Accept-Language decides) and number, which must be a number that
 * a website can have before anything of it is shown as one. The page has an anchor for each question, and for each reason of a
 * suspension one by the reason's word. Nothing of the register is read. */
#ifndef MOD_ICP_FAQ_H
#define MOD_ICP_FAQ_H

#include <httpd.h>

#include "error.h"

/* While the configuration is read: makes the page, once per `pool`. */
icp_error_t *icp_faq_prepare(apr_pool_t *pool);

/* The handler hook. */
int icp_faq_handler(request_rec *r);

#endif
