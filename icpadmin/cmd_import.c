/* `icpadmin site import`, `license import` and `domain import`: CSV into the register, with progress and a list of bad lines. */
#include "import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "options.h"
#include "output.h"

typedef icp_error_t *import_fn(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                               const icp_import_options_t *options, apr_pool_t *pool);

typedef struct progress_t {
    const icp_cli_t *cli;
    apr_off_t size; /* of the file; 0 if it is not known */
} progress_t;

static void show_progress(apr_int64_t lines, apr_off_t bytes, void *baton)
{
    const progress_t *progress = baton;
    char text[80];
    int used = snprintf(text, sizeof text, "%" APR_INT64_T_FMT " lines", lines);
    if (progress->size)
        snprintf(text + used, sizeof text - (size_t)used, ", %d%%", (int)(bytes * 100 / progress->size));
    icp_progress(progress->cli, text);
}

static void print_result(const icp_cli_t *cli, const icp_import_result_t *result)
{
    if (!cli->json) {
        icp_say(cli,
                "lines %" APR_INT64_T_FMT ": added %" APR_INT64_T_FMT ", changed %" APR_INT64_T_FMT
                ", unchanged %" APR_INT64_T_FMT ", bad %d; sites suspended %" APR_INT64_T_FMT,
                result->lines, result->added, result->changed, result->unchanged, result->bad->nelts,
                result->suspended);
        return;
    }
    json_t *object = json_object(), *bad = json_array();
    json_object_set_new(object, "lines", json_integer(result->lines));
    json_object_set_new(object, "added", json_integer(result->added));
    json_object_set_new(object, "changed", json_integer(result->changed));
    json_object_set_new(object, "unchanged", json_integer(result->unchanged));
    json_object_set_new(object, "suspended", json_integer(result->suspended));
    for (int i = 0; i < result->bad->nelts; i++) {
        const icp_bad_line_t *line = &APR_ARRAY_IDX(result->bad, i, icp_bad_line_t);
        json_t *entry = json_object();
        json_object_set_new(entry, "line", json_integer(line->line));
        json_object_set_new(entry, "column", icp_text_json(line->column));
        json_object_set_new(entry, "value", icp_text_json(line->value));
        json_object_set_new(entry, "reason", icp_text_json(line->reason));
        json_object_set_new(entry, "remedy", icp_text_json(line->remedy));
        json_array_append_new(bad, entry);
    }
    json_object_set_new(object, "bad", bad);
    icp_print_object(object);
}

/* A remedy that stands on the line above already is not repeated. */
static void print_bad_lines(const icp_cli_t *cli, const char *name, const apr_array_header_t *bad)
{
    const char *said = "";
    for (int i = 0; i < bad->nelts; i++) {
        const icp_bad_line_t *line = &APR_ARRAY_IDX(bad, i, icp_bad_line_t);
        const char *text = apr_psprintf(cli->pool, "%s:%" APR_INT64_T_FMT ": %s%s%s", name, line->line,
                                        line->column ? line->column : "", line->column ? ": " : "", line->reason);
        fprintf(stderr, "%s\n", icp_printable(text, cli->pool));
        const char *remedy = line->remedy ? line->remedy : "";
        if (strcmp(remedy, said)) fprintf(stderr, "  %s\n", icp_printable(remedy, cli->pool));
        said = remedy;
    }
}

static icp_error_t *import(icp_cli_t *cli, import_fn *run)
{
    const char *name = APR_ARRAY_IDX(cli->arguments, 0, const char *);
    int standard = !strcmp(name, "-");
    struct stat info;
    FILE *file = standard ? stdin : fopen(name, "rb");
    if (!file) return icp_error_os(cli->pool, errno, "cannot open %s", name);
    progress_t progress = {cli, 0};
    if (!fstat(fileno(file), &info) && S_ISREG(info.st_mode)) progress.size = info.st_size;
    icp_import_options_t options = {.skip_bad = icp_option(cli, "skip-bad") != NULL,
                                    .serve_unlicensed = icp_option(cli, "serve-unlicensed") != NULL,
                                    .progress = show_progress,
                                    .progress_baton = &progress};
    icp_import_result_t *result = NULL;
    icp_error_t *error = run(&result, cli->reg, file, &options, cli->pool);
    icp_progress(cli, NULL);
    if (!standard) fclose(file);
    if (result) print_bad_lines(cli, standard ? "-" : name, result->bad);
    if (result && (!error || cli->json)) print_result(cli, result);
    return error;
}

static icp_error_t *run_sites(icp_cli_t *cli)
{
    return import(cli, icp_import_sites);
}

static icp_error_t *run_licenses(icp_cli_t *cli)
{
    return import(cli, icp_import_licenses);
}

static icp_error_t *run_domains(icp_cli_t *cli)
{
    return import(cli, icp_import_domains);
}

#define SKIP_BAD                                                                                                       \
    {                                                                                                                  \
        "skip-bad", NULL, 0, "take the good lines though others are bad"                                               \
    }

static const icp_option_t site_options[] = {
    SKIP_BAD,
    {"serve-unlicensed", NULL, 0, "serve new sites that have no active license"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t plain_options[] = {
    SKIP_BAD,
    {NULL, NULL, 0, NULL},
};

#define ALL_OR_NOTHING                                                                                                 \
    "\n\nThe import is one change. Each bad line is reported as FILE:LINE: COLUMN: REASON, and what to "               \
    "write instead below it; nothing is changed unless every line is good. --skip-bad takes the rest. `-` reads "      \
    "standard input."

const icp_command_t icp_cmd_site_import = {
    .noun = "site",
    .verb = "import",
    .arguments = "FILE|-",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put the sites of a CSV file on file",
    .details = "CSV in UTF-8 with the header name,hosts,license,homepage: hosts and licenses separated by spaces, each "
               "license on file, license empty where there is none; the column homepage may be absent." ALL_OR_NOTHING,
    .json = "an object with lines, added, changed, unchanged, suspended (how many each) and bad (line, column, value, "
            "reason and remedy of each)",
    .example = "icpadmin site import sites.csv --dry-run",
    .options = site_options,
    .run = run_sites,
};

const icp_command_t icp_cmd_license_import = {
    .noun = "license",
    .verb = "import",
    .arguments = "FILE|-",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put the licenses of a CSV file on file",
    .details = "CSV in UTF-8 with the header number,holder,uscc,status; the columns uscc and status may be absent or "
               "empty. A number on file gets the status of its line." ALL_OR_NOTHING,
    .json = "an object with lines, added, changed, unchanged, suspended (how many each) and bad (line, column, value, "
            "reason and remedy of each)",
    .example = "icpadmin license import licenses.csv",
    .options = plain_options,
    .run = run_licenses,
};

const icp_command_t icp_cmd_domain_import = {
    .noun = "domain",
    .verb = "import",
    .arguments = "FILE|-",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "put the .cn registrations of a CSV file on file",
    .details = "CSV in UTF-8 with the header domain,registrant,kind,email; the columns kind (individual or "
               "organisation, where empty organisation) and email may be absent or empty. Each registrant with an "
               "address is asked for the documents by mail, as by `domain add`. A registration that is on file as its line says is left as it is." ALL_OR_NOTHING,
    .json = "an object with lines, added, changed, unchanged, suspended (how many each) and bad (line, column, value, "
            "reason and remedy of each)",
    .example = "icpadmin domain import domains.csv --dry-run",
    .options = plain_options,
    .run = run_domains,
};
