#include "hostmap.h"

#include <string.h>

#include "bulk.h"

#define ONES UINT64_C(0x0101010101010101)

typedef struct icp_hostslot_t {
    uint32_t tag; /* the hash's upper half */
    uint32_t at;  /* of the record in names; 0: the slot is empty */
} icp_hostslot_t;

/* ASCII capitals to lower case in eight bytes at once; other bytes, those above 127 too, stay. */
static inline uint64_t lower(uint64_t word)
{
    uint64_t seven_bits = word & 0x7F * ONES;
    uint64_t from_a = seven_bits + (0x80 - 'A') * ONES;
    uint64_t past_z = seven_bits + (0x80 - 'Z' - 1) * ONES;
    return word | ((from_a ^ past_z) & ~word & 0x80 * ONES) >> 2;
}

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static inline uint32_t word_count(uint32_t length)
{
    return (length + 7) / 8;
}

/* 1 to 7 bytes, without reading past them. */
static inline uint64_t load_short(const char *bytes, size_t length)
{
    uint64_t word = 0;
    while (length--) word = word << 8 | (unsigned char)*bytes++;
    return word;
}

static inline uint64_t load(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

int icp_hostkey_make(icp_hostkey_t *key, const char *name, size_t length)
{
    if (length > sizeof key->words) return 0;
    uint64_t hash = length, *word = key->words;
    key->length = (uint32_t)length;
    if (length < 8) {
        *word = lower(load_short(name, length));
        key->hash = mix(hash, *word);
        return 1;
    }
    for (const char *last = name + length - 8;; name += 8) {
        if (name > last) name = last;
        *word = lower(load(name));
        hash = mix(hash, *word++);
        if (name == last) break;
    }
    key->hash = hash;
    return 1;
}

void icp_hostmap_add(icp_hostmap_t *map, const icp_hostkey_t *key, uint32_t value)
{
    if (!map->used) map->used = 1; /* record 0 would look like an empty slot */
    uint32_t count = word_count(key->length);
    if (map->used + 1 + count > map->room) {
        size_t room = map->room ? map->room * 2 : 64;
        map->names = icp_bulk_resize(map->names, map->room * sizeof *map->names, room * sizeof *map->names);
        map->room = room;
    }
    map->names[map->used++] = (uint64_t)value << 32 | key->length;
    memcpy(map->names + map->used, key->words, count * sizeof *key->words);
    map->used += count;
    map->count++;
}

static uint32_t first_slot(const icp_hostmap_t *map, uint64_t hash)
{
    return (uint64_t)(uint32_t)hash * map->slot_count >> 32;
}

static uint32_t next_slot(const icp_hostmap_t *map, uint32_t slot)
{
    return slot + 1 == map->slot_count ? 0 : slot + 1;
}

void icp_hostmap_seal(icp_hostmap_t *map)
{
    map->slot_count = map->count + map->count / 2 + 2;
    map->slots = icp_bulk_resize(NULL, 0, map->slot_count * sizeof *map->slots);
    if (map->used) map->names = icp_bulk_resize(map->names, map->room * sizeof *map->names, map->used * sizeof *map->names);
    map->room = map->used;

    for (size_t at = 1; at < map->used;) {
        uint32_t length = (uint32_t)map->names[at], count = word_count(length);
        uint64_t hash = length;
        for (uint32_t i = 0; i < count; i++) hash = mix(hash, map->names[at + 1 + i]);
        uint32_t slot = first_slot(map, hash);
        while (map->slots[slot].at) slot = next_slot(map, slot);
        map->slots[slot] = (icp_hostslot_t){.tag = hash >> 32, .at = at};
        at += 1 + count;
    }
}

void icp_hostmap_free(icp_hostmap_t *map)
{
    icp_bulk_free(map->names, map->room * sizeof *map->names);
    icp_bulk_free(map->slots, map->slot_count * sizeof *map->slots);
}

size_t icp_hostmap_bytes(const icp_hostmap_t *map)
{
    return map->room * sizeof *map->names + map->slot_count * sizeof *map->slots;
}

static inline int same(const uint64_t *record, const icp_hostkey_t *key)
{
    if ((uint32_t)*record != key->length) return 0;
    const uint64_t *word = key->words, *end = word + word_count(key->length);
    while (word < end) {
        if (*++record != *word++) return 0;
    }
    return 1;
}

int64_t icp_hostmap_find(const icp_hostmap_t *map, const icp_hostkey_t *key)
{
    uint32_t tag = key->hash >> 32;
    for (uint32_t slot = first_slot(map, key->hash); map->slots[slot].at; slot = next_slot(map, slot)) {
        const uint64_t *record = map->names + map->slots[slot].at;
        if (map->slots[slot].tag == tag && same(record, key)) return record[0] >> 32;
    }
    return -1;
}
