/* Passes for one request: used once, whoever comes at the same moment; a full table refuses. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../mod_icp/once.c"

#define THREADS 8
#define NONCES 6000
#define NOW 1800000000u

static icp_once_t once;
static atomic_int used[NONCES];
static pthread_barrier_t together;

static uint64_t nonce_of(int i, int in_one_bucket)
{
    uint64_t mixed = ((uint64_t)i + 1) * 0x9E3779B97F4A7C15u;
    return in_one_bucket ? mixed << 32 | 5 : mixed;
}

START_TEST(test_once)
{
    memset(&once, 0, sizeof once);
    ck_assert(icp_once_use(&once, 7, NOW + 60, NOW));
    ck_assert(!icp_once_use(&once, 7, NOW + 60, NOW));
    ck_assert(!icp_once_use(&once, 7, NOW + 60, NOW + 59));
    ck_assert(icp_once_use(&once, 8, NOW + 60, NOW));
    ck_assert(icp_once_use(&once, 7 | (uint64_t)1 << 32, NOW + 60, NOW)); /* the same bucket */
    ck_assert(icp_once_use(&once, 0, NOW + 60, NOW));
    ck_assert(!icp_once_use(&once, 0, NOW + 60, NOW));
    ck_assert(!icp_once_use(&once, 9, NOW, NOW));
    ck_assert(!icp_once_use(&once, 9, 0, NOW));
    ck_assert(icp_once_use(&once, 9, UINT32_MAX, UINT32_MAX - 1));
    ck_assert(!icp_once_use(&once, 9, UINT32_MAX, UINT32_MAX - 1));
}
END_TEST

START_TEST(test_a_full_bucket_refuses_until_its_passes_have_ended)
{
    memset(&once, 0, sizeof once);
    for (int i = 0; i < ICP_ONCE_WAYS; i++) ck_assert(icp_once_use(&once, nonce_of(i, 1), NOW + 60, NOW));
    ck_assert(!icp_once_use(&once, nonce_of(ICP_ONCE_WAYS, 1), NOW + 60, NOW));
    ck_assert(icp_once_use(&once, nonce_of(0, 0), NOW + 60, NOW));
    /* Not at once: the clock may be put back. */
    ck_assert(!icp_once_use(&once, nonce_of(ICP_ONCE_WAYS, 1), NOW + 120, NOW + 60));
    ck_assert(!icp_once_use(&once, nonce_of(0, 1), NOW + 60, NOW + 30));
    uint32_t later = NOW + 60 + ICP_ONCE_SLACK;
    for (int i = 0; i < ICP_ONCE_WAYS; i++) ck_assert(icp_once_use(&once, nonce_of(100 + i, 1), later + 60, later));
    ck_assert(!icp_once_use(&once, nonce_of(200, 1), later + 60, later));
}
END_TEST

static void *use_all(void *in_one_bucket)
{
    for (int i = 0; i < NONCES; i++) {
        if (i % 2 == 0) pthread_barrier_wait(&together);
        /* Time moves on, so that slots are taken over, and no thread is later than the slack. */
        uint32_t now = NOW + (uint32_t)i * 20;
        if (icp_once_use(&once, nonce_of(i, in_one_bucket != NULL), now + 60, now)) atomic_fetch_add(&used[i], 1);
    }
    return NULL;
}

START_TEST(test_threads_that_come_together)
{
    pthread_t threads[THREADS];
    memset(&once, 0, sizeof once);
    memset(used, 0, sizeof used);
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, use_all, _i ? &once : NULL), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int total = 0;
    for (int i = 0; i < NONCES; i++) {
        ck_assert_int_le(used[i], 1);
        total += used[i];
    }
    ck_assert_int_ge(total, NONCES * 9 / 10);
    pthread_barrier_destroy(&together);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("once");
    TCase *tests = tcase_create("once");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, test_once);
    tcase_add_test(tests, test_a_full_bucket_refuses_until_its_passes_have_ended);
    tcase_add_loop_test(tests, test_threads_that_come_together, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
