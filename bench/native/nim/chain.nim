# SPDX-License-Identifier: MIT
## As ../chain.c.
import measure, node

proc grow(length: int): Node =
  for i in 1 .. length: result = Node(left: result)

proc main() =
  let length = argument(1)
  var chain = grow(length)
  let start = cpuNs()
  chain = nil
  when not defined(acyclic) and defined(gcOrc): GC_fullCollect()
  echo "ns ", (cpuNs() - start) / float(length)
  finish()

main()
