/* `icpadmin inspect`: judges a saved page, without register and without network. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "explain.h"
#include "options.h"
#include "output.h"
#include "verdict.h"

#define LIMIT 2097152 /* as ICPInspectLimit's default */

static icp_error_t *read_expectation(icp_expectation_t *expected, const icp_cli_t *cli)
{
    apr_array_header_t *texts = icp_option_all(cli, "expect");
    expected->numbers = apr_pcalloc(cli->pool, ((apr_size_t)texts->nelts + 1) * sizeof *expected->numbers);
    expected->count = texts->nelts;
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);
        const icp_number_t *number = icp_number_parse(text, cli->pool);
        if (number->kind == ICP_NUMBER_NONE) {
            return icp_error(cli->pool, ICP_USAGE, icp_number_reason_text(number->reason),
                             "--expect: `%s` is no ICP number", text);
        }
        if (number->kind == ICP_NUMBER_POLICE) {
            return icp_error(cli->pool, ICP_USAGE, "give the ICP number", "--expect: `%s` is a police number", text);
        }
        expected->numbers[i] = number->text;
    }
    return NULL;
}

static icp_error_t *read_page(icp_page_t *page, const char *name, apr_pool_t *pool)
{
    char chunk[65536];
    size_t length;
    int standard = !strcmp(name, "-");
    FILE *file = standard ? stdin : fopen(name, "rb");
    if (!file) return icp_error_os(pool, errno, "cannot open %s", name);
    while ((length = fread(chunk, 1, sizeof chunk, file)) > 0) {
        if (!icp_page_feed(page, chunk, length)) break;
    }
    icp_error_t *error = NULL;
    if (ferror(file)) error = icp_error_os(pool, errno, "cannot read %s", standard ? "standard input" : name);
    if (!standard) fclose(file);
    return error;
}

static icp_error_t *run_inspect(icp_cli_t *cli)
{
    icp_expectation_t expected;
    apr_int64_t limit = LIMIT;
    ICP_TRY(read_expectation(&expected, cli));
    ICP_TRY(icp_option_number(&limit, cli, "limit", 1, APR_INT64_C(1) << 30));
    icp_page_t *page = icp_page_create(icp_option(cli, "type"), (apr_size_t)limit, cli->pool);
    ICP_TRY(read_page(page, APR_ARRAY_IDX(cli->arguments, 0, const char *), cli->pool));
    const icp_inspection_t *inspection = icp_verdict_judge(icp_page_finish(page, 1), &expected, NULL, cli->pool);
    if (cli->json)
        icp_print_object(icp_inspection_json(inspection));
    else
        icp_explain(stdout, inspection, &expected, cli->pool);
    if (inspection->verdict != ICP_DISPLAYED) cli->status = ICP_REFUSED;
    return NULL;
}

static const icp_option_t options[] = {
    {"expect", "NUMBER", ICP_OPTION_MANY, "a number the page must show; with several, one is enough (default: any)"},
    {"type", "TYPE", 0, "the response's Content-Type header (default: text/html)"},
    {"limit", "BYTES", 0, "read at most so much, as ICPInspectLimit does (default: 2097152)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_inspect = {
    .noun = "inspect",
    .arguments = "FILE|-",
    .least = 1,
    .most = 1,
    .summary = "judge a saved page, no register needed",
    .details =
        "Reads a page from FILE, or from standard input for `-`, and says what a visitor can see of ICP numbers: the "
        "verdict, where in the page each number stands, why one that is there does not count, and what to change.\n\n"
        "Exit status 0 if the verdict is `displayed`, else "
        "1.",
    .json = "an object with verdict, displayed (numbers in normal form), hidden (number and where of each), invalid, "
            "findings, charset; for `unreadable` also reason and detail",
    .example = "curl -s https://shop.example.cn/ | icpadmin inspect - --expect '沪ICP备05012345号-3'",
    .options = options,
    .run = run_inspect,
};
