import { script } from '@seine/redis';

/**
 * Counts a batch of hits in one step, as `count` of @seine/rate-limit does it for each: the same sums in the same order
 * on the same kind of numbers, so that both come to the same results.
 *
 * KEYS: what is counted, each once. ARGV[1]: JSON, a flat list of numbers: `now` in ms (-1 = Redis' own clock), how much
 * longer than it says anything a state is kept (ms), then for each hit the number of its key (from 1), its algorithm
 * (0 fixed, 1 sliding, 2 bucket), requests, window in ms, hits.
 * Reply: `allowed remaining reset` of each hit, in words.
 *
 * A state is `at count before`. It is never written without its expiry: both come in one SET.
 */
export const countScript = script(`
local a = cjson.decode(ARGV[1])
local now, grace = a[1], a[2]
if now < 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local raw = redis.call('MGET', unpack(KEYS))
local at, cnt, bef, known, expires = {}, {}, {}, {}, {}
for i = 1, #KEYS do
  if raw[i] then
    local x, y, z = string.match(raw[i], '^(%S+) (%S+) (%S+)$')
    at[i], cnt[i], bef[i] = tonumber(x), tonumber(y), tonumber(z)
    known[i] = at[i] ~= nil and cnt[i] ~= nil and bef[i] ~= nil
  end
end
local out = {}
for p = 3, #a, 5 do
  local i, algorithm, requests, window, hits = a[p], a[p + 1], a[p + 2], a[p + 3], a[p + 4]
  local allowed, remaining, reset
  if algorithm == 2 then
    local pace = window / requests
    local full = now
    if known[i] and at[i] > now then full = at[i] end
    local nxt = full + hits * pace
    allowed = requests > 0 and nxt - now <= window + 0.0005
    at[i] = allowed and nxt or full
    cnt[i], bef[i] = 0, 0
    remaining = requests > 0 and math.max(0, math.floor((window - (at[i] - now)) / pace + 1e-6)) or 0
    reset = at[i] - now
    expires[i] = at[i]
  else
    local start = now - math.fmod(now, window)
    if not known[i] then
      at[i], cnt[i], bef[i] = start, 0, 0
    elseif at[i] < start then
      bef[i] = (algorithm == 1 and at[i] == start - window) and cnt[i] or 0
      at[i], cnt[i] = start, 0
    end
    local faded = 0
    if algorithm == 1 then
      local passed = math.max(0, now - at[i])
      faded = bef[i] * (1 - math.min(1, passed / window))
    end
    allowed = faded + cnt[i] + hits <= requests
    if allowed then cnt[i] = cnt[i] + hits end
    remaining = math.max(0, math.floor(requests - faded - cnt[i]))
    reset = at[i] + window - now
    expires[i] = at[i] + (algorithm == 1 and 2 or 1) * window
  end
  known[i] = true
  out[#out + 1] = string.format('%d %.17g %.17g', allowed and 1 or 0, remaining, reset)
end
for i, key in ipairs(KEYS) do
  local state = string.format('%.17g %.17g %.17g', at[i], cnt[i], bef[i])
  if state ~= raw[i] then
    redis.call('SET', key, state, 'PX', string.format('%d', math.max(1, math.ceil(expires[i] - now)) + grace))
  end
end
return table.concat(out, ' ')
`);
