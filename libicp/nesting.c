#include "nesting.h"

#include <string.h>

#define AGAIN 16 /* formatting elements that are remembered to be opened again */

/* Most elements do nothing to the text in them: their surroundings are those of an element around them. */
typedef struct entry_t {
    const icp_element_t *element;
    apr_uint64_t key;      /* of its name */
    unsigned short parent; /* index of the entry it is drawn in: that below it but for what a table pushes out */
    unsigned short around; /* index of the surroundings that text in it has */
    unsigned char foreign; /* 1: in svg or math; 2: what is in it is HTML again */
    unsigned char first_summary, block;
    unsigned char plain;   /* its own effect is none but to be a block or not */
} entry_t;

typedef struct again_t {
    entry_t entry;
    icp_effect_t own;
    int at;     /* where it is open; 0: nowhere */
    int marker; /* the entry that it is not opened again outside of */
} again_t;

struct icp_nesting_t {
    int depth;    /* entry 0 is the page itself */
    int overflow; /* elements open beyond the depth */
    int overflow_hides;
    int form;     /* where the open form is; 0: none */
    int paragraphs;
    int broke;
    int foreign;  /* text that comes now stands in svg or math */
    icp_surroundings_t deep;
    entry_t open[ICP_NESTING_DEPTH];
    icp_effect_t own[ICP_NESTING_DEPTH];        /* of those of `open` that are not plain */
    icp_surroundings_t all[ICP_NESTING_DEPTH];  /* where an entry's `around` is its own index */
    again_t again[AGAIN];
    int again_count;
    int again_waiting; /* those of `again` that are open nowhere */
};

#define HIDES (ICP_FX_NONE | ICP_FX_INNER_NONE | ICP_FX_AWAY | ICP_FX_INVISIBLE | ICP_FX_TINY | ICP_FX_GRAPHIC)

static int is_plain(const icp_effect_t *own)
{
    return !(own->flags & ~(unsigned)ICP_FX_BLOCK) && !own->link;
}

static const icp_surroundings_t *around(const icp_nesting_t *nesting, int index)
{
    return &nesting->all[nesting->open[index].around];
}

static void compute(icp_nesting_t *nesting, int index)
{
    entry_t *entry = &nesting->open[index];
    const icp_surroundings_t *outside = around(nesting, entry->parent);
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
    all->flags = inherited | (own->flags & (HIDES | ICP_FX_FOOTER)) | ((outer & HIDES ? outer : own->flags) & ICP_FX_STORED);
    const char *because = index > 0 && outer & HIDES ? outside->because : own->because;
    if (!because) because = "an element that is not displayed";
    all->because = all->flags & HIDES ? because : NULL;
    all->link = own->link || index == 0 ? own->link : outside->link;
    entry->around = (unsigned short)index;
}

icp_nesting_t *icp_nesting_create(apr_pool_t *pool)
{
    icp_nesting_t *nesting = apr_pcalloc(pool, sizeof *nesting);
    nesting->open[0].element = icp_element("html", 4);
    nesting->depth = 1;
    nesting->deep.flags = ICP_FX_NONE;
    nesting->deep.because = "elements nested too deep";
    return nesting;
}

static const icp_element_t *top(const icp_nesting_t *nesting)
{
    return nesting->open[nesting->depth - 1].element;
}

static void note_border(icp_nesting_t *nesting, int index)
{
    const entry_t *entry = &nesting->open[index];
    const icp_surroundings_t *inside = around(nesting, index), *outside = around(nesting, entry->parent);
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

/* Closes entry `index` and all above it. */
static void pop_to(icp_nesting_t *nesting, int index)
{
    while (nesting->depth > index) closed(nesting, --nesting->depth);
    nesting->foreign = nesting->open[index - 1].foreign == 1;
}

/* Takes one entry out from below others. */
static void take_out(icp_nesting_t *nesting, int index)
{
    int parent = nesting->open[index].parent;
    closed(nesting, index);
    nesting->depth--;
    for (int i = index; i < nesting->depth; i++) {
        nesting->open[i] = nesting->open[i + 1];
        nesting->own[i] = nesting->own[i + 1];
        entry_t *entry = &nesting->open[i];
        if (entry->parent == index) entry->parent = (unsigned short)parent;
        else if (entry->parent > index) entry->parent--;
        compute(nesting, i);
    }
    nesting->foreign = nesting->open[nesting->depth - 1].foreign == 1;
    if (nesting->form > index) nesting->form--;
    for (int i = 0; i < nesting->again_count; i++) {
        if (nesting->again[i].at > index) nesting->again[i].at--;
        if (nesting->again[i].marker > index) nesting->again[i].marker--;
    }
}

/* The innermost open element `which`, not looking through elements with one of the flags or of the kind `barrier`; 0: none. */
static int find(const icp_nesting_t *nesting, int which, unsigned flags, int barrier)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->which == which) return i;
        if (element->flags & flags || (barrier && element->which == barrier)) return 0;
    }
    return 0;
}

static int find_key(const icp_nesting_t *nesting, apr_uint64_t key, unsigned flags)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const entry_t *entry = &nesting->open[i];
        if (entry->key == key) return i;
        if (entry->element->flags & flags) return 0;
    }
    return 0;
}

static int in_table(const icp_nesting_t *nesting)
{
    return find(nesting, ICP_ELEMENT_TABLE, 0, ICP_ELEMENT_TEMPLATE);
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

/* The table whose rows, not whose cells, the page is in the midst of; 0: none. */
static int in_rows(const icp_nesting_t *nesting)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->flags & ICP_EL_TABLE) return in_table(nesting);
        if (element->flags & ICP_EL_CELL || element->which == ICP_ELEMENT_TEMPLATE) return 0;
    }
    return 0;
}

/* Where what comes now is drawn: what stands straight in a table's rows, outside the table. */
static int drawn_in(const icp_nesting_t *nesting)
{
    if (!(top(nesting)->flags & ICP_EL_TABLE)) return nesting->depth - 1;
    int table = in_table(nesting);
    return table ? nesting->open[table].parent : nesting->depth - 1;
}

static int push(icp_nesting_t *nesting, const entry_t *entry, const icp_effect_t *effect)
{
    if (nesting->depth == ICP_NESTING_DEPTH) return 0;
    int part_of_table = entry->element->flags & (ICP_EL_TABLE | ICP_EL_CELL) && entry->element->which != ICP_ELEMENT_TABLE;
    int index = nesting->depth, parent = part_of_table ? index - 1 : drawn_in(nesting);
    nesting->open[index] = *entry;
    nesting->open[index].parent = (unsigned short)parent;
    if (!entry->plain) nesting->own[index] = *effect;
    if (entry->element->which == ICP_ELEMENT_P) nesting->paragraphs++;
    compute(nesting, index);
    note_border(nesting, index);
    nesting->depth++;
    nesting->foreign = entry->foreign == 1;
    return index;
}

static void close_columns(icp_nesting_t *nesting)
{
    if (top(nesting)->which == ICP_ELEMENT_COLGROUP) pop_to(nesting, nesting->depth - 1);
}

/* The formatting elements that an earlier end tag closed on its way. */
static void open_again(icp_nesting_t *nesting)
{
    if (!nesting->again_waiting) return;
    int here = marker(nesting);
    for (int i = 0; i < nesting->again_count; i++) {
        again_t *again = &nesting->again[i];
        if (again->at || again->marker != here) continue;
        again->at = push(nesting, &again->entry, &again->own);
        nesting->again_waiting -= again->at != 0;
    }
}

static void close_p(icp_nesting_t *nesting)
{
    if (!nesting->paragraphs) return;
    int p = find(nesting, ICP_ELEMENT_P, ICP_EL_SCOPE, ICP_ELEMENT_BUTTON);
    if (p) pop_to(nesting, p);
}

/* A new item ends the one before it in the same list. */
static void close_item(icp_nesting_t *nesting, int which, int other)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->which == which || (other && element->which == other)) {
            pop_to(nesting, i);
            return;
        }
        int passed = element->which == ICP_ELEMENT_P || element->which == ICP_ELEMENT_DIV;
        if (element->flags & ICP_EL_SPECIAL && !passed) return;
    }
}

/* An end tag of a formatting element, or a new a in an open one. */
static void end_formatting(icp_nesting_t *nesting, apr_uint64_t key)
{
    int index = find_key(nesting, key, ICP_EL_SCOPE), special = 0;
    int here = marker(nesting);
    for (int i = nesting->again_count - 1; i >= 0; i--) {
        again_t *again = &nesting->again[i];
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
    pop_to(nesting, special ? special + 1 : index);
    if (special) take_out(nesting, index); /* from around the blocks in it, which stay open */
}

static void merge(icp_nesting_t *nesting, const icp_effect_t *effect)
{
    icp_effect_t *own = &nesting->own[0];
    if (effect->flags & (ICP_FX_INVISIBLE | ICP_FX_VISIBLE)) own->flags &= ~(unsigned)(ICP_FX_INVISIBLE | ICP_FX_VISIBLE);
    if (effect->flags & (ICP_FX_TINY | ICP_FX_SIZED)) own->flags &= ~(unsigned)(ICP_FX_TINY | ICP_FX_SIZED);
    own->flags |= effect->flags & (ICP_FX_NONE | ICP_FX_AWAY | ICP_FX_INVISIBLE | ICP_FX_VISIBLE | ICP_FX_TINY | ICP_FX_SIZED);
    if (!own->because) own->because = effect->because;
    for (int i = 0; i < nesting->depth; i++) compute(nesting, i);
}

/* Makes room in a table for a part of it. 0: there is none, the tag is ignored. */
static int make_room(icp_nesting_t *nesting, const icp_element_t *element)
{
    int table = in_table(nesting), i = nesting->depth - 1;
    if (!table) return 0;
    for (; i > table; i--) {
        int which = nesting->open[i].element->which;
        if (element->which == ICP_ELEMENT_CELL && (which == ICP_ELEMENT_TR || which == ICP_ELEMENT_TABLE_PART)) break;
        if (element->which == ICP_ELEMENT_TR && which == ICP_ELEMENT_TABLE_PART) break;
    }
    pop_to(nesting, i + 1);
    return 1;
}

/* What the start tag closes before it opens. 0: the tag is ignored. */
static int prepare(icp_nesting_t *nesting, const icp_element_t *element, apr_uint64_t key)
{
    int at;
    if (element->which != ICP_ELEMENT_COL && element->which != ICP_ELEMENT_TEMPLATE) close_columns(nesting);
    if (element->flags & ICP_EL_CLOSES_P) {
        if (element->which == ICP_ELEMENT_LI) close_item(nesting, ICP_ELEMENT_LI, 0);
        if (element->which == ICP_ELEMENT_DD || element->which == ICP_ELEMENT_DT) close_item(nesting, ICP_ELEMENT_DD, ICP_ELEMENT_DT);
        close_p(nesting);
    }
    switch (element->which) {
    case ICP_ELEMENT_HEADING:
        if (top(nesting)->which == ICP_ELEMENT_HEADING) pop_to(nesting, nesting->depth - 1);
        return 1;
    case ICP_ELEMENT_A:
    case ICP_ELEMENT_NOBR:
        if (find_key(nesting, key, ICP_EL_SCOPE)) end_formatting(nesting, key);
        return 1;
    case ICP_ELEMENT_BUTTON:
        if ((at = find(nesting, ICP_ELEMENT_BUTTON, ICP_EL_SCOPE, 0))) pop_to(nesting, at);
        return 1;
    case ICP_ELEMENT_INPUT:
    case ICP_ELEMENT_SELECT:
        if ((at = find(nesting, ICP_ELEMENT_SELECT, ICP_EL_SCOPE, 0))) pop_to(nesting, at);
        return element->which == ICP_ELEMENT_INPUT || !at;
    case ICP_ELEMENT_OPTION:
    case ICP_ELEMENT_OPTGROUP:
        if (top(nesting)->which == ICP_ELEMENT_OPTION) pop_to(nesting, nesting->depth - 1);
        if (element->which == ICP_ELEMENT_OPTGROUP && top(nesting)->which == ICP_ELEMENT_OPTGROUP) pop_to(nesting, nesting->depth - 1);
        return 1;
    case ICP_ELEMENT_FORM: return nesting->form == 0;
    case ICP_ELEMENT_TABLE:
        if ((at = in_rows(nesting))) pop_to(nesting, at);
        return 1;
    default: return element->flags & ICP_EL_CELL ? make_room(nesting, element) : 1;
    }
}

int icp_nesting_foreign(const icp_nesting_t *nesting)
{
    return nesting->foreign;
}

static void leave_foreign(icp_nesting_t *nesting)
{
    while (nesting->foreign) pop_to(nesting, nesting->depth - 1);
}

const icp_element_t *icp_nesting_element(icp_nesting_t *nesting, const icp_tag_t *tag)
{
    const icp_element_t *element = tag->element;
    if (element->flags & ICP_EL_BREAKOUT) leave_foreign(nesting);
    if (nesting->foreign) {
        int known = element->flags & (ICP_EL_FOREIGN | ICP_EL_UNDRAWN) || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH;
        return known ? element : icp_element("", 0);
    }
    return element->flags & ICP_EL_FOREIGN ? icp_element("", 0) : element;
}

#define REMEMBERED (ICP_FX_INVISIBLE | ICP_FX_VISIBLE | ICP_FX_TINY | ICP_FX_SIZED)

static void remember(icp_nesting_t *nesting, const entry_t *entry, const icp_effect_t *effect, int index)
{
    if (nesting->again_count == AGAIN) {
        nesting->again_waiting -= nesting->again[0].at == 0;
        memmove(nesting->again, nesting->again + 1, (AGAIN - 1) * sizeof *nesting->again);
        nesting->again_count--;
    }
    nesting->again[nesting->again_count++] = (again_t){.entry = *entry, .own = *effect, .at = index, .marker = marker(nesting)};
}

void icp_nesting_start(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect)
{
    const icp_element_t *element = tag->element;
    entry_t entry = {.element = element, .key = tag->key, .block = effect->flags & ICP_FX_BLOCK ? 1 : 0, .plain = (unsigned char)is_plain(effect)};
    if (element->which == ICP_ELEMENT_HTML || element->which == ICP_ELEMENT_BODY) {
        merge(nesting, effect);
        return;
    }
    if (element->which == ICP_ELEMENT_HEAD) return;
    if (nesting->foreign) {
        if (tag->selfclosing) return;
    }
    else {
        if (!prepare(nesting, element, entry.key) || element->flags & ICP_EL_VOID) return;
        if (!(element->flags & (ICP_EL_CLOSES_P | ICP_EL_CELL | ICP_EL_TABLE | ICP_EL_UNDRAWN))) open_again(nesting);
        if (tag->selfclosing && (element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH)) return;
    }
    if (nesting->foreign || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH) {
        entry.foreign = element->which == ICP_ELEMENT_FOREIGN_HTML ? 2 : 1;
    }
    if (element->which == ICP_ELEMENT_SUMMARY && nesting->open[nesting->depth - 1].element->which == ICP_ELEMENT_DETAILS) {
        entry_t *details = &nesting->open[nesting->depth - 1];
        entry.first_summary = !details->first_summary;
        details->first_summary = 1;
    }
    int index = push(nesting, &entry, effect);
    if (!index) {
        nesting->overflow++;
        nesting->overflow_hides |= effect->because != NULL;
        return;
    }
    if (element->which == ICP_ELEMENT_FORM) nesting->form = index;
    if (element->flags & ICP_EL_FORMATTING && (effect->because || effect->link || effect->flags & REMEMBERED)) {
        remember(nesting, &entry, effect, index);
    }
}

/* The entry in svg or math that an end tag ends, 0 if none. */
static int find_foreign(const icp_nesting_t *nesting, apr_uint64_t key)
{
    for (int i = nesting->depth - 1; i > 0 && nesting->foreign && nesting->open[i].foreign; i--) {
        if (nesting->open[i].key == key) return i;
    }
    return 0;
}

/* The same in HTML. */
static int find_ended(const icp_nesting_t *nesting, const icp_element_t *element, apr_uint64_t key)
{
    switch (element->which) {
    case ICP_ELEMENT_P: return find(nesting, ICP_ELEMENT_P, ICP_EL_SCOPE, ICP_ELEMENT_BUTTON);
    case ICP_ELEMENT_LI: return find(nesting, ICP_ELEMENT_LI, ICP_EL_SCOPE, ICP_ELEMENT_LISTS);
    case ICP_ELEMENT_HEADING: return find(nesting, ICP_ELEMENT_HEADING, ICP_EL_SCOPE, 0);
    case ICP_ELEMENT_TABLE: return in_table(nesting);
    default: break;
    }
    if (element->flags & (ICP_EL_TABLE | ICP_EL_CELL)) {
        int index = find_key(nesting, key, 0);
        return index > in_table(nesting) ? index : 0;
    }
    return find_key(nesting, key, element->flags & ICP_EL_SPECIAL ? ICP_EL_SCOPE : ICP_EL_SPECIAL);
}

void icp_nesting_end(icp_nesting_t *nesting, const icp_tag_t *tag)
{
    const icp_element_t *element = tag->element;
    if (element->which == ICP_ELEMENT_P || element->which == ICP_ELEMENT_BR) leave_foreign(nesting);
    if (element->flags & ICP_EL_VOID || element->which == ICP_ELEMENT_BODY || element->which == ICP_ELEMENT_HTML ||
        element->which == ICP_ELEMENT_HEAD) {
        return;
    }
    if (nesting->overflow) {
        if (--nesting->overflow == 0) nesting->overflow_hides = 0;
        return;
    }
    int index = find_foreign(nesting, tag->key);
    if (index) {
        pop_to(nesting, index);
    }
    else if (element->which == ICP_ELEMENT_FORM) {
        if (nesting->form) take_out(nesting, nesting->form);
    }
    else if (element->flags & ICP_EL_FORMATTING) {
        end_formatting(nesting, tag->key);
    }
    else if ((index = find_ended(nesting, element, tag->key))) {
        pop_to(nesting, index);
    }
}

const icp_surroundings_t *icp_nesting_text(icp_nesting_t *nesting)
{
    close_columns(nesting);
    open_again(nesting);
    if (nesting->overflow_hides) return &nesting->deep;
    return around(nesting, drawn_in(nesting));
}

int icp_nesting_broke(icp_nesting_t *nesting)
{
    int broke = nesting->broke;
    nesting->broke = 0;
    return broke;
}
