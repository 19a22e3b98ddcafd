-- Gifts: dedupe, balance, budgets, combo, number, log.

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
-- place: where the wallet's combos begin.
local function advance_combo(wallet, place, key, count, number, now, gap_us)
  local sum, first, others, running = count, number, '', 1
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
      local controls, ending = '', '"]'
      if standing >= CONTROLLED then controls, ending = spend(wallet, costs[i], now) end
      if refusal == '' and (standing % 2 == BLOCKED or coins < 0) then
        answer = '["T","wallet_blocked",0]'
      elseif refusal == '' and not controls then
        answer = ending
      elseif wait_us then
        answer = format('["T","rate_limited",%d]', math.ceil(wait_us / 1000))
      else
        -- A final refusal counts for the pace too: it is remembered, and memory is not for the taking.
        local final, combo, first, cost, others, rest = true, counts[i], number + accepted + 1, costs[i], nil, nil
        if refusal ~= '' then
          answer = format('["R","%s",null,"%s"]', string.sub(refusal, 2), fingerprints[i])
        elseif first - behind > backlog_max then
          answer, final = format('["T","busy",%d]', BUSY_RETRY_MS), false
        elseif coins < cost then
          answer = format('["R","insufficient_coins",%d,"%s"]', coins, fingerprints[i])
        else
          local r, combos_at = 3 * accepted, HEAD_BYTES + #controls + 1
          accepted = accepted + 1
          if combo_keys[i] ~= '' then
            combo, first, others = advance_combo(wallet, combos_at, combo_keys[i], combo, first, now, gap_us)
          else
            rest = controls .. string.sub(wallet, combos_at)
          end
          coins, pending = coins - cost, pending + cost
          local numbers = format('%d,%s,%d,%d,%d,', number + accepted, now_text, coins, combo, first)
          answer = '["A",' .. epoch .. ',' .. numbers .. '"' .. fingerprints[i] .. ending
          records[r + 1], records[r + 2], records[r + 3] = r == 0 and '[[' or '],[', numbers, bodies[i]
        end
        if others then
          wallet = pack_wallet(
            WALLET_AND_COMBO, pending, coins, credit, next_tat, standing, controls, now, combo, first, combo_keys[i], others
          )
        else
          rest = rest or string.sub(wallet, HEAD_BYTES + 1)
          wallet = pack_wallet(WALLET, pending, coins, credit, next_tat, standing, rest)
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
    -- The answers of the window before the last are in nobody's reach from now on. Not left to their time to live alone:
    -- a server may free what has expired at one go, and a busy shard's answers are many.
    if held[5] and tonumber(held[5]) < window then call('UNLINK', answers_key(tag, epoch, window - 2)) end
  end
  return '[' .. table.concat(answers, ',') .. ']'
end

redis.register_function('gs_gifts', gifts)
