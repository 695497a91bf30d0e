#include "charref.h"

#include <string.h>

#include <apr_lib.h>

#include "scan.h"
#include "utf8.h"

typedef struct named_t {
    const char *name;
    unsigned short character;
    unsigned char bare; /* known without semicolon, too */
} named_t;

static const named_t names[] = { /* the bare ones first */
    {"amp", '&', 1},       {"lt", '<', 1},        {"gt", '>', 1},         {"quot", '"', 1},       {"nbsp", 0xA0, 1},
    {"copy", 0xA9, 1},     {"reg", 0xAE, 1},      {"shy", 0xAD, 1},       {"middot", 0xB7, 1},    {"AMP", '&', 1},
    {"LT", '<', 1},        {"GT", '>', 1},        {"QUOT", '"', 1},       {"COPY", 0xA9, 1},      {"REG", 0xAE, 1},
    {"laquo", 0xAB, 1},    {"raquo", 0xBB, 1},    {"times", 0xD7, 1},     {"sect", 0xA7, 1},      {"para", 0xB6, 1},
    {"apos", '\'', 0},     {"ensp", 0x2002, 0},   {"emsp", 0x2003, 0},    {"thinsp", 0x2009, 0},  {"ThinSpace", 0x2009, 0},
    {"hairsp", 0x200A, 0}, {"numsp", 0x2007, 0},  {"puncsp", 0x2008, 0},  {"emsp13", 0x2004, 0},  {"emsp14", 0x2005, 0},
    {"zwnj", 0x200C, 0},   {"zwj", 0x200D, 0},    {"lrm", 0x200E, 0},     {"rlm", 0x200F, 0},     {"NoBreak", 0x2060, 0},
    {"ZeroWidthSpace", 0x200B, 0}, {"NonBreakingSpace", 0xA0, 0}, {"Tab", '\t', 0}, {"NewLine", '\n', 0},
    {"ndash", 0x2013, 0},  {"mdash", 0x2014, 0},  {"hyphen", 0x2010, 0},  {"dash", 0x2010, 0},    {"horbar", 0x2015, 0},
    {"minus", 0x2212, 0},  {"lowbar", '_', 0},    {"vert", '|', 0},       {"verbar", '|', 0},     {"VerticalLine", '|', 0},
    {"colon", ':', 0},     {"semi", ';', 0},      {"comma", ',', 0},      {"period", '.', 0},     {"sol", '/', 0},
    {"bsol", '\\', 0},     {"num", '#', 0},       {"excl", '!', 0},       {"quest", '?', 0},      {"equals", '=', 0},
    {"ast", '*', 0},       {"plus", '+', 0},      {"lpar", '(', 0},       {"rpar", ')', 0},       {"lsqb", '[', 0},
    {"rsqb", ']', 0},      {"lbrack", '[', 0},    {"rbrack", ']', 0},     {"commat", '@', 0},     {"bull", 0x2022, 0},
    {"hellip", 0x2026, 0}, {"lsquo", 0x2018, 0},  {"rsquo", 0x2019, 0},   {"ldquo", 0x201C, 0},   {"rdquo", 0x201D, 0},
    {"trade", 0x2122, 0},  {"lang", 0x27E8, 0},   {"rang", 0x27E9, 0},    {"tilde", 0x2DC, 0},    {"reals", 0x211D, 0},
};

/* 0x80..0x9F mean windows-1252; 0: stays. */
static const unsigned short windows[32] = {
    0x20AC, 0, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17D, 0,
    0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0, 0x17E, 0x178,
};

/* The numeric reference at `at` ("&#"): its length, 0 if it is none. */
static apr_size_t numeric(const char *at, const char *end, unsigned long *character)
{
    const char *p = at + 2;
    int hex = p < end && (*p == 'x' || *p == 'X');
    unsigned long value = 0;
    p += hex;
    const char *digits = p;
    for (; p < end && (hex ? apr_isxdigit(*p) : apr_isdigit(*p)); p++) {
        int digit = apr_isdigit(*p) ? *p - '0' : (*p | 0x20) - 'a' + 10;
        if (value <= 0x10FFFF) value = value * (hex ? 16 : 10) + (unsigned)digit;
    }
    if (p == digits) return 0;
    if (value >= 0x80 && value < 0xA0 && windows[value - 0x80]) value = windows[value - 0x80];
    *character = value;
    return (apr_size_t)(p - at) + (p < end && *p == ';');
}

static apr_size_t named(const char *at, const char *end, int attribute, unsigned long *character)
{
    const char *name = at + 1, *p = name;
    while (p < end && apr_isalnum(*p)) p++;
    apr_size_t length = (apr_size_t)(p - name);
    int closed = p < end && *p == ';';
    if (length < 2 || (attribute && p < end && *p == '=')) return 0; /* a parameter, as in ?a=1&copy=2 */
    for (apr_size_t i = 0; i < sizeof names / sizeof *names && (closed || names[i].bare); i++) {
        if (names[i].name[0] != name[0]) continue;
        apr_size_t known = strlen(names[i].name);
        if (known > length || memcmp(names[i].name, name, known) != 0) continue;
        if (known == length && closed) {
            *character = names[i].character;
            return known + 2;
        }
        if (!names[i].bare) continue;
        if (attribute && known < length) continue;
        *character = names[i].character;
        return known + 1;
    }
    return 0;
}

apr_size_t icp_charref_decode(char *out, const char *text, apr_size_t length, int attribute)
{
    const char *end = text + length;
    char *to = out;
    while (text < end) {
        const char *mark = memchr(text, '&', (apr_size_t)(end - text));
        if (!mark) mark = end;
        memmove(to, text, (apr_size_t)(mark - text));
        to += mark - text;
        text = mark;
        if (text == end) break;

        unsigned long character;
        apr_size_t used = end - text > 2 && text[1] == '#' ? numeric(text, end, &character)
                                                           : named(text, end, attribute, &character);
        if (used) {
            to += icp_utf8_put(to, character);
            text += used;
        }
        else {
            *to++ = *text++;
        }
    }
    return (apr_size_t)(to - out);
}

/* `digits` hexadecimal digits at `p`; -1 if there are not that many. */
static long hexadecimal(const char *p, const char *end, int digits)
{
    long value = 0;
    if (end - p < digits) return -1;
    for (int i = 0; i < digits; i++) {
        if (!apr_isxdigit(p[i])) return -1;
        value = value * 16 + (apr_isdigit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    }
    return value;
}

/* The escape at `at`: its length, 0 if it is none. */
static apr_size_t escape(const char *at, const char *end, unsigned long *character)
{
    long value;
    if (end - at < 4) return 0;
    if (at[0] == '\\' && at[1] == 'x') {
        value = hexadecimal(at + 2, end, 2);
        *character = (unsigned long)value;
        return value < 0 ? 0 : 4;
    }
    if (at[1] != 'u' || (value = hexadecimal(at + 2, end, 4)) < 0) return 0;
    *character = (unsigned long)value;
    if (value < 0xD800 || value > 0xDBFF || end - at < 12 || at[6] != at[0] || at[7] != 'u') return 6;
    long low = hexadecimal(at + 8, end, 4);
    if (low < 0xDC00 || low > 0xDFFF) return 6;
    *character = 0x10000 + (unsigned long)((value - 0xD800) << 10 | (low - 0xDC00));
    return 12;
}

apr_size_t icp_script_decode(char *out, const char *text, apr_size_t length)
{
    const char *end = text + length;
    char *to = out;
    for (;;) {
        const char *mark = icp_scan_either(text, end, '\\', '%');
        if (to != text) memmove(to, text, (apr_size_t)(mark - text));
        to += mark - text;
        text = mark;
        if (text == end) break;

        unsigned long character;
        apr_size_t used = escape(text, end, &character);
        if (used) {
            to += icp_utf8_put(to, character);
            text += used;
        }
        else {
            *to++ = *text++;
        }
    }
    return (apr_size_t)(to - out);
}
