#include "open.h"

#include <string.h>

#define HIDES (ICP_FX_NONE | ICP_FX_INNER_NONE | ICP_FX_AWAY | ICP_FX_INVISIBLE | ICP_FX_TINY | ICP_FX_GRAPHIC | ICP_FX_FAINT)

void icp_open_compute(icp_nesting_t *nesting, int index)
{
    icp_entry_t *entry = &nesting->open[index];
    const icp_surroundings_t *outside = icp_open_around(nesting, entry->parent);
    if (entry->plain && !(outside->flags & ICP_FX_INNER_NONE)) {
        entry->around = nesting->open[entry->parent].around;
        return;
    }

    static const icp_effect_t no_effect;
    const icp_effect_t *own = entry->plain ? &no_effect : &nesting->own[index];
    icp_surroundings_t *all = &nesting->all[index];
    unsigned outer = index > 0 ? outside->flags : 0, inherited;
    if (entry->first_summary) outer &= ~(unsigned)ICP_FX_INNER_NONE;
    inherited = outer & ~(unsigned)(ICP_FX_INNER_NONE | ICP_FX_STORED);
    if (outer & ICP_FX_INNER_NONE) inherited |= ICP_FX_NONE;
    if (own->flags & ICP_FX_VISIBLE) inherited &= ~(unsigned)ICP_FX_INVISIBLE;
    if (own->flags & ICP_FX_SIZED) inherited &= ~(unsigned)ICP_FX_TINY;
    if (own->flags & ICP_FX_DRAWN) inherited &= ~(unsigned)ICP_FX_GRAPHIC;
    if (own->flags & ICP_FX_COLORED) inherited &= ~(unsigned)ICP_FX_FAINT;
    all->flags = inherited | (own->flags & (HIDES | ICP_FX_FOOTER)) | ((outer & HIDES ? outer : own->flags) & ICP_FX_STORED);
    const char *because = index > 0 && outer & HIDES ? outside->because : own->because;
    if (!because) because = "an element that is not displayed";
    all->because = all->flags & HIDES ? because : NULL;
    all->link = own->link || index == 0 ? own->link : outside->link;
    entry->around = (unsigned short)index;
}

static void note_border(icp_nesting_t *nesting, int index)
{
    const icp_entry_t *entry = &nesting->open[index];
    const icp_surroundings_t *inside = icp_open_around(nesting, index), *outside = icp_open_around(nesting, entry->parent);
    if (entry->block) nesting->broke |= inside->flags & ICP_FX_NONE ? ICP_BROKE_HIDDEN : ICP_BROKE_SHOWN | ICP_BROKE_HIDDEN;
    if (inside != outside && !inside->because != !outside->because) nesting->broke |= ICP_BROKE_HIDDEN;
}

/* The formatting elements in entry `index`, which closes, are not opened again, unless it is one of them itself. */
static void forget(icp_nesting_t *nesting, int index)
{
    int kept = 0;
    nesting->again_waiting = 0;
    for (int i = 0; i < nesting->again_count; i++) {
        if (nesting->again[i].marker == index) continue;
        if (nesting->again[i].at == index) nesting->again[i].at = 0;
        nesting->again_waiting += nesting->again[i].at == 0;
        if (kept != i) nesting->again[kept] = nesting->again[i];
        kept++;
    }
    nesting->again_count = kept;
}

static void closed(icp_nesting_t *nesting, int index)
{
    note_border(nesting, index);
    if (nesting->open[index].element->which == ICP_ELEMENT_P) nesting->paragraphs--;
    if (nesting->form == index) nesting->form = 0;
    if (nesting->again_count) forget(nesting, index);
}

void icp_open_pop_to(icp_nesting_t *nesting, int index)
{
    while (nesting->depth > index) closed(nesting, --nesting->depth);
    nesting->foreign = nesting->open[index - 1].foreign == 1;
}

void icp_open_take_out(icp_nesting_t *nesting, int index)
{
    int parent = nesting->open[index].parent;
    closed(nesting, index);
    nesting->depth--;
    for (int i = index; i < nesting->depth; i++) {
        nesting->open[i] = nesting->open[i + 1];
        if (!nesting->open[i].plain) nesting->own[i] = nesting->own[i + 1];
        nesting->nodes[i] = nesting->nodes[i + 1];
        icp_entry_t *entry = &nesting->open[i];
        if (entry->parent == index) entry->parent = (unsigned short)parent;
        else if (entry->parent > index) entry->parent--;
        icp_open_compute(nesting, i);
    }
    nesting->foreign = nesting->open[nesting->depth - 1].foreign == 1;
    if (nesting->form > index) nesting->form--;
    for (int i = 0; i < nesting->again_count; i++) {
        if (nesting->again[i].at > index) nesting->again[i].at--;
        if (nesting->again[i].marker > index) nesting->again[i].marker--;
    }
}

int icp_open_find(const icp_nesting_t *nesting, int which, unsigned flags, int barrier)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->which == which) return i;
        if (element->flags & flags || (barrier && element->which == barrier)) return 0;
    }
    return 0;
}

int icp_open_find_key(const icp_nesting_t *nesting, apr_uint64_t key, unsigned flags)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_entry_t *entry = &nesting->open[i];
        if (entry->key == key) return i;
        if (entry->element->flags & flags) return 0;
    }
    return 0;
}

int icp_open_in_table(const icp_nesting_t *nesting)
{
    return icp_open_find(nesting, ICP_ELEMENT_TABLE, 0, ICP_ELEMENT_TEMPLATE);
}

/* The innermost cell, caption, object or template: formatting elements are opened again only inside of it. */
static int marker(const icp_nesting_t *nesting)
{
    int i = nesting->depth - 1;
    for (; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->flags & ICP_EL_SCOPE && element->flags & ICP_EL_SPECIAL && element->which != ICP_ELEMENT_TABLE) break;
    }
    return i;
}

int icp_open_drawn_in(const icp_nesting_t *nesting)
{
    if (!(icp_open_top(nesting)->flags & ICP_EL_TABLE)) return nesting->depth - 1;
    int table = icp_open_in_table(nesting);
    return table ? nesting->open[table].parent : nesting->depth - 1;
}

int icp_open_push(icp_nesting_t *nesting, const icp_entry_t *entry, const icp_effect_t *effect)
{
    if (nesting->depth == ICP_NESTING_DEPTH) return 0;
    int part_of_table = entry->element->flags & (ICP_EL_TABLE | ICP_EL_CELL) && entry->element->which != ICP_ELEMENT_TABLE;
    int index = nesting->depth, parent = part_of_table ? index - 1 : icp_open_drawn_in(nesting);
    nesting->open[index] = *entry;
    nesting->open[index].parent = (unsigned short)parent;
    if (!entry->plain) nesting->own[index] = *effect;
    icp_node_t *node = &nesting->nodes[index];
    node->tag = node->id = 0;
    node->names = nesting->nodes[index - 1].names;
    node->class_count = 0;
    if (entry->element->which == ICP_ELEMENT_P) nesting->paragraphs++;
    icp_open_compute(nesting, index);
    note_border(nesting, index);
    nesting->depth++;
    nesting->foreign = entry->foreign == 1;
    return index;
}

/* The formatting elements that an earlier end tag closed on its way. */
void icp_open_again(icp_nesting_t *nesting)
{
    if (!nesting->again_waiting) return;
    int here = marker(nesting);
    for (int i = 0; i < nesting->again_count; i++) {
        icp_again_t *again = &nesting->again[i];
        if (again->at || again->marker != here) continue;
        again->at = icp_open_push(nesting, &again->entry, &again->own);
        nesting->again_waiting -= again->at != 0;
    }
}

#define REMEMBERED (ICP_FX_INVISIBLE | ICP_FX_VISIBLE | ICP_FX_TINY | ICP_FX_SIZED | ICP_FX_FAINT | ICP_FX_COLORED)

void icp_open_remember(icp_nesting_t *nesting, const icp_entry_t *entry, const icp_effect_t *effect, int index)
{
    if (!effect->because && !effect->link && !(effect->flags & REMEMBERED)) return; /* it makes no difference */
    if (nesting->again_count == ICP_OPEN_AGAIN) {
        nesting->again_waiting -= nesting->again[0].at == 0;
        memmove(nesting->again, nesting->again + 1, (ICP_OPEN_AGAIN - 1) * sizeof *nesting->again);
        nesting->again_count--;
    }
    nesting->again[nesting->again_count++] = (icp_again_t){.entry = *entry, .own = *effect, .at = index, .marker = marker(nesting)};
}

/* An end tag of a formatting element, or a new a in an open one. */
void icp_open_end_formatting(icp_nesting_t *nesting, apr_uint64_t key)
{
    int index = icp_open_find_key(nesting, key, ICP_EL_SCOPE), special = 0;
    int here = marker(nesting);
    for (int i = nesting->again_count - 1; i >= 0; i--) {
        icp_again_t *again = &nesting->again[i];
        if (again->entry.key != key || again->marker != here || again->at != index) continue;
        nesting->again_waiting -= again->at == 0;
        memmove(again, again + 1, (apr_size_t)(nesting->again_count - i - 1) * sizeof *again);
        nesting->again_count--;
        break;
    }
    if (!index) return;
    for (int i = index + 1; i < nesting->depth; i++) {
        if (nesting->open[i].element->flags & ICP_EL_SPECIAL) special = i;
    }
    icp_open_pop_to(nesting, special ? special + 1 : index);
    if (special) icp_open_take_out(nesting, index); /* from around the blocks in it, which stay open */
}

