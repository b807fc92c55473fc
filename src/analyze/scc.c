/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "array.h"
#include "scc.h"

typedef struct scc_step {
  graph_node node;
  uint32_t edge; /* the next one to follow */
  bool first;    /* no node of its component was met before it */
  bool itself;   /* it refers to itself */
} scc_step;

/* numbers: 0 not met, then in the order of meeting; of complete components from above downwards. */
typedef struct scc_search {
  const graph *g;
  const uint64_t *wanted;
  uint32_t *numbers;
  uint32_t next, number;
  scc_step *steps;
  size_t depth, step_room;
  graph_node *open; /* met, their component not complete */
  size_t open_count, open_room;
  scc_fn *show;
  void *to;
} scc_search;

static bool scc_wanted(const scc_search *s, graph_node node) {
  return s->wanted[node / 64] >> node % 64 & 1;
}

static bool scc_enter(scc_search *s, graph_node node) {
  scc_step *steps = array_widen(s->steps, &s->step_room, s->depth, sizeof *steps);
  if (!steps) return false;
  s->steps = steps;
  s->numbers[node] = ++s->next;
  s->steps[s->depth++] = (scc_step){node, s->g->first_out[node], true, false};
  return true;
}

static bool scc_open(scc_search *s, graph_node node) {
  graph_node *open = array_widen(s->open, &s->open_room, s->open_count, sizeof *open);
  if (!open) return false;
  s->open = open;
  s->open[s->open_count++] = node;
  return true;
}

/* The node is the first of its component that was met: those opened since belong to it. */
static bool scc_complete(scc_search *s, graph_node node, bool itself) {
  uint32_t *numbers = s->numbers, first = numbers[node];
  size_t begin = s->open_count;
  while (begin > 0 && numbers[s->open[begin - 1]] >= first) begin--;
  size_t count = s->open_count - begin + 1;
  if (!scc_open(s, node)) return false;
  for (size_t i = begin; i < s->open_count; i++) numbers[s->open[i]] = s->number;
  s->next -= (uint32_t)count;
  s->open_count = begin;
  uint32_t number = s->number--;
  return (count == 1 && !itself) || s->show(s->to, s->open + begin, count, number);
}

static bool scc_leave(scc_search *s) {
  scc_step step = s->steps[--s->depth];
  if (step.first ? !scc_complete(s, step.node, step.itself) : !scc_open(s, step.node)) return false;
  if (!s->depth) return true;
  scc_step *above = &s->steps[s->depth - 1];
  if (s->numbers[step.node] < s->numbers[above->node]) {
    s->numbers[above->node] = s->numbers[step.node];
    above->first = false;
  }
  return true;
}

/* Follows edges until a node is met for the first time, which is entered, or none is left. */
static bool scc_go_on(scc_search *s) {
  scc_step *step = &s->steps[s->depth - 1];
  const graph *g = s->g;
  uint32_t end = g->first_out[step->node + 1], *numbers = s->numbers;
  while (step->edge < end) {
    graph_node to = g->out[step->edge++];
    if (!scc_wanted(s, to)) continue;
    if (!numbers[to]) return scc_enter(s, to);
    if (to == step->node) step->itself = true;
    if (numbers[to] >= numbers[step->node]) continue;
    numbers[step->node] = numbers[to];
    step->first = false;
  }
  return scc_leave(s);
}

bool scc_find(const graph *g, const uint64_t *wanted, uint32_t *numbers, scc_fn *show, void *to) {
  scc_search s = {.g = g, .wanted = wanted, .numbers = numbers, .number = GRAPH_NONE - 1};
  s.show = show;
  s.to = to;
  bool good = true;
  for (graph_node node = 0; good && node < g->nodes; node++) {
    if (numbers[node] || !scc_wanted(&s, node)) continue;
    good = scc_enter(&s, node);
    while (good && s.depth) good = scc_go_on(&s);
  }
  free(s.steps);
  free(s.open);
  return good;
}
