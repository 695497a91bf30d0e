/* The writer's side of publish.h: keeps what was replaced until no slot holds it. */
#include "publish.h"

static int is_held(icp_publish_t *publish, const icp_published_t *object)
{
    for (unsigned i = 0; i < ICP_PUBLISH_SLOTS; i++) {
        if (atomic_load(&publish->slots[i].held) == object) return 1;
    }
    return 0;
}

int icp_publish_sweep(icp_publish_t *publish)
{
    int left = 0;
    icp_published_t **link = &publish->retired;
    while (*link) {
        icp_published_t *object = *link;
        if (is_held(publish, object)) {
            left++;
            link = &object->next_retired;
        }
        else {
            *link = object->next_retired;
            publish->destroy(object);
        }
    }
    return left;
}

void icp_publish_replace(icp_publish_t *publish, icp_published_t *object)
{
    icp_published_t *old = atomic_exchange(&publish->current, object);
    if (old) {
        old->next_retired = publish->retired;
        publish->retired = old;
    }
    icp_publish_sweep(publish);
}
