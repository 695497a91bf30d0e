/* The brake lets a number and a share pass, and not one more. */
#include "brake.h"
#include "records_fixture.h"

static int pulled(apr_int64_t sites, apr_int64_t share, apr_int64_t to_suspend, apr_int64_t looked)
{
    const icp_brake_t brake = {.sites = sites, .share = share};
    return icp_brake_pulled(&brake, to_suspend, looked, pool) != NULL;
}

START_TEST(test_defaults)
{
    icp_brake_t brake;
    ok(icp_brake_read(&brake, reg, pool));
    ck_assert_int_eq(brake.sites, 20);
    ck_assert_int_eq(brake.share, 5);
    ck_assert_str_eq(icp_brake_pulled(&brake, 21, 100000, pool), "policy brake-sites lets 20 pass");
    ck_assert_str_eq(icp_brake_pulled(&brake, 2, 39, pool), "policy brake-share lets 5% pass, of 39 sites");
}
END_TEST

START_TEST(test_number)
{
    ck_assert(!pulled(20, 100, 20, 20) && pulled(20, 100, 21, 100000));
    ck_assert(!pulled(0, 100, 0, 10) && pulled(0, 100, 1, 10));
    ck_assert(!pulled(20, 0, 20, 0) && pulled(20, 0, 21, 0));
}
END_TEST

START_TEST(test_share)
{
    ck_assert(!pulled(1000, 5, 2, 40) && pulled(1000, 5, 2, 39) && pulled(1000, 5, 3, 59));
    ck_assert(!pulled(1000, 5, 1, 1) && !pulled(1000, 0, 1, 5) && pulled(1000, 0, 2, 100000));
    ck_assert(!pulled(1000000, 100, 100000, 100000) && !pulled(1000000, 5, 5000, 100000));
    ck_assert(pulled(1000000, 5, 5001, 100000) && !pulled(20, 5, 0, 0));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_defaults, test_number, test_share, NULL};
    return run_tests("brake", tests, 1);
}
