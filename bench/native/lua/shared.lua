-- SPDX-License-Identifier: MIT
-- What the Lua programs share.
local shared = {}

function shared.fail(what)
  io.stderr:write("bench: ", what, "\n")
  os.exit(1)
end

-- A field in kB of a file of /proc, in bytes.
function shared.field_bytes(file, field)
  for line in io.lines(file) do
    local kib = line:match("^" .. field .. ":%s+(%d+) kB")
    if kib then return tonumber(kib) * 1024 end
  end
  shared.fail("no " .. field)
end

function shared.resident_bytes() return shared.field_bytes("/proc/self/smaps_rollup", "Rss") end

function shared.peak_bytes() return shared.field_bytes("/proc/self/status", "VmHWM") end

function shared.cpu_ns() return os.clock() * 1e9 end

-- The last thing a program does: what still lives goes with the process.
function shared.finish()
  print("peak " .. shared.peak_bytes())
  os.exit(0, false)
end

return shared
