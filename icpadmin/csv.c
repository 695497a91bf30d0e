#include "csv.h"

#include <string.h>

#include <apr_strings.h>

const char *icp_csv_field(const char *text, apr_pool_t *pool)
{
    if (!text[strcspn(text, ",\"\r\n")]) return text;
    const char *quoted = "\"";
    for (char *quote, *rest = apr_pstrdup(pool, text);; rest = quote + 1) {
        quote = strchr(rest, '"');
        if (!quote) return apr_pstrcat(pool, quoted, rest, "\"", NULL);
        *quote = '\0';
        quoted = apr_pstrcat(pool, quoted, rest, "\"\"", NULL);
    }
}

/* Full-width forms are formulas to a spreadsheet in Chinese. */
const char *icp_csv_cell(const char *text, apr_pool_t *pool)
{
    static const char *const wide[] = {"＝", "＋", "－", "＠"};
    int formula = *text && strchr("=+-@\t\r\n", *text);
    for (unsigned i = 0; i < sizeof wide / sizeof *wide; i++) formula |= !strncmp(text, wide[i], strlen(wide[i]));
    return icp_csv_field(formula ? apr_pstrcat(pool, "'", text, NULL) : text, pool);
}
