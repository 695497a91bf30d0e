/* The style sheets that stand in a page: which class or id do they hide? Only rules for one class or id by itself count, of display,
 * visibility and opacity, and only where no other rule shows it again; sheets elsewhere are not fetched. What is hidden so goes to a person, so that being wrong turns no site off.
 */
#ifndef ICP_SHEET_H
#define ICP_SHEET_H

#include <apr_pools.h>

#include "markup.h"

typedef struct icp_sheet_t icp_sheet_t;

icp_sheet_t *icp_sheet_create(apr_pool_t *pool);

/* A piece of a style element's text, and its end. */
void icp_sheet_add(icp_sheet_t *sheet, const char *text, apr_size_t length);
void icp_sheet_end(icp_sheet_t *sheet);

/* What hides an element with this class or id attribute: ".icp{display:none}"; NULL: nothing does. */
const char *icp_sheet_hides(const icp_sheet_t *sheet, const icp_attribute_t *class_or_id);

#endif
