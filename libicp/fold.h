/* Text as the grammar of numbers sees it: one symbol after the other, forwards or backwards, with everything a visitor
 * does not see or would not call a difference folded away. Knows characters, not numbers.
 *
 * A symbol is a code point: ASCII in upper case; full-width, circled and mathematical forms as their plain ones; traditional
 * and Japanese forms of the characters that occur around numbers as the simplified ones; every dash '-', every middle dot
 * '.', every bar '|', every colon ':'. White space, control characters and default-ignorable characters are skipped.
 */
#ifndef ICP_FOLD_H
#define ICP_FOLD_H

#include <stddef.h>
#include <stdint.h>

#define ICP_FOLD_GAP 256  /* characters skipped at most while reading one number; keeps the time linear */
#define ICP_FOLD_BORDER 0x1E /* stands between two blocks; nothing is read across it */

typedef struct icp_symbol_t {
    uint32_t code;     /* 0: end of the text, a border, or too wide a gap */
    int spaced;        /* white space lay between it and the symbol read before */
    size_t start, end; /* its bytes */
} icp_symbol_t;

/* Plain data: a copy looks ahead and is thrown away. Reads within [floor, length) of `text`. */
typedef struct icp_cursor_t {
    const char *text;
    size_t floor, length;
    size_t at;
    int gap; /* characters that may still be skipped */
} icp_cursor_t;

icp_cursor_t icp_cursor(const char *text, size_t floor, size_t length, size_t at);

icp_symbol_t icp_cursor_next(icp_cursor_t *cursor);
icp_symbol_t icp_cursor_previous(icp_cursor_t *cursor);

/* The next one without moving. */
icp_symbol_t icp_cursor_peek(const icp_cursor_t *cursor);

/* A Chinese character? */
int icp_symbol_is_han(uint32_t code);

#endif
