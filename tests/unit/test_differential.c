/* The reader against libxml2: a second reader, built here on libxml2's HTML push parser, must come to the same verdict, with the same numbers
 * displayed, hidden (and where) and invalid, on the corpus, the real pages (where they are: see test_pages.c) and seeded mutations of both.
 * It shares the grammar of numbers and of style sheets with the reader (other tests hold those), not how a page is cut into tags, nested and read.
 * libxml2 2.9 is older than the HTML Standard: each construct that the two read differently is listed with its reason and excuses only
 * numbers that stand behind it, or near it. A difference without an excuse fails. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "charset.h"
#include "decode.h"
#include "differential_reasons.h"
#include "libxml2_reader.h"

#define MUTATIONS 12   /* of each page */
#define PAGE_MAX 40000 /* bytes of a page that is mutated */

static apr_pool_t *root;

static const icp_page_report_t *by_reader(const char *page, size_t length, apr_pool_t *pool)
{
    icp_page_t *reader = icp_page_create("text/html; charset=utf-8", 0, pool);
    icp_page_feed(reader, page, length);
    return icp_page_finish(reader, 1);
}

/* --- what they found ----------------------------------------------------------------------------------------------- */

/* "displayed 沪ICP备…", "hidden 沪ICP备… comment", "invalid …", one each. */
static apr_array_header_t *found_items(const json_t *object, apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, 8, sizeof(char *));
    static const char *const lists[] = {"displayed", "invalid", "hidden"};
    for (int i = 0; i < 3; i++) {
        size_t index;
        json_t *entry, *list = json_object_get(object, lists[i]);
        json_array_foreach(list, index, entry) {
            const char *number = json_is_string(entry) ? json_string_value(entry) : json_string_value(json_object_get(entry, "number"));
            const char *where = json_is_string(entry) ? "" : json_string_value(json_object_get(entry, "where"));
            APR_ARRAY_PUSH(items, const char *) = apr_pstrcat(pool, lists[i], " ", number, " ", where, NULL);
        }
    }
    return items;
}

static int has_item(const apr_array_header_t *items, const char *item)
{
    for (int i = 0; i < items->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(items, i, const char *), item) == 0) return 1;
    }
    return 0;
}

typedef struct tally_t {
    int same, excused, unexplained;
} tally_t;

static void dump(const char *name, int mutation, const char *page, size_t length, apr_pool_t *pool)
{
    if (!getenv("ICP_DIFFERENTIAL_DUMP")) return;
    FILE *file = fopen(apr_psprintf(pool, "%s/%s.%d", getenv("ICP_DIFFERENTIAL_DUMP"), strrchr(name, '/') + 1, mutation), "w");
    fwrite(page, 1, length, file);
    fclose(file);
}

/* The items of `items` that `others` has not: each must be excused. Returns how many there are. */
static int try_items(int *unexplained, const char *page, const apr_array_header_t *items, const apr_array_header_t *others, const char *who)
{
    int differences = 0;
    for (int i = 0; i < items->nelts; i++) {
        const char *item = APR_ARRAY_IDX(items, i, const char *);
        if (has_item(others, item)) continue;
        difference_t difference = difference_in(page, item);
        const char *why = reason_for(&difference);
        differences++;
        if (getenv("ICP_DIFFERENTIAL_DUMP")) fprintf(stderr, "%s: %s (%s)\n", who, item, why ? why : "unexplained");
        if (why) continue;
        ++*unexplained;
        fprintf(stderr, "%s has [%s]\n", who, item);
    }
    return differences;
}

static void compare(tally_t *tally, const char *name, int mutation, const char *page, size_t length, apr_pool_t *pool)
{
    int too_deep, unexplained = 0;
    const icp_page_report_t *own = by_reader(page, length, pool), *other = by_libxml2(page, length, own, &too_deep, pool);
    json_t *first = icp_inspection_json(icp_verdict_judge(own, NULL, NULL, pool)), *second = icp_inspection_json(icp_verdict_judge(other, NULL, NULL, pool));
    apr_array_header_t *ours = found_items(first, pool), *theirs = found_items(second, pool);
    int same_verdict = strcmp(json_string_value(json_object_get(first, "verdict")), json_string_value(json_object_get(second, "verdict"))) == 0;
    int differences = try_items(&unexplained, page, ours, theirs, "the reader alone") +
                      try_items(&unexplained, page, theirs, ours, "libxml2 alone");
    if (differences == 0 && same_verdict) tally->same++;
    else if (too_deep || (differences && !unexplained)) tally->excused++;
    else {
        tally->unexplained++;
        fprintf(stderr, "%s, mutation %d: %s\n", name, mutation, same_verdict ? "other numbers" : "another verdict");
        dump(name, mutation, page, length, pool);
    }
    json_decref(first);
    json_decref(second);
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
    printf("%s, %d mutations each: %d the same, %d different for a listed reason, %d for none\n", folder, mutations, tally.same, tally.excused, tally.unexplained);
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
