-- SPDX-License-Identifier: Apache-2.0
-- Requests the paths listed in a file and counts the responses by status.
--
-- Arguments: the file, the method, the expected status, what to do at the end
-- of the file (again, stop), and the body, if any.

local paths = {}
local method, wanted, at_end, body
local position = 0

-- Global, because `done` reads them through the thread.
expected = 0
unexpected = 0
first_unexpected = 0
used_up = 0

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  for path in io.lines(args[1]) do
    paths[#paths + 1] = path
  end
  method = args[2]
  wanted = tonumber(args[3])
  at_end = args[4]
  body = args[5]
  if body then
    wrk.headers["Content-Type"] = "application/json"
  elseif method ~= "GET" then
    wrk.headers["Content-Length"] = "0"
  end
end

function request()
  position = position + 1
  if position > #paths then
    if at_end == "stop" then
      used_up = 1
      wrk.thread:stop()
    end
    position = 1
  end
  return wrk.format(method, paths[position], nil, body)
end

function response(status)
  if status == wanted then
    expected = expected + 1
  else
    unexpected = unexpected + 1
    if first_unexpected == 0 then
      first_unexpected = status
    end
  end
end

function done(summary, latency)
  local thread = threads[1]
  local failed = summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'RESULT {"expected": %d, "unexpected": %d, "first_unexpected": %d, '
      .. '"used_up": %d, "failed": %d, "duration": %d, "p50": %d, '
      .. '"p99": %d}\n',
    thread:get("expected"), thread:get("unexpected"),
    thread:get("first_unexpected"), thread:get("used_up"), failed,
    summary.duration, latency:percentile(50), latency:percentile(99)))
end
