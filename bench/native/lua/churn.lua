-- SPDX-License-Identifier: MIT
-- As ../churn.c.
local shared = require "shared"

local HELD, LOOK = 16, 500

local function chain(length)
  local node = false
  for _ = 1, length do node = {left = node, right = false} end
  return node
end

local function churn(cycles, held)
  local last, longest = shared.cpu_ns(), 0
  for i = 0, cycles - 1 do
    local node = {left = false, right = false}
    node.left = {left = node, right = false}
    held[i % HELD + 1] = node
    if i % LOOK == 0 then
      local now = shared.cpu_ns()
      longest = math.max(longest, now - last)
      last = now
    end
  end
  return longest
end

local function length(node)
  local counted = 0
  while node do counted, node = counted + 1, node.left end
  return counted
end

local live = math.tointeger(arg[2])
local stays = chain(live)
local held = {}
print("gap " .. churn(math.tointeger(arg[1]), held) / 1e6)
if length(stays) ~= live then shared.fail("the chain has changed") end
for _, node in ipairs(held) do
  if node.left.left ~= node then shared.fail("a ring has changed") end
end
shared.finish()
