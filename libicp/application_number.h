/* What the websites of an approved application must display, as the register has it. */
#ifndef ICP_APPLICATION_NUMBER_H
#define ICP_APPLICATION_NUMBER_H

#include "application.h"

typedef struct icp_application_number_t {
    const char *site;   /* in its own letters */
    const char *number; /* as it must be displayed: display.h */
} icp_application_number_t;

/* Array of icp_application_number_t: the sites on file that have a host of the form and a number of the application's license, in the
 * order of the form; none unless it was approved and gave numbers. */
icp_error_t *icp_application_numbers(apr_array_header_t **numbers, icp_register_t *reg, const icp_application_t *application,
                                     apr_pool_t *pool);

/* The same for a mail: site and number, and below it the HTML to paste. */
const char *icp_application_numbers_text(const apr_array_header_t *numbers, apr_pool_t *pool);

#endif
