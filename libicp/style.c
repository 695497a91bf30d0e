#include "style.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#define VARIABLES_MAX 1000
#define COLOR_MAX 48 /* bytes of a colour in any spelling, and a zero */
#define FAR_OFF (-900.0) /* px: no page is drawn so that one scrolls that far to the left of its edge */

enum { DISPLAY, VISIBILITY, FONT_SIZE, FONT, OPACITY, COLOR, BACKGROUND, BACKGROUND_COLOR, POSITION, LEFT, TOP, RIGHT, BOTTOM, TEXT_INDENT,
       MARGIN_LEFT, MARGIN_TOP, WIDTH, HEIGHT, MAX_WIDTH, MAX_HEIGHT, OVERFLOW, CLIP, CLIP_PATH, TRANSFORM, CONTENT_VISIBILITY, FILTER,
       MARGIN, TEXT_FILL };

static const char *const property_names[ICP_PROPERTIES] = {
    "display", "visibility", "font-size", "font", "opacity", "color", "background", "background-color", "position", "left", "top", "right", "bottom",
    "text-indent", "margin-left", "margin-top", "width", "height", "max-width", "max-height", "overflow", "clip", "clip-path", "transform",
    "content-visibility", "filter", "margin", "-webkit-text-fill-color",
};

enum { SPACE = 1, OPENS = 2, STOPS = 4 }; /* white space; quotes, brackets and comments; the end of a name or a value */

static const unsigned char kinds[256] = {
    [' '] = SPACE, ['\n'] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, ['\f'] = SPACE,
    ['"'] = OPENS, ['\''] = OPENS, ['('] = OPENS,  [')'] = OPENS,  ['/'] = OPENS,
    [':'] = STOPS, [';'] = STOPS,
};

static int kind(char c)
{
    return kinds[(unsigned char)c];
}

/* Nearly every property that is asked for says nothing or something else from its first character on. */
static inline int is(const char *value, const char *word)
{
    return *value == *word && strcmp(value, word) == 0;
}

static inline int begins(const char *value, const char *word)
{
    return *value == *word && strncmp(value, word, strlen(word)) == 0;
}

static int space(char c)
{
    return kind(c) == SPACE;
}

/* Skips a CSS comment; returns `p` where there is none. */
static const char *skip_comment(const char *p, const char *end)
{
    if (end - p < 2 || p[0] != '/' || p[1] != '*') return p;
    const char *close = memmem(p + 2, (apr_size_t)(end - p - 2), "*/", 2);
    return close ? close + 2 : end;
}

/* Copies (with `size` 0: skips) up to one of the two characters `stop` outside quotes and parentheses, in lower case, comments left out, white space folded and trimmed. */
static const char *take(char *out, apr_size_t size, const char *p, const char *end, const char *stop)
{
    apr_size_t length = 0;
    int depth = 0, gap = 0;
    char quote = 0;
    for (; p < end; p++) {
        if (kind(*p)) {
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
        }
        if (gap && length + 1 < size) out[length++] = ' ';
        gap = 0;
        if (length + 1 < size) out[length++] = (unsigned char)(*p - 'A') < 26 ? (char)(*p | 0x20) : *p;
    }
    if (size) out[length] = '\0';
    return p;
}

static void cut_important(icp_declaration_t *declaration)
{
    char *mark = strchr(declaration->value, '!');
    declaration->important = 0;
    if (!mark) return;
    declaration->important = strstr(mark, "important") != NULL;
    while (mark > declaration->value && mark[-1] == ' ') mark--;
    *mark = '\0';
}

/* The name of a property, in lower case, up to ':' or ';'. */
static const char *take_name(char *out, apr_size_t size, const char *p, const char *end)
{
    apr_size_t length = 0;
    const char *c = p;
    while (c < end && length + 1 < size && ((unsigned char)((*c | 0x20) - 'a') < 26 || *c == '-')) out[length++] = (char)(*c++ | 0x20);
    if (c == end || *c != ':') return take(out, size, p, end, ":;");
    out[length] = '\0';
    return c;
}

static int property_named(const char *name)
{
    static const signed char by_length[24][5] = {
        [3] = {TOP, -1}, [4] = {FONT, LEFT, CLIP, -1}, [5] = {COLOR, RIGHT, WIDTH, -1}, [6] = {BOTTOM, HEIGHT, FILTER, MARGIN, -1},
        [7] = {DISPLAY, OPACITY, -1}, [8] = {POSITION, OVERFLOW, -1}, [9] = {FONT_SIZE, MAX_WIDTH, CLIP_PATH, TRANSFORM, -1},
        [10] = {VISIBILITY, BACKGROUND, MARGIN_TOP, MAX_HEIGHT, -1}, [11] = {TEXT_INDENT, MARGIN_LEFT, -1}, [16] = {BACKGROUND_COLOR, -1},
        [18] = {CONTENT_VISIBILITY, -1}, [23] = {TEXT_FILL, -1}, [0] = {-1}, [1] = {-1}, [2] = {-1}, [12] = {-1}, [13] = {-1}, [14] = {-1}, [15] = {-1},
        [17] = {-1}, [19] = {-1}, [20] = {-1}, [21] = {-1}, [22] = {-1},
    };
    apr_size_t length = strlen(name);
    if (length >= sizeof by_length / sizeof *by_length) return -1;
    for (const signed char *property = by_length[length]; *property >= 0; property++) {
        if (memcmp(name, property_names[*property], length) == 0) return *property;
    }
    return -1;
}

/* The end of a declaration that nobody asks for: ';' outside quotes, brackets and comments. */
static const char *skip_value(const char *p, const char *end)
{
    const char *stop = memchr(p, ';', (apr_size_t)(end - p)), *plain = stop ? stop : end;
    for (const char *c = p; c < plain; c++) {
        if (kind(*c) == OPENS) return take(NULL, 0, p, end, ";;");
    }
    return plain;
}

static void keep_variable(apr_hash_t *variables, const char *name, const char *value)
{
    apr_pool_t *pool = apr_hash_pool_get(variables);
    if (apr_hash_count(variables) >= VARIABLES_MAX) return;
    apr_hash_set(variables, apr_pstrdup(pool, name), APR_HASH_KEY_STRING, apr_pstrdup(pool, value));
}

/* Browsers pass over a declaration whose value they do not know; an older one then holds. Checked where pages rely on it. */
static int is_known_display(const char *value)
{
    static const char *const known[] = {"inline", "block", "flex", "grid", "table", "list-item", "flow", "contents", "ruby", "math", "-webkit-", "inherit",
                                        "initial", "unset", "revert", "var(", NULL};
    if (is(value, "none")) return 1;
    if (strchr(value, '\\')) return 0;
    for (int i = 0; known[i]; i++) {
        if (begins(value, known[i])) return 1;
    }
    return 0;
}

int icp_style_parse(icp_declaration_t out[ICP_DECLARATIONS_MAX], const char *text, apr_size_t length, apr_hash_t *variables)
{
    const char *p = text, *end = text + length;
    int count = 0;
    while (p < end) {
        char name[32];
        icp_declaration_t declaration;
        while (p < end && space(*p)) p++;
        p = take_name(name, sizeof name, p, end);
        if (p == end || *p == ';') {
            p += p < end;
            continue;
        }
        int property = property_named(name), variable = variables && name[0] == '-' && name[1] == '-';
        if (property < 0 && !variable) {
            p = skip_value(p + 1, end);
            p += p < end;
            continue;
        }
        p = take(declaration.value, sizeof declaration.value, p + 1, end, ";;");
        p += p < end;
        cut_important(&declaration);
        if (variable) keep_variable(variables, name, declaration.value);
        if (property < 0 || !declaration.value[0] || count == ICP_DECLARATIONS_MAX) continue;
        if (property == DISPLAY && !is_known_display(declaration.value)) continue;
        declaration.property = (unsigned char)property;
        out[count++] = declaration;
    }
    return count;
}

void icp_style_cascade(icp_cascade_t *cascade, const icp_declaration_t *declarations, int count, const char *from)
{
    for (int i = 0; i < count; i++) {
        const icp_declaration_t **holds = &cascade->holds[declarations[i].property];
        if (*holds && (*holds)->important && !declarations[i].important) continue;
        *holds = &declarations[i];
        cascade->from[declarations[i].property] = from;
    }
}

/* What var() stands for, "" if that is not known: its fallback is not read, and what is not known does not hide. */
static const char *looked_up(const icp_cascade_t *cascade, const char *value)
{
    for (int i = 0; i < 4 && begins(value, "var("); i++) {
        char name[32];
        const char *p = value + 4 + (value[4] == ' ');
        apr_size_t length = strcspn(p, " ,)");
        apr_cpystrn(name, p, length < sizeof name ? length + 1 : sizeof name);
        value = cascade->variables ? apr_hash_get(cascade->variables, name, APR_HASH_KEY_STRING) : NULL;
        if (!value) return "";
    }
    return value;
}

/* The value of a property, "" if there is none. */
static inline const char *value_of(const icp_cascade_t *cascade, int property)
{
    const icp_declaration_t *declaration = cascade->holds[property];
    if (!declaration) return "";
    return begins(declaration->value, "var(") ? looked_up(cascade, declaration->value) : declaration->value;
}

static int is_zero(const char *value)
{
    char *rest;
    if (*value != '0' && *value != '.' && *value != '-' && *value != '+') return 0;
    double number = strtod(value, &rest);
    return rest != value && number == 0.0;
}

/* A length in px, 0 for what is none or is relative. */
static double pixels(const char *value)
{
    char *rest;
    double number = strtod(value, &rest);
    if (rest == value) return 0;
    if (begins(rest, "px") || *rest == '\0') return number;
    if (begins(rest, "em") || begins(rest, "rem")) return number * 16;
    if (begins(rest, "pt")) return number * 4 / 3;
    if (begins(rest, "vw") || begins(rest, "vh") || *rest == '%') return number * 10;
    if (begins(rest, "cm")) return number * 38;
    return 0;
}

static int far_off(const char *value)
{
    return *value == '-' && pixels(value) < FAR_OFF;
}

static unsigned char display_of(const char *value)
{
    static const char *const blocks[] = {"block", "flex", "grid", "table", "list-item", "flow-root", "table-cell", "table-row", "-webkit-box", "-webkit-flex",
                                         "-ms-flexbox", "table-footer-group", "table-row-group", "table-caption", NULL};
    static const char *const shown[] = {"contents", "initial", "unset", "inherit", NULL}; /* the last in whatever way its parent is */
    if (!*value) return ICP_DISPLAY_UNSET;
    if (is(value, "none")) return ICP_DISPLAY_NONE;
    if (begins(value, "inline")) return ICP_DISPLAY_INLINE;
    for (int i = 0; shown[i]; i++) {
        if (is(value, shown[i])) return ICP_DISPLAY_INLINE;
    }
    for (int i = 0; blocks[i]; i++) {
        if (is(value, blocks[i])) return ICP_DISPLAY_BLOCK;
    }
    return ICP_DISPLAY_UNSET;
}

/* A size relative to the parent's (em, %) says nothing: of zero it is zero. */
static unsigned char font_of(const char *value)
{
    static const char *const absolute[] = {"px", "pt", "rem", "vw", "vh", "cm", "mm", "in", "pc", "q", NULL};
    static const char *const words[] = {"xx-small", "x-small", "small", "medium", "large", "x-large", "xx-large", "initial", NULL};
    char *rest;
    if (*value >= 'a' && *value <= 'z') {
        for (int i = 0; words[i]; i++) {
            if (is(value, words[i])) return 2;
        }
        return 0;
    }
    double size = strtod(value, &rest);
    if (rest == value || size < 0) return 0;
    if (size == 0.0) return 1;
    for (int i = 0; absolute[i]; i++) {
        if (is(rest, absolute[i])) return 2;
    }
    return 0;
}

/* A colour in one spelling of those in use for black, white and grey: #rgb; other colours as they are written. */
static void plain_color(char out[COLOR_MAX], const char *value)
{
    static const struct { const char *name, *plain; } names[] = {
        {"white", "#fff"}, {"black", "#000"}, {"rgb(255,255,255)", "#fff"}, {"rgb(0,0,0)", "#000"}, {"rgba(255,255,255,1)", "#fff"}};
    apr_size_t length = 0;
    if (!*value) return;
    for (; *value && length < COLOR_MAX - 1; value++) {
        if (*value != ' ') out[length++] = *value;
        else if (!strchr(out, '(')) break; /* the rest of a background */
        out[length] = '\0';
    }
    out[length] = '\0';
    for (apr_size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is(out, names[i].name)) strcpy(out, names[i].plain);
    }
    if (length == 7 && out[0] == '#' && out[1] == out[2] && out[3] == out[4] && out[5] == out[6]) {
        out[2] = out[3];
        out[3] = out[5];
        out[4] = '\0';
    }
}

int icp_style_decides(const icp_declaration_t *declarations, int count)
{
    static const char deciding[ICP_PROPERTIES] = {
        [DISPLAY] = 1, [VISIBILITY] = 1, [OPACITY] = 1, [CONTENT_VISIBILITY] = 1, [FILTER] = 1, [CLIP] = 1, [CLIP_PATH] = 1, [TRANSFORM] = 1};
    static const char together[ICP_PROPERTIES] = {[COLOR] = 1, [TEXT_FILL] = 1, [OVERFLOW] = 1, [FONT] = 1, [FONT_SIZE] = 1}; /* no other hides */
    icp_style_t style;
    icp_cascade_t cascade = {{0}, {0}, NULL};
    int some = 0;
    for (int i = 0; i < count; i++) {
        const char *value = declarations[i].value;
        if (deciding[declarations[i].property] || far_off(value) || begins(value, "var(")) return 1;
        some |= together[declarations[i].property];
    }
    if (!some) return 0;
    icp_style_cascade(&cascade, declarations, count, NULL);
    icp_style_evaluate(&style, &cascade);
    return style.because != NULL;
}

/* transparent, #rgb0, #rrggbb00, rgba(…,0), hsl(… / 0%): a plain colour without any of it. */
static int is_clear(const char *color)
{
    apr_size_t length = strlen(color);
    if (*color == '#') return (length == 5 && color[4] == '0') || (length == 9 && is(color + 7, "00"));
    if (!begins(color, "rgb") && !begins(color, "hsl")) return is(color, "transparent");
    const char *alpha = strchr(color, '/');
    if (!alpha) {
        alpha = color;
        for (int i = 0; i < 3 && alpha; i++) alpha = strchr(alpha + 1, ',');
    }
    return alpha && is_zero(alpha + 1);
}

/* 1: drawn in the colour of its own background, or in none; 2: in another; 0: nothing is said. */
static unsigned char color_of(const icp_cascade_t *cascade)
{
    const char *fill = value_of(cascade, TEXT_FILL), *color = *fill ? fill : value_of(cascade, COLOR);
    const char *background = value_of(cascade, BACKGROUND_COLOR);
    char front[COLOR_MAX] = "", back[COLOR_MAX] = "";
    if (!*background) background = value_of(cascade, BACKGROUND);
    plain_color(front, color);
    plain_color(back, background);
    if (is_clear(front)) return strstr(background, "clip") || strstr(background, "gradient") ? 2 : 1;
    if (*front && is(front, back) && !strstr(background, "url(")) return 1;
    return *front || *back ? 2 : 0;
}

static int is_one_pixel(const char *value)
{
    return is_zero(value) || is(value, "1px");
}

/* What draws it out of sight; *property: by which. */
static const char *away_by_place(const icp_cascade_t *cascade, int *property)
{
#define SAYS(which, what) do { *property = which; return what; } while (0)
    const char *position = value_of(cascade, POSITION), *overflow = value_of(cascade, OVERFLOW), *clip = value_of(cascade, CLIP);
    const char *path = value_of(cascade, CLIP_PATH), *transform = value_of(cascade, TRANSFORM);
    int placed = is(position, "absolute") || is(position, "fixed");
    int moved = placed || is(position, "relative");
    if (moved && far_off(value_of(cascade, LEFT))) SAYS(LEFT, "left:-9999px");
    if (moved && far_off(value_of(cascade, TOP))) SAYS(TOP, "top:-9999px");
    if (placed && far_off(value_of(cascade, RIGHT))) SAYS(RIGHT, "right:-9999px");
    if (placed && far_off(value_of(cascade, BOTTOM))) SAYS(BOTTOM, "bottom:-9999px");
    if (far_off(value_of(cascade, TEXT_INDENT))) SAYS(TEXT_INDENT, "text-indent:-9999px");
    if (far_off(value_of(cascade, MARGIN_LEFT))) SAYS(MARGIN_LEFT, "margin-left:-9999px");
    if (far_off(value_of(cascade, MARGIN_TOP)) || far_off(value_of(cascade, MARGIN))) SAYS(MARGIN_TOP, "margin-top:-9999px");
    if (begins(transform, "scale(0)") || begins(transform, "scale(0,")) SAYS(TRANSFORM, "transform:scale(0)");
    if (begins(transform, "translate") && strchr(transform, '(') && far_off(strchr(transform, '(') + 1)) SAYS(TRANSFORM, "transform:translate(-9999px)");
    if (placed && begins(clip, "rect(") && strspn(clip + 5, "01px, ") == strlen(clip + 5) - 1) SAYS(CLIP, "clip:rect(0,0,0,0)");
    if (is(path, "inset(50%)") || is(path, "inset(100%)")) SAYS(CLIP_PATH, "clip-path:inset(100%)");
    if (is(path, "circle(0)") || is(path, "circle(0px)") || is(path, "circle(0%)")) SAYS(CLIP_PATH, "clip-path:circle(0)");
    if (begins(overflow, "hidden") || is(overflow, "clip")) {
        const char *width = value_of(cascade, WIDTH), *height = value_of(cascade, HEIGHT);
        if (is_zero(height) || is_zero(value_of(cascade, MAX_HEIGHT))) SAYS(OVERFLOW, "height:0;overflow:hidden");
        if (is_zero(width) || is_zero(value_of(cascade, MAX_WIDTH))) SAYS(OVERFLOW, "width:0;overflow:hidden");
        if (is_one_pixel(width) && is_one_pixel(height)) SAYS(OVERFLOW, "width:1px;height:1px;overflow:hidden");
    }
    return NULL;
#undef SAYS
}

static void hide(icp_style_t *style, const icp_cascade_t *cascade, int property, const char *because)
{
    style->because = because;
    style->from = cascade->from[property];
}

void icp_style_evaluate(icp_style_t *style, const icp_cascade_t *cascade)
{
    const char *visibility = value_of(cascade, VISIBILITY), *opacity = value_of(cascade, OPACITY), *filter = value_of(cascade, FILTER);
    const char *size = value_of(cascade, FONT_SIZE), *font = value_of(cascade, FONT), *away;
    int property;
    memset(style, 0, sizeof *style);
    style->display = display_of(value_of(cascade, DISPLAY));
    style->font = font_of(size);
    style->color = color_of(cascade);
    if (!*size && *font) style->font = is_zero(font) ? 1 : 2;
    if (is(visibility, "hidden") || is(visibility, "collapse")) style->visibility = 1;
    if (is(visibility, "visible") || is(visibility, "initial")) style->visibility = 2;

    if ((away = away_by_place(cascade, &property))) hide(style, cascade, property, away);
    if (*opacity && is_zero(opacity)) hide(style, cascade, OPACITY, "opacity:0");
    if (is(filter, "opacity(0)") || is(filter, "opacity(0%)")) hide(style, cascade, FILTER, "filter:opacity(0)");
    style->away = style->because != NULL;
    if (style->color == 1) hide(style, cascade, COLOR, "the color of its background");
    if (style->font == 1) hide(style, cascade, *size ? FONT_SIZE : FONT, "font-size:0");
    if (style->visibility == 1) hide(style, cascade, VISIBILITY, "visibility:hidden");
    if (is(value_of(cascade, CONTENT_VISIBILITY), "hidden")) {
        style->display = ICP_DISPLAY_NONE;
        hide(style, cascade, CONTENT_VISIBILITY, "content-visibility:hidden");
    }
    else if (style->display == ICP_DISPLAY_NONE) {
        hide(style, cascade, DISPLAY, "display:none");
    }
}
