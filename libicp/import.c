#include "import.h"

#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "audit.h"
#include "csv_reader.h"
#include "domain.h"
#include "holder.h"
#include "host.h"
#include "license.h"
#include "license_number.h"
#include "site.h"
#include "text.h"

#define COLUMNS 4
#define PROGRESS_EVERY 1000
#define CACHE_KIB "-131072"

typedef struct import_t import_t;

/* What tells the imports apart. `take` puts one record on file; of its errors only ICP_FAULT ends the import. */
typedef struct kind_t {
    const char *action;
    const char *columns[COLUMNS];
    int required; /* the first so many must be in the header */
    icp_error_t *(*take)(import_t *import, const char *const values[COLUMNS], apr_int64_t line, apr_pool_t *pool);
} kind_t;

struct import_t {
    const kind_t *kind;
    const icp_import_options_t *options;
    icp_import_result_t *result;
    icp_register_t *reg;
    const char *text;
    apr_size_t length;
    int columns;          /* in the header; 0: not read yet */
    int place[COLUMNS];   /* of each known column in a record, -1: absent */
    const char **values;  /* of the record under way, by column; NULL: it could not be read */
    apr_hash_t *lines;    /* name or number, normal form → apr_int64_t line of this file that put it on file */
    apr_pool_t *pool;     /* of the result */
    apr_pool_t *run_pool; /* of one run of the change */
};

static void remember(import_t *import, const char *key, apr_int64_t line)
{
    apr_hash_set(import->lines, apr_pstrdup(import->run_pool, key), APR_HASH_KEY_STRING,
                 apr_pmemdup(import->run_pool, &line, sizeof line));
}

static icp_error_t *refuse_repeated(import_t *import, const char *key, apr_pool_t *pool)
{
    const apr_int64_t *line = apr_hash_get(import->lines, key, APR_HASH_KEY_STRING);
    if (!line) return NULL;
    return icp_error_about(icp_error(pool, ICP_REFUSED, "leave one of the two lines out",
                                     "%s stands on line %" APR_INT64_T_FMT " already", key, *line),
                           import->kind->columns[0]);
}

/* The words of a field, NULL for none. */
static apr_array_header_t *words(const char *field, apr_pool_t *pool)
{
    char *last, *copy = apr_pstrdup(pool, field);
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));
    for (char *word = apr_strtok(copy, " \t\r\n", &last); word; word = apr_strtok(NULL, " \t\r\n", &last)) {
        APR_ARRAY_PUSH(list, const char *) = word;
    }
    return list;
}

static icp_error_t *take_site(import_t *import, const char *const values[COLUMNS], apr_int64_t line, apr_pool_t *pool)
{
    const char *host;
    icp_site_t site = {.name = values[0],
                       .hosts = words(values[1], pool),
                       .numbers = words(values[2], pool),
                       .homepage = values[3],
                       .serve_unlicensed = import->options->serve_unlicensed};
    ICP_TRY(refuse_repeated(import, site.name, pool));
    if (*site.name && !icp_host_normalise(&host, site.name, 0, pool)) ICP_TRY(refuse_repeated(import, host, pool));
    ICP_TRY(icp_site_add(import->reg, &site, pool));
    remember(import, site.name, line);
    import->result->added++;
    if (site.suspension) import->result->suspended++;
    return NULL;
}

static icp_error_t *refuse_other_holder(const icp_license_t *license, const char *holder, const char *uscc,
                                        apr_pool_t *pool)
{
    if (*holder && strcmp(holder, license->holder) != 0 && (!license->uscc || strcasecmp(holder, license->uscc) != 0)) {
        const char *remedy =
            apr_psprintf(pool, "write %s; if that is wrong, first: icpadmin license edit %s --holder NAME",
                         license->holder, license->number);
        return icp_error_about(icp_error(pool, ICP_REFUSED, remedy, "%s is on file for %s, not %s", license->number,
                                         license->holder, icp_text_printable(holder, 120, pool)),
                               "holder");
    }
    if (*uscc && license->uscc && strcasecmp(uscc, license->uscc) != 0) {
        const char *remedy =
            apr_psprintf(pool, "write %s; if that is wrong, first: icpadmin holder edit %s --uscc CODE", license->uscc,
                         license->uscc);
        return icp_error_about(icp_error(pool, ICP_REFUSED, remedy, "%s is on file with the code %s, not %s",
                                         license->number, license->uscc, icp_text_printable(uscc, 60, pool)),
                               "uscc");
    }
    return NULL;
}

/* A code that the file knows and the register does not. */
static icp_error_t *complete_holder(import_t *import, const icp_license_t *license, const char *uscc, apr_pool_t *pool)
{
    icp_holder_t *holder;
    ICP_TRY(icp_holder_get(&holder, import->reg, license->holder, pool));
    icp_holder_t known = {.id = holder->id, .uscc = uscc};
    return icp_holder_edit(import->reg, &known, pool);
}

static icp_error_t *take_license(import_t *import, const char *const values[COLUMNS], apr_int64_t line,
                                 apr_pool_t *pool)
{
    const char *number = values[0], *holder = values[1], *uscc = values[2], *status = *values[3] ? values[3] : "active";
    int active = strcmp(status, "active") == 0, is_new, is_changed;
    icp_import_result_t *result = import->result;
    icp_number_t *parsed;
    icp_license_t *license;

    if (!active && strcmp(status, "cancelled") != 0 && strcmp(status, "revoked") != 0) {
        return icp_error_about(icp_error(pool, ICP_USAGE, "write active, cancelled or revoked; nothing means active",
                                         "'%s' is no status", icp_text_printable(status, 60, pool)),
                               "status");
    }
    ICP_TRY(icp_error_about(icp_license_parse(&parsed, number, pool), "number"));
    ICP_TRY(refuse_repeated(import, parsed->license, pool));
    icp_error_t *error = icp_license_get(&license, import->reg, number, pool);
    if (error && error->status != ICP_NOT_FOUND) return error;
    is_new = error != NULL;
    if (is_new)
        ICP_TRY(icp_license_add(&license, import->reg, number, holder, uscc, pool));
    else
        ICP_TRY(refuse_other_holder(license, holder, uscc, pool));

    is_changed = strcmp(license->status, status) != 0;
    if (!is_new && *uscc && !license->uscc) {
        ICP_TRY(complete_holder(import, license, uscc, pool));
        is_changed = 1;
    }
    if (is_new)
        result->added++;
    else if (is_changed)
        result->changed++;
    else
        result->unchanged++;
    if (strcmp(license->status, status) != 0) {
        apr_array_header_t *suspended = apr_array_make(pool, 4, sizeof(const char *));
        if (active)
            ICP_TRY(icp_license_reinstate(import->reg, number, NULL, pool));
        else
            ICP_TRY(icp_license_end(import->reg, number, status, NULL, suspended, pool));
        result->suspended += suspended->nelts;
    }
    remember(import, parsed->license, line);
    return NULL;
}

/* NULL: not on file. */
static icp_error_t *known_domain(icp_domain_t **domain, icp_register_t *reg, const char *name, apr_pool_t *pool)
{
    icp_error_t *error = icp_domain_get(domain, reg, name, pool);
    if (!error || error->status != ICP_NOT_FOUND) return error;
    *domain = NULL;
    return NULL;
}

static icp_error_t *take_domain(import_t *import, const char *const values[COLUMNS], apr_int64_t line, apr_pool_t *pool)
{
    icp_domain_t *known, domain = {.name = values[0], .registrant = values[1], .kind = *values[2] ? values[2] : "organisation",
                                   .email = values[3]};
    ICP_TRY(icp_error_about(icp_domain_name(&domain.name, values[0], pool), "domain"));
    ICP_TRY(refuse_repeated(import, domain.name, pool));
    ICP_TRY(known_domain(&known, import->reg, domain.name, pool));
    if (!known)
        ICP_TRY(icp_domain_add(import->reg, &domain, pool));
    else if (strcmp(known->registrant, domain.registrant) || strcmp(known->kind, domain.kind) ||
             (*domain.email && strcmp(known->email, domain.email))) {
        return icp_error_about(icp_error(pool, ICP_REFUSED,
                                         apr_psprintf(pool, "icpadmin domain edit %s changes it", domain.name),
                                         "%s is on file with other data, of %s", domain.name, known->registrant),
                               "domain");
    }
    import->result->added += !known;
    import->result->unchanged += known != NULL;
    remember(import, domain.name, line);
    return NULL;
}

static const kind_t sites_kind = {"site.import", {"name", "hosts", "license", "homepage"}, 3, take_site};
static const kind_t licenses_kind = {"license.import", {"number", "holder", "uscc", "status"}, 2, take_license};
static const kind_t domains_kind = {"domain.import", {"domain", "registrant", "kind", "email"}, 2, take_domain};

static const char *columns_text(const kind_t *kind, apr_pool_t *pool)
{
    return apr_psprintf(pool, "begin the file with the line %s,%s,%s,%s, with commas between the fields",
                        kind->columns[0], kind->columns[1], kind->columns[2], kind->columns[3]);
}

static icp_error_t *take_header(import_t *import, const icp_csv_record_t *record, apr_pool_t *pool)
{
    const kind_t *kind = import->kind;
    if (record->fault) {
        return icp_error(pool, ICP_USAGE, columns_text(kind, pool),
                         "the header on line %" APR_INT64_T_FMT " cannot be read: %s", record->line, record->fault);
    }
    for (int c = 0; c < COLUMNS; c++) import->place[c] = -1;
    for (int i = 0; i < record->count; i++) {
        const char *name = icp_text_trim(record->fields[i], pool);
        int c = 0;
        while (c < COLUMNS && strcasecmp(name, kind->columns[c]) != 0) c++;
        if (c == COLUMNS) {
            return icp_error(pool, ICP_USAGE, columns_text(kind, pool),
                             "the header has a column '%s', which is not known", icp_text_printable(name, 60, pool));
        }
        if (import->place[c] >= 0) {
            return icp_error(pool, ICP_USAGE, columns_text(kind, pool), "the header has the column '%s' twice",
                             kind->columns[c]);
        }
        import->place[c] = i;
    }
    for (int c = 0; c < kind->required; c++) {
        if (import->place[c] < 0) {
            return icp_error(pool, ICP_USAGE, columns_text(kind, pool), "the header lacks the column '%s'",
                             kind->columns[c]);
        }
    }
    import->columns = record->count;
    return NULL;
}

static icp_error_t *take_fields(import_t *import, const icp_csv_record_t *record, apr_pool_t *pool)
{
    import->values = NULL;
    if (record->fault) return icp_error(pool, ICP_USAGE, record->remedy, "%s", record->fault);
    if (record->count != import->columns) {
        return icp_error(
            pool, ICP_USAGE,
            "separate all fields by commas, empty ones too; put one that has a comma in it between quotation marks",
            "it has %d fields, the header %d", record->count, import->columns);
    }
    import->values = apr_palloc(pool, COLUMNS * sizeof *import->values);
    for (int c = 0; c < COLUMNS; c++) {
        import->values[c] = import->place[c] < 0 ? "" : icp_text_trim(record->fields[import->place[c]], pool);
    }
    return import->kind->take(import, import->values, record->line, pool);
}

static void keep_bad_line(const import_t *import, const icp_csv_record_t *record, const icp_error_t *error)
{
    icp_bad_line_t bad = {.line = record->line,
                          .reason = apr_pstrdup(import->pool, error->message),
                          .remedy = apr_pstrdup(import->pool, error->remedy)};
    for (int c = 0; import->values && error->field && c < COLUMNS; c++) {
        if (strcmp(import->kind->columns[c], error->field)) continue;
        bad.column = import->kind->columns[c];
        bad.value = apr_pstrdup(import->pool, import->values[c]);
    }
    APR_ARRAY_PUSH(import->result->bad, icp_bad_line_t) = bad;
}

static icp_error_t *take_record(const icp_csv_record_t *record, void *baton, apr_pool_t *pool)
{
    import_t *import = baton;
    icp_import_result_t *result = import->result;
    if (!import->columns) return take_header(import, record, import->pool);

    result->lines++;
    icp_error_t *error = take_fields(import, record, pool);
    if (error && (error->status == ICP_FAULT || error->cause)) {
        return icp_error(import->pool, ICP_FAULT, error->remedy, "line %" APR_INT64_T_FMT ": %s", record->line,
                         error->message);
    }
    if (error) keep_bad_line(import, record, error);
    if (import->options->progress && result->lines % PROGRESS_EVERY == 0) {
        import->options->progress(result->lines, (apr_off_t)record->bytes, import->options->progress_baton);
    }
    return NULL;
}

static icp_error_t *record_import(const import_t *import, apr_pool_t *pool)
{
    const icp_import_result_t *result = import->result;
    json_t *after =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:i}", "lines", (json_int_t)result->lines, "added",
                  (json_int_t)result->added, "changed", (json_int_t)result->changed, "unchanged",
                  (json_int_t)result->unchanged, "suspended", (json_int_t)result->suspended, "bad", result->bad->nelts);
    icp_error_t *error = icp_audit_event(import->reg, import->kind->action, "register", NULL, after, NULL, pool);
    json_decref(after);
    return error;
}

static icp_error_t *change(icp_register_t *reg, void *baton, apr_pool_t *pool)
{
    import_t *import = baton;
    icp_import_result_t *result = import->result;

    /* A transaction that outgrows SQLite's page cache is written twice. */
    ICP_TRY(icp_db_integer(NULL, reg->db, "PRAGMA main.cache_size = " CACHE_KIB));
    ICP_TRY(icp_db_integer(NULL, reg->db, "PRAGMA private.cache_size = " CACHE_KIB));
    *result = (icp_import_result_t){.bad = apr_array_make(import->pool, 4, sizeof(icp_bad_line_t))};
    import->reg = reg;
    import->columns = 0;
    import->lines = apr_hash_make(pool);
    import->run_pool = pool;
    ICP_TRY(icp_csv_each(import->text, import->length, take_record, import, pool));
    if (!import->columns) return icp_error(pool, ICP_USAGE, columns_text(import->kind, pool), "the file is empty");
    if (result->bad->nelts && !import->options->skip_bad) {
        return icp_error(pool, ICP_REFUSED, "correct them, or take the others with --skip-bad",
                         "%d of %" APR_INT64_T_FMT " lines %s bad: nothing was changed", result->bad->nelts,
                         result->lines, result->bad->nelts == 1 ? "is" : "are");
    }
    return record_import(import, pool);
}

static apr_status_t free_text(void *text)
{
    free(text);
    return APR_SUCCESS;
}

static icp_error_t *read_file(import_t *import, FILE *file, apr_pool_t *pool)
{
    apr_size_t room = 1 << 16, length = 0, got;
    char *text = malloc(room);
    while (text && (got = fread(text + length, 1, room - length, file)) > 0) {
        length += got;
        if (length == room) {
            char *more = realloc(text, room *= 2);
            if (!more) free(text);
            text = more;
        }
    }
    if (!text) return icp_error(pool, ICP_FAULT, NULL, "the file is too large for this machine's memory");
    import->text = text;
    import->length = length;
    apr_pool_cleanup_register(pool, text, free_text, apr_pool_cleanup_null);
    return ferror(file) ? icp_error(pool, ICP_FAULT, NULL, "the file cannot be read") : NULL;
}

static icp_error_t *run(const kind_t *kind, icp_import_result_t **result, icp_register_t *reg, FILE *file,
                        const icp_import_options_t *options, apr_pool_t *pool)
{
    import_t import = {.kind = kind, .options = options, .pool = pool};
    import.result = *result = apr_pcalloc(pool, sizeof **result);
    import.result->bad = apr_array_make(pool, 1, sizeof(icp_bad_line_t));
    ICP_TRY(read_file(&import, file, pool));
    return icp_register_change(reg, change, &import, pool);
}

icp_error_t *icp_import_sites(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                              const icp_import_options_t *options, apr_pool_t *pool)
{
    return run(&sites_kind, result, reg, file, options, pool);
}

icp_error_t *icp_import_licenses(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                                 const icp_import_options_t *options, apr_pool_t *pool)
{
    return run(&licenses_kind, result, reg, file, options, pool);
}

icp_error_t *icp_import_domains(icp_import_result_t **result, icp_register_t *reg, FILE *file,
                                const icp_import_options_t *options, apr_pool_t *pool)
{
    return run(&domains_kind, result, reg, file, options, pool);
}
