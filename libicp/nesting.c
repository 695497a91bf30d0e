#include "nesting.h"

#include <string.h>

#define AGAIN 16 /* formatting elements that are remembered to be opened again */

typedef struct entry_t {
    const icp_element_t *element;
    apr_uint32_t name;     /* its hash */
    unsigned short parent; /* index of the entry it is drawn in: that below it but for what a table pushes out */
    unsigned char foreign, first_summary;
    icp_effect_t own;
    icp_surroundings_t all;
} entry_t;

typedef struct again_t {
    entry_t entry;
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
    icp_surroundings_t deep;
    entry_t open[ICP_NESTING_DEPTH];
    again_t again[AGAIN];
    int again_count;
};

static int hidden(const icp_surroundings_t *all)
{
    return all->none || all->inner_none || all->away || all->invisible || all->tiny || all->graphic;
}

/* Does an element do nothing to the text in it? Most do not. */
static int is_plain(const icp_effect_t *own)
{
    return !(own->none | own->inner_none | own->away | own->visibility | own->font | own->graphic | own->footer | own->stored) && !own->link;
}

static void compute(icp_nesting_t *nesting, int index)
{
    entry_t *entry = &nesting->open[index];
    const icp_effect_t *own = &entry->own;
    icp_surroundings_t top = {0}, *all = &entry->all;
    if (index > 0) top = nesting->open[entry->parent].all;
    int was_hidden = hidden(&top);
    if (top.inner_none && entry->first_summary) {
        top.inner_none = 0;
        was_hidden = hidden(&top);
    }
    if (!was_hidden && is_plain(own)) {
        *all = top;
        all->stored = 0;
        all->because = NULL;
        return;
    }

    all->none = top.none || top.inner_none || own->none;
    all->inner_none = own->inner_none;
    all->away = top.away || own->away;
    all->invisible = own->visibility ? own->visibility == 1 : top.invisible;
    all->tiny = own->font ? own->font == 1 : top.tiny;
    all->graphic = own->graphic ? own->graphic == 1 : top.graphic;
    all->footer = top.footer || own->footer;
    all->stored = was_hidden ? top.stored : own->stored;
    all->link = own->link ? own->link : top.link;
    all->because = !hidden(all) ? NULL : was_hidden && top.because ? top.because : own->because;
    if (hidden(all) && !all->because) all->because = "an element that is not displayed";
}

icp_nesting_t *icp_nesting_create(apr_pool_t *pool)
{
    icp_nesting_t *nesting = apr_pcalloc(pool, sizeof *nesting);
    nesting->open[0].element = icp_element("html", 4);
    nesting->depth = 1;
    nesting->deep.none = 1;
    nesting->deep.because = "elements nested too deep";
    return nesting;
}

static apr_uint32_t hash(const char *name, apr_size_t length)
{
    apr_uint32_t value = 2166136261u;
    for (apr_size_t i = 0; i < length; i++) value = (value ^ (unsigned char)name[i]) * 16777619u;
    return value;
}

static const icp_element_t *top(const icp_nesting_t *nesting)
{
    return nesting->open[nesting->depth - 1].element;
}

static void note_border(icp_nesting_t *nesting, const entry_t *entry)
{
    const icp_surroundings_t *around = &nesting->open[entry->parent].all;
    if (entry->own.block) nesting->broke |= entry->all.none ? ICP_BROKE_HIDDEN : ICP_BROKE_SHOWN | ICP_BROKE_HIDDEN;
    if (hidden(&entry->all) != hidden(around)) nesting->broke |= ICP_BROKE_HIDDEN;
}

static void closed(icp_nesting_t *nesting, int index)
{
    entry_t *entry = &nesting->open[index];
    note_border(nesting, entry);
    if (entry->element->which == ICP_ELEMENT_P) nesting->paragraphs--;
    if (nesting->form == index) nesting->form = 0;
    int kept = 0;
    for (int i = 0; i < nesting->again_count; i++) {
        if (nesting->again[i].marker == index) continue;
        if (nesting->again[i].at == index) nesting->again[i].at = 0;
        if (kept != i) nesting->again[kept] = nesting->again[i];
        kept++;
    }
    nesting->again_count = kept;
}

/* Closes entry `index` and all above it. */
static void pop_to(icp_nesting_t *nesting, int index)
{
    while (nesting->depth > index) closed(nesting, --nesting->depth);
}

/* Takes one entry out from below others. */
static void take_out(icp_nesting_t *nesting, int index)
{
    int parent = nesting->open[index].parent;
    closed(nesting, index);
    nesting->depth--;
    for (int i = index; i < nesting->depth; i++) {
        nesting->open[i] = nesting->open[i + 1];
        entry_t *entry = &nesting->open[i];
        if (entry->parent == index) entry->parent = (unsigned short)parent;
        else if (entry->parent > index) entry->parent--;
        compute(nesting, i);
    }
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

static int find_name(const icp_nesting_t *nesting, apr_uint32_t name, unsigned flags)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const entry_t *entry = &nesting->open[i];
        if (entry->name == name) return i;
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

static int push(icp_nesting_t *nesting, const entry_t *entry)
{
    if (nesting->depth == ICP_NESTING_DEPTH) return 0;
    int index = nesting->depth++, part_of_table = entry->element->flags & (ICP_EL_TABLE | ICP_EL_CELL) && entry->element->which != ICP_ELEMENT_TABLE;
    nesting->open[index] = *entry;
    nesting->open[index].parent = (unsigned short)(index - 1);
    if (!part_of_table) {
        nesting->depth--;
        nesting->open[index].parent = (unsigned short)drawn_in(nesting);
        nesting->depth++;
    }
    if (entry->element->which == ICP_ELEMENT_P) nesting->paragraphs++;
    compute(nesting, index);
    note_border(nesting, &nesting->open[index]);
    return index;
}

static void close_columns(icp_nesting_t *nesting)
{
    if (top(nesting)->which == ICP_ELEMENT_COLGROUP) pop_to(nesting, nesting->depth - 1);
}

/* The formatting elements that an earlier end tag closed on its way. */
static void open_again(icp_nesting_t *nesting)
{
    if (!nesting->again_count) return;
    int here = marker(nesting);
    for (int i = 0; i < nesting->again_count; i++) {
        again_t *again = &nesting->again[i];
        if (again->at == 0 && again->marker == here) again->at = push(nesting, &again->entry);
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
static void end_formatting(icp_nesting_t *nesting, apr_uint32_t name)
{
    int index = find_name(nesting, name, ICP_EL_SCOPE), special = 0;
    int here = marker(nesting);
    for (int i = nesting->again_count - 1; i >= 0; i--) {
        again_t *again = &nesting->again[i];
        if (again->entry.name != name || again->marker != here || again->at != index) continue;
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
    icp_effect_t *own = &nesting->open[0].own;
    own->none |= effect->none;
    own->away |= effect->away;
    if (effect->visibility) own->visibility = effect->visibility;
    if (effect->font) own->font = effect->font;
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
static int prepare(icp_nesting_t *nesting, const icp_element_t *element, apr_uint32_t name)
{
    int at;
    if (strcmp(element->name, "col") != 0 && element->which != ICP_ELEMENT_TEMPLATE) close_columns(nesting);
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
        if (find_name(nesting, name, ICP_EL_SCOPE)) end_formatting(nesting, name);
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

static int is_foreign(const icp_nesting_t *nesting)
{
    const entry_t *entry = &nesting->open[nesting->depth - 1];
    return entry->foreign && entry->element->which != ICP_ELEMENT_FOREIGN_HTML;
}

int icp_nesting_foreign(const icp_nesting_t *nesting)
{
    return is_foreign(nesting);
}

static void leave_foreign(icp_nesting_t *nesting)
{
    while (is_foreign(nesting)) pop_to(nesting, nesting->depth - 1);
}

const icp_element_t *icp_nesting_element(icp_nesting_t *nesting, const icp_tag_t *tag)
{
    const icp_element_t *element = tag->element;
    if (element->flags & ICP_EL_BREAKOUT) leave_foreign(nesting);
    if (is_foreign(nesting)) {
        int known = element->flags & (ICP_EL_FOREIGN | ICP_EL_UNDRAWN) || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH;
        return known ? element : icp_element("", 0);
    }
    return element->flags & ICP_EL_FOREIGN ? icp_element("", 0) : element;
}

void icp_nesting_start(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect)
{
    const icp_element_t *element = tag->element;
    entry_t entry = {.element = element, .own = *effect, .name = hash(tag->name, tag->name_length)};
    if (element->which == ICP_ELEMENT_HTML || element->which == ICP_ELEMENT_BODY) {
        merge(nesting, effect);
        return;
    }
    if (element->which == ICP_ELEMENT_HEAD) return;
    if (is_foreign(nesting)) {
        if (tag->selfclosing) return;
    }
    else {
        if (!prepare(nesting, element, entry.name) || element->flags & ICP_EL_VOID) return;
        if (!(element->flags & (ICP_EL_CLOSES_P | ICP_EL_CELL | ICP_EL_TABLE | ICP_EL_UNDRAWN))) open_again(nesting);
        if (tag->selfclosing && (element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH)) return;
    }
    entry.foreign = is_foreign(nesting) || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH;
    if (element->which == ICP_ELEMENT_SUMMARY && nesting->open[nesting->depth - 1].element->which == ICP_ELEMENT_DETAILS) {
        entry_t *details = &nesting->open[nesting->depth - 1];
        entry.first_summary = !details->first_summary;
        details->first_summary = 1;
    }
    int here = marker(nesting), index = push(nesting, &entry);
    if (!index) {
        nesting->overflow++;
        nesting->overflow_hides |= effect->because != NULL;
        return;
    }
    if (element->which == ICP_ELEMENT_FORM) nesting->form = index;
    if (element->flags & ICP_EL_FORMATTING && (effect->because || effect->link || effect->visibility || effect->font)) {
        if (nesting->again_count == AGAIN) {
            memmove(nesting->again, nesting->again + 1, (AGAIN - 1) * sizeof *nesting->again);
            nesting->again_count--;
        }
        again_t *again = &nesting->again[nesting->again_count++];
        *again = (again_t){.entry = entry, .at = index, .marker = here};
    }
}

/* The entry in svg or math that an end tag ends, 0 if none. */
static int find_foreign(const icp_nesting_t *nesting, apr_uint32_t name)
{
    for (int i = nesting->depth - 1; i > 0 && nesting->open[i].foreign && is_foreign(nesting); i--) {
        if (nesting->open[i].name == name) return i;
    }
    return 0;
}

/* The same in HTML. */
static int find_ended(const icp_nesting_t *nesting, const icp_element_t *element, apr_uint32_t name)
{
    switch (element->which) {
    case ICP_ELEMENT_P: return find(nesting, ICP_ELEMENT_P, ICP_EL_SCOPE, ICP_ELEMENT_BUTTON);
    case ICP_ELEMENT_LI: return find(nesting, ICP_ELEMENT_LI, ICP_EL_SCOPE, ICP_ELEMENT_LISTS);
    case ICP_ELEMENT_HEADING: return find(nesting, ICP_ELEMENT_HEADING, ICP_EL_SCOPE, 0);
    case ICP_ELEMENT_TABLE: return in_table(nesting);
    default: break;
    }
    if (element->flags & (ICP_EL_TABLE | ICP_EL_CELL)) {
        int index = find_name(nesting, name, 0);
        return index > in_table(nesting) ? index : 0;
    }
    return find_name(nesting, name, element->flags & ICP_EL_SPECIAL ? ICP_EL_SCOPE : ICP_EL_SPECIAL);
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
    apr_uint32_t name = hash(tag->name, tag->name_length);
    int index = find_foreign(nesting, name);
    if (index) {
        pop_to(nesting, index);
    }
    else if (element->which == ICP_ELEMENT_FORM) {
        if (nesting->form) take_out(nesting, nesting->form);
    }
    else if (element->flags & ICP_EL_FORMATTING) {
        end_formatting(nesting, name);
    }
    else if ((index = find_ended(nesting, element, name))) {
        pop_to(nesting, index);
    }
}

const icp_surroundings_t *icp_nesting_text(icp_nesting_t *nesting)
{
    close_columns(nesting);
    open_again(nesting);
    if (nesting->overflow_hides) return &nesting->deep;
    return &nesting->open[drawn_in(nesting)].all;
}

int icp_nesting_broke(icp_nesting_t *nesting)
{
    int broke = nesting->broke;
    nesting->broke = 0;
    return broke;
}
