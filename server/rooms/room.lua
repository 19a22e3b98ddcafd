#!lua name=giftstream_rooms

-- Rooms: totals, top gifters, chat, likes, viewers, and the deltas that screens receive.
-- Every function takes one key, the room's hash `{r:<room>}:room`; all other keys of the room are derived from it.
-- Arguments are checked before the first write. Whole numbers stay under 2^53, where Lua counts exactly.

local MONEY_MAX = 9007199254740991
local TOP_GIFTERS = 10
local CHAT_LINES_PER_DELTA = 50
local CHAT_LINES_WAITING_MAX = 200

-- A delta that says nothing but how many watch comes at most once in this time: in a storm of joins everybody who is
-- there would else be told of each tick's newcomers.
local VIEWERS_EVERY_US = 1000000

local ENDED_ROOM_REST_S = 3600
local POSITION_DIGITS_MAX = 16
local GIFTERS_PER_COMMAND = 200
-- Entrances wait among the chat lines, told apart by their first character: a list more would cost every tick a call.
local ENTRANCE = 'e'
local ENTRANCES_UP_TO = 100 -- lines that wait; past it chat alone is let in
-- What stands on the screen at the same time; the least valuable leaves first.
local SHOWN_MAX = 24

-- What is remembered of rooms past this many is forgotten, and costs each of them a jump.
local ROOMS_GIVEN_MAX = 50000
local POSITIONS_APART = 131072

local run -- names this server process: the time of its first call

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function this_run()
  run = run or string.format('%.0f', now_us())
  return run
end

local function text(number)
  return string.format('%.0f', number)
end

-- A number below 2^20, drawn anew each time, and otherwise by every server process.
local draws = 0

local function draw()
  draws = draws + 1
  return tonumber(string.sub(redis.sha1hex(this_run() .. ' ' .. draws), 1, 5), 16)
end

-- A room that is loaded again is another one, with other totals under the same numbers; its members must begin anew. So
-- its incarnation is about the time, and later than all that this server process gave before or has forgotten, also
-- while its clock stands still, is set back, or is behind that of the server before. Servers that come back from the
-- same data one after the other would go on alike, were it not for a draw.
local last_incarnation = 0

local function new_incarnation()
  last_incarnation = math.max(now_us(), last_incarnation + 1) + draw()
  return text(last_incarnation)
end

local function whole(argument)
  if argument and #argument <= 16 and string.find(argument, '^%d+$') then
    local number = tonumber(argument)
    if number <= MONEY_MAX then
      return number
    end
  end
  error({err = 'BADARG not a whole number under 2^53'})
end

local function mark(argument)
  local epoch, number = string.match(argument or '', '^(%d+)%-(%d+)$')
  if epoch then
    return whole(epoch), whole(number)
  end
end

local function some(argument)
  if not argument or argument == '' then
    error({err = 'BADARG empty argument'})
  end
  return argument
end

-- All keys of a room, from its hash.
local function keys_of(key)
  local tag, room = string.match(key or '', '^({r:([%w_-]+)}:)room$')
  if not tag then
    error({err = 'BADARG not the key of a room'})
  end
  return {
    id = room, hash = key, top = tag .. 'top', who = tag .. 'who', log = tag .. 'log', chat = tag .. 'chat',
    viewers = tag .. 'viewers', channel = tag .. 'deltas', say = tag .. 'say:', loading = tag .. 'loading:',
    shown = tag .. 'shown', tickets = tag .. 'tickets', claim = tag .. 'claim:', over = tag .. 'over',
    came = tag .. 'came:',
  }
end

local function fields(room, ...)
  local names = {...}
  local values = redis.call('HMGET', room.hash, ...)
  local state = {}
  for i, name in ipairs(names) do
    state[name] = values[i] or nil
  end
  return state
end

-- Members of all gateways that gave a sign of life lately.
local function viewers_now(room, now_s)
  local counts = redis.call('HGETALL', room.viewers)
  local total = 0
  for i = 1, #counts, 2 do
    local members, expires_s = string.match(counts[i + 1], '^(%d+) (%d+)$')
    if members and tonumber(expires_s) > now_s then
      total = total + tonumber(members)
    else
      redis.call('HDEL', room.viewers, counts[i])
    end
  end
  return text(total)
end

local function keep_members(room, gateway, members, ttl_s, now_s)
  if members == 0 then
    redis.call('HDEL', room.viewers, gateway)
  else
    redis.call('HSET', room.viewers, gateway, text(members) .. ' ' .. text(now_s + ttl_s))
    redis.call('EXPIRE', room.viewers, ttl_s * 2)
  end
end

-- The ranking as a delta shows it, as JSON, and the coins of its last place, 0 while there are places left.
local function ranking(room)
  local rows = redis.call('ZREVRANGE', room.top, 0, TOP_GIFTERS - 1, 'WITHSCORES')
  if #rows == 0 then
    return '[]', '0'
  end
  local viewers = {}
  for i = 1, #rows, 2 do
    viewers[#viewers + 1] = rows[i]
  end
  local ranked = redis.call('HMGET', room.who, unpack(viewers))
  for i = 1, #ranked do
    ranked[i] = '{"user":' .. ranked[i] .. ',"coins":' .. text(tonumber(rows[2 * i])) .. ',"rank":' .. text(i) .. '}'
  end
  return '[' .. table.concat(ranked, ',') .. ']', #ranked == TOP_GIFTERS and text(tonumber(rows[#rows])) or '0'
end

-- Reads the gifters of a tick, (viewer, coins, who JSON)* from a place in its arguments on: each once, with as many
-- coins together as the tick has.
local function gifters_of(args, from, count, coins)
  local given, seen = 0, {}
  for at = from, from + 3 * count - 1, 3 do
    local viewer = some(args[at])
    if seen[viewer] or not args[at + 2] then
      error({err = 'BADARG a gifter'})
    end
    given = given + whole(args[at + 1])
    seen[viewer] = true
  end
  if given ~= coins then
    error({err = 'BADARG gifters and coins differ'})
  end
end

-- Adds the gifters of a tick and answers the greatest sum that one of them has now. In pieces, as a call is dear in Lua.
local function add_gifters(room, args, from, count)
  local greatest = 0
  for first = 1, count, GIFTERS_PER_COMMAND do
    local viewers, people, sums = {}, {}, {}
    for i = first, math.min(first + GIFTERS_PER_COMMAND - 1, count) do
      local at = from + 3 * (i - 1)
      viewers[#viewers + 1] = args[at]
      people[#people + 1] = args[at]
      people[#people + 1] = args[at + 2]
    end
    local held = redis.call('ZMSCORE', room.top, unpack(viewers))
    for i, viewer in ipairs(viewers) do
      local sum = tonumber(held[i] or '0') + tonumber(args[from + 3 * (first + i - 2) + 1])
      greatest = math.max(greatest, sum)
      sums[#sums + 1] = text(sum)
      sums[#sums + 1] = viewer
    end
    redis.call('ZADD', room.top, unpack(sums))
    redis.call('HSET', room.who, unpack(people))
  end
  return greatest
end

-- Reads what a tick's items do: what is shown, as [id, goes on (0/1), at µs, lasting µs, coins, JSON without its end],
-- and who bought a ticket.
local function bought_of(packed)
  if packed == nil or packed == '' then
    return nil
  end
  local fine, bought = pcall(cjson.decode, packed)
  if not fine or type(bought) ~= 'table' or type(bought.shown) ~= 'table' or type(bought.tickets) ~= 'table' then
    error({err = 'BADARG bought'})
  end
  for _, item in ipairs(bought.shown) do
    for at, kind in ipairs({'string', 'number', 'number', 'number', 'number', 'string'}) do
      if type(item[at]) ~= kind or (kind == 'number' and (item[at] < 0 or item[at] > MONEY_MAX or item[at] % 1 ~= 0)) then
        error({err = 'BADARG an item that is shown'})
      end
    end
  end
  for _, viewer in ipairs(bought.tickets) do
    if type(viewer) ~= 'string' then
      error({err = 'BADARG a ticket'})
    end
  end
  return bought
end

-- What is shown: id → `<until µs> <coins> <JSON without its end>`. Answers the entries that are not over, oldest end first.
local function shown_now(room, now)
  local all = redis.call('HGETALL', room.shown)
  local entries = {}
  for i = 1, #all, 2 do
    local till, coins, json = string.match(all[i + 1], '^(%d+) (%d+) (.*)$')
    if till and tonumber(till) > now then
      entries[#entries + 1] = {id = all[i], till = tonumber(till), coins = tonumber(coins), json = json}
    end
  end
  table.sort(entries, function(a, b)
    if a.till ~= b.till then return a.till < b.till end
    return a.id < b.id
  end)
  return entries
end

local function shown_json(entries)
  local shown = {}
  for i, entry in ipairs(entries) do
    shown[i] = entry.json .. ',"until":' .. text(entry.till) .. '}'
  end
  return '[' .. table.concat(shown, ',') .. ']'
end

-- Adds items; the same effect or sticker again goes on where it would have ended. Answers all that is shown, as JSON.
local function show(room, items, now)
  for _, item in ipairs(items) do
    local id, from = item[1], item[3]
    if item[2] == 1 then
      local held = redis.call('HGET', room.shown, id)
      from = math.max(from, held and tonumber(string.match(held, '^%d+')) or 0)
    end
    redis.call('HSET', room.shown, id, text(from + item[4]) .. ' ' .. text(item[5]) .. ' ' .. item[6])
  end
  local entries = shown_now(room, now)
  while #entries > SHOWN_MAX do
    local least = 1
    for i, entry in ipairs(entries) do
      if entry.coins < entries[least].coins then least = i end
    end
    table.remove(entries, least)
  end
  local kept = {}
  for _, entry in ipairs(entries) do kept[entry.id] = true end
  for _, id in ipairs(redis.call('HKEYS', room.shown)) do
    if not kept[id] then redis.call('HDEL', room.shown, id) end
  end
  return shown_json(entries)
end

-- An ended room is kept for a while after its last change; it can always be loaded again.
local function rest(room, state)
  if state == 'ended' then
    local at_ms = text(math.floor(now_us() / 1000) + ENDED_ROOM_REST_S * 1000)
    for _, key in ipairs({room.hash, room.top, room.who, room.log, room.chat, room.shown, room.tickets}) do
      redis.call('PEXPIREAT', key, at_ms)
    end
  end
end

-- A position never names two deltas. Data that went back would hand them out again: to a server that came back with
-- older data, to the next one that came back with the same, or to one whose data were replaced under it. So a room goes
-- on with the next number only where this library itself gave the last one. Else it goes on far behind it, at a place
-- that is drawn anew each time; no clock is asked, as that may have been set back.
local given, rooms_given = {}, 0

local function gave(room, position)
  if not given[room.hash] then
    if rooms_given >= ROOMS_GIVEN_MAX then
      given, rooms_given = {}, 0
    end
    rooms_given = rooms_given + 1
  end
  given[room.hash] = position
end

local function position_after(room, state)
  local n = tonumber(state.n)
  if given[room.hash] ~= state.incarnation .. '-' .. state.n then
    n = n + POSITIONS_APART * (1 + draw())
  end
  n = text(n + 1)
  local position = state.incarnation .. '-' .. n
  gave(room, position)
  return n, position
end

-- Keeps a finished frame under its position and hands it to every gateway that listens.
local function publish(room, kind, position, frame, log_max)
  redis.call('XADD', room.log, 'MAXLEN', '~', text(log_max), position, 'k', kind, 'f', frame)
  redis.call('SPUBLISH', room.channel, kind .. ' ' .. position .. ' ' .. frame)
end

local function marks_of(room)
  local all = redis.call('HGETALL', room.hash)
  local marks = {}
  for i = 1, #all, 2 do
    local shard = string.match(all[i], '^m:(%d+)$')
    if shard then
      marks[#marks + 1] = shard
      marks[#marks + 1] = all[i + 1]
    end
  end
  return marks
end

-- gs_room_load: title JSON, creator JSON, state, started at µs, diamonds, gifts, coins, caught up (0/1), loading token,
-- gifters, ticket JSON or '', then (shard, mark)*. The gifters, and what is shown and who holds a ticket, were put under
-- the room's loading keys beforehand, in bounded pieces.
-- Answers loaded|present and the incarnation.
local function load_room(keys, args)
  local room = keys_of(keys[1])
  local title, creator, state = some(args[1]), some(args[2]), args[3]
  if state ~= 'live' and state ~= 'ended' then
    error({err = 'BADARG state'})
  end
  local started_at, diamonds, gifts, coins = whole(args[4]), whole(args[5]), whole(args[6]), whole(args[7])
  local caught_up, token, gifters, ticket = whole(args[8]), some(args[9]), whole(args[10]), args[11] or ''
  local marks = {}
  for i = 12, #args, 2 do
    whole(args[i])
    if not string.find(args[i + 1] or '', '^%d+%-%d+$') then
      error({err = 'BADARG mark'})
    end
    marks[#marks + 1] = 'm:' .. args[i]
    marks[#marks + 1] = args[i + 1]
  end
  local top, who = room.loading .. token .. ':top', room.loading .. token .. ':who'
  local shown, tickets = room.loading .. token .. ':shown', room.loading .. token .. ':tickets'
  local present = redis.call('HGET', room.hash, 'incarnation')
  if present then
    redis.call('UNLINK', top, who, shown, tickets)
    return {'present', present}
  end
  -- It may have ended since the snapshot was taken.
  if redis.call('EXISTS', room.over) == 1 then
    state = 'ended'
  end
  if redis.call('ZCARD', top) ~= gifters or redis.call('HLEN', who) ~= gifters then
    return redis.error_reply('STALE the gifters of this snapshot are gone: load again')
  end

  redis.call('UNLINK', room.top, room.who, room.log, room.chat, room.shown, room.tickets)
  for from, to in pairs({[shown] = room.shown, [tickets] = room.tickets}) do
    if redis.call('EXISTS', from) == 1 then
      redis.call('RENAME', from, to)
      redis.call('PERSIST', to)
    end
  end
  if gifters > 0 then
    redis.call('RENAME', top, room.top)
    redis.call('RENAME', who, room.who)
    redis.call('PERSIST', room.top)
    redis.call('PERSIST', room.who)
  end
  local incarnation = new_incarnation()
  local top, last_place = ranking(room)
  redis.call('HSET', room.hash, 'incarnation', incarnation, 'n', '0', 'state', state, 'title', title,
    'creator', creator, 'started_at', text(started_at), 'diamonds', text(diamonds), 'gifts', text(gifts),
    'coins', text(coins), 'caught_up', text(caught_up), 'viewers_sent', '0', 'likes', '0', 'top', top,
    'last_place', last_place, 'ticket', ticket)
  for i = 1, #marks, 2 do
    redis.call('HSET', room.hash, marks[i], marks[i + 1])
  end
  -- Position 0 stands in the log too, so that "is this position in the log" is the whole test for resuming.
  redis.call('XADD', room.log, incarnation .. '-0', 'k', 's')
  gave(room, incarnation .. '-0')
  rest(room, state)
  return {'loaded', incarnation}
end

-- gs_room_unload: incarnation. Forgets the room if it still is that one, to be loaded again. Answers 1 or 0.
local function unload_room(keys, args)
  local room = keys_of(keys[1])
  if redis.call('HGET', room.hash, 'incarnation') ~= some(args[1]) then
    return 0
  end
  redis.call('UNLINK', room.hash, room.top, room.who, room.log, room.shown, room.tickets)
  last_incarnation = math.max(last_incarnation, whole(args[1]))
  return 1
end

-- gs_room_tick: log_max, caught up (0/1), marks, (shard, old, new)*, gifts, coins, diamonds, entries JSON, more JSON,
-- server process that the gifts were read from or '', gifters, (viewer, coins, who JSON)*, and where some of the gifts are
-- other items, what these do, as JSON.
-- Answers {ok, incarnation, caught up, what waits: 0 nothing, 1 chat for the next tick, 2 viewers for a later one}, or
-- {marks, incarnation, caught up, (shard, mark)*} when a mark is not as expected, {moved} when this is another server
-- process (nothing was changed), or {absent}.
local TICKED = {'incarnation', 'n', 'state', 'diamonds', 'gifts', 'coins', 'top', 'last_place', 'viewers_sent', 'viewers_at',
  'likes', 'caught_up'}

local function tick(keys, args)
  local room = keys_of(keys[1])
  local log_max, caught_up, moves = whole(args[1]), whole(args[2]), whole(args[3])
  local asked, expected, set = {unpack(TICKED)}, {}, {}
  local at = 4
  for i = 1, moves do
    local field, old, new = 'm:' .. text(whole(args[at])), args[at + 1], args[at + 2]
    local epoch, number = mark(new)
    local old_epoch, old_number = mark(old)
    if not epoch then
      error({err = 'BADARG mark'})
    end
    -- A mark only ever moves forward: what is behind it was counted.
    if old_epoch and (epoch < old_epoch or (epoch == old_epoch and number <= old_number)) then
      error({err = 'BADARG a mark that does not move forward'})
    end
    asked[#TICKED + i], expected[i] = field, old
    set[#set + 1], set[#set + 2] = field, new
    at = at + 3
  end
  local gifts, coins, diamonds = whole(args[at]), whole(args[at + 1]), whole(args[at + 2])
  local entries, more, read_from, gifters = args[at + 3], args[at + 4], args[at + 5], whole(args[at + 6])
  local first_gifter = at + 7
  gifters_of(args, first_gifter, gifters, coins)
  local after = first_gifter + 3 * gifters
  local bought = bought_of(args[after])
  if #args < after - 1 or #args > after or (gifts > 0 and (moves == 0 or gifters == 0 or entries == '')) then
    error({err = 'BADARG a tick that does not add up'})
  end

  -- What was read from another server, before a failover, may be lost, and its numbers given to other gifts here.
  if read_from ~= '' and read_from ~= this_run() then
    return {'moved'}
  end
  local held, state = redis.call('HMGET', room.hash, unpack(asked)), {}
  for i, name in ipairs(TICKED) do
    state[name] = held[i] or nil
  end
  if not state.incarnation then
    return {'absent'}
  end
  for i = 1, moves do
    if (held[#TICKED + i] or '0-0') ~= expected[i] then
      local answer = {'marks', state.incarnation, state.caught_up}
      for _, value in ipairs(marks_of(room)) do
        answer[#answer + 1] = value
      end
      return answer
    end
  end
  local diamonds_now = text(whole(text(tonumber(state.diamonds) + diamonds)))
  local gifts_now = text(whole(text(tonumber(state.gifts) + gifts)))
  local coins_now = text(whole(text(tonumber(state.coins) + coins)))

  -- From here on everything is decided: only writes. Those of the room's hash are kept for one call at the end.
  local function put(field, value)
    set[#set + 1], set[#set + 2] = field, value
  end
  local now = now_us()
  local changed = {}
  if caught_up == 1 and state.caught_up ~= '1' then
    put('caught_up', '1')
    state.caught_up = '1'
  end
  if gifts > 0 then
    put('diamonds', diamonds_now)
    put('gifts', gifts_now)
    put('coins', coins_now)
    changed[#changed + 1] = '"gifts":' .. entries
    if more ~= '' then
      changed[#changed + 1] = '"more":' .. more
    end
    changed[#changed + 1] = '"diamonds":' .. diamonds_now
    changed[#changed + 1] = '"gifts_total":' .. gifts_now
    -- Nobody is, or comes, among the top gifters with less than the last of them has.
    if add_gifters(room, args, first_gifter, gifters) >= tonumber(state.last_place or '0') then
      local top, last_place = ranking(room)
      put('top', top)
      put('last_place', last_place)
      if top ~= state.top then
        changed[#changed + 1] = '"top":' .. top
      end
    end
  end
  if bought then
    if #bought.tickets > 0 then
      redis.call('SADD', room.tickets, unpack(bought.tickets))
    end
    if #bought.shown > 0 then
      changed[#changed + 1] = '"effects":' .. show(room, bought.shown, now)
    end
  end
  local lines = redis.call('LRANGE', room.chat, 0, CHAT_LINES_PER_DELTA - 1)
  if #lines > 0 then
    redis.call('LTRIM', room.chat, #lines, -1)
    local said, came = {}, {}
    for _, line in ipairs(lines) do
      if string.sub(line, 1, 1) == ENTRANCE then
        came[#came + 1] = string.sub(line, 2)
      else
        said[#said + 1] = line
      end
    end
    if #said > 0 then
      changed[#changed + 1] = '"chat":[' .. table.concat(said, ',') .. ']'
    end
    if #came > 0 then
      changed[#changed + 1] = '"entrances":[' .. table.concat(came, ',') .. ']'
    end
  end
  if state.likes ~= '0' then
    put('likes', '0')
    changed[#changed + 1] = '"likes":' .. state.likes
  end
  local waiting = #lines == CHAT_LINES_PER_DELTA and redis.call('EXISTS', room.chat) or 0
  local viewers = viewers_now(room, math.floor(now / 1000000))
  if viewers ~= state.viewers_sent then
    local since = now - tonumber(state.viewers_at or '0')
    if #changed > 0 or since >= VIEWERS_EVERY_US or since < 0 then
      put('viewers_sent', viewers)
      put('viewers_at', text(now))
      changed[#changed + 1] = '"viewers":' .. viewers
    else
      waiting = 2
    end
  end
  local n, position
  if #changed > 0 then
    n, position = position_after(room, state)
    put('n', n)
  end
  if #set > 0 then
    redis.call('HSET', room.hash, unpack(set))
  end
  if position then
    publish(room, 'd', position, '{"type":"delta","room":"' .. room.id .. '","position":"' .. position .. '","ts":' .. text(now)
      .. ',' .. table.concat(changed, ',') .. '}', log_max)
    rest(room, state.state)
  end
  return {'ok', state.incarnation, state.caught_up, text(waiting)}
end

-- gs_room_join: gateway, members, time to live of that count (s), position to resume after or "".
-- Answers {position, state, snapshot as JSON fields, a worker shall look at it (0/1), recovered (0/1),
-- [log entries after it]}, or {}.
local function join(keys, args)
  local room = keys_of(keys[1])
  local gateway, members, ttl_s, since = some(args[1]), whole(args[2]), whole(args[3]), args[4] or ''
  local state = fields(room, 'incarnation', 'n', 'state', 'diamonds', 'gifts', 'top', 'creator', 'title', 'viewers_sent',
    'caught_up')
  if not state.incarnation then
    return {}
  end
  local now = now_us()
  local now_s = math.floor(now / 1000000)
  keep_members(room, gateway, members, ttl_s, now_s)
  local viewers = viewers_now(room, now_s)
  local snapshot = '"diamonds":' .. state.diamonds .. ',"gifts":' .. state.gifts .. ',"viewers":' .. viewers .. ',"top":' .. state.top
    .. ',"creator":' .. state.creator .. ',"title":' .. state.title .. ',"state":"' .. state.state .. '"'
  local shown = shown_now(room, now)
  if #shown > 0 then
    snapshot = snapshot .. ',"effects":' .. shown_json(shown)
  end
  local recovered, missed = '0', {}
  local incarnation, n = string.match(since, '^(%d+)%-(%d+)$')
  if incarnation == state.incarnation and #n <= POSITION_DIGITS_MAX and #redis.call('XRANGE', room.log, since, since) == 1 then
    recovered = '1'
    missed = redis.call('XRANGE', room.log, '(' .. since, '+')
  end
  if viewers ~= state.viewers_sent then
    -- Whoever joins is told a count that the others were not: should it be theirs again by the next tick, it is new to this one.
    redis.call('HSET', keys[1], 'viewers_sent', '')
  end
  local dirty = (viewers ~= state.viewers_sent or state.caught_up ~= '1') and '1' or '0'
  return {state.incarnation .. '-' .. state.n, state.state, snapshot, dirty, recovered, missed}
end

-- gs_room_members: gateway, members, time to live of that count (s).
-- Answers {position, state, a worker shall look at it (0/1)}, or {} when the room is not loaded.
local function members(keys, args)
  local room = keys_of(keys[1])
  local gateway, count, ttl_s = some(args[1]), whole(args[2]), whole(args[3])
  local state = fields(room, 'incarnation', 'n', 'state', 'viewers_sent', 'likes', 'caught_up')
  local now_s = math.floor(now_us() / 1000000)
  keep_members(room, gateway, count, ttl_s, now_s)
  if not state.incarnation then
    return {}
  end
  local waits = viewers_now(room, now_s) ~= state.viewers_sent or state.likes ~= '0' or state.caught_up ~= '1'
    or redis.call('EXISTS', room.chat) == 1
  return {state.incarnation .. '-' .. state.n, state.state, waits and '1' or '0'}
end

-- gs_room_say: user, who JSON, text JSON, milliseconds per line, lines at once.
-- Answers {ok}, {wait, retry_ms}, {ended} or {absent}.
local function say(keys, args)
  local room = keys_of(keys[1])
  local user, who, line = some(args[1]), some(args[2]), some(args[3])
  local interval_us, burst = whole(args[4]) * 1000, whole(args[5])
  local state = redis.call('HGET', room.hash, 'state')
  if state ~= 'live' then
    return {state and 'ended' or 'absent'}
  end
  local now = now_us()
  local due = math.max(now, tonumber(redis.call('GET', room.say .. user) or '0')) + interval_us
  local early = due - now - interval_us * math.max(burst, 1)
  if early > 0 then
    return {'wait', text(math.ceil(early / 1000))}
  end
  if redis.call('LLEN', room.chat) >= CHAT_LINES_WAITING_MAX then
    return {'wait', '1000'}
  end
  if due > now then
    redis.call('SET', room.say .. user, text(due), 'PX', text(math.ceil((due - now) / 1000)))
  end
  redis.call('RPUSH', room.chat, '{"from":' .. who .. ',"text":' .. line .. ',"at":' .. text(now) .. '}')
  return {'ok'}
end

-- gs_room_like: count. Answers ok, ended or absent.
local function like(keys, args)
  local room = keys_of(keys[1])
  local count = whole(args[1])
  local state = fields(room, 'state', 'likes')
  if state.state ~= 'live' then
    return state.state and 'ended' or 'absent'
  end
  redis.call('HSET', room.hash, 'likes', text(math.min(tonumber(state.likes) + count, MONEY_MAX)))
  return 'ok'
end

-- gs_room_enter: user, who JSON, look JSON, pause (s) in which the same user's coming is shown once.
-- Answers ok, or no when it is not shown: it was lately, or too many come at once, or the room is not live.
local function enter(keys, args)
  local room = keys_of(keys[1])
  local user, who, look, pause_s = some(args[1]), some(args[2]), some(args[3]), whole(args[4])
  if redis.call('HGET', room.hash, 'state') ~= 'live' or redis.call('LLEN', room.chat) >= ENTRANCES_UP_TO
    or not redis.call('SET', room.came .. user, '1', 'NX', 'EX', pause_s) then
    return 'no'
  end
  redis.call('RPUSH', room.chat, ENTRANCE .. '{"from":' .. who .. ',"look":' .. look .. ',"at":' .. text(now_us()) .. '}')
  return 'ok'
end

-- gs_room_take_down: log_max, id of the gift that an item on the screen was paid with.
-- Answers ok (and a delta without it is published), no when there is no such item, or absent.
local function take_down(keys, args)
  local room = keys_of(keys[1])
  local log_max, id = whole(args[1]), '"id":"' .. some(args[2]) .. '"'
  local state = fields(room, 'incarnation', 'n', 'run', 'state')
  if not state.incarnation then
    return 'absent'
  end
  local now, found = now_us(), false
  for _, entry in ipairs(shown_now(room, now)) do
    if string.find(entry.json, id, 1, true) then
      redis.call('HDEL', room.shown, entry.id)
      found = true
    end
  end
  if not found then
    return 'no'
  end
  local n, position = position_after(room, state)
  redis.call('HSET', room.hash, 'n', n)
  publish(room, 'd', position, '{"type":"delta","room":"' .. room.id .. '","position":"' .. position .. '","ts":' .. text(now)
    .. ',"effects":' .. shown_json(shown_now(room, now)) .. '}', log_max)
  rest(room, state.state)
  return 'ok'
end

-- gs_room_end: log_max. Answers ended, already or absent. Gifts accepted before still count afterwards.
local function end_room(keys, args)
  local room = keys_of(keys[1])
  local log_max = whole(args[1])
  local state = fields(room, 'incarnation', 'n', 'state')
  -- For whoever is just loading it from an earlier snapshot.
  redis.call('SET', room.over, '1', 'EX', ENDED_ROOM_REST_S)
  if not state.incarnation then
    return 'absent'
  end
  if state.state == 'ended' then
    return 'already'
  end
  local n, position = position_after(room, state)
  redis.call('HSET', room.hash, 'state', 'ended', 'n', n)
  publish(room, 'e', position, '{"type":"room_ended","room":"' .. room.id .. '","position":"' .. position .. '"}', log_max)
  rest(room, 'ended')
  return 'ended'
end

-- gs_room_info: answers {title JSON, creator JSON, state, started at µs, diamonds, gifts, viewers, position,
-- caught up (0/1), ticket JSON or ''}, or {}.
local function info(keys)
  local room = keys_of(keys[1])
  local state = fields(room, 'incarnation', 'n', 'title', 'creator', 'state', 'started_at', 'diamonds', 'gifts',
    'caught_up', 'ticket')
  if not state.incarnation then
    return {}
  end
  return {
    state.title, state.creator, state.state, state.started_at, state.diamonds, state.gifts,
    viewers_now(room, math.floor(now_us() / 1000000)), state.incarnation .. '-' .. state.n, state.caught_up,
    state.ticket or '',
  }
end

-- gs_room_ticket: what is asked (held, claim, keep, drop), viewer, request, time to live of a claim (s).
-- A ticket is claimed before it is paid, so that nobody pays for two at once; kept once it is paid, before that is
-- acknowledged; and dropped if it was not paid. Answers held, none, unsure (the room does not have all gifts yet),
-- claimed, busy (by another request), kept, dropped, or absent.
local function ticket(keys, args)
  local room = keys_of(keys[1])
  local asked, viewer, request = args[1], some(args[2]), args[3]
  local state = fields(room, 'incarnation', 'caught_up', 'state')
  if not state.incarnation then
    return 'absent'
  end
  local claim = room.claim .. viewer
  if asked == 'keep' then
    redis.call('SADD', room.tickets, viewer)
    redis.call('DEL', claim)
    rest(room, state.state)
    return 'kept'
  end
  local claimed_by = redis.call('GET', claim)
  if asked == 'drop' then
    if claimed_by == some(request) then
      redis.call('DEL', claim)
    end
    return 'dropped'
  end
  if redis.call('SISMEMBER', room.tickets, viewer) == 1 then
    return 'held'
  end
  if asked == 'held' then
    return state.caught_up == '1' and 'none' or 'unsure'
  end
  if claimed_by and claimed_by ~= some(request) then
    return 'busy'
  end
  redis.call('SET', claim, some(request), 'EX', whole(args[4]))
  return 'claimed'
end

-- gs_probe: payload, to the sharded channel that is the key: a gateway hears itself through the way that deltas take.
local function probe(keys, args)
  return redis.call('SPUBLISH', keys[1], some(args[1]))
end

-- gs_run: names the server process, by any key of the slot asked about.
local function run_of()
  return this_run()
end

-- gs_connect: session, sockets of one user at most, time to live (s); the key is `{u:<user>}:connections`.
-- Answers 1, or 0 when there are too many.
local function connect(keys, args)
  local session, most, ttl_s = some(args[1]), whole(args[2]), whole(args[3])
  local now_s = math.floor(now_us() / 1000000)
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', text(now_s))
  if not redis.call('ZSCORE', keys[1], session) and redis.call('ZCARD', keys[1]) >= most then
    return 0
  end
  redis.call('ZADD', keys[1], text(now_s + ttl_s), session)
  redis.call('EXPIRE', keys[1], ttl_s)
  return 1
end

local function register(name, callback, ...)
  redis.register_function({function_name = name, callback = callback, flags = {...}})
end

-- Chat and likes wait when memory is full. The others must not: what they do lets the logs be trimmed, or is as small
-- and bounded as a connection.
register('gs_room_load', load_room, 'allow-oom')
register('gs_room_unload', unload_room, 'allow-oom')
register('gs_room_tick', tick, 'allow-oom')
register('gs_room_join', join, 'allow-oom')
register('gs_room_members', members, 'allow-oom')
register('gs_room_say', say)
register('gs_room_like', like)
register('gs_room_enter', enter)
register('gs_room_end', end_room, 'allow-oom')
register('gs_room_info', info, 'allow-oom')
register('gs_room_take_down', take_down, 'allow-oom')
register('gs_room_ticket', ticket, 'allow-oom')
register('gs_probe', probe, 'allow-oom')
register('gs_run', run_of, 'no-writes')
register('gs_connect', connect, 'allow-oom')
