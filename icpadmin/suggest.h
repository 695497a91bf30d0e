/* The known word that a mistyped one was probably meant to be. */
#ifndef ICP_SUGGEST_H
#define ICP_SUGGEST_H

#include <apr_tables.h>

/* The nearest of `words` (const char *) by edits of one byte, neighbours swapped counting as one; NULL if none is near
 * enough to be meant (a third of the word, at least one edit). */
const char *icp_suggest(const char *word, const apr_array_header_t *words);

#endif
