# SPDX-License-Identifier: MIT
## As ../objects.c.
import std/os
import measure

const
  Pad {.intdefine.} = 1
  Payload = (2 + Pad) * 8
  WarmUp = 20_000

type
  Node = ref NodeObj
  NodeObj = object
    left, right: Node
    when Pad > 0:
      pad: array[Pad, int]

proc escape(n: Node) {.inline.} =
  let address = cast[pointer](n)
  {.emit: ["__asm__ volatile(\"\" : : \"r\"(", address, ") : \"memory\");"].}

proc fill(n: Node, value: int) {.inline.} =
  when Pad > 0:
    for k in 0 ..< Pad: n.pad[k] = value

proc pair(i: int) {.inline.} =
  let n = Node()
  fill(n, i)
  escape(n)

proc pairs(count: int) =
  for i in 1 .. count: pair(i)

proc pairNs(count: int): float =
  let other = Node()
  pairs(WarmUp)
  let start = cpuNs()
  pairs(count)
  result = (cpuNs() - start) / float(count)
  escape(other)

proc grow(chain: var Node, length: int) =
  for i in 1 .. length:
    chain = Node(left: chain)
    fill(chain, i)

proc extraBytes(count: int) =
  var chain: Node
  grow(chain, WarmUp)
  let before = residentBytes()
  grow(chain, count)
  let most = peakBytes()
  when defined(gcOrc): GC_fullCollect()
  echo "extra ", float(residentBytes() - before) / float(count) - Payload
  echo "most ", float(most - before) / float(count) - Payload
  escape(chain)
  finish()

if paramStr(1) == "bytes": extraBytes(argument(2))
echo "ns ", pairNs(argument(2))
finish()
