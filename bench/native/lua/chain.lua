-- SPDX-License-Identifier: MIT
-- As ../chain.c; dropping is what a full collection does.
local shared = require "shared"

local length = math.tointeger(arg[1])
collectgarbage("stop")
local chain = false
for _ = 1, length do chain = {left = chain, right = false} end
local start = shared.cpu_ns()
chain = nil
collectgarbage("collect")
print("ns " .. (shared.cpu_ns() - start) / length)
shared.finish()
