-- wrk: requests in turn, each with the status and body that it must have; counts those that differ.
-- usage: wrk … -s status.lua URL -- 'METHOD PATH STATUS BODY' …
local threads, rows, sent = {}, {}, 0
-- Global: wrk reads them from each thread.
got, bad, first = 0, 0, nil

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  for _, row in ipairs(args) do
    local method, path, status, body = row:match("^(%S+) (%S+) (%d+) (.*)$")
    table.insert(rows, { method = method, path = path, status = tonumber(status), body = body })
  end
end

function request()
  local row = rows[sent % #rows + 1]
  sent = sent + 1
  return wrk.format(row.method, row.path, { Host = "shop.prod" })
end

-- Replies of several connections come in any order: the body says to which request it belongs.
function response(status, _, body)
  got = got + 1
  for _, row in ipairs(rows) do
    if row.status == status and row.body == body then return end
  end
  bad = bad + 1
  first = first or (status .. " " .. body)
end

function done(summary)
  local total, wrong, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    total = total + thread:get("got")
    wrong = wrong + thread:get("bad")
    example = thread:get("first") or example
  end
  local e = summary.errors
  print(string.format("RESULT %d %d %d %s", total, wrong, e.connect + e.read + e.write + e.timeout, example))
end
