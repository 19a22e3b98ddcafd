-- Marks of the two readers of the log: how far it is settled, and how far it is in the rooms.

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

-- ARGV: epoch, to, the opening under which the log was read. What was read before a failover says nothing of the log that
-- came instead, though its epoch may be the same and its numbers may have got as far.
local function applied(keys, args)
  local to = whole(args[2], 0)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local held = redis.call('HMGET', keys[1], 'epoch', 'applied', 'number', 'opening')
  if held[4] ~= args[3] then return 'other' end
  if held[1] ~= args[1] or to <= tonumber(held[2]) then return 'no ' .. tostring(held[1] or 0) .. ' ' .. tostring(held[2] or 0) end
  if to > tonumber(held[3]) then error('applied past the log') end
  redis.call('HSET', keys[1], 'applied', text(to))
  trim(keys[1], tag_of(keys[1]))
  return 'ok'
end

register_always('gs_settled', settled)
register_always('gs_applied', applied)
