/* What a file is by its own bytes: good ones with what phones and scanners write, others that call themselves so, and every cut. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "document_type.h"
#include "form.h"

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0\x1f\x15\xc4\x89\0\0\0\2IDATxx\0\0\0\0\0\0\0\0IEND\xae\x42\x60\x82"
#define JPEG "\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\4ab\xff\xda\0\4ab0123\xff\xd9"
#define PDF "%PDF-1.4\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n"
#define BMP_OF(header) "BM\x1e\0\0\0\0\0\0\0\x36\0\0\0" header "\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0xxxx"
#define BMP BMP_OF("\x28")
#define ZIP_END "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TYPE(bytes) icp_document_type(bytes, sizeof bytes - 1)

START_TEST(test_document_types)
{
    ck_assert_str_eq(TYPE(PNG), "image/png");
    ck_assert_str_eq(TYPE(JPEG), "image/jpeg");
    ck_assert_str_eq(TYPE(PDF), "application/pdf");
    ck_assert_str_eq(TYPE(PDF "\r\n\0"), "application/pdf");
    ck_assert_str_eq(TYPE(BMP), "image/bmp");
}
END_TEST

/* Zeros to a full block, a short film, the phone's own data: photographs have it, and their owners cannot tell. */
START_TEST(test_behind_a_picture)
{
    ck_assert_str_eq(TYPE(JPEG "\0\0\0"), "image/jpeg");
    ck_assert_str_eq(TYPE(JPEG "\0\0\0\x18" "ftypmp42\0\0\0\0isommp42"), "image/jpeg");
    ck_assert_str_eq(TYPE(JPEG "\0\0\1\n\x0e\0\0\0Image_UTC_Data1603000000000SEFHj\0\0\0\1\0\0\0SEFT"), "image/jpeg");
    ck_assert_str_eq(TYPE(JPEG JPEG), "image/jpeg");
    ck_assert_str_eq(TYPE(PNG "\0\0\0\4IDAT"), "image/png");
}
END_TEST

START_TEST(test_no_document)
{
    ck_assert_ptr_null(TYPE(""));
    ck_assert_ptr_null(TYPE("<html><script>alert(1)</script></html>"));
    ck_assert_ptr_null(TYPE("<svg xmlns='http://www.w3.org/2000/svg'/>"));
    ck_assert_ptr_null(TYPE("MZ\x90\0\3\0\0\0 This program cannot be run in DOS mode"));
    ck_assert_ptr_null(TYPE("PK\3\4 and so on and on and on and on and on"));
    ck_assert_ptr_null(TYPE("GIF89a and so on and on and on and on and on"));
    ck_assert_ptr_null(TYPE("BMW has no second header, but many a letter that follows"));
    ck_assert_ptr_null(TYPE(BMP_OF("\x29")));
    ck_assert_ptr_null(TYPE("<html>" PDF)); /* a page first */
    ck_assert_ptr_null(TYPE(PDF "<script>alert(1)</script>"));
    ck_assert_ptr_null(TYPE("%PDF-1.4\n" ZIP_END "startxref\n9\n%%EOF\n"));
    ck_assert_ptr_null(TYPE(JPEG ZIP_END));
    ck_assert_ptr_null(TYPE(PNG ZIP_END " and a comment"));
    ck_assert_ptr_null(TYPE(BMP ZIP_END));
    ck_assert_ptr_null(TYPE("\xff\xd8\xff\xda\0\4ab0123\xff\xd9")); /* no frame */
    ck_assert_ptr_null(TYPE("\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
    ck_assert_ptr_null(TYPE("%PDF-1.4 startxref nothing follows, and no end of it"));
}
END_TEST

/* Cut anywhere or with a byte changed: never out of bounds (under sanitizers), and a cut one is none. */
START_TEST(test_cut_documents)
{
    static const struct { const char *bytes; size_t length; } files[] = {
        {PNG, sizeof PNG - 1}, {JPEG, sizeof JPEG - 1}, {PDF, sizeof PDF - 3}, {BMP, 55}};
    for (int i = 0; i < 4; i++) {
        for (size_t length = 0; length < files[i].length; length++) {
            char *exact = malloc(length ? length : 1);
            memcpy(exact, files[i].bytes, length);
            ck_assert_ptr_null(icp_document_type(exact, length));
            free(exact);
        }
        for (size_t at = 0; at < files[i].length; at++) {
            char *exact = malloc(files[i].length);
            for (int byte = 0; byte < 256; byte += 3) {
                memcpy(exact, files[i].bytes, files[i].length);
                exact[at] = (char)byte;
                icp_document_type(exact, files[i].length);
            }
            free(exact);
        }
    }
}
END_TEST

START_TEST(test_the_form_takes_three_of_them)
{
    ck_assert_str_eq(icp_form_document_type(PNG, sizeof PNG - 1), "image/png");
    ck_assert_str_eq(icp_form_document_type(JPEG, sizeof JPEG - 1), "image/jpeg");
    ck_assert_str_eq(icp_form_document_type(PDF, sizeof PDF - 1), "application/pdf");
    ck_assert_ptr_null(icp_form_document_type(BMP, sizeof BMP - 1));
    ck_assert_ptr_null(icp_form_document_type("", 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document type");
    TCase *all = tcase_create("all");
    tcase_add_test(all, test_document_types);
    tcase_add_test(all, test_behind_a_picture);
    tcase_add_test(all, test_no_document);
    tcase_add_test(all, test_cut_documents);
    tcase_add_test(all, test_the_form_takes_three_of_them);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
