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

-- Who lived when there was last a sign of life, however long ago that is: the server may have been away.
local function last_alive()
  local found, latest, flat = {}, 0, redis.call('HGETALL', alive)
  for i = 2, #flat, 2 do latest = math.max(latest, tonumber(flat[i])) end
  for i = 1, #flat, 2 do
    if tonumber(flat[i + 1]) > latest - ask.lease_ms then found[#found + 1] = string.match(flat[i], '^[^:]+') end
  end
  return found
end

-- A gateway that was out of touch when the counters were lost does not know whom they had: it lets the others come first
-- for a while.
local function is_quiet()
  local till = tonumber(redis.call('HGET', state, 'quiet') or '0')
  return till > now_ms and till <= now_ms + ask.most_quiet_ms -- no later, unless the clock was set back
end

local function settle_readiness()
  local ready = #redis.call('SDIFF', roster, joined) == 0 and not is_quiet()
  redis.call('HSET', state, 'ready', ready and '1' or '0')
end

local function number_of(mark) return tonumber(redis.call('HGET', state, mark) or '0') end

-- Members are numbered as they come, also where they come back after their lease: who has heard of so many knows each up
-- to this number.
local function enter(gateway, number)
  local entered = math.max(number_of('entered') + 1, number)
  redis.call('SADD', members, gateway)
  redis.call('HSET', state, 'entered', whole(entered), 'number:' .. gateway, whole(number > 0 and number or entered))
end

local function is_alive(gateway)
  for _, each in ipairs(gateways_alive()) do
    if each == gateway then return true end
  end
  return false
end

local function beat()
  redis.call('HSET', alive, ask.process, whole(now_ms + ask.lease_ms))
  redis.call('HSET', state, 'heard:' .. ask.gateway, whole(ask.heard))
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

-- Living gateways that have not written down yet that there is this one. Were the counters lost, they would not wait for
-- it; so it admits nobody before they have, once. Who has left tells it when it comes back, and older ones cannot say.
local function unaware()
  local found, number, known = {}, number_of('number:' .. ask.gateway), 'known:' .. ask.gateway
  if redis.call('HGET', state, known) == whole(number) then return found end
  for _, gateway in ipairs(gateways_alive()) do
    local says = version_of('version:' .. gateway) >= 3 and redis.call('HEXISTS', state, 'left:' .. gateway) == 0
    if gateway ~= ask.gateway and says and number_of('heard:' .. gateway) < number then found[#found + 1] = gateway end
  end
  if #found == 0 then redis.call('HSET', state, known, whole(number)) end
  return found
end

-- Epochs are in order: a server that names an earlier one than a gateway knows has come back without what was since.
local function turn_of(name) return tonumber(string.match(name or '', '^(%d+)%.') or '0') end

-- The counters begin anew: until all that are waited for have told their sums, nobody admits.
local function begin_anew(epoch)
  local waited = last_alive()
  if redis.call('HGET', state, 'ready') ~= '1' then
    for _, gateway in ipairs(redis.call('SMEMBERS', roster)) do waited[#waited + 1] = gateway end
  end
  if turn_of(epoch) < turn_of(ask.epoch) then
    for _, gateway in ipairs(ask.members) do waited[#waited + 1] = gateway end
  end
  epoch = whole(math.max(turn_of(epoch), turn_of(ask.epoch)) + 1) .. '.' .. ask.fresh
  redis.call('DEL', roster, joined)
  redis.call('HSET', state, 'epoch', epoch, 'quiet', whole(now_ms + ask.quiet_ms))
  for _, field in ipairs(redis.call('HKEYS', state)) do
    local mark = string.match(field, '^(%a+:)')
    if mark == 'heard:' or mark == 'known:' or mark == 'left:' then redis.call('HDEL', state, field) end
  end
  for _, gateway in ipairs(waited) do redis.call('SADD', roster, gateway) end
  redis.call('SADD', roster, ask.gateway)
  return epoch
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
  -- Everything is gone; or a server took over, or came back, that may not have heard of the last charges.
  local server = redis.call('HGET', state, 'server')
  if not epoch or (server and server ~= ask.server) or turn_of(epoch) < turn_of(ask.epoch) then
    epoch = begin_anew(epoch or '')
  end
  redis.call('HSET', state, 'server', ask.server)
  if epoch ~= ask.epoch then
    -- Whom this gateway knows and the counters do not, or only from an earlier time, they have lost.
    for _, gateway in ipairs(ask.members) do
      local number = ask.numbers[gateway] or 0
      local is_new = redis.call('SADD', members, gateway) == 1
      if is_new or number_of('number:' .. gateway) < number then
        enter(gateway, number)
        redis.call('SADD', roster, gateway)
      end
    end
  end
  -- Nobody would wait for who comes back, if its server were then replaced by one from before: it is as if it were new.
  if not is_alive(ask.gateway) then redis.call('HSET', state, 'comes:' .. ask.gateway, '1') end
  if ask.current then redis.call('HDEL', state, 'quiet') end
  settle_readiness()
  redis.call('DEL', open)
  -- The places of this gateway's requests are told under a new name.
  for _, process in ipairs(redis.call('HKEYS', alive)) do
    if string.match(process, '^[^:]+') == ask.gateway then redis.call('HDEL', alive, process) end
  end
  redis.call('HSET', alive, ask.gateway .. ':', whole(now_ms + ask.lease_ms)) -- it lives while it joins
  redis.call('HSET', state, 'version', whole(ask.version), 'version:' .. ask.gateway, whole(ask.version))
  redis.call('HSET', state, 'instance:' .. ask.gateway, ask.instance)
  redis.call('HDEL', state, 'left:' .. ask.gateway)
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
  redis.call('HDEL', alive, ask.gateway .. ':')
  local comes = redis.call('HDEL', state, 'comes:' .. ask.gateway) == 1
  if redis.call('SADD', members, ask.gateway) == 1 or comes then enter(ask.gateway, 0) end
  for _, name in ipairs({roster, joined}) do redis.call('SADD', name, ask.gateway) end
  settle_readiness()
  beat()
elseif ask.step == 'beat' then
  -- Who was taken for dead has lost the places of its requests, and tells them anew.
  if tonumber(redis.call('HGET', alive, ask.process) or '0') <= now_ms or is_replaced() then return {'lost'} end
  settle_readiness()
  beat()
elseif ask.step == 'leave' then
  -- It is alive to the counters for its lease still: a server that takes over may not have heard of its last charges.
  if not is_replaced() then redis.call('HSET', state, 'left:' .. ask.gateway, '1') end
elseif ask.step == 'report' then
  -- The highest threshold that was told of; true for the one who is first to tell.
  -- A rolling window has no turn: there it is due again once the spending has fallen below it.
  local told = tonumber(redis.call('HGET', KEYS[7], ask.field) or '0')
  if ask.percent > told or ask.rolling then redis.call('HSET', KEYS[7], ask.field, whole(ask.percent)) end
  return {ask.percent > told and 'first' or 'told'}
end
local all = {}
for i, gateway in ipairs(redis.call('SMEMBERS', members)) do all[i] = {gateway, number_of('number:' .. gateway)} end
local heard, quiet = number_of('entered'), is_quiet() and 1 or 0
return {'done', redis.call('SDIFF', roster, joined), all, heard, unaware(), quiet}
