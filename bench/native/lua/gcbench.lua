-- SPDX-License-Identifier: MIT
-- As ../gcbench.c.
local shared = require "shared"

local LEAST_DEPTH, ARRAY = 4, 500000

local function size(depth) return (2 << depth) - 1 end

local function new(left, right) return {left = left, right = right, i = 0, j = 0} end

local function populate(depth, node)
  if depth <= 0 then return end
  node.left = new(false, false)
  node.right = new(false, false)
  populate(depth - 1, node.left)
  populate(depth - 1, node.right)
end

local function tree(depth)
  if depth <= 0 then return new(false, false) end
  return new(tree(depth - 1), tree(depth - 1))
end

local function construct(depth, most)
  local trees = 2 * size(most + 2) // size(depth)
  for _ = 1, trees do populate(depth, new(false, false)) end
  for _ = 1, trees do tree(depth) end
  return 2 * trees * size(depth)
end

local function count(node)
  if not node.left then return 1 end
  return 1 + count(node.left) + count(node.right)
end

local most = math.tointeger(arg[1])
tree(most + 2)
local stays = new(false, false)
populate(most, stays)
local numbers = {}
for i = 1, ARRAY do numbers[i] = i < ARRAY // 2 and 1.0 / i or 0.0 end
local nodes = 0
for depth = LEAST_DEPTH, most, 2 do nodes = nodes + construct(depth, most) end
if count(stays) ~= size(most) then shared.fail("the tree that stays has changed") end
if numbers[1000] ~= 1.0 / 1000 then shared.fail("the array has changed") end
print("nodes " .. nodes)
shared.finish()
