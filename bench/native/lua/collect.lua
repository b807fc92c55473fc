-- SPDX-License-Identifier: MIT
-- As ../collect.c.
local shared = require "shared"

local REPEATS = 5

local function shuffle(made)
  math.randomseed(5)
  for i = #made, 2, -1 do
    local j = math.random(i)
    made[i], made[j] = made[j], made[i]
  end
end

-- As ../graph.h; node i of it is made[i + 1].
local function link(made, at_random)
  local count = #made
  for i = 0, count - 1 do
    local left, right = 2 * i + 1, 2 * i + 2
    if left >= count then left = at_random and math.random(0, count - 1) or i - 1 end
    if right >= count then right = at_random and math.random(0, count - 1) or i // 2 end
    made[i + 1].left, made[i + 1].right = made[left + 1], made[right + 1]
  end
  made[count].right = made[1]
end

local function build(count, at_random)
  local made = {}
  for i = 1, count do made[i] = {left = false, right = false} end
  if at_random then shuffle(made) end
  link(made, at_random)
  return made[1]
end

local function collect_ns()
  local start = shared.cpu_ns()
  collectgarbage("collect")
  return shared.cpu_ns() - start
end

local function live(count, at_random)
  local root = build(count, at_random)
  local first, times = collect_ns(), {}
  for i = 1, REPEATS do times[i] = collect_ns() end
  table.sort(times)
  print("ns " .. times[REPEATS // 2 + 1] / count)
  print("first " .. first / count)
  return root
end

local function garbage(count, rings)
  local root = build(count, false)
  collect_ns()
  local before = collectgarbage("count")
  for _ = 1, rings do
    local node = {left = false, right = false}
    node.left = {left = node, right = false}
  end
  print("ns " .. collect_ns() / (2 * rings))
  if collectgarbage("count") > before + 1000 then shared.fail("rings are left") end
  return root
end

collectgarbage("stop")
local count = math.tointeger(arg[2])
local root
if arg[1] == "garbage" then
  root = garbage(count, math.tointeger(arg[3]))
else
  root = live(count, arg[3] == "random")
end
if not root.left then shared.fail("the graph has changed") end
shared.finish()
