#include "nesting.h"

#include <stddef.h>
#include <string.h>

#include "open.h"

static int is_plain(const icp_effect_t *own)
{
    return !(own->flags & ~(unsigned)ICP_FX_BLOCK) && !own->link;
}

icp_nesting_t *icp_nesting_create(apr_pool_t *pool)
{
    icp_nesting_t *nesting = apr_palloc(pool, sizeof *nesting);
    memset(nesting, 0, offsetof(icp_nesting_t, open)); /* the entries are made as they are opened */
    memset(&nesting->open[0], 0, sizeof nesting->open[0]);
    memset(&nesting->nodes[0], 0, sizeof nesting->nodes[0]);
    memset(&nesting->own[0], 0, sizeof nesting->own[0]);
    memset(&nesting->all[0], 0, sizeof nesting->all[0]);
    nesting->pool = pool;
    nesting->open[0].element = icp_element("html", 4);
    nesting->depth = 1;
    nesting->deep.flags = ICP_FX_NONE;
    nesting->deep.because = "elements nested too deep";
    return nesting;
}

static void close_columns(icp_nesting_t *nesting)
{
    if (icp_open_top(nesting)->which == ICP_ELEMENT_COLGROUP) icp_open_pop_to(nesting, nesting->depth - 1);
}

/* The table whose rows, not whose cells, the page is in the midst of; 0: none. */
static int in_rows(const icp_nesting_t *nesting)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->flags & ICP_EL_TABLE) return icp_open_in_table(nesting);
        if (element->flags & ICP_EL_CELL || element->which == ICP_ELEMENT_TEMPLATE) return 0;
    }
    return 0;
}

static void close_p(icp_nesting_t *nesting)
{
    if (!nesting->paragraphs) return;
    int p = icp_open_find(nesting, ICP_ELEMENT_P, ICP_EL_SCOPE, ICP_ELEMENT_BUTTON);
    if (p) icp_open_pop_to(nesting, p);
}

/* A new item ends the one before it in the same list. */
static void close_item(icp_nesting_t *nesting, int which, int other)
{
    for (int i = nesting->depth - 1; i > 0; i--) {
        const icp_element_t *element = nesting->open[i].element;
        if (element->which == which || (other && element->which == other)) {
            icp_open_pop_to(nesting, i);
            return;
        }
        int passed = element->which == ICP_ELEMENT_P || element->which == ICP_ELEMENT_DIV;
        if (element->flags & ICP_EL_SPECIAL && !passed) return;
    }
}

/* What the two flags of a pair in `effect` say goes before what `own` says. */
static void replace_pair(icp_effect_t *own, const icp_effect_t *effect, unsigned pair)
{
    if (effect->flags & pair) own->flags = (own->flags & ~pair) | (effect->flags & pair);
}

/* The attributes of html and body tags are the page's own. */
static void merge(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect)
{
    icp_effect_t *own = &nesting->own[0];
    replace_pair(own, effect, ICP_FX_INVISIBLE | ICP_FX_VISIBLE);
    replace_pair(own, effect, ICP_FX_TINY | ICP_FX_SIZED);
    replace_pair(own, effect, ICP_FX_FAINT | ICP_FX_COLORED);
    own->flags |= effect->flags & (ICP_FX_NONE | ICP_FX_AWAY);
    if (!own->because) own->because = effect->because;
    for (int i = 0; i < nesting->depth; i++) icp_open_compute(nesting, i);
    icp_node_t node, *page = &nesting->nodes[0];
    icp_node_read(&node, tag, 0);
    if (!page->id) page->id = node.id;
    for (int i = 0; i < node.class_count && page->class_count < ICP_NODE_CLASSES; i++) page->classes[page->class_count++] = node.classes[i];
    for (int i = 0; i < nesting->depth; i++) nesting->nodes[i].names |= node.names;
}

const icp_node_t *icp_nesting_nodes(const icp_nesting_t *nesting, int *count)
{
    *count = nesting->depth;
    return nesting->nodes;
}

/* Makes room in a table for a part of it. 0: there is none, the tag is ignored. */
static int make_room(icp_nesting_t *nesting, const icp_element_t *element)
{
    int table = icp_open_in_table(nesting), i = nesting->depth - 1;
    if (!table) return 0;
    for (; i > table; i--) {
        int which = nesting->open[i].element->which;
        if (element->which == ICP_ELEMENT_CELL && (which == ICP_ELEMENT_TR || which == ICP_ELEMENT_TABLE_PART)) break;
        if (element->which == ICP_ELEMENT_TR && which == ICP_ELEMENT_TABLE_PART) break;
    }
    icp_open_pop_to(nesting, i + 1);
    return 1;
}

int icp_nesting_prepare(icp_nesting_t *nesting, const icp_tag_t *tag)
{
    const icp_element_t *element = tag->element;
    int at;
    if (nesting->foreign || element->which == ICP_ELEMENT_HTML || element->which == ICP_ELEMENT_BODY || element->which == ICP_ELEMENT_HEAD) return 1;
    if (element->which != ICP_ELEMENT_COL && element->which != ICP_ELEMENT_TEMPLATE) close_columns(nesting);
    if (element->flags & ICP_EL_CLOSES_P) {
        if (element->which == ICP_ELEMENT_LI) close_item(nesting, ICP_ELEMENT_LI, 0);
        if (element->which == ICP_ELEMENT_DD || element->which == ICP_ELEMENT_DT) close_item(nesting, ICP_ELEMENT_DD, ICP_ELEMENT_DT);
        close_p(nesting);
    }
    switch (element->which) {
    case ICP_ELEMENT_HEADING:
        if (icp_open_top(nesting)->which == ICP_ELEMENT_HEADING) icp_open_pop_to(nesting, nesting->depth - 1);
        return 1;
    case ICP_ELEMENT_A:
    case ICP_ELEMENT_NOBR:
        if (icp_open_find_key(nesting, tag->key, ICP_EL_SCOPE)) icp_open_end_formatting(nesting, tag->key);
        return 1;
    case ICP_ELEMENT_BUTTON:
        if ((at = icp_open_find(nesting, ICP_ELEMENT_BUTTON, ICP_EL_SCOPE, 0))) icp_open_pop_to(nesting, at);
        return 1;
    case ICP_ELEMENT_INPUT:
    case ICP_ELEMENT_SELECT:
        if ((at = icp_open_find(nesting, ICP_ELEMENT_SELECT, ICP_EL_SCOPE, 0))) icp_open_pop_to(nesting, at);
        return element->which == ICP_ELEMENT_INPUT || !at;
    case ICP_ELEMENT_OPTION:
    case ICP_ELEMENT_OPTGROUP:
        if (icp_open_top(nesting)->which == ICP_ELEMENT_OPTION) icp_open_pop_to(nesting, nesting->depth - 1);
        if (element->which == ICP_ELEMENT_OPTGROUP && icp_open_top(nesting)->which == ICP_ELEMENT_OPTGROUP) icp_open_pop_to(nesting, nesting->depth - 1);
        return 1;
    case ICP_ELEMENT_FORM: return nesting->form == 0;
    case ICP_ELEMENT_TABLE:
        if ((at = in_rows(nesting))) icp_open_pop_to(nesting, at);
        return 1;
    default: return element->flags & ICP_EL_CELL ? make_room(nesting, element) : 1;
    }
}

const char *icp_nesting_link(const icp_nesting_t *nesting)
{
    return icp_open_around(nesting, nesting->depth - 1)->link;
}

int icp_nesting_hides(const icp_nesting_t *nesting)
{
    return icp_open_around(nesting, nesting->depth - 1)->because != NULL;
}

int icp_nesting_foreign(const icp_nesting_t *nesting)
{
    return nesting->foreign;
}

static void leave_foreign(icp_nesting_t *nesting)
{
    while (nesting->foreign) icp_open_pop_to(nesting, nesting->depth - 1);
}

const icp_element_t *icp_nesting_element(icp_nesting_t *nesting, const icp_tag_t *tag)
{
    const icp_element_t *element = tag->element;
    if (icp_tag_has(tag, ICP_ATTRIBUTE_SHADOWROOTMODE) && element->which == ICP_ELEMENT_TEMPLATE) return icp_element("", 0); /* is drawn */
    if (element->flags & ICP_EL_BREAKOUT) leave_foreign(nesting);
    if (nesting->foreign) {
        int known = element->flags & (ICP_EL_FOREIGN | ICP_EL_UNDRAWN) || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH;
        return known ? element : icp_element("", 0);
    }
    return element->flags & ICP_EL_FOREIGN ? icp_element("", 0) : element;
}

void icp_nesting_start(icp_nesting_t *nesting, const icp_tag_t *tag, const icp_effect_t *effect)
{
    const icp_element_t *element = tag->element;
    icp_entry_t entry = {.element = element, .key = tag->key, .block = effect->flags & ICP_FX_BLOCK ? 1 : 0, .plain = (unsigned char)is_plain(effect)};
    if (element->which == ICP_ELEMENT_HTML || element->which == ICP_ELEMENT_BODY) {
        merge(nesting, tag, effect);
        return;
    }
    if (element->which == ICP_ELEMENT_HEAD) return;
    if (nesting->foreign) {
        if (tag->selfclosing) return;
    }
    else {
        if (element->flags & ICP_EL_VOID) return;
        if (!(element->flags & (ICP_EL_CLOSES_P | ICP_EL_CELL | ICP_EL_TABLE | ICP_EL_UNDRAWN))) icp_open_again(nesting);
        if (tag->selfclosing && (element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH)) return;
    }
    if (nesting->foreign || element->which == ICP_ELEMENT_SVG || element->which == ICP_ELEMENT_MATH) {
        entry.foreign = element->which == ICP_ELEMENT_FOREIGN_HTML ? 2 : 1;
    }
    if (element->which == ICP_ELEMENT_SUMMARY && nesting->open[nesting->depth - 1].element->which == ICP_ELEMENT_DETAILS) {
        icp_entry_t *details = &nesting->open[nesting->depth - 1];
        entry.first_summary = !details->first_summary;
        details->first_summary = 1;
    }
    int index = icp_open_push(nesting, &entry, effect);
    if (!index) {
        nesting->overflow++;
        nesting->overflow_hides |= effect->because != NULL;
        return;
    }
    if (element->which == ICP_ELEMENT_FORM) nesting->form = index;
    icp_node_read(&nesting->nodes[index], tag, nesting->nodes[index - 1].names);
    if (element->flags & ICP_EL_FORMATTING) icp_open_remember(nesting, &entry, effect, index);
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
    case ICP_ELEMENT_P: return icp_open_find(nesting, ICP_ELEMENT_P, ICP_EL_SCOPE, ICP_ELEMENT_BUTTON);
    case ICP_ELEMENT_LI: return icp_open_find(nesting, ICP_ELEMENT_LI, ICP_EL_SCOPE, ICP_ELEMENT_LISTS);
    case ICP_ELEMENT_HEADING: return icp_open_find(nesting, ICP_ELEMENT_HEADING, ICP_EL_SCOPE, 0);
    case ICP_ELEMENT_TABLE: return icp_open_in_table(nesting);
    default: break;
    }
    if (element->flags & (ICP_EL_TABLE | ICP_EL_CELL)) {
        int index = icp_open_find_key(nesting, key, 0);
        return index > icp_open_in_table(nesting) ? index : 0;
    }
    return icp_open_find_key(nesting, key, element->flags & ICP_EL_SPECIAL ? ICP_EL_SCOPE : ICP_EL_SPECIAL);
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
        icp_open_pop_to(nesting, index);
    }
    else if (element->which == ICP_ELEMENT_FORM) {
        if (nesting->form) icp_open_take_out(nesting, nesting->form);
    }
    else if (element->flags & ICP_EL_FORMATTING) {
        icp_open_end_formatting(nesting, tag->key);
    }
    else if ((index = find_ended(nesting, element, tag->key))) {
        icp_open_pop_to(nesting, index);
    }
}

const icp_surroundings_t *icp_nesting_text(icp_nesting_t *nesting)
{
    close_columns(nesting);
    icp_open_again(nesting);
    if (nesting->overflow_hides) return &nesting->deep;
    return icp_open_around(nesting, icp_open_drawn_in(nesting));
}

int icp_nesting_broke(icp_nesting_t *nesting)
{
    int broke = nesting->broke;
    nesting->broke = 0;
    return broke;
}
