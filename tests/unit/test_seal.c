/* Sealing: what was sealed opens with the right key and token alone, and every change of a byte is noticed. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "register_fixture.h"
#include "seal.h"

static const char *key, *certificate;

static void setup(void)
{
    setup_folder();
    key = in_folder("intake.key");
    certificate = in_folder("intake.crt");
    ok(icp_seal_create(key, certificate, pool));
}

static icp_seal_t *load(void)
{
    icp_seal_t *seal;
    ok(icp_seal_load(&seal, certificate, pool));
    return seal;
}

static icp_unseal_t *load_key(void)
{
    icp_unseal_t *unseal;
    ok(icp_unseal_load(&unseal, key, certificate, pool));
    return unseal;
}

static int mode_of(const char *file)
{
    struct stat info;
    ck_assert_int_eq(stat(file, &info), 0);
    return info.st_mode & 07777;
}

static const char *content(const char *file)
{
    char *text = apr_pcalloc(pool, 8192);
    int fd = open(file, O_RDONLY);
    ck_assert_int_gt(read(fd, text, 8191), 0);
    close(fd);
    return text;
}

START_TEST(test_files)
{
    ck_assert_int_eq(mode_of(key), 0600);
    ck_assert_int_eq(mode_of(certificate), 0644);
    const char *kept = content(key), *kept_certificate = content(certificate);
    ok(icp_seal_create(key, certificate, pool));
    ck_assert_str_eq(content(key), kept);
    ck_assert_str_eq(content(certificate), kept_certificate);

    ck_assert_int_eq(unlink(certificate), 0);
    ok(icp_seal_create(key, certificate, pool)); /* from the key */
    load_key();
    ck_assert_str_eq(content(key), kept);

    ck_assert_int_eq(rename(key, in_folder("old.key")), 0);
    fails(icp_unseal_load(&(icp_unseal_t *){NULL}, key, certificate, pool), ICP_NOT_FOUND, "there is no key");
    ok(icp_seal_create(key, certificate, pool)); /* a new pair */
    load_key();
    ck_assert_int_eq(rename(in_folder("old.key"), key), 0);
    fails(icp_unseal_load(&(icp_unseal_t *){NULL}, key, certificate, pool), ICP_FAULT, "is not the certificate of");
    ok(icp_seal_create(key, certificate, pool));
    load_key();
}
END_TEST

START_TEST(test_bad_files)
{
    icp_unseal_t *unseal;
    icp_seal_t *seal;
    ck_assert_int_eq(chmod(key, 0640), 0);
    ck_assert_ptr_nonnull(fails(icp_unseal_load(&unseal, key, certificate, pool), ICP_DENIED, "read or write")->remedy);
    ck_assert_int_eq(chmod(key, 0600), 0);
    ck_assert_int_eq(chmod(certificate, 0664), 0);
    fails(icp_seal_load(&seal, certificate, pool), ICP_DENIED, "can write");
    ck_assert_int_eq(chmod(certificate, 0644), 0);
    ck_assert_int_eq(truncate(certificate, 40), 0);
    fails(icp_seal_load(&seal, certificate, pool), ICP_FAULT, "holds no certificate");
    ck_assert_int_eq(truncate(key, 40), 0);
    fails(icp_unseal_load(&unseal, key, certificate, pool), ICP_FAULT, "holds no key");
    ck_assert_int_eq(unlink(certificate), 0);
    fails(icp_seal_load(&seal, certificate, pool), ICP_NOT_FOUND, "there is no certificate");
    ck_assert_int_eq(symlink(key, certificate), 0);
    fails(icp_seal_load(&seal, certificate, pool), ICP_FAULT, "cannot open");
    fails(icp_seal_load(&seal, folder, pool), ICP_FAULT, "is no file of a key");
}
END_TEST

START_TEST(test_round_trip)
{
    icp_seal_t *seal = load();
    icp_unseal_t *unseal = load_key();
    static const apr_size_t sizes[] = {0, 1, 15, 16, 17, 4096, 5 * 1024 * 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const void *sealed, *opened;
        apr_size_t sealed_length, length;
        char *text = apr_palloc(pool, sizes[i] + 1);
        for (apr_size_t at = 0; at < sizes[i]; at++) text[at] = (char)(at * 7 + (at >> 8));
        ok(icp_seal(&sealed, &sealed_length, seal, text, sizes[i], pool));
        ck_assert_uint_lt(sealed_length, sizes[i] + 1024);
        if (sizes[i] > 15) ck_assert_ptr_null(memmem(sealed, sealed_length, text, 16));
        ok(icp_unseal(&opened, &length, unseal, sealed, sealed_length, pool));
        ck_assert_uint_eq(length, sizes[i]);
        ck_assert(!memcmp(opened, text, length));
    }
}
END_TEST

/* It may name another key, or be no CMS any more; what opens is what was sealed. */
START_TEST(test_every_changed_byte)
{
    static const char text[] = "personal data";
    const void *sealed, *opened;
    apr_size_t sealed_length, length;
    icp_unseal_t *unseal = load_key();
    ok(icp_seal(&sealed, &sealed_length, load(), text, sizeof text, pool));
    unsigned char *changed = apr_pmemdup(pool, sealed, sealed_length);
    apr_pool_t *scratch;
    apr_pool_create(&scratch, pool);
    int opened_all_the_same = 0;
    for (apr_size_t at = 0; at < sealed_length; at++) {
        apr_pool_clear(scratch);
        changed[at] ^= 0x41;
        if (!icp_unseal(&opened, &length, unseal, changed, sealed_length, scratch)) {
            ck_assert_uint_eq(length, sizeof text);
            ck_assert(!memcmp(opened, text, length));
            opened_all_the_same++; /* who it is for is not authenticated, nor a version number */
        }
        changed[at] ^= 0x41;
    }
    ck_assert_int_lt(opened_all_the_same, 64);
    for (apr_size_t cut = 0; cut < sealed_length; cut++) {
        apr_pool_clear(scratch);
        fails(icp_unseal(&opened, &length, unseal, sealed, cut, scratch), ICP_REFUSED, "not sealed");
    }
}
END_TEST

START_TEST(test_other_key)
{
    const void *sealed, *opened;
    apr_size_t sealed_length, length;
    ok(icp_seal(&sealed, &sealed_length, load(), "text", 4, pool));
    ck_assert_int_eq(unlink(key), 0);
    ok(icp_seal_create(key, certificate, pool));
    fails(icp_unseal(&opened, &length, load_key(), sealed, sealed_length, pool), ICP_REFUSED, "not sealed to this register's key");
}
END_TEST

START_TEST(test_openssl_opens_it)
{
    const void *sealed;
    apr_size_t sealed_length;
    ok(icp_seal(&sealed, &sealed_length, load(), "for the record\n", 15, pool));
    int fd = open(in_folder("sealed"), O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, sealed, sealed_length), sealed_length);
    close(fd);
    ck_assert_int_eq(system(apr_psprintf(pool, "cd %s && openssl cms -decrypt -binary -inform DER -in sealed -inkey intake.key -recip intake.crt > opened", folder)), 0);
    ck_assert_str_eq(content(in_folder("opened")), "for the record\n");
}
END_TEST

START_TEST(test_token)
{
    const void *sealed, *again, *opened;
    apr_size_t length, opened_length;
    ok(icp_seal_to_token(&sealed, &length, "token", "name", "text", 4, pool));
    ok(icp_unseal_by_token(&opened, &opened_length, "token", "name", sealed, length, pool));
    ck_assert(opened_length == 4 && !memcmp(opened, "text", 4));
    ok(icp_seal_to_token(&again, &length, "token", "name", "text", 4, pool));
    ck_assert(memcmp(sealed, again, length));
    fails(icp_unseal_by_token(&opened, &opened_length, "tokem", "name", sealed, length, pool), ICP_REFUSED, "not sealed to this link");
    fails(icp_unseal_by_token(&opened, &opened_length, "token", "other", sealed, length, pool), ICP_REFUSED, "not sealed to this link");
    for (apr_size_t cut = 0; cut < length; cut++)
        ck_assert_ptr_nonnull(icp_unseal_by_token(&opened, &opened_length, "token", "name", sealed, cut, pool));
    unsigned char *changed = apr_pmemdup(pool, sealed, length);
    for (apr_size_t at = 0; at < length; at++) {
        changed[at] ^= 1;
        ck_assert_ptr_nonnull(icp_unseal_by_token(&opened, &opened_length, "token", "name", changed, length, pool));
        changed[at] ^= 1;
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_files, test_bad_files, test_round_trip, test_every_changed_byte, test_other_key, test_openssl_opens_it, test_token};
    apr_initialize();
    return run_suite("seal", tests, sizeof tests / sizeof *tests, setup);
}
