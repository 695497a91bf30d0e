#include "fold.h"

#include <wchar.h>

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

icp_cursor_t icp_cursor(const char *text, size_t floor, size_t length, size_t at)
{
    return (icp_cursor_t){text, floor, length, at, ICP_FOLD_GAP};
}

int icp_symbol_is_han(uint32_t code)
{
    return code >= 0x3400 && code <= 0x9FFF;
}

/* Only the characters that numbers, their labels and units are written with; 丨 is typed for a bar. */
static const wchar_t VARIANTS[] = L"備俻證証號網滬蘇蘓遼魯贛粵閩瓊隴陝陜寧寜雲貴晉黒蔵靑淛亰編書許碼為爲請審辦進處報團臺時萬丨";
static const wchar_t SIMPLE[] = L"备备证证号网沪苏苏辽鲁赣粤闽琼陇陕陕宁宁云贵晋黑藏青浙京编书许码为为请审办进处报团台时万|";
_Static_assert(sizeof VARIANTS == sizeof SIMPLE, "each variant has its simplified form");

static uint32_t simplify(uint32_t code)
{
    const wchar_t *variant = wcschr(VARIANTS, (wchar_t)code);
    return variant ? (uint32_t)SIMPLE[variant - VARIANTS] : code;
}

/* One compatibility character as the plain one it stands for: ＩＣＰ, １, ①, 𝟏, ⽹ and the like. */
static uint32_t plain(uint32_t code)
{
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    int tag;
    while (uc_decomposition(code, &tag, parts) == 1) {
        code = parts[0];
    }
    return code;
}

static uint32_t fold_rare(uint32_t code)
{
    code = plain(code);
    switch (code) {
    case 0x00B7: case 0x2022: case 0x2027: case 0x30FB: return '.';
    case 0x00A6: case 0x2223: case 0x2502: case 0x2503: return '|';
    case 0x2236: case 0xA789: return ':';
    case 0x02D7: case 0x2043: case 0x2212: case 0x2500: case 0x2501: case 0x2796: case 0x30FC: return '-';
    default: break;
    }
    if (code >= 0x80 && uc_is_general_category(code, UC_DASH_PUNCTUATION)) {
        return '-';
    }
    return code;
}

static uint32_t fold(uint32_t code)
{
    if (code >= 0x80 && !icp_symbol_is_han(code)) {
        code = fold_rare(code);
    }
    if (code >= 'a' && code <= 'z') {
        return code - 'a' + 'A';
    }
    return icp_symbol_is_han(code) ? simplify(code) : code;
}

typedef enum skip_e { SKIP_NOT, SKIP_SPACE, SKIP_NOTHING } skip_e;

static skip_e skipped(uint32_t code)
{
    if (code < 0x80) {
        if (code == ' ' || (code >= '\t' && code <= '\r')) return SKIP_SPACE;
        return code < ' ' || code == 0x7F ? SKIP_NOTHING : SKIP_NOT;
    }
    if (icp_symbol_is_han(code)) return SKIP_NOT;
    if (uc_is_property_white_space(code) || code == 0x2800) return SKIP_SPACE; /* U+2800: a Braille cell without dots */
    if (uc_is_property_default_ignorable_code_point(code) || code < 0xA0) return SKIP_NOTHING;
    return SKIP_NOT;
}

static size_t decode(const icp_cursor_t *cursor, size_t at, uint32_t *code)
{
    ucs4_t decoded;
    int bytes = u8_mbtouc(&decoded, (const uint8_t *)cursor->text + at, cursor->length - at);
    *code = decoded;
    return (size_t)bytes;
}

/* The character that ends at `at`: an invalid byte counts as one, as it does forwards. */
static size_t decode_back(const icp_cursor_t *cursor, size_t at, uint32_t *code)
{
    size_t start = at - 1;
    while (start > cursor->floor && at - start < 4 && ((unsigned char)cursor->text[start] & 0xC0) == 0x80) {
        start--;
    }
    if (decode(cursor, start, code) == at - start) {
        return at - start;
    }
    *code = 0xFFFD;
    return 1;
}

/* Counts a skipped character against the gap; false: it was one too many. */
static int skip(icp_cursor_t *cursor, icp_symbol_t *symbol, skip_e kind)
{
    symbol->spaced |= kind == SKIP_SPACE;
    return cursor->gap-- > 0;
}

icp_symbol_t icp_cursor_next(icp_cursor_t *cursor)
{
    icp_symbol_t symbol = {0, 0, cursor->at, cursor->at};
    while (cursor->at < cursor->length) {
        uint32_t code;
        size_t bytes = decode(cursor, cursor->at, &code);
        if (code == ICP_FOLD_BORDER) {
            return symbol;
        }
        skip_e kind = skipped(code);
        if (kind == SKIP_NOT) {
            symbol.code = fold(code);
            symbol.start = cursor->at;
            symbol.end = cursor->at += bytes;
            return symbol;
        }
        if (!skip(cursor, &symbol, kind)) {
            return symbol;
        }
        cursor->at += bytes;
    }
    return symbol;
}

icp_symbol_t icp_cursor_previous(icp_cursor_t *cursor)
{
    icp_symbol_t symbol = {0, 0, cursor->at, cursor->at};
    while (cursor->at > cursor->floor) {
        uint32_t code;
        size_t bytes = decode_back(cursor, cursor->at, &code);
        if (code == ICP_FOLD_BORDER) {
            return symbol;
        }
        skip_e kind = skipped(code);
        if (kind == SKIP_NOT) {
            symbol.code = fold(code);
            symbol.end = cursor->at;
            symbol.start = cursor->at -= bytes;
            return symbol;
        }
        if (!skip(cursor, &symbol, kind)) {
            return symbol;
        }
        cursor->at -= bytes;
    }
    return symbol;
}

icp_symbol_t icp_cursor_peek(const icp_cursor_t *cursor)
{
    icp_cursor_t copy = *cursor;
    return icp_cursor_next(&copy);
}
