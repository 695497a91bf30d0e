/* Memory for what is large and goes as a whole: straight from the kernel and straight back. Any of httpd's threads may read the
 * register, and malloc keeps what each of them frees in an arena of its own, so that a child would grow with every thread that did.
 * Out of memory aborts.
 */
#ifndef ICP_BULK_H
#define ICP_BULK_H

#include <stddef.h>

/* `block` of `old_bytes` made `new_bytes` long, content kept, what is new is zero; NULL and 0 make a new one. It may move. */
void *icp_bulk_resize(void *block, size_t old_bytes, size_t new_bytes);

/* NULL and 0 are nothing. */
void icp_bulk_free(void *block, size_t bytes);

#endif
