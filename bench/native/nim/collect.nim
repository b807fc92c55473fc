# SPDX-License-Identifier: MIT
## As `collect garbage` of ../collect.c, for ORC. It looks at what a dropped reference left behind, so the
## objects that live beside cost nothing, and a heap without garbage has no collection to measure.
import measure, node

proc grow(depth: int): Node =
  if depth == 0: Node() else: Node(left: grow(depth - 1), right: grow(depth - 1))

proc ring() =
  let a = Node()
  a.left = Node(left: a)

proc main() =
  var depth = 0
  while (2 shl (depth + 1)) - 1 <= argument(2): inc depth
  let live = grow(depth)
  GC_fullCollect()
  GC_disableOrc()
  let before = getOccupiedMem()
  let rings = argument(3)
  for i in 1 .. rings: ring()
  let start = cpuNs()
  GC_fullCollect()
  echo "ns ", (cpuNs() - start) / float(2 * rings)
  if getOccupiedMem() > before + 1_000_000: fail("rings are left")
  if live.left == nil: fail("the tree has changed")
  finish()

main()
