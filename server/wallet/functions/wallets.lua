-- Wallets come and go, and what happens to them besides gifts.

-- ARGV: epoch, cursor number, viewer, coins, credit number, blocked, wallet_idle_s, and controls if there are some: a
-- snapshot of the ledger.
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
  local now = now_us()
  local controls = args[8] and controls_of(args, 8, now) or ''
  if args[8] and controls == '' then return { 'another_time', text(now), '0' } end
  local loaded = {
    pending = 0, coins = coins, credit = credit, tat = 0, blocked = args[6] == '1',
    controlled = controls ~= '', rest = controls,
  }
  redis.call('SET', wallet_at, wallet_value(loaded), 'EX', idle_s)
  return { 'loaded', text(coins), '0' }
end

-- The key and what is held of a viewer's wallet; nil for the latter if it is not loaded.
local function find_wallet(key, viewer)
  local wallet_at = wallet_key(tag_of(key), redis.call('HGET', key, 'epoch') or '0', viewer)
  local held = redis.call('GET', wallet_at)
  return wallet_at, held and read_wallet(held)
end

-- ARGV: viewer, credit number, amount (negative for coins taken back), and for coins that come back when they were
-- spent (µs).
local function credit(keys, args)
  local number, amount, spent_at = whole(args[2], 1), whole(args[3], -MONEY_MAX), args[4] and whole(args[4], 0)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local wallet_at, wallet = find_wallet(keys[1], args[1])
  if not wallet then return 'absent' end
  if number <= wallet.credit then return 'already ' .. text(wallet.coins) end
  if number ~= wallet.credit + 1 then return 'gap ' .. text(wallet.credit) end
  wallet.coins, wallet.credit = wallet.coins + amount, number
  if spent_at and wallet.controlled then unspend(wallet, amount, spent_at, now_us()) end
  rewrite(wallet_at, wallet_value(wallet))
  return 'applied ' .. text(wallet.coins)
end

local function add_controls(answer, wallet, now)
  local controls = read_controls(wallet.rest, 1, now)
  for i = 1, 11 do answer[#answer + 1] = text(controls[i]) end
end

-- ARGV: viewer. Answers coins, pending, blocked, credit number, and its controls if it has some (see CONTROLS); nothing if
-- the wallet is not loaded.
local function wallet(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local _, held = find_wallet(keys[1], args[1])
  if not held then return false end
  local answer = { text(held.coins), text(held.pending), held.blocked and '1' or '0', text(held.credit) }
  if held.controlled then add_controls(answer, held, now_us()) end
  return answer
end

-- ARGV: viewer, coins and credit number as they were when the controls were made up, controls. A wallet that has controls
-- keeps what it has counted; one that has none takes it over, if nothing was spent since.
local function set_controls(keys, args)
  local closed = refuse_closed(keys[1])
  if closed then return closed end
  local now = now_us()
  local controls = controls_of(args, 4, now)
  if not controls then return 'another_time ' .. text(now) end
  local wallet_at, wallet = find_wallet(keys[1], args[1])
  if not wallet then return 'absent' end
  if wallet.controlled then
    local held, new = read_controls(wallet.rest, 1, now), { struct.unpack(CONTROLS, controls) }
    if new[1] <= held[1] then return 'already' end
    for period = 1, #PERIODS do new[3 * period + 1] = held[3 * period + 1] end
    controls = struct.pack(CONTROLS, unpack(new, 1, 11))
    wallet.rest = string.sub(wallet.rest, CONTROLS_BYTES + 1)
  elseif text(wallet.coins) ~= args[2] or text(wallet.credit) ~= args[3] then
    return 'changed'
  end
  wallet.controlled, wallet.rest = true, controls .. wallet.rest
  rewrite(wallet_at, wallet_value(wallet))
  return 'ok'
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

-- ARGV: viewers. Answers number, epoch, settled, then coins, credit, pending and controls (a list, empty if it has none) of
-- each (false where not loaded).
local function audit(keys, args)
  local held = redis.call('HMGET', keys[1], 'number', 'epoch', 'settled')
  local rows, now = { held[1] or '0', held[2] or '0', held[3] or '0' }, now_us()
  for _, viewer in ipairs(args) do
    local value = redis.call('GET', wallet_key(tag_of(keys[1]), held[2] or '0', viewer))
    local wallet = value and read_wallet(value)
    for _, field in ipairs({ 'coins', 'credit', 'pending' }) do
      rows[#rows + 1] = wallet and text(wallet[field]) or false
    end
    local controls = wallet and {} or false
    if wallet and wallet.controlled then add_controls(controls, wallet, now) end
    rows[#rows + 1] = controls
  end
  return rows
end

register_reading('gs_wallet', wallet)
register_reading('gs_audit', audit)
register_always('gs_load', load_wallet)
register_always('gs_credit', credit)
register_always('gs_controls', set_controls)
register_always('gs_block', block)
