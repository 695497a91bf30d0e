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

/* A difference: an item that one of the two has, and the last place in the page where its number stands, or else its first digits. */
typedef struct difference_t {
    const char *page, *item;
    const char *begin, *at; /* the place, and behind it; NULL: there is none */
} difference_t;

static const char *last_of(const char *page, const char *text, size_t length)
{
    const char *found = NULL;
    for (const char *p = page; length && (p = memmem(p, strlen(p), text, length)); p++) found = p;
    return found;
}

static difference_t difference_in(const char *page, const char *item)
{
    difference_t difference = {page, item, NULL, NULL};
    const char *number = strchr(item, ' ') + 1, *digits = strpbrk(number, "0123456789");
    size_t length = strcspn(number, " ");
    difference.begin = last_of(page, number, length);
    for (size_t run = digits ? strspn(digits, "0123456789") : 0; !difference.begin && run > 2; run--) {
        length = run < 5 ? run : 5;
        difference.begin = last_of(page, digits, length);
    }
    if (difference.begin) {
        difference.at = difference.begin + length;
        difference.at += strspn(difference.at, "0123456789") + 1; /* what cuts it short begins there */
    }
    return difference;
}

/* Does the sign stand before the number, or with a `reach` at most as many bytes before it, or 30 behind? */
static int before(const difference_t *difference, const char *sign, size_t reach)
{
    for (const char *p = difference->page; (p = strcasestr(p, sign)); p++) {
        if (!difference->at || (p < difference->at + (reach ? 30 : 0) && (!reach || p + reach > difference->at))) return 1;
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

static const icp_element_t *element_of(const char *name, const char *end)
{
    char lower[16] = "";
    for (size_t i = 0; name + i < end && i + 1 < sizeof lower; i++) lower[i] = (char)apr_tolower(name[i]);
    return icp_element(lower, strlen(lower));
}

/* p, li and others that HTML lets one leave open. */
static int may_stay_open(const icp_element_t *element)
{
    return element->which == ICP_ELEMENT_P || element->which == ICP_ELEMENT_LI || element->which == ICP_ELEMENT_DD || element->which == ICP_ELEMENT_DT ||
           element->which == ICP_ELEMENT_OPTION || element->flags & ICP_EL_CELL || (element->flags & ICP_EL_TABLE && element->which != ICP_ELEMENT_TABLE);
}

/* An end tag that is not the innermost open element's, those that may stay open aside: what it closes, the Standard looks up through the
 * stack and by rules for each element, libxml2 by priorities of its own. */
static int misnested(const difference_t *difference)
{
    const char *open[1000], *end;
    size_t lengths[1000];
    int depth = 0;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        int closing = p[1] == '/';
        const char *name = p + 1 + closing;
        size_t length = (size_t)(end - name);
        const icp_element_t *element = element_of(name, end);
        if (element->which == ICP_ELEMENT_HTML || element->which == ICP_ELEMENT_HEAD || element->which == ICP_ELEMENT_BODY) continue;
        if (!closing) {
            if (element->flags & ICP_EL_VOID || depth == 1000) continue;
            open[depth] = name;
            lengths[depth++] = length;
            continue;
        }
        int at = depth - 1;
        while (at >= 0 && (lengths[at] != length || strncasecmp(open[at], name, length) != 0) && may_stay_open(element_of(open[at], open[at] + lengths[at]))) at--;
        if (at < 0 || lengths[at] != length || strncasecmp(open[at], name, length) != 0) return 1;
        depth = at;
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

/* A style, title or the like that has no end tag before the number. */
static int open_raw(const difference_t *difference)
{
    const char *end, *open = NULL;
    size_t length = 0;
    for (const char *p = difference->page; (p = next_tag(difference, p, &end)); p = end) {
        if (open && p[1] == '/' && strncasecmp(p + 2, open, length) == 0) open = NULL;
        else if (!open && p[1] != '/' && element_of(p + 1, end)->content != ICP_CONTENT_MARKUP) {
            open = p + 1;
            length = (size_t)(end - open);
        }
    }
    return open != NULL;
}

static int ends_no_paragraph(const difference_t *difference)
{
    int open = 0;
    for (const char *p = difference->page; (p = strchr(p, '<')) && (!difference->at || p < difference->at + 30); p++) {
        if (strncasecmp(p, "</p>", 4) == 0 && --open < 0) return 1;
        if (strncasecmp(p, "<p>", 3) == 0 || strncasecmp(p, "<p ", 3) == 0) open++;
    }
    return 0;
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
        if (close && close[-1] == '/' && !(element_of(p + 1, end)->flags & ICP_EL_VOID)) return 1;
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

/* Behind the end of the page. */
static int goes_on(const difference_t *difference)
{
    const char *end = strcasestr(difference->page, "</body"), *html = strcasestr(difference->page, "</html");
    if (!end || (html && html < end)) end = html;
    return end && difference->begin && end < difference->begin;
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
    {"</body", 0, goes_on, "libxml2 ends the page at its end tags"},
    {"</html", 0, goes_on, "libxml2 ends the page at its end tags"},
    {"shadowrootmode", 0, NULL, "libxml2 knows no declared shadow trees"},
    {"<plaintext", 0, NULL, "libxml2 does not know it"},
    {"<select", 0, NULL, "the Standard drops tags in it"},
    {"/>", 0, closes_itself, "libxml2 ends the element there, the Standard goes on"},
    {"&nbsp-", 80, NULL, "libxml2 takes the dash for a part of the reference's name"},
    {"&hyphen;", 200, NULL, "libxml2 knows the references of HTML 4 alone"},
    {"&dash;", 200, NULL, "libxml2 knows the references of HTML 4 alone"},
    {"<script", 0, control, "libxml2 drops control characters"},
    {"<script><!--", 0, NULL, "libxml2 does not know what <script> means in a script's comment"},
    {"<", 0, open_raw, "the rest of the page is text of that element, libxml2 sees tags in it"},
    {"</p>", 60, ends_no_paragraph, "the Standard takes one that ends nothing for an empty paragraph"},
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
