#include "shell.h"

#include <string.h>

#include <apr_strings.h>

#include "scan.h"

#define SHELL_TEXT 100  /* bytes of displayed text up to which a page with scripts is an empty shell */
#define ROOT_TEXT 1500  /* … if it has the element that scripts are known to fill */
#define LINK_TEXT 600   /* … up to which frames or a redirect are what the page is for */

struct icp_shell_t {
    int scripts;        /* script elements, with or without src */
    int frames;         /* frame and iframe */
    int framesets;
    int refresh;        /* meta refresh to another page */
    int redirect;       /* a script that sets location */
    int footers;        /* footer elements, and others of that id */
    int speaks;         /* a script speaks of a filing */
    char root[64];      /* the empty element that scripts fill: "div id=app" */
    char footer_script[64];
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
        if (memmem(text, length, *words, strlen(*words))) return 1;
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

static void look_at_meta(icp_shell_t *shell, const icp_tag_t *tag)
{
    static const icp_words_t refreshes = {ICP_PAIR('r', 'e'), {"refresh"}}, urls = {ICP_PAIR('u', 'r'), {"url"}};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    int refresh = 0, url = 0;
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_HTTP_EQUIV) refresh = icp_scan_words(attribute->value, attribute->length, &refreshes);
        if (attribute->which == ICP_ATTRIBUTE_CONTENT) url = icp_scan_words(attribute->value, attribute->length, &urls);
    }
    shell->refresh |= refresh && url;
}

/* Does a script or an image draw the footer? */
static void look_at_source(char *out, apr_size_t size, const icp_tag_t *tag)
{
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while (!*out && (attribute = icp_markup_attribute(&at))) {
        if (attribute->which == ICP_ATTRIBUTE_SRC && draws_footer(attribute)) keep(out, size, attribute->value, attribute->length);
    }
}

static void look_at_id(icp_shell_t *shell, const icp_tag_t *tag)
{
    static const char *const roots[] = {"app", "root", "__next", "__nuxt", "main-app", "q-app", NULL};
    const icp_attribute_t *attribute;
    icp_attributes_t at = {.tag = tag};
    while ((attribute = icp_markup_attribute(&at))) {
        if (attribute->which != ICP_ATTRIBUTE_ID) continue;
        if (attribute->length == 6 && strncasecmp(attribute->value, "footer", 6) == 0) shell->footers++;
        for (int i = 0; roots[i] && !*shell->root; i++) {
            if (attribute->length != strlen(roots[i]) || strncasecmp(attribute->value, roots[i], attribute->length) != 0) continue;
            apr_snprintf(shell->root, sizeof shell->root, "<div id=%s>", roots[i]);
        }
    }
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
        if (has_source) look_at_source(shell->footer_image, sizeof shell->footer_image, tag);
        break;
    case ICP_ELEMENT_DIV:
        if (icp_tag_has(tag, ICP_ATTRIBUTE_ID)) look_at_id(shell, tag);
        break;
    case ICP_ELEMENT_FOOTER: shell->footers++; break;
    case ICP_ELEMENT_META: look_at_meta(shell, tag); break;
    case ICP_ELEMENT_FRAME: shell->frames++; break;
    case ICP_ELEMENT_FRAMESET: shell->framesets++; break;
    default: break;
    }
}

/* location.href=, location.replace( and location=, with a space before the equals sign or not. */
static int moves(const char *text, apr_size_t length)
{
    static const char *const ways[] = {".href=", ".href =", ".replace(", "=", " =", NULL};
    const char *p = text, *end = text + length;
    while ((p = memmem(p, (apr_size_t)(end - p), "location", 8))) {
        p += 8;
        for (int i = 0; ways[i]; i++) {
            apr_size_t size = strlen(ways[i]);
            if ((apr_size_t)(end - p) >= size && memcmp(p, ways[i], size) == 0) return 1;
        }
    }
    return 0;
}

void icp_shell_script(icp_shell_t *shell, const char *text, apr_size_t length, int hope)
{
    static const char *const numbers[] = {"ICP备", "ICP证", "ICP'", "ICP\"", "icpNumber", "icp_number", NULL};
    static const char *const words[] = {"beian.miit.gov.cn", NULL};
    shell->speaks = shell->speaks || (hope && has_any(text, length, numbers)) || has_any(text, length, words);
    shell->redirect = shell->redirect || moves(text, length);
}

icp_unreadable_e icp_shell_reason(icp_shell_t *shell, apr_size_t text_bytes, int footer_text, const char **detail, apr_pool_t *pool)
{
    *detail = NULL;
    if (shell->framesets || (shell->frames && text_bytes < LINK_TEXT)) {
        *detail = apr_psprintf(pool, "%d frames", shell->frames);
        return ICP_UNREADABLE_FRAMES;
    }
    if (shell->refresh && text_bytes < LINK_TEXT) {
        *detail = "meta refresh";
        return ICP_UNREADABLE_REDIRECT;
    }
    if (shell->redirect && text_bytes < SHELL_TEXT) {
        *detail = "a script goes to another page";
        return ICP_UNREADABLE_REDIRECT;
    }
    if (shell->scripts && text_bytes < (*shell->root ? ROOT_TEXT : SHELL_TEXT)) {
        *detail = apr_psprintf(pool, "%s%s%d scripts", shell->root, *shell->root ? " and " : "", shell->scripts);
        return ICP_UNREADABLE_SCRIPT;
    }
    if (*shell->footer_script || shell->speaks) {
        *detail = *shell->footer_script ? apr_psprintf(pool, "script %s", shell->footer_script) : "a script speaks of an ICP number";
        return ICP_UNREADABLE_SCRIPT;
    }
    if (shell->footers && !footer_text && shell->scripts) {
        *detail = apr_psprintf(pool, "an empty footer and %d scripts", shell->scripts);
        return ICP_UNREADABLE_SCRIPT;
    }
    if (*shell->footer_image) {
        *detail = apr_psprintf(pool, "image %s", shell->footer_image);
        return ICP_UNREADABLE_IMAGE;
    }
    return text_bytes == 0 ? ICP_UNREADABLE_EMPTY : ICP_READABLE;
}
