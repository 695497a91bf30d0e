/* `icpadmin number`: explains what a text is as an ICP number. It needs no register. */
#include "names.h"
#include "number.h"
#include "output.h"

#include <string.h>

#include <apr_strings.h>

static const struct {
    unsigned mark;
    const char *name, *text;
} marks[] = {
    {ICP_MARK_ALIAS_PROVINCE, "alias-province", "the province is written with another of its short names"},
    {ICP_MARK_NO_HAO, "no-hao", "号 is left out"},
    {ICP_MARK_SUSPECT, "suspect-number", "eight digits with a year in which numbers had ten"},
    {ICP_MARK_PLACEHOLDER, "placeholder", "the digits look like those of a theme's footer"},
    {ICP_MARK_SERVICE, "app-number", "the number of an app or mini-program, not of a website"},
};
#define MARKS (sizeof marks / sizeof *marks)

static int is_icp_number(const icp_number_t *number)
{
    return number->kind != ICP_NUMBER_NONE && number->kind != ICP_NUMBER_POLICE;
}

static json_t *describe(const char *text, const icp_number_t *number)
{
    json_t *object = json_object(), *names = json_array();
    for (size_t i = 0; i < MARKS; i++) {
        if (number->marks & marks[i].mark) json_array_append_new(names, json_string(marks[i].name));
    }
    json_object_set_new(object, "text", icp_text_json(text));
    json_object_set_new(object, "kind", json_string(icp_number_kind_name(number)));
    json_object_set_new(object, "province", icp_text_json(number->province));
    json_object_set_new(object, "license", icp_text_json(number->license));
    json_object_set_new(object, "suffix", number->suffix ? json_integer(number->suffix) : json_null());
    json_object_set_new(object, "normal", number->kind ? icp_text_json(number->text) : json_null());
    json_object_set_new(object, "marks", names);
    json_object_set_new(object, "reason",
                        number->kind ? json_null() : json_string(icp_number_reason_name(number->reason)));
    return object;
}

static void explain(const icp_cli_t *cli, icp_list_t *list, const char *text, const icp_number_t *number)
{
    const char *remarks = "";
    if (number->kind == ICP_NUMBER_NONE) remarks = icp_number_reason_text(number->reason);
    if (number->kind == ICP_NUMBER_POLICE) remarks = "a police filing number: never an ICP number";
    for (size_t i = 0; i < MARKS; i++) {
        if (!(number->marks & marks[i].mark)) continue;
        size_t length = strlen(remarks) - (*remarks && remarks[strlen(remarks) - 1] == '.'); /* a reason is a sentence */
        remarks = apr_psprintf(cli->pool, "%.*s%s%s", (int)length, remarks, *remarks ? "; " : "", marks[i].text);
    }
    const char *suffix = number->suffix ? apr_psprintf(cli->pool, "%d", number->suffix) : "-";
    const char *province = number->province && *number->province ? number->province : "-";
    icp_list_row(list, text, icp_number_kind_name(number), province, suffix, number->kind ? number->text : "-", remarks,
                 NULL);
}

static icp_error_t *run_number(icp_cli_t *cli)
{
    apr_array_header_t *texts;
    ICP_TRY(icp_names_read(&texts, cli));
    icp_list_t *list = icp_list_begin(cli, "TEXT|KIND|PROVINCE|SUFFIX|NORMAL FORM|REMARKS");
    for (int i = 0; i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);
        const icp_number_t *number = icp_number_parse(text, cli->pool);
        if (!is_icp_number(number)) cli->status = ICP_REFUSED;
        if (cli->json)
            icp_list_object(list, describe(text, number));
        else
            explain(cli, list, text, number);
    }
    icp_list_end(list, NULL);
    return NULL;
}

const icp_command_t icp_cmd_number = {
    .noun = "number",
    .arguments = "TEXT…",
    .least = 1,
    .most = -1,
    .summary = "explain what a text is as an ICP number",
    .details = "Says for each TEXT which kind of number it is (license, website, service, permit, telecom, police, "
               "none), its province, suffix and normal form, and what is odd about it or why it cannot be a number. "
               "`-` reads texts from standard input, one a line.\n\n"
               "Exit status 1 if any of them is no ICP number; police filing numbers are none.",
    .json =
        "an array; each has text, kind, province, license, suffix, normal, marks, reason (why it is none, else null)",
    .example = "icpadmin number '沪ICP备05012345号-3' '京ICP証030173號'",
    .run = run_number,
};
