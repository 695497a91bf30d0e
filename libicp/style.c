#include "style.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define FAR_OFF (-900.0) /* px: no page is drawn so that one scrolls that far to the left of its edge */

/* The properties that are looked at, each with its newest declaration. */
enum { DISPLAY, VISIBILITY, FONT_SIZE, FONT, OPACITY, COLOR, POSITION, LEFT, TOP, RIGHT, BOTTOM, TEXT_INDENT, MARGIN_LEFT, MARGIN_TOP, WIDTH,
       HEIGHT, MAX_WIDTH, MAX_HEIGHT, OVERFLOW, CLIP, CLIP_PATH, TRANSFORM, CONTENT_VISIBILITY, ALL_PROPERTIES };

static const char *const property_names[] = {
    "display", "visibility", "font-size", "font", "opacity", "color", "position", "left", "top", "right", "bottom", "text-indent",
    "margin-left", "margin-top", "width", "height", "max-width", "max-height", "overflow", "clip", "clip-path", "transform",
    "content-visibility",
};

typedef struct declaration_t {
    char value[48]; /* lower case, white space folded; longer ones are cut: none that matters is */
    int important;
} declaration_t;

static int space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* Skips a CSS comment; returns `p` where there is none. */
static const char *skip_comment(const char *p, const char *end)
{
    if (end - p < 2 || p[0] != '/' || p[1] != '*') return p;
    const char *close = memmem(p + 2, (apr_size_t)(end - p - 2), "*/", 2);
    return close ? close + 2 : end;
}

/* Copies up to one of the two characters `stop` outside quotes and parentheses, in lower case, comments left out, white space folded and trimmed. */
static const char *take(char *out, apr_size_t size, const char *p, const char *end, const char *stop)
{
    apr_size_t length = 0;
    int depth = 0, gap = 0;
    char quote = 0;
    for (; p < end; p++) {
        while (*p == '/' && !quote && skip_comment(p, end) != p) {
            p = skip_comment(p, end);
            if (p == end) break;
        }
        if (p == end) break;
        if (!quote && depth == 0 && (*p == stop[0] || *p == stop[1])) break;
        if (quote) quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'') quote = *p;
        else if (*p == '(') depth++;
        else if (*p == ')' && depth > 0) depth--;
        if (space(*p)) {
            gap = length > 0;
            continue;
        }
        if (gap && length + 1 < size) out[length++] = ' ';
        gap = 0;
        if (length + 1 < size) out[length++] = (unsigned char)(*p - 'A') < 26 ? (char)(*p | 0x20) : *p;
    }
    out[length] = '\0';
    return p;
}

static void cut_important(declaration_t *declaration)
{
    char *mark = strchr(declaration->value, '!');
    declaration->important = 0;
    if (!mark) return;
    declaration->important = strstr(mark, "important") != NULL;
    while (mark > declaration->value && mark[-1] == ' ') mark--;
    *mark = '\0';
}

static void read_declarations(declaration_t *found, const char *p, const char *end)
{
    while (p < end) {
        char name[24];
        declaration_t declaration;
        p = take(name, sizeof name, p, end, ":;");
        if (p == end || *p == ';') {
            p += p < end;
            continue;
        }
        p = take(declaration.value, sizeof declaration.value, p + 1, end, ";;");
        p += p < end;
        cut_important(&declaration);
        for (int i = 0; i < ALL_PROPERTIES; i++) {
            if (name[0] != property_names[i][0] || strcmp(name, property_names[i]) != 0) continue;
            if (declaration.value[0] && (declaration.important || !found[i].important)) found[i] = declaration;
        }
    }
}

static int is_zero(const char *value)
{
    char *rest;
    double number = strtod(value, &rest);
    return rest != value && number == 0.0;
}

/* A length in px, 0 for what is none or is relative. */
static double pixels(const char *value)
{
    char *rest;
    double number = strtod(value, &rest);
    if (rest == value) return 0;
    if (strncmp(rest, "px", 2) == 0 || *rest == '\0') return number;
    if (strncmp(rest, "em", 2) == 0 || strncmp(rest, "rem", 3) == 0) return number * 16;
    if (strncmp(rest, "pt", 2) == 0) return number * 4 / 3;
    if (strncmp(rest, "vw", 2) == 0 || strncmp(rest, "vh", 2) == 0 || *rest == '%') return number * 10;
    if (strncmp(rest, "cm", 2) == 0) return number * 38;
    return 0;
}

static int far_off(const char *value)
{
    return pixels(value) < FAR_OFF;
}

static unsigned char display_of(const char *value)
{
    static const char *const blocks[] = {"block", "flex", "grid", "table", "list-item", "flow-root", "table-cell", "table-row", "-webkit-box", NULL};
    if (!*value) return ICP_DISPLAY_UNSET;
    if (strcmp(value, "none") == 0) return ICP_DISPLAY_NONE;
    if (strncmp(value, "inline", 6) == 0) return ICP_DISPLAY_INLINE;
    for (int i = 0; blocks[i]; i++) {
        if (strcmp(value, blocks[i]) == 0) return ICP_DISPLAY_BLOCK;
    }
    return strcmp(value, "contents") == 0 ? ICP_DISPLAY_OTHER : ICP_DISPLAY_UNSET;
}

/* A size relative to the parent's (em, %) says nothing: of zero it is zero. */
static unsigned char font_of(const char *value)
{
    static const char *const absolute[] = {"px", "pt", "rem", "vw", "vh", "cm", "mm", "in", "pc", "q", NULL};
    static const char *const words[] = {"xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "initial", NULL};
    char *rest;
    double size = strtod(value, &rest);
    for (int i = 0; words[i]; i++) {
        if (strcmp(value, words[i]) == 0) return 2;
    }
    if (rest == value || size < 0) return 0;
    if (size == 0.0) return 1;
    for (int i = 0; absolute[i]; i++) {
        if (strcmp(rest, absolute[i]) == 0) return 2;
    }
    return 0;
}

static const char *away_by_place(const declaration_t *found)
{
    int placed = strcmp(found[POSITION].value, "absolute") == 0 || strcmp(found[POSITION].value, "fixed") == 0;
    int moved = placed || strcmp(found[POSITION].value, "relative") == 0;
    if (moved && far_off(found[LEFT].value)) return "left:-9999px";
    if (moved && far_off(found[TOP].value)) return "top:-9999px";
    if (placed && far_off(found[RIGHT].value)) return "right:-9999px";
    if (placed && far_off(found[BOTTOM].value)) return "bottom:-9999px";
    if (far_off(found[TEXT_INDENT].value)) return "text-indent:-9999px";
    if (far_off(found[MARGIN_LEFT].value)) return "margin-left:-9999px";
    if (far_off(found[MARGIN_TOP].value)) return "margin-top:-9999px";
    if (strncmp(found[TRANSFORM].value, "scale(0)", 8) == 0) return "transform:scale(0)";
    if (placed && strncmp(found[CLIP].value, "rect(", 5) == 0 && strspn(found[CLIP].value + 5, "01px, ") == strlen(found[CLIP].value + 5) - 1) {
        return "clip:rect(0,0,0,0)";
    }
    if (strcmp(found[CLIP_PATH].value, "inset(50%)") == 0 || strcmp(found[CLIP_PATH].value, "inset(100%)") == 0) return "clip-path:inset(100%)";
    if (strcmp(found[OVERFLOW].value, "hidden") == 0 || strcmp(found[OVERFLOW].value, "clip") == 0) {
        if (is_zero(found[HEIGHT].value) || is_zero(found[MAX_HEIGHT].value)) return "height:0;overflow:hidden";
        if (is_zero(found[WIDTH].value) || is_zero(found[MAX_WIDTH].value)) return "width:0;overflow:hidden";
    }
    return NULL;
}

void icp_style_read(icp_style_t *style, const char *text, apr_size_t length)
{
    declaration_t found[ALL_PROPERTIES];
    for (int i = 0; i < ALL_PROPERTIES; i++) {
        found[i].value[0] = '\0';
        found[i].important = 0;
    }
    read_declarations(found, text, text + length);

    memset(style, 0, sizeof *style);
    style->display = display_of(found[DISPLAY].value);
    if (strcmp(found[VISIBILITY].value, "hidden") == 0 || strcmp(found[VISIBILITY].value, "collapse") == 0) style->visibility = 1;
    if (strcmp(found[VISIBILITY].value, "visible") == 0 || strcmp(found[VISIBILITY].value, "initial") == 0) style->visibility = 2;
    style->font = font_of(found[FONT_SIZE].value);
    if (!found[FONT_SIZE].value[0] && found[FONT].value[0]) style->font = is_zero(found[FONT].value) ? 1 : 2;
    style->because = away_by_place(found);
    if (found[OPACITY].value[0] && is_zero(found[OPACITY].value)) style->because = "opacity:0";
    if (strcmp(found[COLOR].value, "transparent") == 0) style->because = "color:transparent";
    style->away = style->because != NULL;
    if (style->font == 1) style->because = "font-size:0";
    if (style->visibility == 1) style->because = "visibility:hidden";
    if (strcmp(found[CONTENT_VISIBILITY].value, "hidden") == 0) {
        style->display = ICP_DISPLAY_NONE;
        style->because = "content-visibility:hidden";
    }
    else if (style->display == ICP_DISPLAY_NONE) {
        style->because = "display:none";
    }
}
