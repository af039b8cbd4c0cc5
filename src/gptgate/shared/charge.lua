-- Give back, check and charge, in one step. All or none of `must` is charged; `may` is charged together or not at all.
--
-- Amounts of budgets are decimal strings, added by HINCRBY in 64 bits. Lua only compares them, as doubles: a hard limit
-- is below 2^53, so it is exact, and rounding a sum above it keeps it above.
-- A rate's level is q + r/w units (whole q; r < w, in microseconds): whole numbers below 2^53, never rounded.

local state, open, alive = KEYS[1], KEYS[2], KEYS[3]
local ask = cjson.decode(ARGV[1])
local KEPT_MS = 34560000000 -- 400 days

local standing = redis.call('HMGET', state, 'epoch', 'ready')
-- A call from before its gateway told its sums anew, or from while it does, is not in them: it may have come late, and
-- nobody reckons with it any more.
if standing[1] ~= ask.epoch or redis.call('HEXISTS', alive, ask.process) == 0 then return {'lost'} end

local clock = redis.call('TIME')
local now = ask.now or (tonumber(clock[1]) * 1000000 + tonumber(clock[2]))
local now_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function whole(number) return string.format('%.0f', number) end

-- time * amount / window as whole units and a rest; amount < 2^45 and window < 2^37, so no step reaches 2^53.
local function units(time, amount, window)
  local turns = math.floor(time / window)
  local part = time - turns * window
  local q, r = 0, 0
  for _, limb in ipairs({math.floor(amount / 1073741824), math.floor(amount / 32768) % 32768, amount % 32768}) do
    r = r * 32768 + limb * part
    local rest = math.fmod(r, window)
    q = q * 32768 + (r - rest) / window
    r = rest
  end
  return turns * amount + q, r
end

-- What a rate has used at this moment.
local function level(key, amount, window)
  local kept = redis.call('HMGET', key, 'q', 'r', 't', 'a', 'w')
  if not kept[1] then return 0, 0 end
  local q, r, a, w = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[4]), tonumber(kept[5])
  local back, rest = units(math.max(0, now - tonumber(kept[3])), a, w)
  q, r = q - back, r - rest
  if r < 0 then q, r = q - 1, r + w end
  if q < 0 then return 0, 0 end
  if a ~= amount or w ~= window then
    -- Another configuration: what was used stays used, in time, rounded up.
    return units(math.ceil(q / a * w + r / a) + 1, amount, window)
  end
  return q, r
end

local function keep_level(key, q, r, amount, window)
  redis.call('HSET', key, 'q', whole(q), 'r', whole(r), 't', whole(now), 'a', whole(amount), 'w', whole(window))
  redis.call('PEXPIRE', key, whole(math.ceil((q + 1) / amount * window / 1000) + 1000))
end

local living
local function is_alive(process)
  if not living then
    living = {}
    local flat = redis.call('HGETALL', alive)
    for i = 1, #flat, 2 do living[flat[i]] = tonumber(flat[i + 1]) > now_ms end
  end
  return living[process]
end

local function in_flight(key)
  local flat, sum = redis.call('HGETALL', key), 0
  for i = 1, #flat, 2 do
    if is_alive(flat[i]) then sum = sum + tonumber(flat[i + 1]) else redis.call('HDEL', key, flat[i]) end
  end
  return sum
end

-- A rolling window's sum is kept, and made anew when its first slot moves.
local function move(key, first, oldest)
  local kept = redis.call('HGET', key, 'first')
  if kept and tonumber(kept) >= tonumber(first) then return end
  redis.call('HSET', key, 'first', first, 'sum', '0')
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local slot = tonumber(string.match(flat[i], '^(%d+)'))
    if slot and slot < tonumber(oldest) then
      redis.call('HDEL', key, flat[i])
    elseif slot and slot >= tonumber(first) and string.match(flat[i], '^%d+$') then
      redis.call('HINCRBY', key, 'sum', flat[i + 1])
    end
  end
end

local function look_at_budget(one)
  local key, slot, first = KEYS[one.key], one.slot, one.first
  if first then move(key, first, one.oldest) end
  local kept = redis.call('HMGET', key, first and 'sum' or slot, 'held', 'added:' .. slot, 'set:' .. slot)
  return {kept[1] or '0', kept[2] or '0', kept[3] or '0', kept[4] or ''}
end

local function add_to_budget(one, amount, held)
  local key, slot = KEYS[one.key], one.slot
  redis.call('HINCRBY', key, slot, amount)
  redis.call('HINCRBY', key, slot .. ':' .. ask.gateway, amount)
  redis.call('HINCRBY', key, 'held', held)
  redis.call('HINCRBY', key, 'held:' .. ask.gateway, held)
  if one.first and tonumber(slot) >= tonumber(redis.call('HGET', key, 'first') or '0') then
    redis.call('HINCRBY', key, 'sum', amount)
  end
end

local function give(one)
  local key = KEYS[one.key]
  if one.kind == 'rate' then
    local q, r = level(key, one.amount, one.window)
    q = q + one.more
    if q < 0 then q, r = 0, 0 end
    keep_level(key, q, r, one.amount, one.window)
  elseif one.kind == 'place' then
    local left = tonumber(redis.call('HGET', key, one.process) or '0')
    if left > 1 then redis.call('HINCRBY', key, one.process, -1) else redis.call('HDEL', key, one.process) end
  elseif redis.call('HEXISTS', key, one.slot) == 1 then
    add_to_budget(one, one.more, one.unheld)
  elseif redis.call('EXISTS', key) == 1 then
    redis.call('HINCRBY', key, 'held', one.unheld)
    redis.call('HINCRBY', key, 'held:' .. ask.gateway, one.unheld)
  end
end

-- Whether it fits, and how it stands before it is charged.
-- An extension whose answer was lost is asked for again once its gateway has told its sums anew, without it. Rates are
-- not among these: they have been charged already.
local grown = ask.more and redis.call('GET', KEYS[5]) == ask.more

local function look(one)
  local key = KEYS[one.key]
  if one.kind == 'rate' then
    local q, r = level(key, one.amount, one.window)
    if grown then return true, {q, r} end
    local over = q + one.cost - one.amount
    return not (over > 0 or (over == 0 and r > 0)), {q, r}
  elseif one.kind == 'place' then
    local count = in_flight(key)
    return count < one.amount, {count}
  end
  local found = look_at_budget(one)
  local spent, cost = tonumber(found[1]), tonumber(one.cost)
  local fits = spent < 4611686018427387904 and cost < 4611686018427387904 -- a quarter of what HINCRBY can hold
  if one.limit and cost > 0 then
    local limit = tonumber(found[4] ~= '' and found[4] or one.limit) + tonumber(found[3])
    fits = fits and spent + cost <= math.min(limit, 9007199254740991)
  end
  return fits, found
end

local function charge(one, found)
  local key = KEYS[one.key]
  if one.kind == 'rate' then
    if not grown then keep_level(key, found[1] + one.cost, found[2], one.amount, one.window) end
  elseif one.kind == 'place' then
    redis.call('HINCRBY', key, one.process, 1)
    redis.call('PEXPIRE', key, 86400000)
  else
    add_to_budget(one, one.cost, one.cost)
    redis.call('PEXPIRE', key, one.ttl)
  end
end

local function look_at_all(list, found)
  local all = true
  for i, one in ipairs(list) do
    local fits, how = look(one)
    all, found[i] = all and fits, how
  end
  return all
end

-- What is not held is not given back: neither twice nor after the counters were built anew.
local marker = KEYS[4]
local held = redis.call('HGET', open, ask.id)
if ask.must and standing[2] ~= '1' then return {'wait'} end
if ask.more then
  -- Besides what is held, which stays held whatever the answer is.
  if held ~= 'wish' then return {'lost'} end
elseif ask.first then
  if redis.call('EXISTS', marker) == 1 then return {'gone'} end
elseif held then
  redis.call('HDEL', open, ask.id)
  for _, one in ipairs(ask.give) do
    if not one.wished or held == 'wish' then give(one) end
  end
elseif ask.must then
  return {'lost'}
elseif ask.bar then
  redis.call('SET', marker, '1', 'EX', 3600)
end

local standings = {}
for i, one in ipairs(ask.tell or {}) do standings[i] = look_at_budget(one) end
if not ask.must then return {'done', standings} end

local found, wished = {}, {}
local passes = look_at_all(ask.must, found)
local fits = look_at_all(ask.may, wished)
if passes then
  for i, one in ipairs(ask.must) do charge(one, found[i]) end
  if ask.more then redis.call('SET', KEYS[5], ask.more, 'EX', 3600) end
  if fits then
    for i, one in ipairs(ask.may) do charge(one, wished[i]) end
  end
end
if passes or ask.holds then
  local wish = passes and (fits or #ask.may == 0)
  redis.call('HSET', open, ask.id, wish and 'wish' or 'limits')
  redis.call('PEXPIRE', open, KEPT_MS)
end
return {passes and 'passed' or 'refused', found, fits and 1 or 0, wished}
