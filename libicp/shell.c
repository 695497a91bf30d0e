#include "shell.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "scan.h"

#define SHELL_TEXT 100    /* bytes of displayed text up to which a page with scripts is an empty shell */
#define ROOT_TEXT 1500    /* … if it has the element that scripts are known to fill */
#define REDIRECT_TEXT 300 /* … up to which a script that sets location is what the page is for */
#define LINK_TEXT 600     /* … up to which frames or a refresh are */
#define AT_ONCE 5         /* seconds within which a refresh leaves no time to read the page, however long */

struct icp_shell_t {
    int scripts;        /* script elements, with or without src */
    int images;
    int frames;         /* frame and iframe */
    int framesets;
    int refresh;        /* meta refresh to another page: 1, some time; 2, at once */
    int redirect;       /* a script that sets location */
    int footers;        /* footer elements, and others of that name */
    int speaks;         /* a script speaks of a filing, or loads a footer */
    int braces;         /* {{ }} in displayed text */
    char root[64];      /* the empty element that scripts fill: "div id=app" */
    char footer_script[64];
    char footer_frame[64];
    char footer_image[64];
};

icp_shell_t *icp_shell_create(apr_pool_t *pool)
{
    return apr_pcalloc(pool, sizeof(icp_shell_t));
}

/* As written, and fast: scripts are long. */
static int has_any(const char *text, apr_size_t length, const char *const *words)
{
    for (; *words; words++) {
        if (icp_scan_word(text, text + length, *words)) return 1;
    }
    return 0;
}

static void keep(char *out, apr_size_t size, const char *text, apr_size_t length)
{
    if (!*out) apr_snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), text);
}

/* In the address of a script or an image that draws a footer. */
static int draws_footer(const icp_attribute_t *src)
{
    static const icp_words_t footers = {ICP_PAIR('f', 'o') | ICP_PAIR('b', 'o') | ICP_PAIR('c', 'o') | ICP_PAIR('b', 'e') | ICP_PAIR('/', 'i') |
                                            ICP_PAIR('_', 'i') | ICP_PAIR('-', 'i') | ICP_PAIR('i', 'c'),
                                        {"foot", "bottom", "copyright", "beian", "/icp", "_icp", "-icp", "icp."}};
    int embedded = src->length > 5 && strncasecmp(src->value, "data:", 5) == 0;
    return !embedded && icp_scan_words(src->value, src->length, &footers);
}

/* When the content of a meta refresh leads to another page (HTML Standard, 4.2.5.3): 0 never; 1 some time, 2 at once. */
static int refresh_of(const char *p, apr_size_t length)
{
    const char *end = p + length;
    int seconds = 0;
    while (p < end && icp_is_space(*p)) p++;
    if (p == end || !(apr_isdigit(*p) || *p == '.')) return 0;
    for (; p < end && apr_isdigit(*p); p++) {
        if (seconds <= AT_ONCE) seconds = seconds * 10 + (*p - '0');
    }
    while (p < end && (apr_isdigit(*p) || *p == '.')) p++;
    while (p < end && (icp_is_space(*p) || *p == ';' || *p == ',')) p++;
    if (p == end) return 0;
    return seconds <= AT_ONCE ? 2 : 1;
}

static void look_at_meta(icp_shell_t *shell, const icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    int pragma = 0, refresh = 0;
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_HTTP_EQUIV) pragma = attribute->length == 7 && strncasecmp(attribute->value, "refresh", 7) == 0;
        if (attribute->which == ICP_ATTRIBUTE_CONTENT) refresh = refresh_of(attribute->value, attribute->length);
    }
    if (pragma && refresh > shell->refresh) shell->refresh = refresh;
}

/* Does a script, a frame or an image draw the footer? */
static void look_at_source(char *out, apr_size_t size, const icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while (!*out && (attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_SRC && draws_footer(attribute)) keep(out, size, attribute->value, attribute->length);
    }
}

static int is_word(const char *text, apr_size_t length, const char *const *words)
{
    for (; *words; words++) {
        if (length == strlen(*words) && strncasecmp(text, *words, length) == 0) return 1;
    }
    return 0;
}

static void look_at_id(icp_shell_t *shell, const icp_tag_t *tag)
{
    static const char *const roots[] = {"app", "root", "__next", "__nuxt", "___gatsby", "main-app", "q-app", "react-root", "ice-container", NULL};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while (!*shell->root && (attribute = icp_markup_attribute(&at))) {
        if (attribute->which != ICP_ATTRIBUTE_ID || !is_word(attribute->value, attribute->length, roots)) continue;
        apr_snprintf(shell->root, sizeof shell->root, "<div id=%.*s>", (int)attribute->length, attribute->value);
    }
}

/* An object that is a page. */
static int is_page(const icp_tag_t *tag)
{
    static const char *const types[] = {"text/html", "text/x-scriptlet", NULL};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_TYPE) return is_word(attribute->value, attribute->length, types);
    }
    return 0;
}

void icp_shell_tag(icp_shell_t *shell, const icp_tag_t *tag)
{
    int has_source = icp_tag_has(tag, ICP_ATTRIBUTE_SRC);
    switch (tag->element->which) {
    case ICP_ELEMENT_SCRIPT:
        shell->scripts++;
        if (has_source) look_at_source(shell->footer_script, sizeof shell->footer_script, tag);
        break;
    case ICP_ELEMENT_IMG:
        shell->images++;
        if (has_source) look_at_source(shell->footer_image, sizeof shell->footer_image, tag);
        break;
    case ICP_ELEMENT_DIV:
        if (icp_tag_has(tag, ICP_ATTRIBUTE_ID)) look_at_id(shell, tag);
        break;
    case ICP_ELEMENT_ROOT: keep(shell->root, sizeof shell->root, "<app-root>", 10); break;
    case ICP_ELEMENT_META: look_at_meta(shell, tag); break;
    case ICP_ELEMENT_FRAME:
        shell->frames++;
        if (has_source) look_at_source(shell->footer_frame, sizeof shell->footer_frame, tag);
        break;
    case ICP_ELEMENT_OBJECT: shell->frames += is_page(tag); break;
    case ICP_ELEMENT_FRAMESET: shell->framesets++; break;
    default: break;
    }
}

void icp_shell_footer(icp_shell_t *shell, const icp_tag_t *tag)
{
    static const char *const names[] = {"footer", "foot", "copyright", "beian", "page-footer", "site-footer", "main-footer", NULL};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    if (tag->element->which == ICP_ELEMENT_FOOTER) shell->footers++;
    if (tag->element->which != ICP_ELEMENT_DIV) return;
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which != ICP_ATTRIBUTE_ID && attribute->which != ICP_ATTRIBUTE_CLASS) continue;
        for (const char *p = attribute->value, *end = p + attribute->length, *word = p; p < end; word = p) {
            while (word < end && icp_is_space(*word)) word++;
            for (p = word; p < end && !icp_is_space(*p);) p++;
            shell->footers += is_word(word, (apr_size_t)(p - word), names);
        }
    }
}

void icp_shell_ministry(icp_shell_t *shell)
{
    keep(shell->footer_image, sizeof shell->footer_image, "in a link to the Ministry", 25);
}

void icp_shell_braces(icp_shell_t *shell)
{
    shell->braces = 1;
}

/* Behind those of the characters that stand at `p`. */
static const char *skip(const char *p, const char *end, const char *characters)
{
    while (p < end && *p && strchr(characters, *p)) p++;
    return p;
}

/* Behind "location": does this set it? =, .href =, ['href'] =, .replace(, .assign( */
static int sets(const char *p, const char *end)
{
    static const struct { const char *name; apr_size_t length; char then; } ways[] = {{"href", 4, '='}, {"replace", 7, '('}, {"assign", 6, '('}};
    char then = '=';
    p = skip(p, end, "'\"] \t\r\n"); /* window['location'] */
    if (p < end && (*p == '.' || *p == '[')) {
        p = skip(p + 1, end, "'\" ");
        then = 0;
        for (apr_size_t i = 0; i < sizeof ways / sizeof *ways && !then; i++) {
            if ((apr_size_t)(end - p) <= ways[i].length || memcmp(p, ways[i].name, ways[i].length) != 0) continue;
            p += ways[i].length;
            then = ways[i].then;
        }
        p = skip(p, end, "'\"] \t\r\n");
    }
    return then && end - p > 1 && *p == then && (then != '=' || p[1] != '=');
}

/* A script that goes to another page. */
static int moves(const char *text, apr_size_t length)
{
    const char *p = text, *end = text + length;
    while ((p = icp_scan_word(p, end, "location"))) {
        int word = p > text && (apr_isalnum(p[-1]) || p[-1] == '_');
        p += 8;
        if (!word && sets(p, end)) return 1;
    }
    return 0;
}

/* A script that fetches the footer: load('/inc/footer.html'). */
static int loads_footer(const char *text, apr_size_t length)
{
    const char *p = text, *end = text + length;
    while ((p = icp_scan_word(p, end, "foot"))) {
        p += 4;
        if (end - p > 2 && memcmp(p, "er", 2) == 0) p += 2;
        if (end - p > 4 && (memcmp(p, ".htm", 4) == 0 || memcmp(p, ".php", 4) == 0 || memcmp(p, ".asp", 4) == 0 || memcmp(p, ".jsp", 4) == 0)) return 1;
    }
    return 0;
}

void icp_shell_script(icp_shell_t *shell, const char *text, apr_size_t length, apr_size_t text_bytes, int hope)
{
    static const char *const numbers[] = {"ICP备", "ICP证", "ICP'", "ICP\"", "icpNumber", "icp_number", NULL};
    static const char *const words[] = {"beian.miit.gov.cn", NULL};
    shell->speaks = shell->speaks || (hope && has_any(text, length, numbers)) || has_any(text, length, words) || loads_footer(text, length);
    shell->redirect = shell->redirect || (text_bytes < REDIRECT_TEXT && moves(text, length));
}

static const char *counted(int count, const char *what, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%d %s%s", count, what, count == 1 ? "" : "s");
}

icp_unreadable_e icp_shell_reason(icp_shell_t *shell, apr_size_t text_bytes, int footer_text, const char **detail, apr_pool_t *pool)
{
    *detail = NULL;
    if (shell->framesets || (shell->frames && text_bytes < LINK_TEXT)) {
        *detail = counted(shell->frames, "frame", pool);
        return ICP_UNREADABLE_FRAMES;
    }
    if (shell->refresh == 2 || (shell->refresh && text_bytes < LINK_TEXT)) {
        *detail = "meta refresh";
        return ICP_UNREADABLE_REDIRECT;
    }
    if (shell->redirect && text_bytes < REDIRECT_TEXT) {
        *detail = "a script goes to another page";
        return ICP_UNREADABLE_REDIRECT;
    }
    if (shell->scripts && text_bytes < (*shell->root ? ROOT_TEXT : SHELL_TEXT)) {
        *detail = apr_pstrcat(pool, shell->root, *shell->root ? " and " : "", counted(shell->scripts, "script", pool), NULL);
        return ICP_UNREADABLE_SCRIPT;
    }
    if (*shell->footer_script || shell->speaks) {
        *detail = *shell->footer_script ? apr_psprintf(pool, "script %s", shell->footer_script) : "a script speaks of an ICP number or a footer";
        return ICP_UNREADABLE_SCRIPT;
    }
    if (shell->braces && shell->scripts) {
        *detail = apr_pstrcat(pool, "{{ }} in the text and ", counted(shell->scripts, "script", pool), NULL);
        return ICP_UNREADABLE_SCRIPT;
    }
    if (shell->footers && !footer_text && shell->scripts) {
        *detail = apr_pstrcat(pool, "an empty footer and ", counted(shell->scripts, "script", pool), NULL);
        return ICP_UNREADABLE_SCRIPT;
    }
    if (*shell->footer_frame) {
        *detail = apr_psprintf(pool, "frame %s", shell->footer_frame);
        return ICP_UNREADABLE_FRAMES;
    }
    if (*shell->footer_image) {
        *detail = apr_psprintf(pool, "image %s", shell->footer_image);
        return ICP_UNREADABLE_IMAGE;
    }
    if (text_bytes == 0 && shell->images) {
        *detail = apr_pstrcat(pool, counted(shell->images, "image", pool), " and no text", NULL);
        return ICP_UNREADABLE_IMAGE;
    }
    return text_bytes == 0 ? ICP_UNREADABLE_EMPTY : ICP_READABLE;
}
