-- Wallets, as they are kept.

-- A wallet is one packed value, read and written together with all others of its batch: pending, coins, credit number,
-- tat (µs, see `pace`), standing; then its controls, if it has some; then its running combos, youngest first: at (µs),
-- sum, number of the first gift, key. Not as text: Lua takes longer over a wallet's digits than over all else in a gift.
-- `gs_wallet` shows what it says.
local HEAD, HEAD_BYTES = '<ddddB', 33
local COMBO = '<ddds'
local WALLET, WALLET_AND_COMBO = HEAD .. 'c0', HEAD .. 'c0dddsc0'
-- Standing is a sum of these.
local BLOCKED, CONTROLLED = 1, 2

local function read_wallet(held)
  local pending, coins, credit, tat, standing = struct.unpack(HEAD, held)
  return {
    pending = pending, coins = coins, credit = credit, tat = tat, blocked = standing % 2 == BLOCKED,
    controlled = standing >= CONTROLLED, rest = string.sub(held, HEAD_BYTES + 1),
  }
end

local function wallet_value(wallet)
  local standing = (wallet.blocked and BLOCKED or 0) + (wallet.controlled and CONTROLLED or 0)
  return struct.pack(WALLET, wallet.pending, wallet.coins, wallet.credit, wallet.tat, standing, wallet.rest)
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
