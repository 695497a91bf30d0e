/* How a number is to be displayed on the home page: the one place that the notice, the questions and answers, mails and clients' pages
 * take it from. Pure. */
#ifndef ICP_DISPLAY_H
#define ICP_DISPLAY_H

#include "number.h"

#define ICP_DISPLAY_LINK "https://beian.miit.gov.cn/"

/* Does the number's province ask for the license number alone? Guangdong does, of filings; all others ask for the website's. */
int icp_display_by_license(const icp_number_t *number);

/* The form of a number on file that its site must display; the text itself if it is no number. */
const char *icp_display_number(const char *number, apr_pool_t *pool);

/* Of several (const char *), each once. */
apr_array_header_t *icp_display_numbers(const char *const *numbers, int count, apr_pool_t *pool);

/* The HTML to paste: `text` linked to the Ministry's system. `text` is a number or words of ours, without characters that HTML knows. */
const char *icp_display_html(const char *text, apr_pool_t *pool);

#endif
