/* Publication: readers see whole objects, and no object is destroyed while one of them reads it. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../mod_icp/publish.c"

#define READERS 4
#define CHANGES 4000
#define WORDS 16
#define DEAD 0xdeaddeaddeaddeadull

typedef struct object_t {
    icp_published_t published;
    unsigned long long words[WORDS]; /* all alike while it lives */
} object_t;

static icp_publish_t publish;
static atomic_int alive, done, torn;

static object_t *make(unsigned long long value)
{
    object_t *object = calloc(1, sizeof *object);
    for (int i = 0; i < WORDS; i++) object->words[i] = value;
    atomic_fetch_add(&alive, 1);
    return object;
}

static void destroy(icp_published_t *published)
{
    object_t *object = (object_t *)published;
    for (int i = 0; i < WORDS; i++) ck_assert_uint_ne(object->words[i], DEAD);
    for (int i = 0; i < WORDS; i++) object->words[i] = DEAD;
    free(object);
    atomic_fetch_sub(&alive, 1);
}

static void setup(void)
{
    publish = (icp_publish_t){.destroy = destroy};
    alive = done = torn = 0;
    icp_publish_replace(&publish, &make(1)->published);
}

static void *read_on(void *hint)
{
    unsigned long long newest = 0;
    while (!atomic_load(&done)) {
        icp_slot_t *slot;
        const object_t *object = (const object_t *)icp_publish_acquire(&publish, (unsigned)(size_t)hint, &slot);
        unsigned long long value = object->words[0];
        for (int i = 0; i < WORDS; i++) {
            if (object->words[i] != value || value == DEAD) atomic_fetch_add(&torn, 1);
        }
        if (value < newest) atomic_fetch_add(&torn, 1); /* time ran backwards */
        newest = value;
        icp_publish_release(slot);
    }
    return NULL;
}

static void read_while_changed(unsigned hint_step)
{
    pthread_t readers[READERS];
    for (size_t i = 0; i < READERS; i++) pthread_create(&readers[i], NULL, read_on, (void *)(i * hint_step));
    for (unsigned long long value = 2; value <= CHANGES; value++) icp_publish_replace(&publish, &make(value)->published);
    atomic_store(&done, 1);
    for (int i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    ck_assert_int_eq(torn, 0);
    ck_assert_int_eq(icp_publish_sweep(&publish), 0);
    ck_assert_int_eq(alive, 1);
}

START_TEST(readers_with_slots_of_their_own)
{
    read_while_changed(1);
}
END_TEST

START_TEST(readers_who_want_the_same_slot)
{
    read_while_changed(0);
}
END_TEST

START_TEST(a_held_object_outlives_its_replacement)
{
    icp_slot_t *slot;
    object_t *held = (object_t *)icp_publish_acquire(&publish, 7, &slot);
    for (unsigned long long value = 2; value < 12; value++) icp_publish_replace(&publish, &make(value)->published);
    ck_assert_int_eq(alive, 2); /* the one held and the newest: those between were destroyed */
    ck_assert_uint_eq(held->words[0], 1);
    ck_assert_int_eq(icp_publish_sweep(&publish), 1);
    icp_publish_release(slot);
    ck_assert_int_eq(icp_publish_sweep(&publish), 0);
    ck_assert_int_eq(alive, 1);
}
END_TEST

START_TEST(a_reader_finds_a_free_slot_among_taken_ones)
{
    icp_slot_t *slots[ICP_PUBLISH_SLOTS];
    for (int i = 0; i < ICP_PUBLISH_SLOTS; i++) icp_publish_acquire(&publish, 3, &slots[i]);
    for (int i = 1; i < ICP_PUBLISH_SLOTS; i++) ck_assert_ptr_ne(slots[i], slots[i - 1]);
    icp_slot_t *only_free = slots[100];
    icp_publish_release(only_free);
    icp_publish_acquire(&publish, 3, &slots[100]);
    ck_assert_ptr_eq(slots[100], only_free);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("publish");
    TCase *tests = tcase_create("publish");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, readers_with_slots_of_their_own);
    tcase_add_test(tests, readers_who_want_the_same_slot);
    tcase_add_test(tests, a_held_object_outlives_its_replacement);
    tcase_add_test(tests, a_reader_finds_a_free_slot_among_taken_ones);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
