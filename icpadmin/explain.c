/* The explanation of one inspection. It judges nothing. */
#include "explain.h"

#include <string.h>

#include <apr_strings.h>

#include "output.h"

#define MINISTRY_LINK "https://beian.miit.gov.cn/"

/* What a verdict means and, where something is to be done, the sentence for a client; %s: the number that the page must
 * show. */
static const struct {
    const char *meaning, *chinese;
} verdicts[ICP_VERDICT_COUNT] = {
    [ICP_DISPLAYED] = {"a visitor sees a number of this site", NULL},
    [ICP_MISSING] = {"there is no ICP number anywhere in the page (a police number is not one)",
                     "贵网站首页没有显示 ICP 备案号（公安备案号不能代替）。请在首页底部用文字显示%s，并链接到 " MINISTRY_LINK "。"},
    [ICP_INCORRECT] = {"the page displays ICP numbers, but none that is this site's",
                       "贵网站首页显示的备案号不是本网站的备案号。请在首页底部改为%s，并链接到 " MINISTRY_LINK "。"},
    [ICP_INVALID] = {"what the page displays as an ICP number cannot be one",
                     "贵网站首页显示的备案号无效。请在首页底部改为%s，并链接到 " MINISTRY_LINK "。"},
    [ICP_HIDDEN] =
        {"an ICP number is in the page, but as far as can be told a visitor does not see it; a person must look",
         "贵网站首页的源代码里有备案号，但访客看不到。请在首页底部用可见的文字显示%s，并链接到 " MINISTRY_LINK "。"},
    [ICP_UNREADABLE] = {"the page cannot be judged by its text; a person must look",
                        "我们无法从贵网站首页的文字中读取备案号。请在首页底部直接用文字显示%"
                        "s（不要使用图片或脚本），并链接到 " MINISTRY_LINK "。"},
};

static const char *const unreadable_texts[ICP_UNREADABLE_COUNT] = {
    [ICP_UNREADABLE_STATUS] = "the server did not answer with status 200",
    [ICP_UNREADABLE_TYPE] = "the answer is not HTML",
    [ICP_UNREADABLE_ENCODED] = "the answer is compressed in a way that cannot be undone here",
    [ICP_UNREADABLE_TRUNCATED] = "the answer ended before its end",
    [ICP_UNREADABLE_LIMIT] = "the page is longer than what is read of a page",
    [ICP_UNREADABLE_EMPTY] = "the page has no text",
    [ICP_UNREADABLE_SCRIPT] = "scripts draw the page or its footer",
    [ICP_UNREADABLE_FRAMES] = "the text is in frames",
    [ICP_UNREADABLE_REDIRECT] = "the page sends its visitors on to another one",
    [ICP_UNREADABLE_IMAGE] = "the footer is an image",
    [ICP_UNREADABLE_UNREACHED] = "there was no answer of this site's to read",
};

/* Why a number that stands there is not displayed. */
static const char *const where_texts[ICP_WHERE_COUNT] = {
    [ICP_WHERE_DISPLAYED] = "displayed",
    [ICP_WHERE_COMMENT] = "in a comment, which browsers leave out",
    [ICP_WHERE_SCRIPT] = "in a script, which may or may not write it into the page",
    [ICP_WHERE_STYLE] = "in a style sheet",
    [ICP_WHERE_ATTRIBUTE] = "in an attribute, which is not drawn",
    [ICP_WHERE_TITLE] = "in the title, which is no part of the page",
    [ICP_WHERE_HIDDEN] = "in an element that is not displayed",
    [ICP_WHERE_TEMPLATE] = "in content that is not drawn with scripts on",
};

/* What to do about one that stands there. */
static const char *const where_remedies[ICP_WHERE_COUNT] = {
    [ICP_WHERE_COMMENT] = "take the number out of the comment",
    [ICP_WHERE_SCRIPT] = "write the number into the page itself, not by script",
    [ICP_WHERE_STYLE] = "write the number into the page itself, not in a style sheet",
    [ICP_WHERE_ATTRIBUTE] = "write the number as text, not in an attribute",
    [ICP_WHERE_TITLE] = "write the number into the page itself, not its title alone",
    [ICP_WHERE_HIDDEN] = "take away what hides the number",
    [ICP_WHERE_TEMPLATE] = "write the number outside of that element",
};

static const char *const finding_texts[ICP_FINDING_COUNT] = {
    [ICP_FINDING_SUFFIX_DIFFERS] =
        "The license is this site's, the website suffix (-N) is not: show the suffix issued for this website.",
    [ICP_FINDING_SUFFIX_MISSING] =
        "Show the website number (with -N): the license number without it is enough in Guangdong (粤) alone.",
    [ICP_FINDING_APP_NUMBER] =
        "A number that ends in A, X or K is an app's or a mini-program's; a website shows its own.",
    [ICP_FINDING_ALIAS_PROVINCE] = "The province is written with a character that numbers do not use (川 for 蜀, 甘 "
                                   "for 陇 …): use the issued one.",
    [ICP_FINDING_SUSPECT_NUMBER] =
        "A number with these first digits is not known to have been issued: compare it with the Ministry's record.",
    [ICP_FINDING_PLACEHOLDER] = "A placeholder of a theme is still in the page: replace it.",
    [ICP_FINDING_LINK_MISSING] = "The number is not linked: link it to " MINISTRY_LINK,
    [ICP_FINDING_LINK_WRONG] = "The number links elsewhere: link it to " MINISTRY_LINK,
    [ICP_FINDING_NOT_IN_FOOTER] = "The number is not at the bottom of the page, where the rules want it.",
    [ICP_FINDING_SEVERAL_NUMBERS] = "Several filing numbers are displayed: make sure that each is meant.",
};

static const char *trimmed(const char *text, apr_pool_t *pool)
{
    apr_size_t length = strlen(text += strspn(text, " \n"));
    while (length > 0 && strchr(" \n", text[length - 1])) length--;
    return apr_pstrmemdup(pool, text, length);
}

static void print_place(FILE *out, const icp_mention_t *mention, apr_pool_t *pool)
{
    const icp_number_t *number = &mention->number;
    fprintf(out, "  line %-5d %s: ", mention->line, icp_printable(number->text, pool));
    fputs(where_texts[mention->where], out);
    if (mention->element) fprintf(out, " (%s)", icp_printable(mention->element, pool));
    if (mention->where == ICP_WHERE_DISPLAYED) {
        if (mention->in_footer) fputs(" in the footer", out);
        if (mention->link) fprintf(out, ", linked to %s", icp_printable(mention->link, pool));
    }
    fprintf(out, "\n             … %s …\n", icp_printable(trimmed(mention->context, pool), pool));
    if (number->kind == ICP_NUMBER_NONE) fprintf(out, "             %s\n", icp_number_reason_text(number->reason));
}

static void print_places(FILE *out, const char *heading, const icp_inspection_t *inspection, int displayed,
                         apr_pool_t *pool)
{
    const apr_array_header_t *mentions = inspection->seen->mentions;
    for (int i = 0, printed = 0; i < mentions->nelts; i++) {
        const icp_mention_t *mention = &APR_ARRAY_IDX(mentions, i, icp_mention_t);
        if ((mention->where == ICP_WHERE_DISPLAYED) != displayed) continue;
        if (!printed++) fprintf(out, "%s\n", heading);
        print_place(out, mention, pool);
    }
}

/* Would this number, which is not seen, do if it were? */
static int would_do(const icp_number_t *number, const icp_expectation_t *expected, apr_pool_t *pool)
{
    if (number->kind == ICP_NUMBER_NONE) return 0;
    for (int i = 0; i < expected->count; i++) {
        if (icp_number_same_license(number, icp_number_parse(expected->numbers[i], pool))) return 1;
    }
    return expected->count == 0;
}

/* For a number that is there but not seen: where, and what to do about it; once for each place. */
static void print_remedies(FILE *out, const icp_inspection_t *inspection, const icp_expectation_t *expected, apr_pool_t *pool)
{
    const apr_array_header_t *mentions = inspection->seen->mentions;
    const char *before = "";
    for (int i = 0; i < mentions->nelts; i++) {
        const icp_mention_t *mention = &APR_ARRAY_IDX(mentions, i, icp_mention_t);
        if (mention->where == ICP_WHERE_DISPLAYED || !would_do(&mention->number, expected, pool)) continue;
        const char *line = apr_psprintf(pool, "  - Line %d: %s", mention->line, where_remedies[mention->where]);
        if (mention->element) line = apr_psprintf(pool, "%s (%s)", line, icp_printable(mention->element, pool));
        if (strcmp(line, before) != 0) fprintf(out, "%s.\n", line);
        before = line;
    }
}

static const char *wanted(const icp_expectation_t *expected, const char *between, apr_pool_t *pool)
{
    const char *text = expected->count ? expected->numbers[0] : NULL;
    for (int i = 1; i < expected->count; i++) text = apr_pstrcat(pool, text, between, expected->numbers[i], NULL);
    return text;
}

void icp_explain(FILE *out, const icp_inspection_t *inspection, const icp_expectation_t *expected, apr_pool_t *pool)
{
    const icp_page_report_t *seen = inspection->seen;
    icp_verdict_e verdict = inspection->verdict;
    const char *number = wanted(expected, " or ", pool);

    const char *meaning = verdict == ICP_DISPLAYED && !number ? "a visitor sees an ICP number; there was none to compare it with" : verdicts[verdict].meaning;
    fprintf(out, "Verdict: %s: %s.\n", icp_verdict_name(verdict), meaning);
    if (verdict == ICP_UNREADABLE) {
        fprintf(out, "Why: %s%s%s.\n", unreadable_texts[inspection->unreadable], seen->detail ? ": " : "",
                seen->detail ? icp_printable(seen->detail, pool) : "");
    }
    if (number) fprintf(out, "It must show %s.\n", number);
    print_places(out, "What a visitor sees:", inspection, 1, pool);
    print_places(out, "In the page, but not seen:", inspection, 0, pool);

    const char *heading = "What to change:";
    if (verdict != ICP_DISPLAYED) {
        fprintf(out, "%s\n  - Show %s as plain text at the bottom of the home page, linked to %s\n", heading,
                number ? number : "the number issued for this website", MINISTRY_LINK);
        if (verdict == ICP_HIDDEN) print_remedies(out, inspection, expected, pool);
        heading = NULL;
    }
    else if (!inspection->findings) {
        fputs("Nothing to change.\n", out);
    }
    for (int i = 0; i < ICP_FINDING_COUNT; i++) {
        if (!(inspection->findings & 1u << i)) continue;
        if (heading) fprintf(out, "%s\n", heading);
        heading = NULL;
        fprintf(out, "  - %s (%s)\n", finding_texts[i], icp_finding_name((icp_finding_e)i));
    }
    if (verdicts[verdict].chinese) {
        fputs("For the client:\n  ", out);
        const char *quoted = number ? apr_psprintf(pool, "“%s”", wanted(expected, "”或“", pool)) : "本网站的备案号";
        fprintf(out, verdicts[verdict].chinese, quoted);
        fputc('\n', out);
    }
}
