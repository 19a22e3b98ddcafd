-- Controls: what viewers allow themselves to spend.

-- Version, the time before which nothing is sent (µs), and for a day, a week and a month of the calendar (UTC) each: limit
-- (-1: none), spent, end of the period (µs).
local CONTROLS, CONTROLS_BYTES = '<ddddddddddd', 88
local PERIODS = { 'day', 'week', 'month' }
local NO_LIMIT = -1
-- Share of a budget at which the answer to a gift says that it is nearly spent.
local NEAR = 0.8
local DAY_US = 86400 * 1000000

local function day_end(day)
  return day + 1
end

local function week_end(day)
  -- Weeks begin on Monday; day 0 was a Thursday.
  return day + 7 - (day + 3) % 7
end

-- Reckoned in years that begin in March: leap days come last in them, and any five months in a row have 153 days.
local ERA_DAYS, ERA_BEGAN = 146097, 719468
local function month_end(day)
  local floor = math.floor
  local era = floor((day + ERA_BEGAN) / ERA_DAYS)
  local in_era = day + ERA_BEGAN - era * ERA_DAYS
  local year = floor((in_era - floor(in_era / 1460) + floor(in_era / 36524) - floor(in_era / 146096)) / 365)
  local function begins(of) return 365 * of + floor(of / 4) - floor(of / 100) + floor(of / 400) end
  local month = floor((5 * (in_era - begins(year)) + 2) / 153)
  local next_month = month == 11 and begins(year + 1) or begins(year) + floor((153 * (month + 1) + 2) / 5)
  return next_month + era * ERA_DAYS - ERA_BEGAN
end

local DAYS_END = { day_end, week_end, month_end }

local function period_end(period, now)
  return DAYS_END[period](math.floor(now / DAY_US)) * DAY_US
end

-- A wallet's controls as a list: version, not before, limit, spent, end, …; periods that are over have begun anew.
local function read_controls(held, place, now)
  local controls = { struct.unpack(CONTROLS, held, place) }
  for period = 1, #PERIODS do
    local ends = 3 * period + 2
    if now >= controls[ends] then controls[ends - 1], controls[ends] = 0, period_end(period, now) end
  end
  return controls
end

-- Counts a gift. Answers the controls after it and how an answer that accepts it ends; or nil and the refusal.
local function spend(wallet, cost, now)
  local controls, near, over = read_controls(wallet, HEAD_BYTES + 1, now), {}, nil
  if now < controls[2] then return nil, string.format('["T","wallet_blocked",0,null,%d]', controls[2]) end
  for period, name in ipairs(PERIODS) do
    local limit, spent = controls[3 * period], controls[3 * period + 1]
    if limit ~= NO_LIMIT and cost > 0 then
      if spent + cost > limit then over = period end
      if spent < NEAR * limit and spent + cost >= NEAR * limit then near[#near + 1] = '"' .. name .. '"' end
    end
    controls[3 * period + 1] = spent + cost
  end
  if over then
    return nil, string.format('["T","limit_exceeded",0,"%s",%d]', PERIODS[over], controls[3 * over + 2])
  end
  local ending = #near > 0 and '",[' .. table.concat(near, ',') .. ']]' or '"]'
  return struct.pack(CONTROLS, unpack(controls, 1, 11)), ending
end

-- Coins that come back do not count any more for the periods that they were spent in, as far as these still run.
local function unspend(wallet, amount, spent_at, now)
  local controls = read_controls(wallet.rest, 1, now)
  for period = 1, #PERIODS do
    local spent, ends = 3 * period + 1, 3 * period + 2
    if period_end(period, spent_at) == controls[ends] then controls[spent] = math.max(0, controls[spent] - amount) end
  end
  wallet.rest = struct.pack(CONTROLS, unpack(controls, 1, 11)) .. string.sub(wallet.rest, CONTROLS_BYTES + 1)
end

-- Controls as arguments, packed. Nil if they were made up for other periods than those that run by this server's clock:
-- what was spent in these is not known then.
local function controls_of(args, first, now)
  local controls = { whole(args[first], 1), whole(args[first + 1], 0) }
  for period = 1, #PERIODS do
    local at = first + 3 * period - 1
    local ends = whole(args[at + 2], 0)
    if ends ~= period_end(period, now) then return nil end
    controls[#controls + 1] = whole(args[at], NO_LIMIT)
    controls[#controls + 1] = whole(args[at + 1], 0)
    controls[#controls + 1] = ends
  end
  return struct.pack(CONTROLS, unpack(controls))
end
