#!lua name=giftstream_wallet

-- The wallet shard: the one place where coins are taken. See docs/design.md for keys, arguments and answers.
-- The files of this folder are one library (see server/stores/redis.py for their order).
-- Every function takes KEYS[1] = "{wNN}:shard"; all other keys are derived from its tag, so they share its slot.
-- A call decides in memory, checking every argument, and only then writes: an error never leaves half a batch.

local MONEY_MAX = 2 ^ 53 - 1
local DEDUPE_SLACK_S = 60
local BUSY_RETRY_MS = 1000
-- Combos that one viewer can have running at the same time; the one longest untouched is forgotten first.
local COMBOS_MAX = 4
-- Gifts of one call: Lua has room for so many arguments of one command.
local BATCH_MAX = 1024
-- How wallets and answers are kept; what was written in another way cannot be read, and its shard begins anew.
local LAYOUT = '2'
local CLOSED = 'FENCED the shard is not open on this server'

-- What this server process itself last wrote, per opened shard: the fence. A restart or a promotion empties it.
local opened = {}

local function text(number)
  return string.format('%d', number)
end

local function whole(value, low)
  local number = tonumber(value)
  if not number or number ~= math.floor(number) or number < low or number > MONEY_MAX then
    error('not a whole number in range: ' .. tostring(value))
  end
  return number
end

local function tag_of(key)
  if string.sub(key, -6) ~= ':shard' then error('not a shard key: ' .. key) end
  return string.sub(key, 1, -6)
end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function window_of(now, dedupe_s, last)
  -- A window never goes back, whatever the clock does: a request once remembered stays in reach.
  return math.max(math.floor(now / 1000000 / dedupe_s), tonumber(last or '0'))
end

-- Answers of a window are kept until the next one is over. By the windows, not by the clock: one that was set back
-- would let them go too early when it is set right again, and a retry would be charged.
local function keep_answers(answers_at, window, dedupe_s)
  redis.call('EXPIREAT', answers_at, text((window + 2) * dedupe_s + DEDUPE_SLACK_S), 'NX')
end

local function fence(key, epoch, number, opening)
  opened[key] = { epoch = epoch, number = number, opening = opening }
end

local function is_open(key, epoch, number, opening)
  local mine = opened[key]
  return mine ~= nil and mine.epoch == epoch and mine.number == number and mine.opening == opening
end

-- Answers nil when the shard is open here, else the refusal.
local function refuse_closed(key)
  local held = redis.call('HMGET', key, 'epoch', 'number', 'opening')
  if is_open(key, held[1], tonumber(held[2] or ''), held[3]) then return nil end
  return redis.error_reply(CLOSED)
end

local function wallet_key(tag, epoch, viewer)
  return tag .. epoch .. ':w:' .. viewer
end

local function answers_key(tag, epoch, window)
  return tag .. epoch .. ':q:' .. text(window)
end

local function trim(key, tag)
  local held = redis.call('HMGET', key, 'epoch', 'settled', 'applied')
  local behind = math.min(tonumber(held[2]), tonumber(held[3]))
  redis.call('XTRIM', tag .. 'log', 'MINID', '=', held[1] .. '-' .. text(behind + 1))
end

-- Functions that free memory, or give people what is theirs, work also when memory is full; gifts do not. (A wallet is
-- loaded for whoever asks for a balance; the gift that follows is `busy`.)
local function register_always(name, callback)
  redis.register_function { function_name = name, callback = callback, flags = { 'allow-oom' } }
end

local function register_reading(name, callback)
  redis.register_function { function_name = name, callback = callback, flags = { 'no-writes' } }
end
