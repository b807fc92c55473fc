# SPDX-License-Identifier: MIT
## As ../trees.c.
import measure, node

const LeastDepth = 4

proc tree(depth: int): Node =
  if depth == 0: Node()
  else: Node(left: tree(depth - 1), right: tree(depth - 1))

proc count(n: Node): int =
  if n.left == nil: 1 else: 1 + count(n.left) + count(n.right)

proc expect(count, trees, depth: int) =
  if count != trees * ((2 shl depth) - 1): fail("a tree has not as many nodes as were made")

proc oneTree(depth: int) = expect(count(tree(depth)), 1, depth)

proc manyTrees(depth, trees: int): int =
  for i in 1 .. trees: result += count(tree(depth))
  expect(result, trees, depth)

proc main() =
  let most = argument(1)
  oneTree(most + 1)
  let stays = tree(most)
  var nodes = 0
  for depth in countup(LeastDepth, most, 2):
    nodes += manyTrees(depth, 1 shl (most - depth + LeastDepth))
  expect(count(stays), 1, most)
  echo "nodes ", nodes

main()
finish()
