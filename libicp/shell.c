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

static int named(const icp_attribute_t *attribute, const char *name)
{
    apr_size_t length = strlen(name);
    return attribute->name_length == length && memcmp(attribute->name, name, length) == 0;
}

static void keep(char *out, apr_size_t size, const char *text, apr_size_t length)
{
    if (!*out) apr_snprintf(out, size, "%.*s", (int)(length < size ? length : size - 1), text);
}

/* In the address of a script or an image that draws a footer. */
static int draws_footer(const icp_attribute_t *src)
{
    static const char *const words[] = {"foot", "bottom", "copyright", "beian", "/icp", "_icp", "-icp", "icp.", NULL};
    int embedded = src->length > 5 && strncasecmp(src->value, "data:", 5) == 0;
    return !embedded && icp_scan_words(src->value, src->length, words);
}

void icp_shell_tag(icp_shell_t *shell, const icp_tag_t *tag)
{
    static const char *const roots[] = {"app", "root", "__next", "__nuxt", "main-app", "q-app", NULL};
    static const char *const refreshes[] = {"refresh", NULL}, *const urls[] = {"url", NULL};
    icp_attribute_t attribute;
    icp_attributes_t at = {0};
    int which = tag->element->which, refresh = 0, url = 0;
    if (which == ICP_ELEMENT_SCRIPT) shell->scripts++;
    if (which == ICP_ELEMENT_FRAME) shell->frames++;
    if (which == ICP_ELEMENT_FRAMESET) shell->framesets++;
    if (which != ICP_ELEMENT_SCRIPT && which != ICP_ELEMENT_META && which != ICP_ELEMENT_IMG && which != ICP_ELEMENT_DIV) return;
    while (icp_markup_attribute(&attribute, &at, tag)) {
        if (which == ICP_ELEMENT_SCRIPT && named(&attribute, "src") && draws_footer(&attribute)) {
            keep(shell->footer_script, sizeof shell->footer_script, attribute.value, attribute.length);
        }
        if (which == ICP_ELEMENT_IMG && named(&attribute, "src") && draws_footer(&attribute)) {
            keep(shell->footer_image, sizeof shell->footer_image, attribute.value, attribute.length);
        }
        if (which == ICP_ELEMENT_META && named(&attribute, "http-equiv")) refresh = icp_scan_words(attribute.value, attribute.length, refreshes);
        if (which == ICP_ELEMENT_META && named(&attribute, "content")) url = icp_scan_words(attribute.value, attribute.length, urls);
        for (int i = 0; which == ICP_ELEMENT_DIV && named(&attribute, "id") && roots[i]; i++) {
            if (attribute.length == strlen(roots[i]) && strncasecmp(attribute.value, roots[i], attribute.length) == 0 && !*shell->root) {
                apr_snprintf(shell->root, sizeof shell->root, "<div id=%s>", roots[i]);
            }
        }
    }
    shell->refresh |= refresh && url;
}

void icp_shell_script(icp_shell_t *shell, const char *text, apr_size_t length)
{
    static const char *const filing[] = {"ICP备", "beian.miit.gov.cn", "icpNumber", "icp_number", NULL};
    static const char *const moves[] = {"location.href=", "location.href =", "location.replace(", "location=", "location =", NULL};
    shell->speaks = shell->speaks || has_any(text, length, filing);
    shell->redirect = shell->redirect || has_any(text, length, moves);
}

icp_unreadable_e icp_shell_reason(icp_shell_t *shell, apr_size_t text_bytes, const char **detail, apr_pool_t *pool)
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
    if (*shell->footer_image) {
        *detail = apr_psprintf(pool, "image %s", shell->footer_image);
        return ICP_UNREADABLE_IMAGE;
    }
    return text_bytes == 0 ? ICP_UNREADABLE_EMPTY : ICP_READABLE;
}
