#include "media.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "scan.h"

#define WIDTH 1200
#define HEIGHT 800

/* Skips white space and then the word, in either case, if it stands there by itself. */
static int take_word(const char **at, const char *end, const char *word)
{
    const char *p = *at;
    apr_size_t length = strlen(word);
    while (p < end && icp_is_space(*p)) p++;
    *at = p;
    if ((apr_size_t)(end - p) < length || strncasecmp(p, word, length) != 0) return 0;
    if ((apr_size_t)(end - p) > length && !icp_is_space(p[length]) && !strchr("(),:", p[length])) return 0;
    *at = p + length;
    return 1;
}

static double pixels(const char *value)
{
    char *rest;
    double number = strtod(value, &rest);
    return strncmp(rest, "em", 2) == 0 || strncmp(rest, "rem", 3) == 0 ? number * 16 : number;
}

/* (min-width: 768px), the brackets and what is around the colon left out. */
static int feature_applies(const char *name, const char *value)
{
    if (strcmp(name, "min-width") == 0 || strcmp(name, "min-device-width") == 0) return WIDTH >= pixels(value);
    if (strcmp(name, "max-width") == 0 || strcmp(name, "max-device-width") == 0) return WIDTH <= pixels(value);
    if (strcmp(name, "min-height") == 0) return HEIGHT >= pixels(value);
    if (strcmp(name, "max-height") == 0) return HEIGHT <= pixels(value);
    if (strcmp(name, "orientation") == 0) return strcmp(value, "landscape") == 0;
    if (strcmp(name, "prefers-color-scheme") == 0) return strcmp(value, "light") == 0;
    if (strcmp(name, "hover") == 0) return strcmp(value, "hover") == 0;
    return 0;
}

/* A feature from its bracket; *at is moved behind it. */
static int read_feature(const char **at, const char *end)
{
    char name[32] = "", value[32] = "", *out = name;
    apr_size_t length = 0;
    const char *p = *at + 1;
    for (; p < end && *p != ')'; p++) {
        if (*p == ':') out = value, length = 0;
        else if (!icp_is_space(*p) && length + 1 < sizeof name) out[length++] = *p | ((unsigned char)(*p - 'A') < 26 ? 0x20 : 0);
    }
    *at = p < end ? p + 1 : end;
    return feature_applies(name, value);
}

static int query_applies(const char *p, const char *end)
{
    int negated = take_word(&p, end, "not"), applies = 1;
    take_word(&p, end, "only");
    while (p < end) {
        while (p < end && icp_is_space(*p)) p++;
        if (p == end) break;
        if (*p == '(') applies &= read_feature(&p, end);
        else if (!take_word(&p, end, "all") && !take_word(&p, end, "screen") && !take_word(&p, end, "and")) return negated;
    }
    return applies != negated;
}

int icp_media_applies(const char *text, apr_size_t length)
{
    const char *p = text, *end = text + length;
    for (const char *comma; p < end; p = comma + 1) {
        comma = memchr(p, ',', (apr_size_t)(end - p));
        if (!comma) comma = end;
        if (query_applies(p, comma)) return 1;
    }
    return length == 0;
}
