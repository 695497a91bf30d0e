/* What the HTML Standard and libxml2 2.9 read differently, each with its reason: a difference in a number is excused only by a construct that
 * stands before it.
 */
#ifndef DIFFERENTIAL_REASONS_H
#define DIFFERENTIAL_REASONS_H

#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "element.h"
#include "scan.h"

/* A difference: an item that one of the two has, and the end of the last place where its number stands in the page; NULL: it is not written like that there. */
typedef struct difference_t {
    const char *page, *item, *at;
} difference_t;

static const char *find_number(const char *page, const char *item, apr_pool_t *pool)
{
    const char *number = strchr(item, ' ') + 1, *found = NULL;
    const char *text = apr_pstrmemdup(pool, number, strcspn(number, " "));
    for (const char *p = page; (p = strstr(p, text)); p++) found = p;
    if (!found) return NULL;
    size_t rest = strlen(found), behind = strlen(text) + 40; /* what cuts it short stands close behind */
    return found + (rest < behind ? rest : behind);
}

/* Does the sign stand before the number, at most `reach` bytes (0: anywhere)? */
static int before(const difference_t *difference, const char *sign, size_t reach)
{
    for (const char *p = difference->page; (p = strcasestr(p, sign)); p++) {
        if (!difference->at || (p < difference->at && (!reach || p + reach > difference->at))) return 1;
    }
    return 0;
}

/* The next tag at or after `p` and before the number, comments passed over; NULL: there is none. *end: behind its name. */
static const char *next_tag(const difference_t *difference, const char *p, const char **end)
{
    while ((p = strchr(p, '<')) && (!difference->at || p < difference->at)) {
        const char *close = strncmp(p, "<!--", 4) == 0 ? strstr(p, "-->") : NULL;
        if (close) p = close;
        else if (apr_isalpha(p[1 + (p[1] == '/')])) {
            for (*end = p + 1 + (p[1] == '/'); apr_isalnum(**end) || **end == '-'; ++*end) continue;
            return p;
        }
        else p++;
    }
    return NULL;
}

/* An end tag that is not the innermost open element's: what it closes, the Standard looks up through the stack and by rules for each
 * element, libxml2 by priorities of its own. Likewise for an element that HTML closes by itself, left open here. */
static int misnested(const difference_t *difference)
{
    const char *open[1000], *end;
    size_t lengths[1000];
    int depth = 0;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        int closing = p[1] == '/';
        const char *name = p + 1 + closing;
        size_t length = (size_t)(end - name);
        char lower[16] = "";
        for (size_t i = 0; i < length && i + 1 < sizeof lower; i++) lower[i] = (char)apr_tolower(name[i]);
        if (!closing) {
            if (icp_element(lower, strlen(lower))->flags & ICP_EL_VOID || depth == 1000) continue;
            open[depth] = name;
            lengths[depth++] = length;
        }
        else if (depth == 0 || lengths[depth - 1] != length || strncasecmp(open[depth - 1], name, length) != 0) return 1;
        else depth--;
    }
    return 0;
}

/* In a table, but in none of its cells. */
static int outside_cells(const difference_t *difference)
{
    const char *end, *last = NULL;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        static const char *const names[] = {"<table", "<tr", "<tbody", "<thead", "<td", "<th", "<caption", "</td", "</th", "</tr", "</caption"};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strlen(names[i]) == (size_t)(end - p) && strncasecmp(p, names[i], strlen(names[i])) == 0) last = names[i];
        }
    }
    return !last || (strcmp(last, "<td") != 0 && strcmp(last, "<th") != 0 && strcmp(last, "<caption") != 0);
}

static int no_table(const difference_t *difference)
{
    return !before(difference, "<table", 0);
}

static int bogus_comment(const difference_t *difference)
{
    for (const char *p = difference->page; (p = strchr(p, '<')) && (!difference->at || p < difference->at); p++) {
        if (p[1] == '/' && !apr_isalpha(p[2])) return 1;
        if (p[1] == '?') return 1;
        if (p[1] == '!' && p[2] != '-' && strncasecmp(p + 2, "doctype", 7) != 0) return 1;
        if (p[1] == '!' && p[2] == '-' && p[3] != '-') return 1;
    }
    return 0;
}

static int open_comment(const difference_t *difference)
{
    const char *last = NULL;
    for (const char *p = difference->page; (p = strstr(p, "<!--")) && (!difference->at || p < difference->at); p++) last = p;
    return last && !strstr(last, "-->");
}

static int begins_with_end(const difference_t *difference)
{
    const char *p = difference->page;
    while ((p = strchr(p, '<')) && p[1] != '/' && !apr_isalpha(p[1])) p++;
    return p && p[1] == '/';
}

static int tag_in_title(const difference_t *difference)
{
    const char *title = strcasestr(difference->page, "<title"), *tag = title ? strchr(title + 1, '<') : NULL;
    return tag && strncasecmp(tag, "</title", 7) != 0;
}

/* A name with a character that libxml2 ends it at, or a tag that another begins in. */
static int odd_tag(const difference_t *difference)
{
    const char *end;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        const char *close = strpbrk(end, "<>");
        if (!icp_is_space(*end) && *end != '>' && *end != '/') return 1;
        if (!close || *close == '<') return 1;
    }
    return 0;
}

static int closes_itself(const difference_t *difference)
{
    const char *end;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        const char *close = strchr(end, '>');
        char lower[16] = "";
        for (size_t i = 0; p + 1 + i < end && i + 1 < sizeof lower; i++) lower[i] = (char)apr_tolower(p[1 + i]);
        if (close && close[-1] == '/' && !(icp_element(lower, strlen(lower))->flags & ICP_EL_VOID)) return 1;
    }
    return 0;
}

static int control(const difference_t *difference)
{
    for (const char *p = difference->page; *p && (!difference->at || p < difference->at); p++) {
        if (((unsigned char)*p < ' ' && !strchr("\t\n\r", *p)) || *p == 0x7F) return 1;
    }
    return 0;
}

static int odd_quotes(const difference_t *difference)
{
    const char *end;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        const char *close = strchr(end, '>');
        int quotes = 0;
        for (const char *q = end; close && q < close; q++) quotes += *q == '"' || *q == '\'';
        if (quotes % 2) return 1;
    }
    return 0;
}

/* The sign stands before the number, within `reach` bytes (0: anywhere), and the test, if there is one, holds. */
static const struct { const char *sign; size_t reach; int (*test)(const difference_t *difference); const char *why; } reasons[] = {
    {"<svg", 0, NULL, "svg and math are ordinary elements to libxml2"},
    {"<math", 0, NULL, "svg and math are ordinary elements to libxml2"},
    {"--!>", 0, NULL, "libxml2 does not know this end of a comment"},
    {"<!-->", 0, NULL, "nor this one"},
    {"<!--->", 0, NULL, "nor this one"},
    {"<!--", 0, open_comment, "libxml2 drops a comment that does not end"},
    {"<", 0, bogus_comment, "libxml2 does not make comments of all that the Standard does"},
    {"<table", 0, outside_cells, "libxml2 leaves text in a table's rows where it stands"},
    {"<td", 0, no_table, "a cell without its table is none in the Standard"},
    {"<tr", 0, no_table, "nor is a row"},
    {"</br", 0, NULL, "the Standard takes it for <br>"},
    {"<", 0, misnested, "what an end tag closes that is not the innermost element's is another matter to libxml2"},
    {"<", 0, odd_tag, "libxml2 ends names and tags at characters that belong to them in the Standard"},
    {"<", 0, odd_quotes, "libxml2 reads a quote that stands where none should be otherwise"},
    {"</", 0, begins_with_end, "libxml2 takes nothing after an end tag in first place"},
    {"</body", 0, NULL, "libxml2 ends the page at its end tags"},
    {"</html", 0, NULL, "libxml2 ends the page at its end tags"},
    {"<summary", 0, NULL, "the reader here does not look for the summary"},
    {"shadowrootmode", 0, NULL, "libxml2 knows no declared shadow trees"},
    {"<plaintext", 0, NULL, "libxml2 does not know it"},
    {"<select", 0, NULL, "the Standard drops tags in it"},
    {"/>", 0, closes_itself, "libxml2 ends the element there, the Standard goes on"},
    {"&nbsp-", 80, NULL, "libxml2 takes the dash for a part of the reference's name"},
    {"&hyphen;", 200, NULL, "libxml2 knows the references of HTML 4 alone"},
    {"&dash;", 200, NULL, "libxml2 knows the references of HTML 4 alone"},
    {"<script", 0, control, "libxml2 drops control characters"},
    {"<script><!--", 0, NULL, "libxml2 does not know what <script> means in a script's comment"},
    {"<title", 0, tag_in_title, "libxml2 sees tags in a title"},
};

static const char *reason_for(const difference_t *difference)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (before(difference, reasons[i].sign, reasons[i].reach) && (!reasons[i].test || reasons[i].test(difference))) return reasons[i].why;
    }
    return NULL;
}

#endif
