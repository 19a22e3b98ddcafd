#!lua name=giftstream_wallet

-- The wallet shard: the one place where coins are taken. See docs/design.md for keys, arguments and answers.
-- Every function takes KEYS[1] = "{wNN}:shard"; all other keys are derived from its tag, so they share its slot.
-- A call decides in memory, checking every argument, and only then writes: an error never leaves half a batch.

local MONEY_MAX = 2 ^ 53 - 1
local DEDUPE_SLACK_S = 60
local BUSY_RETRY_MS = 1000
-- Combos that one viewer can have running at the same time; the one longest untouched is forgotten first.
local COMBOS_MAX = 4
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
local function keep_answers(request_key, window, dedupe_s)
  redis.call('EXPIREAT', request_key, text((window + 2) * dedupe_s + DEDUPE_SLACK_S))
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

local function trim(key, tag)
  local held = redis.call('HMGET', key, 'epoch', 'settled', 'applied')
  local behind = math.min(tonumber(held[2]), tonumber(held[3]))
  redis.call('XTRIM', tag .. 'log', 'MINID', '=', held[1] .. '-' .. text(behind + 1))
end

-- ---------------------------------------------------------------------------------------------------------------
-- Life of a shard

local function state(keys)
  local held = redis.call('HMGET', keys[1], 'epoch', 'number', 'opening', 'settled', 'applied', 'shards')
  local open = is_open(keys[1], held[1], tonumber(held[2] or ''), held[3])
  return { held[1] or '0', held[2] or '0', held[3] or '', held[4] or '0', held[5] or '0', open and '1' or '0', held[6] or '0' }
end

-- Answers nil when the shard is at this epoch, number and opening, as its caller saw it; else the refusal. A call that
-- was on its way for long must not undo what others did since.
local function refuse_changed(key, epoch, number, opening)
  local held = redis.call('HMGET', key, 'epoch', 'number', 'opening')
  if (held[1] or '0') == epoch and (held[2] or '0') == number and (held[3] or '') == opening then return nil end
  return redis.error_reply('FENCED the shard is at ' .. tostring(held[1]) .. '-' .. tostring(held[2]))
end

-- ARGV: epoch, number, opening: what was seen; the new epoch, shards, the new opening.
local function reset(keys, args)
  local epoch, shards = text(whole(args[4], 1)), text(whole(args[5], 1))
  local changed = refuse_changed(keys[1], args[1], args[2], args[3])
  if changed then return changed end
  local tag = tag_of(keys[1])
  opened[keys[1]] = nil
  redis.call('DEL', tag .. 'log')
  redis.call('HSET', keys[1], 'epoch', epoch, 'number', '0', 'settled', '0', 'applied', '0', 'shards', shards,
    'opening', args[6])
  return 'ok'
end

-- ARGV: epoch, opening: what was seen; the new opening, dedupe_s, (viewer, request id, answer)*: answers that the ledger
-- knows, after a reset. Each call has an opening of its own: data that lack one of them carry another than the last.
local function remember(keys, args)
  local tag, epoch, dedupe_s = tag_of(keys[1]), text(whole(args[1], 1)), whole(args[4], 1)
  local changed = refuse_changed(keys[1], epoch, '0', args[2])
  if changed then return changed end
  local window = window_of(now_us(), dedupe_s, redis.call('HGET', keys[1], 'window'))
  -- Noted for a clock that is set back before the first gift: it must not look in earlier windows.
  redis.call('HSET', keys[1], 'window', text(window), 'opening', args[3])
  for i = 5, #args, 3 do
    local request_key = tag .. epoch .. ':q:' .. text(window) .. ':' .. args[i]
    redis.call('HSET', request_key, args[i + 1], args[i + 2])
    keep_answers(request_key, window, dedupe_s)
  end
  return 'ok'
end

-- ARGV: epoch, number, opening: what was seen; the new opening, which the ledger knows by now.
local function open(keys, args)
  local changed = refuse_changed(keys[1], args[1], args[2], args[3])
  if changed then return changed end
  redis.call('HSET', keys[1], 'opening', args[4])
  fence(keys[1], args[1], tonumber(args[2]), args[4])
  return 'ok'
end

-- ---------------------------------------------------------------------------------------------------------------
-- Gifts

-- `asked` and `before` are the last two windows in which this viewer's answers were kept: others need no look.
local function read_wallet(key)
  local held = redis.call('HMGET', key, 'coins', 'pending', 'tat', 'blocked', 'asked', 'before', 'combos')
  if not held[1] then return nil end
  return {
    coins = tonumber(held[1]), pending = tonumber(held[2]), tat = tonumber(held[3]),
    blocked = held[4] == '1', asked = tonumber(held[5]), before = tonumber(held[6]), combos = held[7],
    resting = held[2] == '0', changed = false,
  }
end

-- The first answer to this request, if it was asked in this window or the one before.
local function remembered(prefix, window, wallet, gift)
  local answer = nil
  if not wallet or wallet.asked == window then
    answer = redis.call('HGET', prefix .. text(window) .. ':' .. gift.viewer, gift.request)
  end
  if not answer and (not wallet or wallet.asked == window - 1 or wallet.before == window - 1) then
    answer = redis.call('HGET', prefix .. text(window - 1) .. ':' .. gift.viewer, gift.request)
  end
  return answer
end

-- Pace of one viewer (generic cell rate algorithm). Answers the wait in µs, or nil and books the gift.
local function pace(wallet, now, interval_us, burst)
  if interval_us == 0 then return nil end
  local reach = interval_us * burst
  -- Further ahead than the rule allows means that the clock went back: begin anew.
  if wallet.tat - now > reach + interval_us then wallet.tat = now end
  local tat = math.max(wallet.tat, now)
  if tat - now > reach - interval_us then return tat - now - reach + interval_us end
  wallet.tat = tat + interval_us
  wallet.changed = true
  return nil
end

-- A wallet keeps its running combos as `<room>:<gift> <at> <sum> <first>;` each, the youngest first.
local function running_combos(wallet, now, gap_us)
  if type(wallet.combos) == 'table' then return wallet.combos end
  local running = {}
  for key, at, sum, first in string.gmatch(wallet.combos or '', '([^ ;]+) (%d+) (%d+) (%d+);') do
    local since = now - tonumber(at)
    if since >= 0 and since <= gap_us then
      running[#running + 1] = { key = key, at = tonumber(at), sum = tonumber(sum), first = tonumber(first) }
    end
  end
  wallet.combos = running
  return running
end

-- The combo that this gift runs on with, and the number of the combo's first gift.
local function advance_combo(wallet, key, count, number, now, gap_us)
  local running = running_combos(wallet, now, gap_us)
  local combo = { key = key, at = now, sum = 0, first = number }
  for i, other in ipairs(running) do
    if other.key == key then
      combo = table.remove(running, i)
      break
    end
  end
  combo.at, combo.sum = now, combo.sum + count
  table.insert(running, 1, combo)
  running[COMBOS_MAX + 1] = nil
  return combo.sum, combo.first
end

local function combos_text(combos)
  if type(combos) ~= 'table' then return combos or '' end
  local parts = {}
  for i, combo in ipairs(combos) do
    parts[i] = string.format('%s %d %d %d;', combo.key, combo.at, combo.sum, combo.first)
  end
  return table.concat(parts)
end

local FIELDS_PER_GIFT = 8

local function parse_gifts(args, first)
  local gifts = {}
  if (#args - first + 1) % FIELDS_PER_GIFT ~= 0 then error('a gift is missing arguments') end
  for i = first, #args, FIELDS_PER_GIFT do
    gifts[#gifts + 1] = {
      viewer = args[i], request = args[i + 1], fingerprint = args[i + 2], combo_key = args[i + 3],
      count = whole(args[i + 4], 1), cost = whole(args[i + 5], 0), refusal = args[i + 6], body = args[i + 7],
    }
  end
  return gifts
end

-- ARGV: backlog_max, combo_gap_us, dedupe_s, gift_interval_us, gift_burst, then per gift:
-- viewer, request id, fingerprint, combo key or '', count, coins, refusal ('' | '!code' final | code), body.
local function gifts(keys, args)
  local key, tag = keys[1], tag_of(keys[1])
  local held = redis.call('HMGET', key, 'epoch', 'number', 'opening', 'settled', 'window', 'applied')
  local epoch, number = held[1], tonumber(held[2] or '')
  if not is_open(key, epoch, number, held[3]) then
    return redis.error_reply(CLOSED)
  end
  local backlog_max, gap_us, dedupe_s = whole(args[1], 1), whole(args[2], 0), whole(args[3], 1)
  local interval_us, burst = whole(args[4], 0), whole(args[5], 1)
  local asked = parse_gifts(args, 6)
  -- The log is kept for the slower of its two readers.
  local behind, now = math.min(tonumber(held[4]), tonumber(held[6])), now_us()
  local window = window_of(now, dedupe_s, held[5])
  local requests = tag .. epoch .. ':q:'

  -- Decide. The tables hold what this batch will have written, so that its later gifts see its earlier ones.
  local wallets, answered, records, answers, replayed = {}, {}, {}, {}, false
  for i, gift in ipairs(asked) do
    local viewer = gift.viewer
    local wallet = wallets[viewer] or read_wallet(wallet_key(tag, epoch, viewer))
    wallets[viewer] = wallet
    local known = answered[viewer] and answered[viewer][gift.request] or remembered(requests, window, wallet, gift)
    local answer, keep = nil, true
    if known then
      answer, keep, replayed = known, false, true
    elseif gift.refusal ~= '' and string.sub(gift.refusal, 1, 1) ~= '!' then
      answer, keep = 'T ' .. gift.refusal .. ' 0', false
    elseif not wallet then
      answer, keep = 'L', false
    elseif gift.refusal == '' and (wallet.blocked or wallet.coins < 0) then
      answer, keep = 'T wallet_blocked 0', false
    else
      -- A final refusal counts too: it is remembered, and memory is not for the taking.
      local wait_us = pace(wallet, now, interval_us, burst)
      if wait_us then
        answer, keep = 'T rate_limited ' .. text(math.ceil(wait_us / 1000)), false
      elseif gift.refusal ~= '' then
        answer = 'R ' .. string.sub(gift.refusal, 2) .. ' - ' .. gift.fingerprint
      elseif number + #records + 1 - behind > backlog_max then
        answer, keep = 'T busy ' .. text(BUSY_RETRY_MS), false
      elseif wallet.coins < gift.cost then
        answer = 'R insufficient_coins ' .. text(wallet.coins) .. ' ' .. gift.fingerprint
      else
        local mine = number + #records + 1
        local combo, first = gift.count, mine
        if gift.combo_key ~= '' then
          combo, first = advance_combo(wallet, gift.combo_key, gift.count, mine, now, gap_us)
        end
        wallet.coins = wallet.coins - gift.cost
        wallet.pending = wallet.pending + gift.cost
        wallet.changed = true
        local coins = wallet.coins
        answer = string.format('A %s %d %d %d %d %d %s', epoch, mine, coins, combo, first, now, gift.fingerprint)
        records[#records + 1] = string.format('[%d,%d,%d,%d,%d,%s]', mine, now, coins, combo, first, gift.body)
      end
    end
    answers[i] = answer
    if keep then
      answered[viewer] = answered[viewer] or {}
      answered[viewer][gift.request] = answer
    end
  end

  -- Write.
  if #records > 0 then
    number = number + #records
    redis.call('XADD', tag .. 'log', epoch .. '-' .. text(number), 'g', '[' .. table.concat(records, ',') .. ']')
  end
  for viewer, kept in pairs(answered) do
    local request_key = requests .. text(window) .. ':' .. viewer
    local fields = {}
    for request, answer in pairs(kept) do
      fields[#fields + 1] = request
      fields[#fields + 1] = answer
      if #fields == 200 then
        redis.call('HSET', request_key, unpack(fields))
        fields = {}
      end
    end
    if #fields > 0 then redis.call('HSET', request_key, unpack(fields)) end
    local wallet = wallets[viewer]
    if wallet.asked ~= window then
      keep_answers(request_key, window, dedupe_s)
      wallet.asked, wallet.before, wallet.changed = window, wallet.asked, true
    end
  end
  for viewer, wallet in pairs(wallets) do
    if wallet.changed then
      local wallet_at = wallet_key(tag, epoch, viewer)
      redis.call('HSET', wallet_at, 'coins', text(wallet.coins), 'pending', text(wallet.pending),
        'tat', text(wallet.tat), 'asked', text(wallet.asked), 'before', text(wallet.before),
        'combos', combos_text(wallet.combos))
      if wallet.resting and wallet.pending > 0 then redis.call('PERSIST', wallet_at) end
    end
  end
  -- An old answer is only as durable as the write behind it: writing here makes a following WAITAOF wait for that too.
  if #records > 0 or replayed or next(answered) then
    redis.call('HSET', key, 'number', text(number), 'window', text(window))
    opened[key].number = number
  end
  return answers
end

-- ---------------------------------------------------------------------------------------------------------------
-- Wallets

-- ARGV: epoch, cursor number, viewer, coins, credit number, blocked, wallet_idle_s, dedupe_s: a snapshot of the ledger.
local function load_wallet(keys, args)
  local tag = tag_of(keys[1])
  local number, coins, credit = whole(args[2], 0), whole(args[4], -MONEY_MAX), whole(args[5], 0)
  local idle_s, dedupe_s = whole(args[7], 1), whole(args[8], 1)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'settled', 'window')
  if held[1] ~= args[1] or number < tonumber(held[2]) then return { 'stale', '0', '0' } end
  local wallet_at = wallet_key(tag, held[1], args[3])
  local present = redis.call('HMGET', wallet_at, 'coins', 'pending')
  if present[1] then return { 'present', present[1], present[2] } end
  -- Its earlier answers may still be kept. Windows without any are not looked at with each gift; and this one counts as
  -- asked only if it has answers, as the first of a window gives them their time to live.
  local window = window_of(now_us(), dedupe_s, held[3])
  local function had_answers(of)
    return redis.call('EXISTS', tag .. held[1] .. ':q:' .. text(of) .. ':' .. args[3]) == 1
  end
  local before = had_answers(window - 1) and window - 1 or 0
  local asked = had_answers(window) and window or before
  redis.call('HSET', wallet_at, 'coins', text(coins), 'credit', text(credit), 'pending', '0', 'tat', '0',
    'blocked', args[6] == '1' and '1' or '0', 'asked', text(asked), 'before', text(before))
  redis.call('EXPIRE', wallet_at, idle_s)
  return { 'loaded', text(coins), '0' }
end

local function epoch_of(key)
  return redis.call('HGET', key, 'epoch') or '0'
end

-- ARGV: viewer, credit number, amount (negative for coins taken back).
local function credit(keys, args)
  local number, amount = whole(args[2], 1), whole(args[3], -MONEY_MAX)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at = wallet_key(tag_of(keys[1]), epoch_of(keys[1]), args[1])
  local held = redis.call('HMGET', wallet_at, 'coins', 'credit')
  if not held[1] then return 'absent' end
  local last = tonumber(held[2])
  if number <= last then return 'already ' .. held[1] end
  if number ~= last + 1 then return 'gap ' .. held[2] end
  local coins = tonumber(held[1]) + amount
  redis.call('HSET', wallet_at, 'coins', text(coins), 'credit', text(number))
  return 'applied ' .. text(coins)
end

-- ARGV: viewer. Answers coins, pending, blocked, credit number; nothing if the wallet is not loaded.
local function wallet(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at = wallet_key(tag_of(keys[1]), epoch_of(keys[1]), args[1])
  local held = redis.call('HMGET', wallet_at, 'coins', 'pending', 'blocked', 'credit')
  if not held[1] then return false end
  return held
end

-- ARGV: viewer, 0 or 1.
local function block(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at = wallet_key(tag_of(keys[1]), epoch_of(keys[1]), args[1])
  if redis.call('EXISTS', wallet_at) == 0 then return 'absent' end
  redis.call('HSET', wallet_at, 'blocked', args[2] == '1' and '1' or '0')
  return 'ok'
end

-- ARGV: viewers. Answers number, epoch, settled, then coins, credit, pending of each (false where not loaded).
local function audit(keys, args)
  local held = redis.call('HMGET', keys[1], 'number', 'epoch', 'settled')
  local rows = { held[1] or '0', held[2] or '0', held[3] or '0' }
  for _, viewer in ipairs(args) do
    local wallet_held = redis.call('HMGET', wallet_key(tag_of(keys[1]), held[2] or '0', viewer), 'coins', 'credit', 'pending')
    for field = 1, 3 do rows[#rows + 1] = wallet_held[field] end
  end
  return rows
end

-- ---------------------------------------------------------------------------------------------------------------
-- Marks of the two readers

-- ARGV: epoch, from, to, wallet_idle_s, (viewer, coins)*: what settlement took, exactly for the numbers from+1 … to.
local function settled(keys, args)
  local tag = tag_of(keys[1])
  local from, to, idle_s = whole(args[2], 0), whole(args[3], 0), whole(args[4], 1)
  local taken = {}
  for i = 5, #args, 2 do taken[#taken + 1] = { args[i], whole(args[i + 1], 0) } end
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'settled', 'number')
  if held[1] ~= args[1] or tonumber(held[2]) ~= from then
    return 'no ' .. tostring(held[1] or 0) .. ' ' .. tostring(held[2] or 0)
  end
  if to < from or to > tonumber(held[3]) then error('settled past the log') end
  redis.call('HSET', keys[1], 'settled', text(to))
  for _, pair in ipairs(taken) do
    local wallet_at = wallet_key(tag, args[1], pair[1])
    local pending = redis.call('HGET', wallet_at, 'pending')
    if pending then
      local left = math.max(tonumber(pending) - pair[2], 0)
      redis.call('HSET', wallet_at, 'pending', text(left))
      -- Nothing of a resting wallet is unsettled: it may leave, and the ledger gives it back.
      if left == 0 then redis.call('EXPIRE', wallet_at, idle_s) end
    end
  end
  trim(keys[1], tag)
  return 'ok'
end

-- ARGV: epoch, to.
local function applied(keys, args)
  local to = whole(args[2], 0)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'applied', 'number')
  if held[1] ~= args[1] or to <= tonumber(held[2]) then return 'no ' .. tostring(held[1] or 0) .. ' ' .. tostring(held[2] or 0) end
  if to > tonumber(held[3]) then error('applied past the log') end
  redis.call('HSET', keys[1], 'applied', text(to))
  trim(keys[1], tag_of(keys[1]))
  return 'ok'
end

redis.register_function('gs_gifts', gifts)
redis.register_function { function_name = 'gs_state', callback = state, flags = { 'no-writes' } }
redis.register_function { function_name = 'gs_wallet', callback = wallet, flags = { 'no-writes' } }
redis.register_function { function_name = 'gs_audit', callback = audit, flags = { 'no-writes' } }
-- These free memory, or give people what is theirs: they work also when memory is full. (A wallet is loaded for whoever
-- asks for a balance; the gift that follows is `busy`.)
redis.register_function { function_name = 'gs_reset', callback = reset, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_remember', callback = remember, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_open', callback = open, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_load', callback = load_wallet, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_credit', callback = credit, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_block', callback = block, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_settled', callback = settled, flags = { 'allow-oom' } }
redis.register_function { function_name = 'gs_applied', callback = applied, flags = { 'allow-oom' } }
