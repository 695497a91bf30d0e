/* Real pages with their labelled verdicts, kept outside the project (../shared/pages; ICP_PAGES names another folder). Prints the table of
 * right and wrong answers; skips where the folder is absent.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "verdict.h"

static apr_pool_t *pool;
static const char *folder;

/* The file's bytes; NULL if it cannot be read. */
static char *read_file(const char *name, apr_size_t *length)
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

static const icp_page_report_t *read_page(const char *name, const char *type)
{
    apr_size_t length;
    char *bytes = read_file(name, &length);
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

static struct { int right, wrong_list, suspended, passed, other; } table;

static void judge(const char *name, const icp_page_report_t *report, const char *number, const char *verdicts)
{
    icp_expectation_t expected = {&number, number ? 1 : 0};
    icp_inspection_t *inspection = icp_verdict_judge(report, &expected, NULL, pool);
    const char *verdict = icp_verdict_name(inspection->verdict);
    if (allowed(verdicts, verdict)) {
        table.right++;
        return;
    }
    if (icp_verdict_fails(inspection->verdict)) table.suspended++;
    else if (inspection->verdict == ICP_DISPLAYED) table.passed++;
    else table.other++;
    printf("  %s: %s%s%s, labelled %s (%s)\n", name, verdict, number ? " with " : "", number ? number : "", verdicts,
           report->detail ? report->detail : "");
}

static void try_line(char *line)
{
    char *fields[5] = {0};
    for (int i = 0; i < 5 && line; i++) {
        fields[i] = line;
        line = strchr(line, '\t');
        if (line) *line++ = '\0';
    }
    if (!fields[3] || strcmp(fields[0], "file") == 0) return;
    const icp_page_report_t *report = read_page(fields[0], fields[1]);
    icp_inspection_t *any = icp_verdict_judge(report, NULL, NULL, pool);
    char *shown = "";
    for (int i = 0; i < any->displayed->nelts; i++) {
        shown = apr_pstrcat(pool, shown, i ? "|" : "", APR_ARRAY_IDX(any->displayed, i, const char *), NULL);
    }
    int same = any->displayed->nelts == 0 && !*fields[2], labelled = 0;
    char *rest = apr_pstrdup(pool, fields[2]), *state, *number;
    if (!*fields[2]) judge(fields[0], report, NULL, fields[3]);
    for (number = apr_strtok(rest, "|", &state); number; number = apr_strtok(NULL, "|", &state)) {
        judge(fields[0], report, number, fields[3]);
        labelled++;
        same += strstr(shown, number) != NULL;
    }
    if (labelled && (same != labelled || any->displayed->nelts != labelled)) same = 0;
    if (!same) {
        table.wrong_list++;
        printf("  %s: displays \"%s\", labelled \"%s\"\n", fields[0], shown, fields[2]);
    }
}

START_TEST(every_page_gets_its_label)
{
    apr_size_t length;
    char *labels = read_file("labels.tsv", &length), *state;
    if (!labels) {
        printf("skipped: no labelled pages in %s\n", folder);
        return;
    }
    for (char *line = apr_strtok(labels, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) try_line(line);
    printf("labelled pages: %d right; %d would be wrongly suspended; %d would wrongly pass; %d otherwise; %d other lists of numbers\n",
           table.right, table.suspended, table.passed, table.other, table.wrong_list);
    ck_assert_int_eq(table.suspended, 0);
    ck_assert_int_eq(table.passed, 0);
    ck_assert_int_eq(table.other, 0);
}
END_TEST

int main(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    folder = getenv("ICP_PAGES") ? getenv("ICP_PAGES") : "../shared/pages";
    Suite *suite = suite_create("labelled pages");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_page_gets_its_label);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
