# SPDX-License-Identifier: MIT
## As ../churn.c. With ARC the rings stay for ever: it is the price of having no collector.
import measure, node

const
  Held = 16
  Look = 500

proc chain(length: int): Node =
  for i in 1 .. length: result = Node(left: result)

proc ring(): Node =
  result = Node()
  result.left = Node(left: result)

proc length(n: Node): int =
  var at {.cursor.} = n
  while at != nil:
    inc result
    at = at.left

proc churn(cycles: int, held: var array[Held, Node]): float =
  var last = cpuNs()
  for i in 0 ..< cycles:
    held[i mod Held] = ring()
    if i mod Look != 0: continue
    let now = cpuNs()
    result = max(result, now - last)
    last = now

proc main() =
  let live = argument(2)
  let stays = chain(live)
  var held: array[Held, Node]
  echo "gap ", churn(argument(1), held) / 1e6
  if length(stays) != live: fail("the chain has changed")
  for n in held:
    if n != nil and n.left.left != n: fail("a ring has changed")
  finish()

main()
