/* `icpadmin report`: a month, as a regulator asks for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "options.h"
#include "output.h"
#include "report_write.h"

/* A file of its owner's alone, and never one that is there. */
static icp_error_t *open_output(FILE **out, const icp_cli_t *cli, const char *file)
{
    *out = stdout;
    if (!file) return NULL;
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) return icp_error(cli->pool, ICP_REFUSED, "name another file", "%s exists", file);
    if (fd < 0) return icp_error_os(cli->pool, errno, "cannot write %s", file);
    *out = fdopen(fd, "w");
    return NULL;
}

static icp_error_t *close_output(FILE *out, const icp_cli_t *cli, const char *file)
{
    if (!file) return NULL; /* main.c sees to standard output */
    errno = 0;
    int failed = ferror(out) | (fflush(out) != 0) | (fsync(fileno(out)) != 0), fault = errno;
    if (fclose(out) != 0 && !failed) failed = 1, fault = errno;
    if (!failed) return NULL;
    unlink(file);
    return icp_error_os(cli->pool, fault ? fault : EIO, "cannot write %s", file);
}

static icp_error_t *run_report(icp_cli_t *cli)
{
    const char *format = icp_option(cli, "format"), *file = icp_option(cli, "output");
    icp_report_t *report;
    FILE *out;
    if (!format) format = "csv";
    if (strcmp(format, "csv") && strcmp(format, "html")) {
        return icp_error(cli->pool, ICP_USAGE, "give csv or html", "--format %s is not known", format);
    }
    ICP_TRY(icp_report_read(&report, cli->reg, icp_option(cli, "month"), cli->pool));
    ICP_TRY(open_output(&out, cli, file));
    if (*format == 'c')
        icp_report_csv(out, report, cli->pool);
    else
        icp_report_html(out, report, cli->pool);
    ICP_TRY(close_output(out, cli, file));
    if (!report->complete) icp_remark(cli, "%s is under way: the report is incomplete", report->month);
    if (file) icp_say(cli, "%s written", file);
    return NULL;
}

static const icp_option_t options[] = {
    {"month", "YYYY-MM", ICP_OPTION_REQUIRED, "the month, in Beijing time"},
    {"format", "FORMAT", 0, "csv or html (default: csv)"},
    {"output", "FILE", 0, "write into a new file, readable by its owner (default: standard output)"},
    {NULL, NULL, 0, NULL},
};

const icp_command_t icp_cmd_report = {
    .noun = "report",
    .arguments = "",
    .need = ICP_NEED_REGISTER,
    .summary = "report on one month: sites, looks, warnings, suspensions, reviews, exemptions",
    .details =
        "Told from the audit log, so that sites that were removed since are in it. A month that is under way is marked as "
        "incomplete; one that has not begun is refused. Months and times are those of Beijing (UTC+8), whatever time zone the server has.\n\n"
        "CSV: one record a line, its kind in the first column (month, total, license, site, verdict, warning, review, exemption, "
        "suspension). For a site `count` is how often it was looked at in the month, `until` when last and `what` its verdict at the "
        "end; for a suspension `at`, `by`, `what` say when, by whom and why it was opened, `told` when the first mail about it left, "
        "`until`, `until_by`, `ground`, `numbers` when, by whom and on what ground it ended; for a verdict `what` is what was found and "
        "`note` what was before; for a warning `until` is the time given for the repair, `count` how many mails were posted, and `ground` what became of them: `sent`, `not sent`, "
        "`no mail` (it was off, or nobody has an address), `mailed` once the outbox no longer has them. A review is a page that a person found to be "
        "right (queue --seen). `told` is empty where nothing left, and once the outbox no longer keeps the mail (policy message-days). "
        "UTF-8 with a byte order mark, which Excel in China needs; a cell that a spreadsheet would take for a formula begins with an "
        "apostrophe.\n\n"
        "HTML: one page in Chinese and English, to be read or printed.",
    .example = "icpadmin report --month 2026-10 --format html --output icp-2026-10.html",
    .options = options,
    .run = run_report,
};
