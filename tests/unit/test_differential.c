/* The reader against libxml2: a second reader, built here on libxml2's HTML push parser, must find the same numbers displayed, on the
 * corpus, the real pages (where they are: see test_pages.c) and seeded mutations of both. libxml2 2.9 is older than the HTML Standard, so
 * each construct that the two read differently is listed with its reason; a difference on a page without one fails. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <libxml/HTMLparser.h>

#include "charset.h"
#include "decode.h"
#include "element.h"
#include "fold.h"
#include "page.h"
#include "scan.h"
#include "style.h"

#define MUTATIONS 12   /* of each page */
#define DEPTH 240      /* libxml2 gives up at 256 */
#define PAGE_MAX 40000 /* bytes of a page that is mutated */

static apr_pool_t *root;

/* --- the other reader ---------------------------------------------------------------------------------------------- */

typedef struct other_t {
    char *text; /* what is displayed, blocks apart */
    size_t length;
    unsigned char none[DEPTH + 1], invisible[DEPTH + 1], tiny[DEPTH + 1], block[DEPTH + 1];
    int depth, too_deep;
} other_t;

static void put(other_t *other, const char *text, size_t length)
{
    for (; length > 0; text++, length--) {
        int space = icp_is_space(*text);
        if (!space || !other->length || other->text[other->length - 1] != ' ') other->text[other->length++] = space ? ' ' : *text;
    }
}

/* A block's borders part the text around it, if it is drawn at all. */
static void border(other_t *other)
{
    static const char line = ICP_FOLD_BORDER;
    if (other->block[other->depth] && !other->none[other->depth]) put(other, &line, 1);
}

static void gap(other_t *other, const icp_element_t *element)
{
    if (element->which == ICP_ELEMENT_BR) put(other, "\n", 1);
    else if (element->flags & ICP_EL_GAP) put(other, " ", 1);
}

static void on_start(void *baton, const xmlChar *name, const xmlChar **attributes)
{
    other_t *other = baton;
    const icp_element_t *element = icp_element((const char *)name, strlen((const char *)name));
    icp_style_t style = {0};
    int open = 0, none = !!(element->flags & (ICP_EL_UNDRAWN | ICP_EL_FALLBACK)) || element->which == ICP_ELEMENT_SELECT;
    for (; attributes && attributes[0]; attributes += 2) {
        const char *key = (const char *)attributes[0], *value = attributes[1] ? (const char *)attributes[1] : "";
        none |= strcmp(key, "hidden") == 0 || strcmp(key, "popover") == 0;
        open |= strcmp(key, "open") == 0;
        if (strcmp(key, "style") == 0) icp_style_read(&style, value, strlen(value));
    }
    if (style.display > ICP_DISPLAY_NONE && !(element->flags & ICP_EL_UNDRAWN)) none = 0;
    none |= (element->which == ICP_ELEMENT_DIALOG || element->which == ICP_ELEMENT_DETAILS) && !open;
    other->too_deep |= other->depth == DEPTH;
    if (other->too_deep) return;
    int at = ++other->depth;
    other->none[at] = other->none[at - 1] || none || style.away || style.display == ICP_DISPLAY_NONE;
    other->invisible[at] = style.visibility ? style.visibility == 1 : other->invisible[at - 1];
    other->tiny[at] = style.font ? style.font == 1 : other->tiny[at - 1];
    other->block[at] = element->flags & ICP_EL_BLOCK ? style.display != ICP_DISPLAY_INLINE : style.display == ICP_DISPLAY_BLOCK;
    border(other);
    if (!other->none[at]) gap(other, element);
}

static void on_end(void *baton, const xmlChar *name)
{
    other_t *other = baton;
    border(other);
    if (other->depth > 0) other->depth--;
}

static void on_text(void *baton, const xmlChar *text, int length)
{
    other_t *other = baton;
    int at = other->depth;
    if (!other->none[at] && !other->invisible[at] && !other->tiny[at]) put(other, (const char *)text, (size_t)length);
}

static void collect(apr_array_header_t *numbers, const char *text)
{
    for (int i = 0; i < numbers->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(numbers, i, const char *), text) == 0) return;
    }
    APR_ARRAY_PUSH(numbers, const char *) = text;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *listed(apr_array_header_t *numbers, apr_pool_t *pool)
{
    qsort(numbers->elts, (size_t)numbers->nelts, sizeof(char *), by_name);
    return apr_array_pstrcat(pool, numbers, ' ');
}

static const char *by_libxml2(const char *page, size_t length, int *too_deep, apr_pool_t *pool)
{
    other_t other = {.text = malloc(4 * length + 1000)}; /* a border at either end of "<p>" */
    htmlSAXHandler events = {.startElement = on_start, .endElement = on_end, .characters = on_text, .ignorableWhitespace = on_text};
    htmlParserCtxtPtr parser = htmlCreatePushParserCtxt(&events, &other, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    htmlCtxtUseOptions(parser, HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_IGNORE_ENC);
    htmlParseChunk(parser, page, (int)length, 0);
    htmlParseChunk(parser, NULL, 0, 1);
    htmlFreeParserCtxt(parser);
    apr_array_header_t *found = icp_number_find(other.text, other.length, pool), *numbers = apr_array_make(pool, 8, sizeof(char *));
    for (int i = 0; i < found->nelts; i++) {
        const icp_number_t *number = &APR_ARRAY_IDX(found, i, icp_number_t);
        if (number->kind != ICP_NUMBER_NONE && number->kind != ICP_NUMBER_POLICE) collect(numbers, number->text);
    }
    *too_deep = other.too_deep;
    free(other.text);
    return listed(numbers, pool);
}

static const char *by_reader(const char *page, size_t length, apr_pool_t *pool)
{
    icp_page_t *reader = icp_page_create("text/html; charset=utf-8", 0, pool);
    icp_page_feed(reader, page, length);
    const icp_page_report_t *report = icp_page_finish(reader, 1);
    apr_array_header_t *numbers = apr_array_make(pool, 8, sizeof(char *));
    for (int i = 0; i < report->mentions->nelts; i++) {
        const icp_mention_t *mention = &APR_ARRAY_IDX(report->mentions, i, icp_mention_t);
        if (mention->where == ICP_WHERE_DISPLAYED && mention->number.kind != ICP_NUMBER_NONE) collect(numbers, mention->number.text);
    }
    return listed(numbers, pool);
}

/* --- what the two may disagree on ---------------------------------------------------------------------------------- */

static int count(const char *page, const char *word)
{
    int times = 0;
    for (const char *p = page; (p = strcasestr(p, word)); p++) times++;
    return times;
}

/* What an end tag closes: the Standard looks for its start tag up to a block, libxml2 goes by priorities of its own. That matters where
 * an element that hides is left open, or where one is closed that is not open. */
static int unbalanced(const char *page)
{
    static const char *const names[] = {"div", "span", "p", "b", "a", "li", "ul", "footer", "h1", "script", "style", "section", "noscript"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char start[16], space[16], end[16];
        snprintf(start, sizeof start, "<%s>", names[i]);
        snprintf(space, sizeof space, "<%s ", names[i]);
        snprintf(end, sizeof end, "</%s>", names[i]);
        if (count(page, start) + count(page, space) != count(page, end)) return 1;
    }
    return 0;
}

static int title_is_open(const char *page)
{
    return count(page, "<title") != count(page, "</title>");
}

static int bogus_comment(const char *page)
{
    for (; (page = strchr(page, '<')); page++) {
        if (page[1] == '/' && !apr_isalpha(page[2])) return 1;
        if (page[1] == '!' && page[2] != '-' && page[2] != 'd' && page[2] != 'D') return 1;
        if (page[1] == '!' && page[2] == '-' && page[3] != '-') return 1;
    }
    return 0;
}

static int begins_with_end(const char *page)
{
    while ((page = strchr(page, '<')) && page[1] != '/' && !apr_isalpha(page[1])) page++;
    return page && page[1] == '/';
}

static int goes_on(const char *page)
{
    const char *end = strcasestr(page, "</html"), *body = strcasestr(page, "</body");
    if (!end || (body && body < end)) end = body;
    return end && strstr(end, "ICP");
}

static int control(const char *page)
{
    for (; *page; page++) {
        if ((unsigned char)*page < ' ' && !strchr("\t\n\r", *page)) return 1;
    }
    return 0;
}

/* A page has the sign, or the test finds it. */
static const struct { const char *sign; int (*test)(const char *page); const char *why; } reasons[] = {
    {"<svg", NULL, "svg and math are ordinary elements to libxml2"},
    {"--!>", NULL, "libxml2 does not know this end of a comment"},
    {"<!-->", NULL, "nor this one"},
    {"<!--->", NULL, "nor this one"},
    {"<![CDATA[", NULL, "text to libxml2, a comment in the Standard"},
    {"<table", NULL, "libxml2 leaves text in a table's rows where it stands"},
    {"<td", NULL, "a cell without its table is none in the Standard"},
    {"</br", NULL, "the Standard takes it for <br>"},
    {"</p>", unbalanced, "the Standard takes one that ends nothing for an empty paragraph"},
    {"<span hidden>", NULL, "an end tag in a block does not close an inline element around it: the page stays hidden"},
    {"<b style", NULL, "likewise, and it is opened again in the next block"},
    {"<details", NULL, "the reader here does not look for the summary"},
    {"<plaintext", NULL, "libxml2 does not know it"},
    {"<select", NULL, "the Standard drops tags in it"},
    {"/>", NULL, "libxml2 ends the element there, the Standard goes on"},
    {"&hyphen;", NULL, "libxml2 knows the references of HTML 4 alone"},
    {"&dash;", NULL, "libxml2 knows the references of HTML 4 alone"},
    {"<style", NULL, "the reader here reads no sheets"},
    {"<script><!--", NULL, "libxml2 does not know what <script> means in a script's comment"},
    {"</", bogus_comment, "libxml2 does not make comments of all that the Standard does"},
    {"<!", bogus_comment, "libxml2 does not make comments of all that the Standard does"},
    {"title", title_is_open, "libxml2 sees tags in a title"},
    {"</", begins_with_end, "libxml2 takes nothing after an end tag in first place"},
    {"</", goes_on, "libxml2 ends the page at its end tags"},
    {"<body hidden", NULL, "libxml2 takes the attributes of the first body alone"},
    {"<body style", NULL, "libxml2 takes the attributes of the first body alone"},
    {"<script", control, "libxml2 drops control characters"},
    {"<!--", unbalanced, "libxml2 closes other elements"},
    {"hidden", unbalanced, "libxml2 closes other elements"},
    {"display", unbalanced, "libxml2 closes other elements"},
};

static const char *reason_for(const char *page)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (strcasestr(page, reasons[i].sign) && (!reasons[i].test || reasons[i].test(page))) return reasons[i].why;
    }
    return NULL;
}

typedef struct tally_t {
    int same, excused, unexplained;
} tally_t;

static void compare(tally_t *tally, const char *name, int mutation, const char *page, size_t length, apr_pool_t *pool)
{
    int too_deep;
    const char *other = by_libxml2(page, length, &too_deep, pool), *own = by_reader(page, length, pool);
    if (strcmp(own, other) == 0) tally->same++;
    else if (too_deep || reason_for(page)) tally->excused++;
    else {
        tally->unexplained++;
        fprintf(stderr, "%s, mutation %d: the reader sees [%s], libxml2 [%s]\n", name, mutation, own, other);
        if (getenv("ICP_DIFFERENTIAL_DUMP")) {
            FILE *file = fopen(apr_psprintf(pool, "%s/%s.%d", getenv("ICP_DIFFERENTIAL_DUMP"), strrchr(name, '/') + 1, mutation), "w");
            fwrite(page, 1, length, file);
            fclose(file);
        }
    }
}

/* --- pages --------------------------------------------------------------------------------------------------------- */

static unsigned long long seed;

static unsigned any(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static const char *const fragments[] = {
    "<div>", "</div>", "<p>", "</p>", "<div style=display:none>", "<span hidden>", "</span>", "<b>", "</b>", "<br>", "<ul><li>", "</ul>",
    "<a href=/>", "</a>", "<h1>", "</h1>", "<!-- x -->", "<script>x</script>", "<style>x</style>", "&nbsp;", "&#22791;", "ICP", " ", "\n", "-2",
};

/* A page of at most `length` + 500 bytes: a few bytes changed, pieces cut out, doubled or put in. */
static char *mutate(const char *page, size_t *length, apr_pool_t *pool)
{
    char *copy = apr_palloc(pool, *length + 501);
    size_t size = *length, most = *length + 500;
    memcpy(copy, page, size);
    for (unsigned changes = 1 + any(4); changes > 0; changes--) {
        size_t at = any((unsigned)size + 1), piece = 1 + any(60);
        const char *word = fragments[any(sizeof fragments / sizeof *fragments)];
        unsigned what = any(6);
        if (piece > size - at) piece = size - at;
        if (what == 0 && piece) copy[at] ^= (char)(1 << any(7));
        else if (what == 1) {
            memmove(copy + at, copy + at + piece, size - at - piece);
            size -= piece;
        }
        else if (what == 2 && size + piece <= most) {
            memmove(copy + at + piece, copy + at, size - at);
            size += piece;
        }
        else if (size + strlen(word) <= most) {
            memmove(copy + at + strlen(word), copy + at, size - at);
            memcpy(copy + at, word, strlen(word));
            size += strlen(word);
        }
    }
    copy[size] = '\0';
    *length = size;
    return copy;
}

/* Valid UTF-8 in any case: at the first byte that is none, libxml2 takes the rest for Latin 1. */
static char *as_utf8(const char *bytes, size_t *length, const char *charset, apr_pool_t *pool)
{
    size_t used;
    icp_decoder_t *decoder = icp_decoder_create(icp_charset_by_label(charset, strlen(charset)), pool);
    char *text = apr_palloc(pool, ICP_DECODED_MAX(*length) + 1);
    *length = icp_decoder_read(decoder, text, bytes, *length, &used, 1);
    text[*length] = '\0';
    return text;
}

static char *load(const char *path, size_t *length, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    ck_assert_int_eq(apr_file_open(&file, path, APR_READ | APR_BINARY, 0, pool), APR_SUCCESS);
    apr_file_info_get(&info, APR_FINFO_SIZE, file);
    char *bytes = apr_palloc(pool, (size_t)info.size + 1);
    apr_file_read_full(file, bytes, (size_t)info.size, length);
    apr_file_close(file);
    icp_page_t *page = icp_page_create(NULL, 0, pool);
    icp_page_feed(page, bytes, *length);
    size_t mark;
    icp_charset_by_mark(bytes, *length, &mark);
    *length -= mark;
    return as_utf8(bytes + mark, length, icp_page_finish(page, 1)->charset, pool);
}

static void try_page(tally_t *tally, const char *path, int mutations)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, root);
    size_t length;
    char *page = load(path, &length, pool);
    if (!mutations) compare(tally, path, 0, page, length, pool);
    for (int i = 1; i <= mutations && length < PAGE_MAX; i++) {
        apr_pool_t *one;
        apr_pool_create(&one, pool);
        size_t size = length;
        seed = 77003u * (unsigned)i;
        for (const char *p = strrchr(path, '/'); *p; p++) seed = seed * 31 + (unsigned char)*p;
        char *other = mutate(page, &size, one);
        other = as_utf8(other, &size, "utf-8", one);
        compare(tally, path, i, other, size, one);
        apr_pool_destroy(one);
    }
    apr_pool_destroy(pool);
}

static tally_t try_folder(const char *folder, int mutations)
{
    tally_t tally = {0};
    apr_dir_t *dir;
    apr_finfo_t entry;
    if (apr_dir_open(&dir, folder, root)) {
        printf("%s is not there: skipped\n", folder);
        return tally;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strstr(entry.name, ".html")) try_page(&tally, apr_pstrcat(root, folder, "/", entry.name, NULL), mutations);
    }
    apr_dir_close(dir);
    printf("%s, %d mutations each: %d the same, %d different for a listed reason\n", folder, mutations, tally.same, tally.excused);
    return tally;
}

START_TEST(agree)
{
    const char *folder = _i < 2 ? "tests/corpus/pages" : getenv("ICP_PAGES") ? getenv("ICP_PAGES") : "../shared/pages";
    tally_t tally = try_folder(folder, _i % 2 ? MUTATIONS : 0);
    ck_assert_int_eq(tally.unexplained, 0);
    ck_assert_msg(tally.same >= 9 * tally.excused, "too much is excused for the rest to mean anything");
}
END_TEST

int main(void)
{
    apr_initialize();
    apr_pool_create(&root, NULL);
    Suite *suite = suite_create("differential");
    TCase *pages = tcase_create("pages");
    tcase_set_timeout(pages, 60);
    tcase_add_loop_test(pages, agree, 0, 4);
    suite_add_tcase(suite, pages);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed != 0;
}
