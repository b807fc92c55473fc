-- SPDX-License-Identifier: MIT
-- As the second part of ../objects.c, without further words.
local shared = require "shared"

local WARM_UP = 20000

local function grow(chain, length)
  for _ = 1, length do chain = {left = chain, right = false} end
  return chain
end

local count = math.tointeger(arg[2]) -- after the word "bytes"
local chain = grow(false, WARM_UP)
local before = shared.resident_bytes()
chain = grow(chain, count)
local most = shared.peak_bytes()
collectgarbage("collect")
print("extra " .. (shared.resident_bytes() - before) / count - 16)
print("most " .. (most - before) / count - 16)
if not chain.left then shared.fail("the chain has changed") end
shared.finish()
