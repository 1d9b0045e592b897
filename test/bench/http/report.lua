-- What wrk says at the end, for a program: microseconds and counts. CPU is wrk's own, without its start.
local started = os.clock()

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,"cpu":%.6f,"errors":%d,"status":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    os.clock() - started, e.connect + e.read + e.write + e.timeout, e.status))
end
