#include "element.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define VOID ICP_EL_VOID
#define BLOCK ICP_EL_BLOCK
#define SPECIAL ICP_EL_SPECIAL
#define SCOPE ICP_EL_SCOPE
#define FORMATTING ICP_EL_FORMATTING
#define UNDRAWN ICP_EL_UNDRAWN
#define FALLBACK ICP_EL_FALLBACK
#define BREAKOUT ICP_EL_BREAKOUT
#define GAP ICP_EL_GAP
#define FOREIGN ICP_EL_FOREIGN
#define PARTS (ICP_EL_TABLE | BLOCK | SPECIAL | ICP_EL_CELL)
#define FLOW (BLOCK | SPECIAL | ICP_EL_CLOSES_P)

/* In the order of strcmp. */
static const icp_element_t table[] = {
    {"a", FORMATTING, ICP_ELEMENT_A, 0},
    {"address", FLOW, ICP_ELEMENT_DIV, 0},
    {"app-root", 0, ICP_ELEMENT_ROOT, 0}, /* Angular's: not HTML's, but scripts fill it */
    {"applet", SPECIAL | SCOPE, 0, 0},
    {"area", VOID | SPECIAL | UNDRAWN, 0, 0},
    {"article", FLOW, 0, 0},
    {"aside", FLOW, 0, 0},
    {"audio", FALLBACK, 0, 0},
    {"b", FORMATTING | BREAKOUT, 0, 0},
    {"base", VOID | SPECIAL, 0, 0},
    {"basefont", VOID | SPECIAL, 0, 0},
    {"bgsound", VOID | SPECIAL, 0, 0},
    {"big", FORMATTING | BREAKOUT, 0, 0},
    {"blockquote", FLOW | BREAKOUT, 0, 0},
    {"body", BLOCK | SPECIAL | BREAKOUT, ICP_ELEMENT_BODY, 0},
    {"br", VOID | SPECIAL | BREAKOUT, ICP_ELEMENT_BR, 0},
    {"button", SPECIAL | GAP, ICP_ELEMENT_BUTTON, 0},
    {"canvas", FALLBACK, 0, 0},
    {"caption", BLOCK | SPECIAL | SCOPE | ICP_EL_CELL, ICP_ELEMENT_CAPTION, 0},
    {"center", FLOW | BREAKOUT, 0, 0},
    {"code", FORMATTING | BREAKOUT, 0, 0},
    {"col", VOID | SPECIAL | ICP_EL_CELL, ICP_ELEMENT_COL, 0},
    {"colgroup", SPECIAL | ICP_EL_CELL | UNDRAWN, ICP_ELEMENT_COLGROUP, 0},
    {"datalist", UNDRAWN, 0, 0},
    {"dd", FLOW | BREAKOUT, ICP_ELEMENT_DD, 0},
    {"defs", FOREIGN | UNDRAWN, 0, 0},
    {"desc", FOREIGN | SPECIAL | SCOPE | UNDRAWN, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"details", FLOW, ICP_ELEMENT_DETAILS, 0},
    {"dialog", FLOW, ICP_ELEMENT_DIALOG, 0},
    {"dir", FLOW, ICP_ELEMENT_LISTS, 0},
    {"div", FLOW | BREAKOUT, ICP_ELEMENT_DIV, 0},
    {"dl", FLOW | BREAKOUT, 0, 0},
    {"dt", FLOW | BREAKOUT, ICP_ELEMENT_DT, 0},
    {"em", FORMATTING | BREAKOUT, 0, 0},
    {"embed", VOID | SPECIAL | BREAKOUT | GAP, 0, 0},
    {"fieldset", FLOW, 0, 0},
    {"figcaption", FLOW, 0, 0},
    {"figure", FLOW, 0, 0},
    {"font", FORMATTING, ICP_ELEMENT_FONT, 0},
    {"footer", FLOW, ICP_ELEMENT_FOOTER, 0},
    {"foreignobject", FOREIGN | SPECIAL | SCOPE | BLOCK, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"form", FLOW, ICP_ELEMENT_FORM, 0},
    {"frame", VOID | SPECIAL, ICP_ELEMENT_FRAME, 0},
    {"frameset", BLOCK | SPECIAL, ICP_ELEMENT_FRAMESET, 0},
    {"h1", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"h2", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"h3", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"h4", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"h5", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"h6", FLOW | BREAKOUT | ICP_EL_HEADING, ICP_ELEMENT_HEADING, 0},
    {"head", SPECIAL | BREAKOUT, ICP_ELEMENT_HEAD, 0},
    {"header", FLOW, 0, 0},
    {"hgroup", FLOW, 0, 0},
    {"hr", VOID | FLOW | BREAKOUT, 0, 0},
    {"html", BLOCK | SPECIAL | SCOPE, ICP_ELEMENT_HTML, 0},
    {"i", FORMATTING | BREAKOUT, 0, 0},
    {"iframe", SPECIAL | UNDRAWN | GAP, ICP_ELEMENT_FRAME, ICP_CONTENT_RAW},
    {"img", VOID | SPECIAL | BREAKOUT | GAP, ICP_ELEMENT_IMG, 0},
    {"input", VOID | SPECIAL | GAP, ICP_ELEMENT_INPUT, 0},
    {"keygen", VOID | SPECIAL, 0, 0},
    {"legend", BLOCK, 0, 0},
    {"li", FLOW | BREAKOUT, ICP_ELEMENT_LI, 0},
    {"link", VOID | SPECIAL, 0, 0},
    {"listing", FLOW | BREAKOUT, 0, 0},
    {"main", FLOW, 0, 0},
    {"marquee", SPECIAL | SCOPE, 0, 0},
    {"math", 0, ICP_ELEMENT_MATH, 0},
    {"menu", FLOW | BREAKOUT, ICP_ELEMENT_LISTS, 0},
    {"meta", VOID | SPECIAL | BREAKOUT, ICP_ELEMENT_META, 0},
    {"metadata", FOREIGN | UNDRAWN, 0, 0},
    {"meter", FALLBACK, 0, 0},
    {"mi", FOREIGN | SPECIAL | SCOPE, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"mn", FOREIGN | SPECIAL | SCOPE, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"mo", FOREIGN | SPECIAL | SCOPE, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"ms", FOREIGN | SPECIAL | SCOPE, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"mtext", FOREIGN | SPECIAL | SCOPE, ICP_ELEMENT_FOREIGN_HTML, 0},
    {"nav", FLOW, 0, 0},
    {"nobr", FORMATTING | BREAKOUT, ICP_ELEMENT_NOBR, 0},
    {"noembed", SPECIAL | UNDRAWN, 0, ICP_CONTENT_RAW},
    {"noframes", SPECIAL | UNDRAWN, 0, ICP_CONTENT_RAW},
    {"noscript", SPECIAL | UNDRAWN, 0, ICP_CONTENT_RAW},
    {"object", SPECIAL | SCOPE, ICP_ELEMENT_OBJECT, 0},
    {"ol", FLOW | BREAKOUT, ICP_ELEMENT_LISTS, 0},
    {"optgroup", BLOCK, ICP_ELEMENT_OPTGROUP, 0},
    {"option", BLOCK, ICP_ELEMENT_OPTION, 0},
    {"p", FLOW | BREAKOUT, ICP_ELEMENT_P, 0},
    {"param", VOID | SPECIAL, 0, 0},
    {"plaintext", FLOW, 0, ICP_CONTENT_PLAINTEXT},
    {"pre", FLOW | BREAKOUT, 0, 0},
    {"progress", FALLBACK, 0, 0},
    {"rp", UNDRAWN, 0, 0},
    {"ruby", BREAKOUT, 0, 0},
    {"s", FORMATTING | BREAKOUT, 0, 0},
    {"script", SPECIAL | UNDRAWN, ICP_ELEMENT_SCRIPT, ICP_CONTENT_SCRIPT},
    {"search", FLOW, 0, 0},
    {"section", FLOW, 0, 0},
    {"select", SPECIAL | GAP, ICP_ELEMENT_SELECT, 0},
    {"small", FORMATTING | BREAKOUT, 0, 0},
    {"source", VOID | SPECIAL, 0, 0},
    {"span", BREAKOUT, 0, 0},
    {"strike", FORMATTING | BREAKOUT, 0, 0},
    {"strong", FORMATTING | BREAKOUT, 0, 0},
    {"style", SPECIAL | UNDRAWN, ICP_ELEMENT_STYLE, ICP_CONTENT_RAW},
    {"sub", BREAKOUT, 0, 0},
    {"summary", FLOW, ICP_ELEMENT_SUMMARY, 0},
    {"sup", BREAKOUT, 0, 0},
    {"svg", 0, ICP_ELEMENT_SVG, 0},
    {"symbol", FOREIGN | UNDRAWN, 0, 0},
    {"table", BLOCK | SPECIAL | SCOPE | ICP_EL_TABLE | ICP_EL_CLOSES_P | BREAKOUT, ICP_ELEMENT_TABLE, 0},
    {"tbody", PARTS, ICP_ELEMENT_TABLE_PART, 0},
    {"td", BLOCK | SPECIAL | SCOPE | ICP_EL_CELL, ICP_ELEMENT_CELL, 0},
    {"template", SPECIAL | SCOPE | UNDRAWN, ICP_ELEMENT_TEMPLATE, 0},
    {"text", FOREIGN, ICP_ELEMENT_SVG_TEXT, 0},
    {"textarea", SPECIAL | UNDRAWN | GAP, 0, ICP_CONTENT_RCDATA},
    {"tfoot", PARTS, ICP_ELEMENT_TABLE_PART, 0},
    {"th", BLOCK | SPECIAL | SCOPE | ICP_EL_CELL, ICP_ELEMENT_CELL, 0},
    {"thead", PARTS, ICP_ELEMENT_TABLE_PART, 0},
    {"title", SPECIAL | UNDRAWN, ICP_ELEMENT_TITLE, ICP_CONTENT_RCDATA},
    {"tr", PARTS, ICP_ELEMENT_TR, 0},
    {"track", VOID | SPECIAL, 0, 0},
    {"tt", FORMATTING | BREAKOUT, 0, 0},
    {"u", FORMATTING | BREAKOUT, 0, 0},
    {"ul", FLOW | BREAKOUT, ICP_ELEMENT_LISTS, 0},
    {"var", BREAKOUT, 0, 0},
    {"video", FALLBACK, 0, 0},
    {"wbr", VOID | SPECIAL, 0, 0},
    {"xmp", FLOW, ICP_ELEMENT_XMP, ICP_CONTENT_RAW},
};

static const icp_element_t other;

/* Eight characters of a name as a number; such numbers are in the order of the names. */
static uint64_t eight(const char *name)
{
    uint64_t value;
    memcpy(&value, name, sizeof value);
    return be64toh(value);
}

const icp_element_t *icp_element(const char *name, apr_size_t length)
{
    char wanted[sizeof table[0].name] = "";
    if (length >= sizeof wanted) return &other;
    memcpy(wanted, name, length);
    uint64_t front = eight(wanted), back = eight(wanted + 8);
    apr_size_t low = 0, high = sizeof table / sizeof *table;
    while (low < high) {
        apr_size_t middle = (low + high) / 2;
        uint64_t here = eight(table[middle].name);
        if (here == front) {
            here = eight(table[middle].name + 8);
            if (here == back) return &table[middle];
            if (here < back) low = middle + 1;
            else high = middle;
        }
        else if (here < front) low = middle + 1;
        else high = middle;
    }
    return &other;
}
