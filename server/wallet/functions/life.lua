-- Life of a shard: how it is begun, opened and looked at.

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

register_reading('gs_state', state)
register_always('gs_reset', reset)
register_always('gs_remember', remember)
register_always('gs_open', open)
