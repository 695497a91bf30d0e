/* What an uploaded file is by its own bytes, whatever it is called. No parser of a format: it keeps out what calls itself a picture and is a
 * page, a program or an archive, and says nothing about what a viewer makes of it. */
#ifndef ICP_DOCUMENT_TYPE_H
#define ICP_DOCUMENT_TYPE_H

#include <apr.h>

/* "application/pdf", "image/jpeg", "image/png" or "image/bmp"; NULL: none of these, or broken off. */
const char *icp_document_type(const void *bytes, apr_size_t length);

#endif
