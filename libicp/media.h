/* Media queries of style sheets, answered for a desktop browser's window of 1200 by 800 pixels. */
#ifndef ICP_MEDIA_H
#define ICP_MEDIA_H

#include <apr.h>

/* Does a sheet or rule for these media apply? What is not understood does not. */
int icp_media_applies(const char *text, apr_size_t length);

#endif
