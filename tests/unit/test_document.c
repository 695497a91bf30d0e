/* Documents: told by their content, bounded, kept once, and gone when nobody refers to them. */
#include "records_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>

#include "depot.h"
#include "document.h"

#define PDF "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"

static const char *write_file(const char *name, const void *bytes, apr_size_t length)
{
    const char *file = apr_pstrcat(pool, folder, "/", name, NULL);
    apr_file_t *handle;
    ck_assert_int_eq(apr_file_open(&handle, file, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                                   APR_FPROT_OS_DEFAULT, pool),
                     0);
    ck_assert_int_eq(apr_file_write_full(handle, bytes, length, NULL), 0);
    apr_file_close(handle);
    return file;
}

static icp_document_t *kept(const char *name, const char *bytes)
{
    icp_document_t *document;
    ok(icp_document_read(&document, write_file(name, bytes, strlen(bytes)), pool));
    ok(icp_document_keep(document, reg, pool));
    return document;
}

static const char *stored(const icp_document_t *document)
{
    return icp_depot_path(reg->path, ICP_DOCUMENT_FOLDER, document->sha256, pool);
}

START_TEST(test_what_is_not_taken)
{
    icp_document_t *document;
    fails(icp_document_read(&document, write_file("empty.pdf", "", 0), pool), ICP_REFUSED, "is empty");
    fails(icp_document_read(&document, write_file("page.pdf", "<html>", 6), pool), ICP_REFUSED, "another type");
    fails(icp_document_read(&document, folder, pool), ICP_REFUSED, "is no file");
    fails(icp_document_read(&document, "/dev/zero", pool), ICP_REFUSED, "is no file");
    fails(icp_document_read(&document, apr_pstrcat(pool, folder, "/nothing.pdf", NULL), pool), ICP_NOT_FOUND,
          "cannot open");
    const char *pipe_name = apr_pstrcat(pool, folder, "/pipe.pdf", NULL);
    ck_assert_int_eq(mkfifo(pipe_name, 0600), 0);
    fails(icp_document_read(&document, pipe_name, pool), ICP_REFUSED, "is no file");

    char *large = apr_pcalloc(pool, ICP_DOCUMENT_LIMIT + 1);
    memcpy(large, PDF, strlen(PDF));
    fails(icp_document_read(&document, write_file("large.pdf", large, ICP_DOCUMENT_LIMIT + 1), pool), ICP_REFUSED,
          "larger than 5 MB");
    ok(icp_document_read(&document, write_file("limit.pdf", large, ICP_DOCUMENT_LIMIT), pool));
    ck_assert_int_eq(document->bytes, ICP_DOCUMENT_LIMIT);
}
END_TEST

START_TEST(test_names_are_only_shown)
{
    icp_document_t *document;
    ok(icp_document_read(&document, write_file("li\x1B[31mc\xFF.pdf", PDF, strlen(PDF)), pool));
    ck_assert_str_eq(document->name, "li\xEF\xBF\xBD[31mc\xEF\xBF\xBD.pdf");
}
END_TEST

START_TEST(test_kept_once_for_its_owner_alone)
{
    struct stat status;
    icp_document_t *first = kept("a.pdf", PDF), *second = kept("b.pdf", PDF);
    ck_assert_str_eq(first->sha256, second->sha256);
    ck_assert_int_eq(stat(stored(first), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(icp_register_companion(reg->path, ICP_DOCUMENT_FOLDER, pool), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0700);
}
END_TEST

START_TEST(test_saved_as_it_was_and_never_over_a_file)
{
    const char *file;
    char bytes[100] = {0};
    icp_document_t *document = kept("a.txt", PDF);
    ok(icp_document_save(&file, document, reg, folder, "example.cn-license", pool));
    ck_assert(strstr(file, "/example.cn-license.pdf") != NULL);
    FILE *stream = fopen(file, "r");
    ck_assert_int_eq((int)fread(bytes, 1, sizeof bytes, stream), (int)document->bytes);
    fclose(stream);
    ck_assert_str_eq(bytes, PDF);
    fails(icp_document_save(&file, document, reg, folder, "example.cn-license", pool), ICP_REFUSED, "there is a file");
    fails(icp_document_save(&file, document, reg, "/nonexistent", "x", pool), ICP_NOT_FOUND, "cannot create");
    fails(icp_document_save(&file, document, reg, "/dev/null", "x", pool), ICP_FAULT, "cannot create");
    ck_assert_int_eq(truncate(stored(document), 3), 0);
    fails(icp_document_save(&file, document, reg, folder, "again", pool), ICP_FAULT, "not as it was put there");
}
END_TEST

START_TEST(test_forgotten_when_nobody_refers_to_it)
{
    icp_document_t *document = kept("a.pdf", PDF);
    const char *insert = apr_psprintf(pool,
                                      "INSERT INTO private.document (kind, name, type, bytes, sha256, added_at) VALUES "
                                      "('id', 'a', 'application/pdf', 8, '%s', 1)",
                                      document->sha256);
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), insert, NULL, NULL, NULL), SQLITE_OK);
    ok(icp_document_forget(reg, document->sha256, pool));
    ck_assert_int_eq(access(stored(document), F_OK), 0);
    ck_assert_int_eq(sqlite3_exec(icp_db_handle(reg->db), "DELETE FROM private.document", NULL, NULL, NULL), SQLITE_OK);
    ok(icp_document_forget(reg, document->sha256, pool));
    ck_assert_int_ne(access(stored(document), F_OK), 0);
    ok(icp_document_forget(reg, document->sha256, pool)); /* gone already */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_what_is_not_taken,
                                  test_names_are_only_shown,
                                  test_kept_once_for_its_owner_alone,
                                  test_saved_as_it_was_and_never_over_a_file,
                                  test_forgotten_when_nobody_refers_to_it,
                                  NULL};
    return run_tests("document", tests, 1);
}
