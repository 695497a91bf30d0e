/* The form of an application, by the table of fields (form.h). */
#ifndef MOD_ICP_APPLY_FIELDS_H
#define MOD_ICP_APPLY_FIELDS_H

#include "apply_pieces.h"

void icp_apply_put_form(icp_apply_page_t *page);

#endif
