/* ICP numbers: the grammar, and finding them in the text that a visitor reads.
 *
 *   license  P "ICP备" (8 digits | 10 digits) "号"            the subject (主体) number
 *   website  license "-" N           N: 1..5 digits, no leading 0
 *   service  license "-" N ("A" app | "X" mini-program | "K" quick app)
 *   permit   P "ICP证" 6..8 digits "号" [ "-" N ]
 *   telecom  (P | "合字") ("B1"|"B2"|"B1.B2") "-" YYYY 4 digits [ "-" N ]  |  "A2.B1.B2-" YYYY 4 digits
 *   police   P' "公网安备" 14 digits (older: 12) ["号"]          never an ICP number
 *
 * Sources: MII Order 33 (2005) art. 13 for the number itself; the forms in use are described in docs/numbers.md.
 * The normal form has simplified characters, ASCII letters, digits and dash, 号 before the suffix (telecom without 号). Filing
 * numbers are issued with 蜀 陇 黔 滇 陕 alone, so other names are normalised; permits, telecom and police numbers are issued with
 * 川 and 贵 too and keep what they have.
 */
#ifndef ICP_NUMBER_H
#define ICP_NUMBER_H

#include <apr_tables.h>

typedef enum icp_number_kind_e {
    ICP_NUMBER_NONE, /* meant as a number but cannot be one: see `reason` */
    ICP_NUMBER_FILING, /* 备: license, website or service number */
    ICP_NUMBER_PERMIT, /* 证 */
    ICP_NUMBER_TELECOM,
    ICP_NUMBER_POLICE
} icp_number_kind_e;

/* Marks: what is odd about a number without making it another one. */
enum {
    ICP_MARK_ALIAS_PROVINCE = 1 << 0, /* a filing number with 川 for 蜀, 甘 for 陇, 贵 黔, 云 滇, 秦 陕 */
    ICP_MARK_NO_HAO = 1 << 1,         /* 号 left out */
    ICP_MARK_SUSPECT = 1 << 2,        /* 8 digits whose year lies above the last of the 8-digit form */
    ICP_MARK_PLACEHOLDER = 1 << 3,    /* 00000000, 12345678, XXXXXXXX: a theme's footer */
    ICP_MARK_SERVICE = 1 << 4         /* an app's number (A, X, K) */
};

/* Why a thing meant as a number cannot be one. */
typedef enum icp_number_reason_e {
    ICP_REASON_NONE,
    ICP_REASON_NO_PROVINCE,  /* ICP备12345678号 */
    ICP_REASON_NOT_PROVINCE, /* 港, 萌, 茶, 团 */
    ICP_REASON_DIGITS,       /* not the number of digits its kind has */
    ICP_REASON_PLACEHOLDER,  /* letters X or * for digits, all zeros */
    ICP_REASON_SUFFIX,       /* suffix 0, leading 0, over 5 digits, twice */
    ICP_REASON_PENDING,      /* ICP备案中, 闽ICP备中: applied for */
    ICP_REASON_WORDING,      /* 备案 between ICP and the digits, 备 left out, IPC, a letter among the digits */
    ICP_REASON_NOT_NUMBER,   /* icp_number_parse alone: nothing like a number */
    ICP_REASON_SURROUNDED    /* icp_number_parse alone: other text beside it, or several */
} icp_number_reason_e;

typedef struct icp_number_t {
    icp_number_kind_e kind;
    icp_number_reason_e reason; /* for ICP_NUMBER_NONE */
    unsigned marks;
    const char *text;    /* normal form; for ICP_NUMBER_NONE the text found, folded to simplified and ASCII */
    const char *license; /* normal form without suffix: what two numbers are compared by; NULL for NONE and police */
    const char *province; /* "沪", "合字", "" for A2.B1.B2; NULL for NONE */
    int suffix;          /* 0: none */
    char service;        /* 'A', 'X', 'K'; 0: none */
    apr_size_t start, end; /* bytes [start, end) in the text that was scanned */
} icp_number_t;

/* Finds every number, well-formed police number and thing meant as an ICP number in `length` bytes of UTF-8 (not
 * NUL-terminated; invalid bytes are skipped as one unknown character each), in order, without overlap. The array holds
 * icp_number_t; all in `pool`. White space and characters that are not drawn may stand anywhere in a number, up to
 * ICP_FOLD_GAP (fold.h) of them on either side of its 备; no number crosses the control character U+001E, which a caller puts
 * between two blocks. Time linear in length. */
apr_array_header_t *icp_number_find(const char *text, apr_size_t length, apr_pool_t *pool);

/* Can icp_number_find find anything in this text? No: certainly not, and at the cost of a memory scan. */
int icp_number_possible(const char *text, apr_size_t length);

/* The first place at or after `at` in the source of a page (text with tags and character references in it) where something stands by which
 * icp_number_find could find a number in the page's text once its references are decoded; `length`: there is none. */
apr_size_t icp_number_hint(const char *source, apr_size_t length, apr_size_t at);

/* The whole text must be one number, wild forms allowed; else kind is NONE and reason says why. */
icp_number_t *icp_number_parse(const char *text, apr_pool_t *pool);

/* Same license (province, kind, digits)? Suffixes are compared apart. Both must be numbers. */
int icp_number_same_license(const icp_number_t *a, const icp_number_t *b);

/* "license" (a filing number without suffix), "website", "service", "permit", "telecom", "police", "none". */
const char *icp_number_kind_name(const icp_number_t *number);

/* A short word for JSON ("digits", "no-province" …), and a sentence for people, English. */
const char *icp_number_reason_name(icp_number_reason_e reason);
const char *icp_number_reason_text(icp_number_reason_e reason);

#endif
