-- For wrk: POSTs the file named by BODY with the content type CTYPE. With FRESH set, every request carries a number
-- that no request had before, in place of the body's `@@@` (FRESH itself is the start of that number).
local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local body, fresh, count = read(os.getenv("BODY")), os.getenv("FRESH"), 0
wrk.method = "POST"
wrk.headers["Content-Type"] = os.getenv("CTYPE")
wrk.body = body

if fresh then
  local at = assert(body:find("@@@", 1, true), "the body has no @@@")
  local head, tail = body:sub(1, at - 1), body:sub(at + 3)
  request = function()
    count = count + 1
    return wrk.format(nil, nil, nil, head .. fresh .. count .. tail)
  end
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %d, "rps": %.1f, "p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests, summary.requests * 1e6 / summary.duration, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, e.status + e.connect + e.read + e.write + e.timeout))
end
