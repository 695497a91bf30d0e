#include "visible.h"

#include <string.h>

#include <apr_strings.h>

#include "charref.h"
#include "scan.h"
#include "style.h"

#define ASKED_FOR (1u << ICP_ATTRIBUTE_STYLE | 1u << ICP_ATTRIBUTE_HREF | 1u << ICP_ATTRIBUTE_DATA | 1u << ICP_ATTRIBUTE_SIZE | \
                   1u << ICP_ATTRIBUTE_CLASS | 1u << ICP_ATTRIBUTE_ID)
#define STYLE_MAX 4096 /* bytes of a style attribute that are read */

/* Of the attributes that matter: the first of each name counts. */
typedef struct found_t {
    const char *style; /* NULL: none */
    apr_size_t style_length;
    int data, size;    /* there is one that is not empty */
} found_t;

static const char *decoded(const icp_attribute_t *attribute, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, attribute->length + 1);
    copy[icp_charref_decode(copy, attribute->value, attribute->length, 1)] = '\0';
    return copy;
}

static void collect(found_t *found, icp_effect_t *effect, const icp_tag_t *tag, apr_pool_t *pool)
{
    static const icp_words_t footers = {ICP_PAIR('f', 'o') | ICP_PAIR('c', 'o') | ICP_PAIR('b', 'o') | ICP_PAIR('b', 'e'),
                                        {"foot", "copyright", "bottom", "beian"}};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    unsigned seen = 0;
    while ((attribute = icp_markup_attribute(&at))) {
        int first = !(seen >> attribute->which & 1);
        seen |= 1u << attribute->which;
        switch (attribute->which) {
        case ICP_ATTRIBUTE_STYLE:
            if (first) found->style = attribute->value;
            if (first) found->style_length = attribute->length;
            break;
        case ICP_ATTRIBUTE_HREF:
            if (first && tag->element->which == ICP_ELEMENT_A) effect->link = decoded(attribute, pool);
            break;
        case ICP_ATTRIBUTE_DATA: found->data |= first && attribute->length; break;
        case ICP_ATTRIBUTE_SIZE: found->size |= first && attribute->length; break;
        case ICP_ATTRIBUTE_CLASS:
        case ICP_ATTRIBUTE_ID:
            if (icp_scan_words(attribute->value, attribute->length, &footers)) effect->flags |= ICP_FX_FOOTER;
            break;
        default: break;
        }
    }
}

static const char *because(const icp_tag_t *tag, const char *why, apr_pool_t *pool)
{
    apr_size_t length = tag->name_length < 32 ? tag->name_length : 32;
    return apr_psprintf(pool, "%.*s%s%s", (int)length, tag->name, *why ? " " : "", why);
}

static void hide(icp_effect_t *effect, const char *why)
{
    effect->flags |= ICP_FX_NONE;
    effect->because = why;
}

static void apply_style(icp_effect_t *effect, const icp_style_t *style, const icp_tag_t *tag, apr_pool_t *pool)
{
    unsigned *flags = &effect->flags;
    if (style->display) *flags &= ~(unsigned)ICP_FX_NONE;
    if (style->display == ICP_DISPLAY_NONE) *flags |= ICP_FX_NONE;
    if (style->display == ICP_DISPLAY_BLOCK) *flags |= ICP_FX_BLOCK;
    if (style->display == ICP_DISPLAY_INLINE) *flags &= ~(unsigned)ICP_FX_BLOCK;
    if (style->away) *flags |= ICP_FX_AWAY;
    if (style->visibility) *flags |= style->visibility == 1 ? ICP_FX_INVISIBLE : ICP_FX_VISIBLE;
    if (style->font) {
        *flags &= ~(unsigned)ICP_FX_SIZED;
        *flags |= style->font == 1 ? ICP_FX_TINY : ICP_FX_SIZED;
    }
    if (style->color) *flags |= style->color == 1 ? ICP_FX_FAINT : ICP_FX_COLORED;
    if (style->display > ICP_DISPLAY_NONE) effect->because = NULL;
    if (!style->because) return;
    const char *why = style->from ? apr_psprintf(pool, "by style sheet %s{%s}", style->from, style->because) : apr_pstrcat(pool, "style=", style->because, NULL);
    effect->because = because(tag, why, pool);
}

/* What style sheets and its style attribute say. */
static void read_style(icp_effect_t *effect, const found_t *found, const icp_tag_t *tag, const icp_sheet_t *sheet, const icp_nesting_t *nesting, apr_pool_t *pool)
{
    icp_style_t style;
    icp_cascade_t cascade = {{0}, {0}, icp_sheet_variables(sheet)};
    icp_declaration_t own[ICP_DECLARATIONS_MAX];
    int depth;
    const icp_node_t *around = icp_nesting_nodes(nesting, &depth);
    int all = found->style_length > 0 || icp_nesting_hides(nesting);
    int said = icp_sheet_has_rules(sheet) && icp_sheet_cascade(sheet, &cascade, tag, around, depth, all);
    if (found->style_length) {
        char text[STYLE_MAX];
        apr_size_t length = found->style_length < sizeof text ? found->style_length : sizeof text;
        length = icp_charref_decode(text, found->style, length, 1);
        int count = icp_style_parse(own, text, length, NULL);
        icp_style_cascade(&cascade, own, count, NULL);
        said |= count > 0;
    }
    if (!said) return;
    icp_style_evaluate(&style, &cascade);
    apply_style(effect, &style, tag, pool);
}

/* What the element does by being what it is. */
static void apply_element(icp_effect_t *effect, const icp_tag_t *tag, int sized)
{
    switch (tag->element->which) {
    case ICP_ELEMENT_FOOTER: effect->flags |= ICP_FX_FOOTER; break;
    case ICP_ELEMENT_TEMPLATE:
    case ICP_ELEMENT_SELECT: effect->flags |= ICP_FX_STORED; break;
    case ICP_ELEMENT_FONT:
        if (sized) effect->flags |= ICP_FX_SIZED;
        break;
    case ICP_ELEMENT_SVG:
        effect->flags |= ICP_FX_GRAPHIC;
        effect->because = "svg outside its text elements";
        break;
    case ICP_ELEMENT_MATH:
        effect->flags |= ICP_FX_GRAPHIC;
        effect->because = "math outside its text elements";
        break;
    case ICP_ELEMENT_SVG_TEXT:
    case ICP_ELEMENT_FOREIGN_HTML: effect->flags |= ICP_FX_DRAWN; break;
    case ICP_ELEMENT_DIALOG:
        if (!icp_tag_has(tag, ICP_ATTRIBUTE_OPEN)) hide(effect, "dialog without open");
        break;
    default: break;
    }
}

void icp_visible_effect(icp_effect_t *effect, const icp_tag_t *tag, const icp_sheet_t *sheet, const icp_nesting_t *nesting, apr_pool_t *pool)
{
    found_t found = {0};
    const icp_element_t *element = tag->element;
    *effect = (icp_effect_t){.flags = element->flags & ICP_EL_BLOCK ? ICP_FX_BLOCK : 0};
    int sheets = icp_sheet_has_rules(sheet);
    if (!tag->has && !sheets && element->which == ICP_ELEMENT_OTHER && !(element->flags & (ICP_EL_UNDRAWN | ICP_EL_FALLBACK))) return;
    if (tag->has & ASKED_FOR) collect(&found, effect, tag, pool);
    apply_element(effect, tag, found.size);
    if (icp_tag_has(tag, ICP_ATTRIBUTE_HIDDEN)) hide(effect, because(tag, "hidden", pool));
    else if (icp_tag_has(tag, ICP_ATTRIBUTE_POPOVER)) hide(effect, because(tag, "popover", pool));
    if (sheets || found.style_length) read_style(effect, &found, tag, sheet, nesting, pool);
    if (element->flags & ICP_EL_UNDRAWN) hide(effect, because(tag, "", pool));
    if (element->which == ICP_ELEMENT_DETAILS && !icp_tag_has(tag, ICP_ATTRIBUTE_OPEN)) {
        effect->flags |= ICP_FX_INNER_NONE;
        if (!effect->because) effect->because = "details without open";
    }
    else if (element->flags & ICP_EL_FALLBACK || (element->which == ICP_ELEMENT_OBJECT && found.data) || element->which == ICP_ELEMENT_SELECT) {
        effect->flags |= ICP_FX_INNER_NONE;
        if (!effect->because) effect->because = because(tag, "", pool);
    }
}
