#!lua name=giftstream_wallet

-- The wallet shard: the one place where coins are taken. See docs/design.md for keys, arguments and answers.
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

-- ---------------------------------------------------------------------------------------------------------------
-- Life of a shard

local function state(keys)
  local held = redis.call('HMGET', keys[1], 'epoch', 'number', 'opening', 'settled', 'applied', 'shards', 'layout')
  local open = is_open(keys[1], held[1], tonumber(held[2] or ''), held[3])
  local legible = not held[1] or held[7] == LAYOUT
  return {
    held[1] or '0', held[2] or '0', held[3] or '', held[4] or '0', held[5] or '0', open and '1' or '0', held[6] or '0',
    legible and '1' or '0',
  }
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
    'opening', args[6], 'layout', LAYOUT)
  return 'ok'
end

-- ARGV: epoch, opening: what was seen; the new opening, dedupe_s, (request, answer)*: answers that the ledger knows,
-- after a reset. Each call has an opening of its own: data that lack one of them carry another than the last.
local function remember(keys, args)
  local tag, epoch, dedupe_s = tag_of(keys[1]), text(whole(args[1], 1)), whole(args[4], 1)
  local changed = refuse_changed(keys[1], epoch, '0', args[2])
  if changed then return changed end
  local window = window_of(now_us(), dedupe_s, redis.call('HGET', keys[1], 'window'))
  -- Noted for a clock that is set back before the first gift: it must not look in earlier windows.
  redis.call('HSET', keys[1], 'window', text(window), 'opening', args[3])
  local answers_at = answers_key(tag, epoch, window)
  redis.call('HSET', answers_at, unpack(args, 5))
  keep_answers(answers_at, window, dedupe_s)
  return 'ok'
end

-- ARGV: epoch, number, opening: what was seen; the new opening, which the ledger knows by now.
local function open(keys, args)
  local changed = refuse_changed(keys[1], args[1], args[2], args[3])
  if changed then return changed end
  if redis.call('HGET', keys[1], 'layout') ~= LAYOUT then error('the shard is laid out in another way') end
  redis.call('HSET', keys[1], 'opening', args[4])
  fence(keys[1], args[1], tonumber(args[2]), args[4])
  return 'ok'
end

-- ---------------------------------------------------------------------------------------------------------------
-- Wallets, as they are kept

-- A wallet is one packed value, read and written together with all others of its batch: pending, coins, credit number,
-- tat (µs, see `pace`), standing; then its running combos, youngest first: at (µs), sum, number of the first gift, key.
-- Not as text: Lua takes longer over a wallet's digits than over all else in a gift. `gs_wallet` shows what it says.
local HEAD, HEAD_BYTES = '<ddddB', 33
local COMBO = '<ddds'
local WALLET, WALLET_AND_COMBO = HEAD .. 'c0', HEAD .. 'dddsc0'
local BLOCKED = 1

local function read_wallet(held)
  local pending, coins, credit, tat, standing = struct.unpack(HEAD, held)
  return {
    pending = pending, coins = coins, credit = credit, tat = tat, blocked = standing == BLOCKED,
    combos = string.sub(held, HEAD_BYTES + 1),
  }
end

local function wallet_value(wallet)
  local standing = wallet.blocked and BLOCKED or 0
  return struct.pack(WALLET, wallet.pending, wallet.coins, wallet.credit, wallet.tat, standing, wallet.combos)
end

-- Writes a wallet that is there; its time to live, if it has one, goes on.
local function rewrite(wallet_at, value)
  redis.call('SET', wallet_at, value, 'KEEPTTL')
end

-- Writes wallets. Those that are awake have unsettled gifts: MSET takes their time to live away, so that they stay.
local function write_wallets(wallet_keys, values, awake)
  local waking = {}
  for place, has_unsettled in pairs(awake) do
    if has_unsettled then
      waking[#waking + 1] = wallet_keys[place]
      waking[#waking + 1] = values[place]
    else
      rewrite(wallet_keys[place], values[place])
    end
  end
  if #waking > 0 then redis.call('MSET', unpack(waking)) end
end

-- ---------------------------------------------------------------------------------------------------------------
-- Gifts

-- A batch comes in columns: one thing of each of its gifts or viewers, as MessagePack values one after the other.
local function column(packed, length)
  local values = { cmsgpack.unpack(packed) }
  if #values ~= length then error('a gift is missing arguments') end
  return values
end

local function number_column(packed, length, low)
  local values = column(packed, length)
  for i = 1, length do
    local value = values[i]
    if not (value >= low and value <= MONEY_MAX and value % 1 == 0) then
      error('not a whole number in range: ' .. tostring(value))
    end
  end
  return values
end

-- The keys of all wallets of a batch, and which of them is each viewer's.
local function places(prefix, viewers)
  local wallet_keys, place_of = {}, {}
  for i = 1, #viewers do
    local viewer = viewers[i]
    if not place_of[viewer] then
      wallet_keys[#wallet_keys + 1] = prefix .. viewer
      place_of[viewer] = #wallet_keys
    end
  end
  return wallet_keys, place_of
end

-- Pace of one viewer (generic cell rate algorithm). Answers the new tat, or the old one and the wait in µs.
local function pace(tat, now, interval_us, burst)
  if interval_us == 0 then return tat end
  local reach, from = interval_us * burst, tat
  -- Further ahead than the rule allows means that the clock went back: begin anew.
  if tat < now or tat - now > reach + interval_us then from = now end
  if from - now > reach - interval_us then return tat, from - now - reach + interval_us end
  return from + interval_us
end

-- The combo that a gift runs on with: its sum with this gift, the number of its first gift, and the wallet's others.
local function advance_combo(wallet, key, count, number, now, gap_us)
  local sum, first, others, running, place = count, number, '', 1, HEAD_BYTES + 1
  while place <= #wallet do
    local at, sum_before, its_first, its_key, next_place = struct.unpack(COMBO, wallet, place)
    if at <= now and now - at <= gap_us then
      if its_key == key then
        sum, first = sum_before + count, its_first
      elseif running < COMBOS_MAX then
        others, running = others .. string.sub(wallet, place, next_place - 1), running + 1
      end
    end
    place = next_place
  end
  return sum, first, others
end

-- ARGV: backlog_max, combo_gap_us, dedupe_s, gift_interval_us, gift_burst, then the columns of the batch: viewer,
-- request (`<viewer>:<request id>`), fingerprint, combo key or '', count, coins, refusal ('' | '!code' final | code), body.
local function gifts(keys, args)
  local call, format, pack_wallet, unpack_wallet = redis.call, string.format, struct.pack, struct.unpack
  local key, tag = keys[1], tag_of(keys[1])
  local held = call('HMGET', key, 'epoch', 'number', 'opening', 'settled', 'window', 'applied')
  local epoch, number = held[1], tonumber(held[2] or '')
  if not is_open(key, epoch, number, held[3]) then
    return redis.error_reply(CLOSED)
  end
  local backlog_max, gap_us, dedupe_s = whole(args[1], 1), whole(args[2], 0), whole(args[3], 1)
  local interval_us, burst = whole(args[4], 0), whole(args[5], 1)
  local viewers = { cmsgpack.unpack(args[6]) }
  local asked = #viewers
  if asked > BATCH_MAX then error('too many gifts for one call') end
  local requests, fingerprints, combo_keys = column(args[7], asked), column(args[8], asked), column(args[9], asked)
  local counts, costs = number_column(args[10], asked, 1), number_column(args[11], asked, 0)
  local refusals, bodies = column(args[12], asked), column(args[13], asked)
  -- The log is kept for the slower of its two readers.
  local behind, now = math.min(tonumber(held[4]), tonumber(held[6])), now_us()
  local window = window_of(now, dedupe_s, held[5])

  -- Read: all wallets and all requests of the batch at once.
  local wallet_keys, place_of = places(wallet_key(tag, epoch, ''), viewers)
  local wallets = call('MGET', unpack(wallet_keys))
  local answers_at = answers_key(tag, epoch, window)
  local lately = call('HMGET', answers_at, unpack(requests))
  local before = call('HMGET', answers_key(tag, epoch, window - 1), unpack(requests))

  -- Decide. The tables hold what this batch will have written, so that its later gifts see its earlier ones. Wallets stay
  -- packed between their gifts: unpacking one again is cheaper than a table for each.
  local answers, answered, kept, awake, replayed = {}, {}, {}, {}, false
  local records, accepted, now_text = {}, 0, text(now)
  for i = 1, asked do
    local request, refusal, place = requests[i], refusals[i], place_of[viewers[i]]
    local wallet, known = wallets[place], answered[request] or lately[i] or before[i]
    local answer = known
    if known then
      replayed = true
    elseif refusal ~= '' and string.sub(refusal, 1, 1) ~= '!' then
      answer = format('["T","%s",0]', refusal)
    elseif not wallet then
      answer = '["L"]'
    else
      local pending, coins, credit, tat, standing = unpack_wallet(HEAD, wallet)
      local next_tat, wait_us = pace(tat, now, interval_us, burst)
      if refusal == '' and (standing == BLOCKED or coins < 0) then
        answer = '["T","wallet_blocked",0]'
      elseif wait_us then
        answer = format('["T","rate_limited",%d]', math.ceil(wait_us / 1000))
      else
        -- A final refusal counts for the pace too: it is remembered, and memory is not for the taking.
        local final, combo, first, others, cost = true, counts[i], number + accepted + 1, nil, costs[i]
        if refusal ~= '' then
          answer = format('["R","%s",null,"%s"]', string.sub(refusal, 2), fingerprints[i])
        elseif first - behind > backlog_max then
          answer, final = format('["T","busy",%d]', BUSY_RETRY_MS), false
        elseif coins < cost then
          answer = format('["R","insufficient_coins",%d,"%s"]', coins, fingerprints[i])
        else
          local r = 3 * accepted
          accepted = accepted + 1
          if combo_keys[i] ~= '' then
            combo, first, others = advance_combo(wallet, combo_keys[i], combo, first, now, gap_us)
          end
          coins, pending = coins - cost, pending + cost
          local numbers = format('%d,%s,%d,%d,%d,', number + accepted, now_text, coins, combo, first)
          answer = '["A",' .. epoch .. ',' .. numbers .. '"' .. fingerprints[i] .. '"]'
          records[r + 1], records[r + 2], records[r + 3] = r == 0 and '[[' or '],[', numbers, bodies[i]
        end
        if others then
          wallet = pack_wallet(
            WALLET_AND_COMBO, pending, coins, credit, next_tat, standing, now, combo, first, combo_keys[i], others
          )
        else
          wallet = pack_wallet(WALLET, pending, coins, credit, next_tat, standing, string.sub(wallet, HEAD_BYTES + 1))
        end
        wallets[place], awake[place] = wallet, pending > 0
        if final then
          answered[request] = answer
          kept[#kept + 1] = request
          kept[#kept + 1] = answer
        end
      end
    end
    answers[i] = answer
  end

  -- Write.
  if accepted > 0 then
    number = number + accepted
    call('XADD', tag .. 'log', epoch .. '-' .. text(number), 'g', table.concat(records) .. ']]')
  end
  if #kept > 0 then
    call('HSET', answers_at, unpack(kept))
    keep_answers(answers_at, window, dedupe_s)
  end
  write_wallets(wallet_keys, wallets, awake)
  -- An old answer is only as durable as the write behind it: writing here makes a following WAITAOF wait for that too.
  if accepted > 0 or replayed or #kept > 0 then
    call('HSET', key, 'number', text(number), 'window', text(window))
    opened[key].number = number
  end
  -- The answers of the window before the last are in nobody's reach any more. Not left to their time to live alone:
  -- a server may free what has expired at one go, and a busy shard's answers are many.
  if held[5] and tonumber(held[5]) < window then call('UNLINK', answers_key(tag, epoch, window - 2)) end
  return '[' .. table.concat(answers, ',') .. ']'
end

-- ---------------------------------------------------------------------------------------------------------------
-- Wallets

-- ARGV: epoch, cursor number, viewer, coins, credit number, blocked, wallet_idle_s: a snapshot of the ledger.
local function load_wallet(keys, args)
  local number, coins, credit = whole(args[2], 0), whole(args[4], -MONEY_MAX), whole(args[5], 0)
  local idle_s = whole(args[7], 1)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'settled')
  if held[1] ~= args[1] or number < tonumber(held[2]) then return { 'stale', '0', '0' } end
  local wallet_at = wallet_key(tag_of(keys[1]), held[1], args[3])
  local present = redis.call('GET', wallet_at)
  if present then
    local wallet = read_wallet(present)
    return { 'present', text(wallet.coins), text(wallet.pending) }
  end
  local loaded = { pending = 0, coins = coins, credit = credit, tat = 0, blocked = args[6] == '1', combos = '' }
  redis.call('SET', wallet_at, wallet_value(loaded), 'EX', idle_s)
  return { 'loaded', text(coins), '0' }
end

-- The key and what is held of a viewer's wallet; nil for the latter if it is not loaded.
local function find_wallet(key, viewer)
  local wallet_at = wallet_key(tag_of(key), redis.call('HGET', key, 'epoch') or '0', viewer)
  local held = redis.call('GET', wallet_at)
  return wallet_at, held and read_wallet(held)
end

-- ARGV: viewer, credit number, amount (negative for coins taken back).
local function credit(keys, args)
  local number, amount = whole(args[2], 1), whole(args[3], -MONEY_MAX)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at, wallet = find_wallet(keys[1], args[1])
  if not wallet then return 'absent' end
  if number <= wallet.credit then return 'already ' .. text(wallet.coins) end
  if number ~= wallet.credit + 1 then return 'gap ' .. text(wallet.credit) end
  wallet.coins, wallet.credit = wallet.coins + amount, number
  rewrite(wallet_at, wallet_value(wallet))
  return 'applied ' .. text(wallet.coins)
end

-- ARGV: viewer. Answers coins, pending, blocked, credit number; nothing if the wallet is not loaded.
local function wallet(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local _, held = find_wallet(keys[1], args[1])
  if not held then return false end
  return { text(held.coins), text(held.pending), held.blocked and '1' or '0', text(held.credit) }
end

-- ARGV: viewer, 0 or 1.
local function block(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at, wallet = find_wallet(keys[1], args[1])
  if not wallet then return 'absent' end
  wallet.blocked = args[2] == '1'
  rewrite(wallet_at, wallet_value(wallet))
  return 'ok'
end

-- ARGV: viewers. Answers number, epoch, settled, then coins, credit, pending of each (false where not loaded).
local function audit(keys, args)
  local held = redis.call('HMGET', keys[1], 'number', 'epoch', 'settled')
  local rows = { held[1] or '0', held[2] or '0', held[3] or '0' }
  for _, viewer in ipairs(args) do
    local value = redis.call('GET', wallet_key(tag_of(keys[1]), held[2] or '0', viewer))
    local wallet = value and read_wallet(value)
    for _, field in ipairs({ 'coins', 'credit', 'pending' }) do
      rows[#rows + 1] = wallet and text(wallet[field]) or false
    end
  end
  return rows
end

-- ---------------------------------------------------------------------------------------------------------------
-- Marks of the two readers

-- Settlement took so many coins of these viewers.
local function free_pending(tag, epoch, viewers, coins, idle_s)
  local wallet_keys, prefix = {}, wallet_key(tag, epoch, '')
  for i = 1, #viewers do wallet_keys[i] = prefix .. viewers[i] end
  local wallets_held, awake = redis.call('MGET', unpack(wallet_keys)), {}
  for i = 1, #viewers do
    local held = wallets_held[i]
    if held then
      -- What is pending stands first in a wallet (see HEAD); the rest stays as it is.
      local pending, place = struct.unpack('<d', held)
      local left = math.max(pending - coins[i], 0)
      local value = struct.pack('<dc0', left, string.sub(held, place))
      if left == 0 then
        -- Nothing of a resting wallet is unsettled: it may leave, and the ledger gives it back.
        redis.call('SET', wallet_keys[i], value, 'EX', idle_s)
      else
        wallets_held[i], awake[i] = value, true
      end
    end
  end
  write_wallets(wallet_keys, wallets_held, awake)
end

-- ARGV: epoch, from, to, wallet_idle_s, columns of viewers and coins: what settlement took, exactly for the numbers
-- from+1 … to.
local function settled(keys, args)
  local tag = tag_of(keys[1])
  local from, to, idle_s = whole(args[2], 0), whole(args[3], 0), whole(args[4], 1)
  local viewers = { cmsgpack.unpack(args[5]) }
  local coins = number_column(args[6], #viewers, 0)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'settled', 'number')
  if held[1] ~= args[1] or tonumber(held[2]) ~= from then
    return 'no ' .. tostring(held[1] or 0) .. ' ' .. tostring(held[2] or 0)
  end
  if to < from or to > tonumber(held[3]) then error('settled past the log') end
  redis.call('HSET', keys[1], 'settled', text(to))
  if #viewers > 0 then free_pending(tag, args[1], viewers, coins, idle_s) end
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
