/* `icpadmin application add|correct`: what staff type in for a client, by the rules of the web form. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "application.h"
#include "application_document.h"
#include "application_message.h"
#include "intake.h"
#include "json.h"
#include "options.h"
#include "output.h"

typedef struct typing_t {
    const icp_cli_t *cli;
    json_t *form;                  /* as icp_form_check left it */
    apr_array_header_t *documents; /* icp_application_document_t */
    const char *token;             /* of a new one */
    apr_array_header_t *missing;   /* icp_form_issue_t */
    icp_application_t *application;
    const char *link;
} typing_t;

static icp_error_t *read_form(typing_t *typing, const char *file)
{
    apr_pool_t *pool = typing->cli->pool;
    apr_array_header_t *issues;
    json_error_t fault;
    FILE *stream = strcmp(file, "-") ? fopen(file, "re") : stdin;
    if (!stream) return icp_error_os(pool, errno, "cannot open %s", file);
    json_t *typed = icp_json_keep(json_loadf(stream, JSON_REJECT_DUPLICATES, &fault), pool);
    if (stream != stdin) fclose(stream);
    if (!typed) {
        return icp_error(pool, ICP_USAGE, "write it as docs/forms.md describes", "%s line %d is not JSON: %s", file, fault.line,
                         fault.text);
    }
    icp_form_check(&typing->form, &issues, typed, pool);
    return icp_form_error(issues, pool);
}

/* KIND=FILE */
static icp_error_t *read_documents(typing_t *typing)
{
    apr_pool_t *pool = typing->cli->pool;
    apr_array_header_t *given = icp_option_all(typing->cli, "document");
    typing->documents = apr_array_make(pool, 4, sizeof(icp_application_document_t));
    for (int i = 0; i < given->nelts; i++) {
        const char *text = APR_ARRAY_IDX(given, i, const char *), *equals = strchr(text, '=');
        const char *kind = equals ? apr_pstrmemdup(pool, text, (apr_size_t)(equals - text)) : text;
        icp_document_t *file;
        if (!equals || !icp_form_document(kind)) {
            const char *known = "";
            for (const icp_form_document_t *one = icp_form_documents; one->kind; one++)
                known = apr_pstrcat(pool, known, *known ? ", " : "", one->kind, NULL);
            return icp_error(pool, ICP_USAGE, apr_psprintf(pool, "say --document KIND=FILE, KIND one of %s", known),
                             "`%s` is no document of an application", text);
        }
        ICP_TRY(icp_document_read(&file, equals + 1, pool));
        APR_ARRAY_PUSH(typing->documents, icp_application_document_t) = (icp_application_document_t){.kind = kind, .file = *file};
    }
    return NULL;
}

static icp_error_t *keep_documents(typing_t *typing)
{
    for (int i = 0; i < typing->documents->nelts && !typing->cli->dry_run; i++)
        ICP_TRY(icp_document_keep(&APR_ARRAY_IDX(typing->documents, i, icp_application_document_t).file, typing->cli->reg,
                                  typing->cli->pool));
    return NULL;
}

/* Those of a dry run have no files. */
static icp_error_t *refer(const typing_t *typing, icp_register_t *reg, apr_pool_t *pool)
{
    if (reg->dry_run) return NULL;
    return icp_application_documents_add(reg, typing->application->id, typing->documents, pool);
}

static icp_error_t *change_add(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    typing_t *typing = baton;
    apr_pool_t *keep = typing->cli->pool;
    ICP_TRY(icp_application_add(&typing->application, reg, typing->form, typing->token, reg->now, ICP_BY_STAFF, keep));
    ICP_TRY(refer(typing, reg, pool));
    return icp_application_link(&typing->link, reg, typing->application, keep);
}

static icp_error_t *change_correct(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    typing_t *typing = baton;
    const icp_application_act_t act = {
        .step = ICP_APP_DO_CORRECT, .by = ICP_BY_STAFF, .form = typing->form, .note = icp_option(typing->cli, "note")};
    ICP_TRY(icp_application_argument(&typing->application, typing->cli));
    ICP_TRY(icp_application_step(reg, typing->application, &act, typing->cli->pool));
    return refer(typing, reg, pool);
}

static void tell_missing(const typing_t *typing)
{
    for (int i = 0; i < typing->missing->nelts; i++) {
        const icp_form_issue_t *issue = &APR_ARRAY_IDX(typing->missing, i, icp_form_issue_t);
        icp_warn(typing->cli, "%s: %s", issue->field, issue->message[ICP_LANGUAGE_EN]);
    }
}

static icp_error_t *finish(typing_t *typing, icp_cli_t *cli)
{
    apr_array_header_t *done = apr_array_make(cli->pool, 1, sizeof(icp_application_t *));
    APR_ARRAY_PUSH(done, icp_application_t *) = typing->application;
    tell_missing(typing);
    return icp_application_done(cli, done);
}

static icp_error_t *run_add(icp_cli_t *cli)
{
    typing_t typing = {.cli = cli, .missing = apr_array_make(cli->pool, 2, sizeof(icp_form_issue_t))};
    ICP_TRY(read_form(&typing, APR_ARRAY_IDX(cli->arguments, 0, const char *)));
    ICP_TRY(read_documents(&typing));
    ICP_TRY(icp_application_documents_missing(typing.missing, cli->reg, typing.form, typing.documents, 0, cli->pool));
    ICP_TRY(icp_token_make(&typing.token, cli->pool));
    ICP_TRY(keep_documents(&typing));
    ICP_TRY(icp_register_change(cli->reg, change_add, &typing, cli->pool));
    ICP_TRY(finish(&typing, cli));
    if (*typing.link) icp_say(cli, "the client follows it at %s", typing.link);
    return NULL;
}

static icp_error_t *run_correct(icp_cli_t *cli)
{
    typing_t typing = {.cli = cli, .missing = apr_array_make(cli->pool, 2, sizeof(icp_form_issue_t))};
    ICP_TRY(icp_application_argument(&typing.application, cli));
    ICP_TRY(read_form(&typing, APR_ARRAY_IDX(cli->arguments, 1, const char *)));
    ICP_TRY(read_documents(&typing));
    ICP_TRY(icp_application_documents_missing(typing.missing, cli->reg, typing.form, typing.documents, typing.application->id,
                                              cli->pool));
    ICP_TRY(keep_documents(&typing));
    ICP_TRY(icp_register_change(cli->reg, change_correct, &typing, cli->pool));
    return finish(&typing, cli);
}

static const icp_option_t add_options[] = {
    {"document", "KIND=FILE", ICP_OPTION_MANY, "a document: license, id or domain-certificate, a PDF, JPEG or PNG"},
    {NULL, NULL, 0, NULL},
};
static const icp_option_t correct_options[] = {
    {"document", "KIND=FILE", ICP_OPTION_MANY, "a document, in place of the one of this kind"},
    {"note", "TEXT", 0, "why, for the audit log"},
    {NULL, NULL, 0, NULL},
};

#define JSON "an object as of `application list`"

const icp_command_t icp_cmd_application_add = {
    .noun = "application",
    .verb = "add",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "take an application for a client, by telephone for instance",
    .details = "FILE holds the form as JSON; - is standard input. It is checked like the web form, and what is wrong is named by its "
               "field. Documents may follow with `application correct`, once it was returned; those that are missing are named. The "
               "link by which the client follows it is printed where the policy apply-url is set.",
    .json = JSON,
    .example = "icpadmin application add form.json --document license=scan.pdf --document id=id.jpg",
    .options = add_options,
    .run = run_add,
};

const icp_command_t icp_cmd_application_correct = {
    .noun = "application",
    .verb = "correct",
    .arguments = "APP FILE",
    .least = 2,
    .most = 2,
    .need = ICP_NEED_REGISTER,
    .changes = 1,
    .summary = "correct a returned or rejected application for a client",
    .details = "FILE holds the whole form anew, as for `application add`; `application show --json` has the old one as `form`.",
    .json = JSON,
    .example = "icpadmin application correct APP-000012 form.json --note 'by telephone'",
    .options = correct_options,
    .run = run_correct,
};
