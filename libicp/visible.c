#include "visible.h"

#include <string.h>

#include <apr_strings.h>

#include "charref.h"
#include "scan.h"
#include "style.h"

#define STYLE_MAX 4096 /* bytes of a style attribute that are read */

/* The attributes that matter, as found: the first of each name counts. */
typedef struct found_t {
    icp_attribute_t style, hidden, popover, open, href, size, data;
    const char *sheet; /* the rule of a style sheet that hides it */
} found_t;

static int is(const icp_attribute_t *attribute, const char *name)
{
    apr_size_t length = strlen(name);
    return attribute->name_length == length && memcmp(attribute->name, name, length) == 0;
}

static void keep_first(icp_attribute_t *kept, const icp_attribute_t *attribute)
{
    if (!kept->name) *kept = *attribute;
}

static void collect(found_t *found, icp_effect_t *effect, const icp_tag_t *tag, const icp_sheet_t *sheet)
{
    static const char *const words[] = {"foot", "copyright", "bottom", "beian", NULL};
    icp_attribute_t attribute;
    icp_attributes_t at = {0};
    memset(found, 0, sizeof *found);
    while (icp_markup_attribute(&attribute, &at, tag)) {
        if (is(&attribute, "style")) keep_first(&found->style, &attribute);
        else if (is(&attribute, "hidden")) keep_first(&found->hidden, &attribute);
        else if (is(&attribute, "popover")) keep_first(&found->popover, &attribute);
        else if (is(&attribute, "open")) keep_first(&found->open, &attribute);
        else if (is(&attribute, "href")) keep_first(&found->href, &attribute);
        else if (is(&attribute, "data")) keep_first(&found->data, &attribute);
        else if (is(&attribute, "size")) keep_first(&found->size, &attribute);
        else if (is(&attribute, "class") || is(&attribute, "id")) {
            effect->footer |= icp_scan_words(attribute.value, attribute.length, words);
            if (!found->sheet) found->sheet = icp_sheet_hides(sheet, &attribute);
        }
    }
}

static const char *because(const icp_tag_t *tag, const char *why, apr_pool_t *pool)
{
    apr_size_t length = tag->name_length < 32 ? tag->name_length : 32;
    return apr_psprintf(pool, "%.*s%s%s", (int)length, tag->name, *why ? " " : "", why);
}

static void apply_style(icp_effect_t *effect, const icp_style_t *style, const icp_tag_t *tag, apr_pool_t *pool)
{
    if (style->display) effect->none = style->display == ICP_DISPLAY_NONE;
    if (style->display == ICP_DISPLAY_BLOCK) effect->block = 1;
    if (style->display == ICP_DISPLAY_INLINE) effect->block = 0;
    effect->away = style->away;
    effect->visibility = style->visibility;
    effect->font = style->font;
    if (style->display > ICP_DISPLAY_NONE) effect->because = NULL;
    if (style->because) effect->because = because(tag, apr_pstrcat(pool, "style=", style->because, NULL), pool);
}

static const char *decoded(const icp_attribute_t *attribute, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, attribute->length + 1);
    copy[icp_charref_decode(copy, attribute->value, attribute->length, 1)] = '\0';
    return copy;
}

void icp_visible_effect(icp_effect_t *effect, const icp_tag_t *tag, const icp_sheet_t *sheet, apr_pool_t *pool)
{
    found_t found;
    const icp_element_t *element = tag->element;
    memset(effect, 0, sizeof *effect);
    collect(&found, effect, tag, sheet);
    effect->block = !!(element->flags & ICP_EL_BLOCK);
    effect->footer |= element->which == ICP_ELEMENT_FOOTER;
    effect->stored = element->which == ICP_ELEMENT_TEMPLATE || element->which == ICP_ELEMENT_SELECT;
    if (element->which == ICP_ELEMENT_FONT && found.size.length) effect->font = 2;
    if (element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH) {
        effect->graphic = 1;
        effect->because = element->which == ICP_ELEMENT_SVG ? "svg outside its text elements" : "math outside its text elements";
    }
    else if (element->which == ICP_ELEMENT_SVG_TEXT || element->which == ICP_ELEMENT_FOREIGN_HTML) {
        effect->graphic = 2;
    }
    if (element->which == ICP_ELEMENT_A && found.href.name) effect->link = decoded(&found.href, pool);

    if (found.hidden.name) {
        effect->none = 1;
        effect->because = because(tag, "hidden", pool);
    }
    else if (found.popover.name) {
        effect->none = 1;
        effect->because = because(tag, "popover", pool);
    }
    else if (element->which == ICP_ELEMENT_DIALOG && !found.open.name) {
        effect->none = 1;
        effect->because = "dialog without open";
    }
    if (found.sheet && !effect->none) {
        effect->none = 1;
        effect->because = because(tag, apr_pstrcat(pool, "by style sheet ", found.sheet, NULL), pool);
    }
    if (found.style.length) {
        icp_style_t style;
        char text[STYLE_MAX];
        apr_size_t length = found.style.length < sizeof text ? found.style.length : sizeof text;
        length = icp_charref_decode(text, found.style.value, length, 1);
        icp_style_read(&style, text, length);
        apply_style(effect, &style, tag, pool);
    }
    if (element->flags & ICP_EL_UNDRAWN) {
        effect->none = 1;
        effect->because = because(tag, "", pool);
    }
    if (element->which == ICP_ELEMENT_DETAILS && !found.open.name) {
        effect->inner_none = 1;
        if (!effect->because) effect->because = "details without open";
    }
    else if (element->flags & ICP_EL_FALLBACK || (element->which == ICP_ELEMENT_OBJECT && found.data.length) || element->which == ICP_ELEMENT_SELECT) {
        effect->inner_none = 1;
        if (!effect->because) effect->because = because(tag, "", pool);
    }
}
