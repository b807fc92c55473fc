# SPDX-License-Identifier: MIT
## As ../gcbench.c.
import measure

const
  LeastDepth = 4
  Array = 500_000

when defined(acyclic):
  type
    Node {.acyclic.} = ref NodeObj
    NodeObj = object
      left, right: Node
      i, j: int32
else:
  type
    Node = ref NodeObj
    NodeObj = object
      left, right: Node
      i, j: int32

proc size(depth: int): int = (2 shl depth) - 1

proc populate(depth: int, n: Node) =
  if depth <= 0: return
  n.left = Node()
  n.right = Node()
  populate(depth - 1, n.left)
  populate(depth - 1, n.right)

proc tree(depth: int): Node =
  if depth <= 0: Node()
  else: Node(left: tree(depth - 1), right: tree(depth - 1))

proc topDown(depth: int) =
  let top = Node()
  populate(depth, top)

proc bottomUp(depth: int) = discard tree(depth)

proc construct(depth, most: int): int =
  let trees = 2 * size(most + 2) div size(depth)
  for i in 1 .. trees: topDown(depth)
  for i in 1 .. trees: bottomUp(depth)
  2 * trees * size(depth)

proc count(n: Node): int =
  if n.left == nil: 1 else: 1 + count(n.left) + count(n.right)

proc main() =
  let most = argument(1)
  bottomUp(most + 2)
  let stays = Node()
  populate(most, stays)
  var numbers = newSeq[float](Array)
  for i in 1 ..< Array div 2: numbers[i] = 1.0 / float(i)
  var nodes = 0
  for depth in countup(LeastDepth, most, 2): nodes += construct(depth, most)
  if count(stays) != size(most): fail("the tree that stays has changed")
  if numbers[1000] != 1.0 / 1000.0: fail("the array has changed")
  echo "nodes ", nodes

main()
finish()
