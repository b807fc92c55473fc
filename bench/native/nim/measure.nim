# SPDX-License-Identifier: MIT
## What the Nim programs share.
import std/[os, strutils, times]

proc argument*(i: int): int = parseInt(paramStr(i))

proc statusBytes*(file, field: string): int =
  ## A field in kB of a file of /proc, in bytes.
  for line in lines(file):
    if line.startsWith(field): return parseInt(line.splitWhitespace()[1]) * 1024
  quit("bench: no " & field & " in " & file, 1)

proc residentBytes*(): int = statusBytes("/proc/self/smaps_rollup", "Rss:")

proc peakBytes*(): int = statusBytes("/proc/self/status", "VmHWM:")

proc cpuNs*(): float = cpuTime() * 1e9

proc fail*(what: string) = quit("bench: " & what, 1)

proc finish*() =
  ## The last thing a program does: what still lives goes with the process.
  echo "peak ", peakBytes()
  quit(0)
