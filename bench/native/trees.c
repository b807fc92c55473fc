/* SPDX-License-Identifier: MIT */
/*
 * trees DEPTH: binary-trees of the Computer Language Benchmarks Game. One tree a level deeper than
 * DEPTH, one of DEPTH that stays, and many smaller ones, each counted by walking it.
 */
#define NODE_EXTRA
#include SYSTEM_H

enum { LEAST_DEPTH = 4 };

static node *tree_new(world *w, int depth) {
  if (depth == 0) return node_new(w, NULL, NULL);
  node *left = tree_new(w, depth - 1);
  node *right = tree_new(w, depth - 1);
  return node_new(w, left, right);
}

static long tree_count(const node *n) {
  return n->left == NULL ? 1 : 1 + tree_count(n->left) + tree_count(n->right);
}

static void expect(long count, long trees, int depth) {
  if (count != trees * ((2L << depth) - 1)) fail("a tree has not as many nodes as were made");
}

static void one_tree(world *w, int depth) {
  node *tree = tree_new(w, depth);
  expect(tree_count(tree), 1, depth);
  node_drop(w, tree);
}

static long many_trees(world *w, int depth, long trees) {
  long count = 0;
  for (long i = 0; i < trees; i++) {
    node *tree = tree_new(w, depth);
    count += tree_count(tree);
    node_drop(w, tree);
  }
  expect(count, trees, depth);
  return count;
}

int main(int argc, char **argv) {
  if (argc != 2) fail("usage: trees DEPTH");
  int most = atoi(argv[1]);
  world w = world_open();
  one_tree(&w, most + 1);
  node *stays = tree_new(&w, most);
  long count = 0;
  for (int depth = LEAST_DEPTH; depth <= most; depth += 2)
    count += many_trees(&w, depth, 1L << (most - depth + LEAST_DEPTH));
  expect(tree_count(stays), 1, most);
  node_drop(&w, stays);
  printf("nodes %ld\n", count);
  end();
}
