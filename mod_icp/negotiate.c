/* Reads Accept and Accept-Language. A malformed item counts as if it were not there. */
#include "negotiate.h"

#include <string.h>

#include <apr_lib.h>
#include <httpd.h>

/* The thousandths of a qvalue; -1: it is none. */
static int read_quality(const char *text)
{
    if (*text != '0' && *text != '1') return -1;
    int quality = (*text++ - '0') * 1000;
    if (*text++ == '.') {
        for (int unit = 100; unit && apr_isdigit(*text); unit /= 10) quality += (*text++ - '0') * unit;
    }
    return quality > 1000 ? 1000 : quality;
}

/* Where the value of the parameter q stands, NULL if there is none; quoted text is no parameter. */
static const char *find_quality(const char *parameters)
{
    int quoted = 0;
    for (const char *at = parameters; *at; at++) {
        if (*at == '\\' && quoted && at[1]) at++;
        else if (*at == '"') quoted = !quoted;
        else if (!quoted && !strncmp(at, ";q=", 3)) return at + 3;
    }
    return NULL;
}

/* The next item of the list: its range, lower case and without parameters, and its quality; 0 at the end. */
static int next_range(const char **range, int *quality, const char **list, apr_pool_t *pool)
{
    char *item;
    while ((item = ap_get_list_item(pool, list)) != NULL) {
        char *parameters = strchr(item, ';');
        const char *q = parameters ? find_quality(parameters) : NULL;
        *quality = q ? read_quality(q) : 1000;
        if (parameters) *parameters = '\0';
        *range = item;
        if (*quality >= 0) return 1;
    }
    return 0;
}

static int is_json(const char *range)
{
    apr_size_t length = strlen(range);
    return !strcmp(range, "application/json") || (length > 5 && !strcmp(range + length - 5, "+json"));
}

/* How precisely a range names a form: 0 not at all, 3 by its full name. */
static int precision(const char *range, icp_form_e form)
{
    int named = form == ICP_FORM_JSON ? is_json(range) : !strcmp(range, form == ICP_FORM_HTML ? "text/html" : "text/plain");
    if (named) return 3;
    if (!strcmp(range, form == ICP_FORM_JSON ? "application/*" : "text/*")) return 2;
    return !strcmp(range, "*/*");
}

icp_form_e icp_negotiate_form(const char *accept, apr_pool_t *pool)
{
    int best[3] = {0, 0, 0}, quality[3] = {0, 0, 0}, given;
    const char *range;
    while (accept && next_range(&range, &given, &accept, pool)) {
        for (int form = ICP_FORM_HTML; form <= ICP_FORM_TEXT; form++) {
            int precise = precision(range, form);
            if (precise > best[form] || (precise && precise == best[form] && given > quality[form])) {
                best[form] = precise;
                quality[form] = given;
            }
        }
    }
    icp_form_e chosen = ICP_FORM_HTML;
    for (int form = ICP_FORM_JSON; form <= ICP_FORM_TEXT; form++) {
        if (quality[form] > quality[chosen]
            || (quality[form] && quality[form] == quality[chosen] && best[form] > best[chosen])) {
            chosen = form;
        }
    }
    return chosen;
}

int icp_negotiate_chinese(const char *accept_language, apr_pool_t *pool)
{
    int chinese = -1, english = -1, any = -1, english_first = 0, given;
    const char *range;
    while (accept_language && next_range(&range, &given, &accept_language, pool)) {
        apr_size_t primary = strcspn(range, "-");
        if (primary != 2 && strcmp(range, "*")) continue;
        int *language = *range == '*' ? &any : !strncmp(range, "zh", 2) ? &chinese : !strncmp(range, "en", 2) ? &english : NULL;
        if (!language) continue;
        if (language == &english && chinese < 0) english_first = 1;
        if (given > *language) *language = given;
    }
    if (any > 0) {
        if (chinese < 0) chinese = any;
        if (english < 0) english = any;
    }
    if (english <= 0) return 1;
    if (english != chinese) return chinese > english;
    return !english_first;
}
