/* The parts of an ICP number, each read where it stands in a text: province, letters, digits, 号 and suffix. What they
 * make together is number_read.c's business.
 */
#ifndef ICP_NUMBER_PARTS_H
#define ICP_NUMBER_PARTS_H

#include <wchar.h>

#include "fold.h"
#include "number.h"

#define ICP_DIGITS_MAX 24 /* a longer run is no number of any kind */

/* What the numbers of one kind look like. */
typedef struct icp_form_t {
    icp_number_kind_e kind;
    unsigned counts;  /* bit n: n digits are right */
    const char *mark; /* between province and digits */
} icp_form_t;

typedef struct icp_digits_t {
    char text[ICP_DIGITS_MAX + 1]; /* 'X' for a blank */
    int count;                     /* blanks and letters included; over ICP_DIGITS_MAX: too many */
    int blanks;                    /* X, * and the like, which stand for digits in a template */
    int letters;                   /* other letters between digits: O for 0 */
} icp_digits_t;

/* In ascending order of worth. */
typedef enum icp_province_e {
    ICP_PROVINCE_ABSENT,
    ICP_PROVINCE_FALSE, /* 港, 萌: stands where one should be */
    ICP_PROVINCE_ALIAS,
    ICP_PROVINCE_RIGHT
} icp_province_e;

typedef enum icp_suffix_e {
    ICP_SUFFIX_ABSENT,
    ICP_SUFFIX_RIGHT,
    ICP_SUFFIX_WRONG,
    ICP_SUFFIX_BLANK /* -X */
} icp_suffix_e;

/* A number while it is being read; the readers below move the cursors over what they took. */
typedef struct icp_reading_t {
    icp_cursor_t back, ahead; /* before and after what has been read */
    const icp_form_t *form;
    icp_province_e province;
    char province_text[8]; /* normal form; empty if absent */
    icp_digits_t digits;
    int hao;     /* 号 is there */
    int wording; /* words or letters are not those of a number */
    icp_suffix_e suffix_state;
    int suffix;
    char service;
} icp_reading_t;

extern const wchar_t ICP_SEPARATORS[]; /* bars, brackets, dashes, colons that may stand between two parts */
extern const wchar_t ICP_BLANKS[];
extern const wchar_t ICP_UNITS[];      /* make digits before them a date, a time, a price */

int icp_is_one_of(uint32_t code, const wchar_t *set);
int icp_is_digit(uint32_t code);

/* Takes the next (the previous) symbol if it is `code`; up to `limit` of a set, giving their number. */
int icp_take(icp_cursor_t *cursor, uint32_t code);
int icp_take_back(icp_cursor_t *cursor, uint32_t code);
int icp_take_any(icp_cursor_t *cursor, const wchar_t *set, int limit);

/* 号, perhaps behind the bracket that closes round the digits. */
int icp_take_hao(icp_cursor_t *cursor);

/* Sets province and its text if `code` is one. A filing number gets its proper name, the others are issued with both. */
int icp_set_province(icp_reading_t *reading, uint32_t code);

/* 川 and 蜀 are. */
int icp_same_province(const char *a, const char *b);

/* Backwards: the province before ICP, B2 or 公网安备: glued to it, or standing alone before a bar, bracket or dash. Where
 * there is none, a single character in its place (港, 萌) is taken for one that should be: ICP_PROVINCE_FALSE. */
void icp_read_province(icp_reading_t *reading);

/* Backwards: ICP, a separator allowed before each letter. IPC, a slip met in the wild, sets `wording`. */
int icp_read_letters(icp_reading_t *reading);

/* Digits and blanks, perhaps spread by white space. A run that becomes too long so (a number without 号 with a telephone
 * number or a year behind it) ends at the first place where its length was right. */
void icp_read_digits(icp_reading_t *reading);

/* 号 and the suffix, in either order; a second suffix makes it wrong. */
void icp_read_end(icp_reading_t *reading);

/* The right number of digits, and nothing else. */
int icp_count_fits(const icp_form_t *form, const icp_digits_t *digits);

/* The year that the digits begin with cannot be: see docs/numbers.md. */
int icp_year_is_odd(const icp_form_t *form, const icp_digits_t *digits);

#endif
