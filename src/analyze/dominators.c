/* SPDX-License-Identifier: MIT */
#include "array.h"
#include "dominators.h"

/* Steps ahead, in the order in which one read needs another; and how often is told how far it
 * is. */
enum { DOMINATORS_AHEAD = 8, DOMINATORS_TELL = 1 << 16 };

static size_t dominators_words(size_t bits) { return bits / 64 + 1; }

bool dominators_begin(dominators *d) {
  size_t nodes = d->g->nodes;
  d->semi = array_make(nodes + 1, sizeof *d->semi);
  d->tree = array_make(dominators_words(2 * nodes), sizeof *d->tree);
  d->below = array_make(dominators_words(nodes), sizeof *d->below);
  return d->semi && d->tree && d->below;
}

void dominators_finish(dominators *d) {
  size_t nodes = d->g->nodes;
  array_free(d->semi, nodes + 1, sizeof *d->semi);
  array_free(d->tree, dominators_words(2 * nodes), sizeof *d->tree);
  array_free(d->below, dominators_words(nodes), sizeof *d->below);
}

/* --- The search ------------------------------------------------------------------------------- */

static inline void search_enter(dominators *d, graph_node node, uint32_t parent) {
  uint32_t number = ++d->count;
  d->number[node] = number;
  d->order[number - 1] = node;
  d->link[number] = (dominators_link){.up = parent, .least = d->g->first_out[node]};
  d->tree[d->bit / 64] |= (uint64_t)1 << (d->bit & 63);
  d->bit++;
}

/* The next edge to a node without a number, or `end`. */
static inline uint32_t search_edge(const dominators *d, uint32_t edge, uint32_t end) {
  const graph *g = d->g;
  for (; edge < end; edge++) {
    if (edge + DOMINATORS_AHEAD < end)
      __builtin_prefetch(&d->number[g->out[edge + DOMINATORS_AHEAD]]);
    if (d->number[g->out[edge]] == 0) break;
  }
  return edge;
}

static inline void search_prefetch(const dominators *d, graph_node node) {
  const graph *g = d->g;
  uint32_t first = g->first_out[node], end = g->first_out[node + 1];
  for (uint32_t e = first; e < end && e < first + DOMINATORS_AHEAD; e++) {
    __builtin_prefetch(&d->number[g->out[e]], 1);
    __builtin_prefetch(&g->first_out[g->out[e]]);
  }
}

void dominators_search(dominators *d, graph_node node) {
  const graph *g = d->g;
  d->below[node / 64] |= (uint64_t)1 << (node & 63);
  if (d->number[node] != 0) return;
  search_enter(d, node, 0);
  for (uint32_t at = d->count; at != 0;) {
    node = d->order[at - 1];
    uint32_t end = g->first_out[node + 1], edge = search_edge(d, d->link[at].least, end);
    d->link[at].least = edge + 1;
    if (edge == end) {
      d->bit++;
      at = d->link[at].up;
    } else {
      search_enter(d, g->out[edge], at);
      at = d->count;
      search_prefetch(d, g->out[edge]);
    }
  }
}

/* --- Semidominators --------------------------------------------------------------------------- */

/* Lets v and all above it point to the first ancestor that is not above `last`, which are those
 * that have not been through. The way back down is kept in the links themselves, since it may be as
 * long as the heap has objects. */
static uint32_t semi_compress(dominators_link *link, uint32_t v, uint32_t last) {
  uint32_t under = 0, next;
  for (; (next = link[v].up) > last; v = next) {
    link[v].up = under;
    under = v;
  }
  uint32_t top = link[v].up, low = link[v].least;
  for (; under != 0; under = next) {
    next = link[under].up;
    if (link[under].least < low) low = link[under].least;
    link[under] = (dominators_link){.up = top, .least = low};
  }
  return low;
}

static inline uint32_t semi_least(dominators_link *link, uint32_t v, uint32_t last) {
  if (v <= last) return v;
  return link[v].up <= last ? link[v].least : semi_compress(link, v, last);
}

static inline bool is_below(const dominators *d, graph_node node) {
  return d->below[node / 64] >> (node & 63) & 1;
}

/* The least of some in edges of number v: first what each read needs, then the reads. */
static inline uint32_t semi_some(dominators *d, const graph_node *in, uint32_t count, uint32_t v) {
  uint32_t from[DOMINATORS_AHEAD], semi = v;
  for (uint32_t i = 0; i < count; i++) {
    from[i] = d->number[in[i]];
    __builtin_prefetch(&d->link[from[i]]);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (from[i] == 0) continue;
    uint32_t least = semi_least(d->link, from[i], v);
    if (least < semi) semi = least;
  }
  return semi;
}

static uint32_t semi_of(dominators *d, uint32_t v) {
  const graph *g = d->g;
  graph_node node = d->order[v - 1];
  if (is_below(d, node)) return 0;
  uint32_t semi = v, e = g->first_in[node], end = g->first_in[node + 1];
  while (e < end) {
    uint32_t count = end - e < DOMINATORS_AHEAD ? end - e : DOMINATORS_AHEAD;
    uint32_t least = semi_some(d, &g->in[e], count, v);
    if (least < semi) semi = least;
    e += count;
  }
  return semi;
}

/* One read tells where the next one is, so each runs ahead of the one after it. */
static inline void semi_prefetch(const dominators *d, uint32_t v) {
  const graph *g = d->g;
  if (v <= 4 * DOMINATORS_AHEAD) return;
  graph_node near = d->order[v - 1 - DOMINATORS_AHEAD];
  uint32_t edge = g->first_in[near];
  if (edge < g->edges) __builtin_prefetch(&d->number[g->in[edge]]);
  __builtin_prefetch(&g->in[g->first_in[d->order[v - 1 - 2 * DOMINATORS_AHEAD]]]);
  __builtin_prefetch(&g->first_in[d->order[v - 1 - 3 * DOMINATORS_AHEAD]]);
}

static void find_semis(dominators *d, progress *told) {
  for (uint32_t v = d->count; v > 0; v--) {
    semi_prefetch(d, v);
    d->semi[v] = d->link[v].least = semi_of(d, v);
    if (v % DOMINATORS_TELL == 0) progress_tell(told, d->count - v, d->count);
  }
}

/* --- Dominators ------------------------------------------------------------------------------- */

/* Zeros up to the next 1, past which it goes. */
static uint32_t tree_ends(dominators *d) {
  uint32_t ends = 0;
  uint64_t word;
  while ((word = d->tree[d->bit / 64] >> (d->bit & 63)) == 0) {
    uint32_t rest = 64 - (uint32_t)(d->bit & 63);
    ends += rest;
    d->bit += rest;
  }
  uint32_t zeros = ouro_lowest_bit(word);
  d->bit += zeros + 1;
  return ends + zeros;
}

/* The dominator is the first ancestor, by dominators from the parent on, that is not below the
 * semidominator. Parents come from the path of the search again; links are what is open of it. */
static void find_dominators(dominators *d) {
  dominators_link *open = d->link;
  uint32_t depth = 0;
  open[0].up = 0;
  d->bit = 0;
  for (uint32_t v = 1; v <= d->count; v++) {
    depth -= tree_ends(d);
    uint32_t above = open[depth].up, semi = d->semi[v];
    open[++depth].up = v;
    if (semi == 0) above = 0;
    while (above > semi) above = d->semi[above];
    d->semi[v] = above;
  }
}

void dominators_find(dominators *d, progress *told) {
  find_semis(d, told);
  find_dominators(d);
}
