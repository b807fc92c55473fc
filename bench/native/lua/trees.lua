-- SPDX-License-Identifier: MIT
-- As ../trees.c.
local shared = require "shared"

local LEAST_DEPTH = 4

local function tree(depth)
  if depth == 0 then return {left = false, right = false} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end

local function count(node)
  if not node.left then return 1 end
  return 1 + count(node.left) + count(node.right)
end

local function expect(counted, trees, depth)
  if counted ~= trees * ((2 << depth) - 1) then
    shared.fail("a tree has not as many nodes as were made")
  end
end

local function many_trees(depth, trees)
  local counted = 0
  for _ = 1, trees do counted = counted + count(tree(depth)) end
  expect(counted, trees, depth)
  return counted
end

local most = math.tointeger(arg[1])
expect(count(tree(most + 1)), 1, most + 1)
local stays = tree(most)
local nodes = 0
for depth = LEAST_DEPTH, most, 2 do
  nodes = nodes + many_trees(depth, 1 << (most - depth + LEAST_DEPTH))
end
expect(count(stays), 1, most)
print("nodes " .. nodes)
shared.finish()
