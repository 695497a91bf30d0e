/* One object that many threads read and one at a time replaces: readers take no lock and never wait for the writer.
 *
 * A reader marks what it reads in a slot (a hazard pointer) that it claims for the moment and gives back; the writer
 * frees a replaced object when no slot holds it. Slots belong to no thread, so threads may come and go. An object is
 * never changed after it was published. Knows no httpd.
 */
#ifndef MOD_ICP_PUBLISH_H
#define MOD_ICP_PUBLISH_H

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

/* Readers that can be inside at the same moment; one more waits until another leaves. A power of two. */
#define ICP_PUBLISH_SLOTS 256

/* What a published object begins with; the writer's. */
typedef struct icp_published_t {
    struct icp_published_t *next_retired;
} icp_published_t;

typedef struct icp_slot_t {
    _Alignas(64) _Atomic(icp_published_t *) held; /* NULL: free; a cache line for itself */
} icp_slot_t;

typedef struct icp_publish_t {
    _Atomic(icp_published_t *) current;
    void (*destroy)(icp_published_t *object);
    icp_published_t *retired;
    icp_slot_t slots[ICP_PUBLISH_SLOTS];
} icp_publish_t;

/* The newest object, which lives at least until icp_publish_release(slot); something must have been published. `hint` spreads
 * the readers over the slots: a number of the reader's own, such as its connection's. The reader must neither wait nor
 * end in between. */
static inline icp_published_t *icp_publish_acquire(icp_publish_t *publish, unsigned hint, icp_slot_t **slot)
{
    icp_published_t *object, *newest;
    for (unsigned tries = 0;; tries++) {
        icp_published_t *free_slot = NULL;
        *slot = &publish->slots[(hint + tries) % ICP_PUBLISH_SLOTS];
        object = atomic_load(&publish->current);
        if (atomic_compare_exchange_strong(&(*slot)->held, &free_slot, object)) break;
        if (tries % ICP_PUBLISH_SLOTS == ICP_PUBLISH_SLOTS - 1) sched_yield();
    }
    /* The writer may have replaced it, and looked for it in the slots, before it stood there. */
    while ((newest = atomic_load(&publish->current)) != object) {
        object = newest;
        atomic_store(&(*slot)->held, object);
    }
    return object;
}

static inline void icp_publish_release(icp_slot_t *slot)
{
    atomic_store_explicit(&slot->held, NULL, memory_order_release);
}

/* Publishes `object`; the one before it is destroyed at once or by a later call. One writer at a time. */
void icp_publish_replace(icp_publish_t *publish, icp_published_t *object);

/* Destroys the replaced objects that no reader holds any more; says how many are left. One writer at a time. */
int icp_publish_sweep(icp_publish_t *publish);

#endif
