#include "faq_link.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

const char *icp_faq_link(const char *faq, int chinese, const char *number, const char *question, apr_pool_t *pool)
{
    if (!faq || !*faq || strchr(faq, '#')) return faq;
    return apr_pstrcat(pool, faq, strchr(faq, '?') ? "&" : "?", chinese ? "lang=zh" : "lang=en", number ? "&number=" : "",
                       number ? apr_pescape_urlencoded(pool, number) : "", "#", question, NULL);
}
