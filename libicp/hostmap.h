/* From host names to small integers: an open-addressing table, filled once and then only read, by any number of
 * threads.
 *
 * Names are compared in lower case, eight bytes at a time, because the gate does it in every request. Lives by
 * malloc, in one block of names and one of slots. A wildcard is kept under the key ".example.cn".
 */
#ifndef ICP_HOSTMAP_H
#define ICP_HOSTMAP_H

#include <stddef.h>
#include <stdint.h>

#define ICP_HOSTKEY_WORDS 32

/* A name ready for look-ups: its bytes in lower case, eight to a word; the last word repeats some of the one before it,
 * so that it too is full. Two names are the same if their lengths and words are. */
typedef struct icp_hostkey_t {
    uint64_t hash;
    uint32_t length; /* bytes */
    uint64_t words[ICP_HOSTKEY_WORDS];
} icp_hostkey_t;

/* 0 if the name is longer than any that can be kept (256 bytes). */
int icp_hostkey_make(icp_hostkey_t *key, const char *name, size_t length);

typedef struct icp_hostmap_t {
    uint64_t *names; /* records: a head word (value, length), then the words of the name */
    size_t used, room;
    struct icp_hostslot_t *slots;
    uint32_t slot_count, count;
} icp_hostmap_t;

/* Zeroed memory is an empty map. Add all names, each once, then seal; find only after sealing. Out of memory aborts. */
void icp_hostmap_add(icp_hostmap_t *map, const icp_hostkey_t *key, uint32_t value);
void icp_hostmap_seal(icp_hostmap_t *map);
void icp_hostmap_free(icp_hostmap_t *map);
size_t icp_hostmap_bytes(const icp_hostmap_t *map);

/* The value, or -1. */
int64_t icp_hostmap_find(const icp_hostmap_t *map, const icp_hostkey_t *key);

#endif
