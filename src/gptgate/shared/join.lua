-- A gateway says what it has spent itself, part by part. Until every gateway that is waited for has, none may admit.

local state, open, alive, roster, joined, members = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local ask = cjson.decode(ARGV[1])
local KEPT_MS = 34560000000 -- 400 days

local clock = redis.call('TIME')
local now_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function whole(number) return string.format('%.0f', number) end

local function gateways_alive()
  local found, flat = {}, redis.call('HGETALL', alive)
  for i = 1, #flat, 2 do
    if tonumber(flat[i + 1]) > now_ms then
      found[#found + 1] = string.match(flat[i], '^[^:]+')
    else
      redis.call('HDEL', alive, flat[i])
    end
  end
  return found
end

local function settle_readiness()
  local ready = #redis.call('SDIFF', roster, joined) == 0
  redis.call('HSET', state, 'ready', ready and '1' or '0')
end

local function beat()
  redis.call('HSET', alive, ask.process, whole(now_ms + ask.lease_ms))
  for _, key in ipairs({state, open, alive, roster, joined, members}) do redis.call('PEXPIRE', key, KEPT_MS) end
end

-- A part that this gateway holds in a field of its own, and the sum of all gateways' parts beside it.
local function put(key, field, value)
  local own = field .. ':' .. ask.gateway
  local before = redis.call('HGET', key, own) or '0'
  redis.call('HSET', key, own, value)
  redis.call('HINCRBY', key, field, value)
  if before ~= '0' then
    redis.call('HINCRBY', key, field, string.sub(before, 1, 1) == '-' and string.sub(before, 2) or '-' .. before)
  end
end

-- How operators changed an account's amount: what any gateway was told last to set it to, and all additions after that.
-- An empty one sets it to what is configured, which each gateway knows for itself.
local function put_changes(key, slot, changes)
  local prefix, all = 'changes:' .. slot .. ':', {}
  redis.call('HSET', key, prefix .. ask.gateway, changes)
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if string.sub(flat[i], 1, #prefix) == prefix then
      for _, change in ipairs(cjson.decode(flat[i + 1])) do all[#all + 1] = change end
    end
  end
  local set, since = nil, -1
  for _, change in ipairs(all) do
    if change[3] ~= cjson.null and change[1] >= since then set, since = change[3], change[1] end
  end
  if set and set ~= '' then redis.call('HSET', key, 'set:' .. slot, set) else redis.call('HDEL', key, 'set:' .. slot) end
  redis.call('HSET', key, 'added:' .. slot, '0')
  for _, change in ipairs(all) do
    if change[3] == cjson.null and change[1] > since then redis.call('HINCRBY', key, 'added:' .. slot, change[2]) end
  end
end

-- Gateways from before there were versions left no mark.
local function version_of(mark) return tonumber(redis.call('HGET', state, mark) or '1') end

local function older_ones()
  local found = {}
  for _, gateway in ipairs(gateways_alive()) do
    if gateway ~= ask.gateway and version_of('version:' .. gateway) < ask.version then found[#found + 1] = gateway end
  end
  return found
end

-- Whether another process has joined under this gateway's id since this one had. Where both live, each would tell what it
-- has spent in the place of what the other has, so each must see the other, and neither may join while both come back.
local function is_replaced()
  local instance = redis.call('HGET', state, 'instance:' .. ask.gateway)
  return instance and instance ~= ask.instance
end

-- Who is started anew is let in, for nothing tells it from one that was started again, but not while twins were just seen:
-- then it only shows itself to the other. Only who was here before says that there are two: else who is started again and
-- again would keep itself out.
local function has_twin()
  local mark = 'twins:' .. ask.gateway
  local till = tonumber(redis.call('HGET', state, mark) or '0')
  local were_seen = till > now_ms and till <= now_ms + ask.lease_ms -- no later, unless the clock was set back
  if not (ask.again or were_seen) or not is_replaced() then return were_seen end
  redis.call('HSET', state, 'instance:' .. ask.gateway, ask.instance)
  if ask.again then redis.call('HSET', state, mark, whole(now_ms + ask.lease_ms)) end
  return true
end

local epoch = redis.call('HGET', state, 'epoch')
if ask.step == 'begin' then
  if ask.version < version_of('version') then return {'newer', whole(version_of('version'))} end
  if has_twin() then return {'twin'} end
  if not epoch or (ask.doubted and epoch == ask.epoch) then
    -- Everything is gone, or a server took over that may not have heard of the last charges: they are told again.
    local waited = epoch and gateways_alive() or ask.members
    epoch = ask.fresh
    redis.call('DEL', roster, joined)
    redis.call('HSET', state, 'epoch', epoch, 'ready', '0')
    for _, gateway in ipairs(waited) do redis.call('SADD', roster, gateway) end
    for _, gateway in ipairs(ask.members) do redis.call('SADD', members, gateway) end
    redis.call('SADD', roster, ask.gateway)
  end
  redis.call('DEL', open)
  -- The places of this gateway's requests are told under a new name.
  for _, process in ipairs(redis.call('HKEYS', alive)) do
    if string.match(process, '^[^:]+') == ask.gateway then redis.call('HDEL', alive, process) end
  end
  redis.call('HSET', state, 'version', whole(ask.version), 'version:' .. ask.gateway, whole(ask.version))
  redis.call('HSET', state, 'instance:' .. ask.gateway, ask.instance)
  return {'met', epoch, older_ones()}
end
if epoch ~= ask.epoch then return {'lost'} end
if ask.step == 'sums' then
  for _, one in ipairs(ask.sums) do
    if one.changes then
      put_changes(KEYS[one.key], one.slot, one.changes)
    else
      put(KEYS[one.key], one.slot, one.amount)
      put(KEYS[one.key], 'held', one.held)
    end
    redis.call('HDEL', KEYS[one.key], 'first')
    redis.call('PEXPIRE', KEYS[one.key], one.ttl)
  end
elseif ask.step == 'end' then
  for _, one in ipairs(ask.places) do
    redis.call('HSET', KEYS[one.key], ask.process, one.count)
    redis.call('PEXPIRE', KEYS[one.key], 86400000)
  end
  for _, one in ipairs(ask.open) do redis.call('HSET', open, one[1], one[2]) end
  for _, name in ipairs({roster, joined, members}) do redis.call('SADD', name, ask.gateway) end
  settle_readiness()
  beat()
elseif ask.step == 'beat' then
  -- Who was taken for dead has lost the places of its requests, and tells them anew.
  if tonumber(redis.call('HGET', alive, ask.process) or '0') <= now_ms or is_replaced() then return {'lost'} end
  settle_readiness()
  beat()
elseif ask.step == 'report' then
  -- The highest threshold that was told of; true for the one who is first to tell.
  -- A rolling window has no turn: there it is due again once the spending has fallen below it.
  local told = tonumber(redis.call('HGET', KEYS[7], ask.field) or '0')
  if ask.percent > told or ask.rolling then redis.call('HSET', KEYS[7], ask.field, whole(ask.percent)) end
  return {ask.percent > told and 'first' or 'told'}
end
return {'done', redis.call('SDIFF', roster, joined), redis.call('SMEMBERS', members)}
