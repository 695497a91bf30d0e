/* Whole pages against the verdicts they should get: our own cases (tests/corpus/pages.tsv), and real pages that are kept outside the
 * project (../shared/pages; ICP_PAGES names another folder), which are skipped where the folder is absent.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "verdict.h"

static apr_pool_t *pool;

/* The file's bytes; NULL if it cannot be read. */
static char *read_file(const char *folder, const char *name, apr_size_t *length)
{
    apr_file_t *file;
    apr_finfo_t info;
    if (apr_file_open(&file, apr_pstrcat(pool, folder, "/", name, NULL), APR_READ | APR_BINARY, 0, pool)) return NULL;
    apr_file_info_get(&info, APR_FINFO_SIZE, file);
    char *bytes = apr_palloc(pool, (apr_size_t)info.size + 1);
    apr_file_read_full(file, bytes, (apr_size_t)info.size, length);
    bytes[*length] = '\0';
    apr_file_close(file);
    return bytes;
}

static const icp_page_report_t *read_page(const char *folder, const char *name, const char *type)
{
    apr_size_t length;
    char *bytes = read_file(folder, name, &length);
    ck_assert_ptr_nonnull(bytes);
    icp_page_t *page = icp_page_create(type, 0, pool);
    for (apr_size_t at = 0; at < length; at += 1000) icp_page_feed(page, bytes + at, length - at < 1000 ? length - at : 1000);
    return icp_page_finish(page, 1);
}

static int allowed(const char *verdicts, const char *verdict)
{
    apr_size_t length = strlen(verdict);
    for (const char *p = verdicts; (p = strstr(p, verdict)); p += length) {
        if ((p == verdicts || p[-1] == '|') && (p[length] == '|' || p[length] == '\0')) return 1;
    }
    return 0;
}

typedef struct table_t {
    int right, suspended, passed, other;
    int lists; /* pages with other displayed numbers than labelled */
} table_t;

static void judge(table_t *table, const char *name, const icp_page_report_t *report, const char *number, const char *verdicts)
{
    icp_expectation_t expected = {&number, number ? 1 : 0};
    icp_inspection_t *inspection = icp_verdict_judge(report, &expected, NULL, pool);
    const char *verdict = icp_verdict_name(inspection->verdict);
    if (allowed(verdicts, verdict)) {
        table->right++;
        return;
    }
    if (icp_verdict_fails(inspection->verdict)) table->suspended++;
    else if (inspection->verdict == ICP_DISPLAYED) table->passed++;
    else table->other++;
    printf("  %s: %s%s%s, labelled %s (%s)\n", name, verdict, number ? " with " : "", number ? number : "", verdicts,
           report->detail ? report->detail : "");
}

static void try_line(table_t *table, const char *folder, char *line)
{
    char *fields[4] = {0};
    for (int i = 0; i < 4 && line; i++) {
        fields[i] = line;
        line = strchr(line, '\t');
        if (line) *line++ = '\0';
    }
    if (!fields[3] || strcmp(fields[0], "file") == 0) return;
    const icp_page_report_t *report = read_page(folder, fields[0], fields[1]);
    const icp_inspection_t *any = icp_verdict_judge(report, NULL, NULL, pool);
    const char *shown = apr_array_pstrcat(pool, any->displayed, '|');
    if (strcmp(shown, fields[2]) != 0) {
        table->lists++;
        printf("  %s: displays \"%s\", labelled \"%s\"\n", fields[0], shown, fields[2]);
    }
    char *state, *number = apr_strtok(apr_pstrdup(pool, fields[2]), "|", &state);
    if (!number) judge(table, fields[0], report, NULL, fields[3]);
    for (; number; number = apr_strtok(NULL, "|", &state)) judge(table, fields[0], report, number, fields[3]);
}

/* 0: there is no such table. */
static int try_table(table_t *table, const char *list_folder, const char *list, const char *folder)
{
    apr_size_t length;
    char *lines = read_file(list_folder, list, &length), *state;
    if (!lines) return 0;
    for (char *line = apr_strtok(lines, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) try_line(table, folder, line);
    printf("%s: %d right; %d would be wrongly suspended; %d would wrongly pass; %d otherwise; %d other lists of numbers\n", folder,
           table->right, table->suspended, table->passed, table->other, table->lists);
    ck_assert_int_gt(table->right, 0);
    ck_assert_int_eq(table->suspended, 0);
    ck_assert_int_eq(table->passed, 0);
    ck_assert_int_eq(table->other, 0);
    return 1;
}

START_TEST(our_cases)
{
    table_t table = {0};
    ck_assert(try_table(&table, "tests/corpus", "pages.tsv", "tests/corpus/pages"));
    ck_assert_int_eq(table.lists, 0);
}
END_TEST

/* Their labels leave out telecom licenses that stand beside the number, so the lists are not compared. */
START_TEST(labelled_pages)
{
    table_t table = {0};
    const char *folder = getenv("ICP_PAGES") ? getenv("ICP_PAGES") : "../shared/pages";
    if (!try_table(&table, folder, "labels.tsv", folder)) printf("skipped: no labelled pages in %s\n", folder);
}
END_TEST

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    Suite *suite = suite_create("pages");
    TCase *tests = tcase_create("pages");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, our_cases);
    tcase_add_test(tests, labelled_pages);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
