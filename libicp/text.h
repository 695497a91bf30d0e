/* Text that people type in or that strangers wrote: what may be kept as a name, and what may be shown. */
#ifndef ICP_TEXT_H
#define ICP_TEXT_H

#include <apr_time.h>

#include "error.h"

#define ICP_TEXT_NAME_MAX 253 /* bytes of a site's name, as of a host name */

/* Valid UTF-8 without control or formatting characters? */
int icp_text_plain(const char *text);

/* Is there white space in it, of any script? */
int icp_text_has_space(const char *text);

/* `text` without white space and invisible marks at its ends, in `pool`; NULL gives "". Numbers copied from an address book have such marks. */
const char *icp_text_trim(const char *text, apr_pool_t *pool);

/* At most `limit` bytes of `text`, cut at a character, with whatever could disturb a terminal or a table (control and
 * formatting characters, line ends, bytes that are no UTF-8) replaced by U+FFFD. */
const char *icp_text_printable(const char *text, apr_size_t limit, apr_pool_t *pool);

/* The local time of `at`, as "2026-11-24 09:30". */
const char *icp_text_time(apr_time_t at, apr_pool_t *pool);

/* The same in China, whatever the server's clock shows: for what clients read. */
const char *icp_text_time_china(apr_time_t at, apr_pool_t *pool);

/* The day of `at` in China, which has one time, UTC+8 all the year: "2026年11月24日", "24 November 2026". */
const char *icp_text_date(apr_time_t at, int chinese, apr_pool_t *pool);

#endif
