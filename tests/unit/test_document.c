/* Documents: told by their content, bounded, kept once, and gone when nobody refers to them. */
#include "records_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>

#include "depot.h"
#include "document.h"

static const char png[] = "\x89PNG\r\n\x1A\n....IHDR";

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

START_TEST(test_types_by_content)
{
    char bitmap[64] = "BM";
    bitmap[14] = 40;
    ck_assert_str_eq(icp_document_type("%PDF-1.7", 8), "application/pdf");
    ck_assert_str_eq(icp_document_type("\xFF\xD8\xFF\xE0", 4), "image/jpeg");
    ck_assert_str_eq(icp_document_type(png, sizeof png), "image/png");
    ck_assert_str_eq(icp_document_type(bitmap, sizeof bitmap), "image/bmp");
    bitmap[14] = 41;
    ck_assert_ptr_null(icp_document_type(bitmap, sizeof bitmap));
    ck_assert_ptr_null(icp_document_type("BMW has no second header", 24));
    ck_assert_ptr_null(icp_document_type("%PDF-", 5)); /* nothing behind it */
    ck_assert_ptr_null(icp_document_type("", 0));
    ck_assert_ptr_null(icp_document_type("<html>%PDF-1.7", 14));
    ck_assert_ptr_null(icp_document_type("MZ\x90", 3));
    ck_assert_ptr_null(icp_document_type("GIF89a..", 8));
}
END_TEST

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
    memcpy(large, "%PDF-1.7", 8);
    fails(icp_document_read(&document, write_file("large.pdf", large, ICP_DOCUMENT_LIMIT + 1), pool), ICP_REFUSED,
          "larger than 5 MB");
    ok(icp_document_read(&document, write_file("limit.pdf", large, ICP_DOCUMENT_LIMIT), pool));
    ck_assert_int_eq(document->bytes, ICP_DOCUMENT_LIMIT);
}
END_TEST

START_TEST(test_names_are_only_shown)
{
    icp_document_t *document;
    ok(icp_document_read(&document, write_file("li\x1B[31mc\xFF.pdf", "%PDF-1", 6), pool));
    ck_assert_str_eq(document->name, "li\xEF\xBF\xBD[31mc\xEF\xBF\xBD.pdf");
}
END_TEST

START_TEST(test_kept_once_for_its_owner_alone)
{
    struct stat status;
    icp_document_t *first = kept("a.pdf", "%PDF-1 a"), *second = kept("b.pdf", "%PDF-1 a");
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
    char bytes[32] = {0};
    icp_document_t *document = kept("a.txt", "%PDF-1 a");
    ok(icp_document_save(&file, document, reg, folder, "example.cn-license", pool));
    ck_assert(strstr(file, "/example.cn-license.pdf") != NULL);
    FILE *stream = fopen(file, "r");
    ck_assert_int_eq((int)fread(bytes, 1, sizeof bytes, stream), (int)document->bytes);
    fclose(stream);
    ck_assert_str_eq(bytes, "%PDF-1 a");
    fails(icp_document_save(&file, document, reg, folder, "example.cn-license", pool), ICP_REFUSED, "there is a file");
    fails(icp_document_save(&file, document, reg, "/nonexistent", "x", pool), ICP_NOT_FOUND, "cannot create");
    fails(icp_document_save(&file, document, reg, "/dev/null", "x", pool), ICP_FAULT, "cannot create");
    ck_assert_int_eq(truncate(stored(document), 3), 0);
    fails(icp_document_save(&file, document, reg, folder, "again", pool), ICP_FAULT, "not as it was put there");
}
END_TEST

START_TEST(test_forgotten_when_nobody_refers_to_it)
{
    icp_document_t *document = kept("a.pdf", "%PDF-1 a");
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
    const TTest *const tests[] = {test_types_by_content,
                                  test_what_is_not_taken,
                                  test_names_are_only_shown,
                                  test_kept_once_for_its_owner_alone,
                                  test_saved_as_it_was_and_never_over_a_file,
                                  test_forgotten_when_nobody_refers_to_it,
                                  NULL};
    return run_tests("document", tests, 1);
}
