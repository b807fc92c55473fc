/* SPDX-License-Identifier: MIT */
/*
 * gcbench DEPTH: GCBench of Ellis, Kovac and Boehm. A tree that stretches the heap, a tree and an
 * array that live long, and trees built from the top down and from the bottom up.
 */
#define NODE_EXTRA int i, j;
#include SYSTEM_H

enum { LEAST_DEPTH = 4, ARRAY = 500000 };

static long tree_size(int depth) { return (2L << depth) - 1; }

static void populate(world *w, int depth, node *n) {
  if (depth <= 0) return;
  n->left = node_new(w, NULL, NULL);
  n->right = node_new(w, NULL, NULL);
  populate(w, depth - 1, n->left);
  populate(w, depth - 1, n->right);
}

static node *tree_new(world *w, int depth) {
  if (depth <= 0) return node_new(w, NULL, NULL);
  node *left = tree_new(w, depth - 1);
  node *right = tree_new(w, depth - 1);
  return node_new(w, left, right);
}

static long construct(world *w, int depth, int most) {
  long trees = 2 * tree_size(most + 2) / tree_size(depth);
  for (long i = 0; i < trees; i++) {
    node *top = node_new(w, NULL, NULL);
    populate(w, depth, top);
    node_drop(w, top);
  }
  for (long i = 0; i < trees; i++) node_drop(w, tree_new(w, depth));
  return 2 * trees * tree_size(depth);
}

static double *numbers_new(world *w) {
  double *numbers = array_new(w, ARRAY * sizeof *numbers);
  if (numbers == NULL) fail("out of memory");
  for (int i = 1; i < ARRAY / 2; i++) numbers[i] = 1.0 / i;
  return numbers;
}

static long tree_count(const node *n) {
  return n->left == NULL ? 1 : 1 + tree_count(n->left) + tree_count(n->right);
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: gcbench DEPTH");
  int most = atoi(argv[1]);
  world w = world_open();
  node_drop(&w, tree_new(&w, most + 2));
  node *stays = node_new(&w, NULL, NULL);
  populate(&w, most, stays);
  double *numbers = numbers_new(&w);
  long count = 0;
  for (int depth = LEAST_DEPTH; depth <= most; depth += 2) count += construct(&w, depth, most);
  if (tree_count(stays) != tree_size(most)) fail("the tree that stays has changed");
  if (numbers[1000] != 1.0 / 1000) fail("the array has changed");
  array_drop(&w, numbers);
  node_drop(&w, stays);
  printf("nodes %ld\n", count);
  end();
}
