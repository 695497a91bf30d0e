/* How many columns a text takes on a terminal (a Chinese character takes two), and lines that keep within them. It writes to
 * standard output alone, and knows nothing of tables or commands.
 */
#ifndef ICP_COLUMNS_H
#define ICP_COLUMNS_H

#include <stddef.h>

/* Of UTF-8 text. */
int icp_columns_of(const char *text);

/* Of the terminal at `fd`; 0 if it is none, or does not say. */
int icp_columns_of_terminal(int fd);

/* Bytes of `text` that fit into `room` columns. */
size_t icp_columns_fitting(const char *text, int room);

/* Prints `text`, and ends the line. The first line goes on at column `at`; where a word would pass `width`, a new line begins at
 * column `indent`. Longer words are broken. `width` 0: nothing is folded. */
void icp_columns_fold(const char *text, int at, int indent, int width);

#endif
