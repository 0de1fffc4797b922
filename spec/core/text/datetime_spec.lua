local texts = require "texts"
local columns = require "columns"
local cast, same, apply = texts.cast, texts.same, texts.apply

local units = { s = 1, ms = 1e3, us = 1e6, ns = 1e9 }

---Lines of "a b c" as three lists.
local function split(lines, pattern)
  local lists = {}
  for i, line in ipairs(lines) do
    for k, field in ipairs { line:match(pattern) } do
      lists[k] = lists[k] or {}
      lists[k][i] = field
    end
  end
  return unpack(lists)
end

local function whole(list)
  local numbers = {}
  for i, text in ipairs(list) do numbers[i] = loadstring("return " .. text .. "LL")() end
  return numbers
end

describe("dates as text", function()
  it("are Python's, from year 1 to 9999", function()
    local days, iso = split(texts.python [[
for i in range(5000):
    n = random.randrange(1, datetime.date.max.toordinal() + 1)
    print(n - 719163, datetime.date.fromordinal(n).isoformat())]], "^(%S+) (%S+)$")
    local numbers = whole(days)
    same(cast("utf8", "date", numbers), iso, days)
    same(cast("date", "utf8", iso), days, iso)
  end)

  it("carry a sign beyond these years", function()
    local list = { "0000-01-01", "-0001-12-31", "+10000-01-01", "-5877641-06-23", "+5881580-07-11" }
    local days = { -719528, -719529, 2932897, -2147483648, 2147483647 }
    same(cast("utf8", "date", days), list, days)
    same(cast("date", "utf8", list), days, list)
  end)

  it("are refused when there is no such day, or the form is another", function()
    local list = { "2013-02-29", "1900-02-29", "2013-04-31", "2013-13-01", "2013-00-01", "2013-01-00", "2013-01-32",
      "", "2013", "2013-1-1",
      "20130101", "2013/01/01", "2013-01-01 ", "2013-01-01T00:00", "+999-01-01", "10000-01-01", "+5881580-07-12",
        "２013-01-01" }
    same(cast("date", "utf8", list, "TRY"), texts.list(#list, function() return "null" end), list)
    same(cast("date", "utf8", { "2012-02-29", "2000-02-29" }), { 15399, 11016 })
  end)
end)

describe("timestamps as text", function()
  it("are Python's in every unit, without zeros at the end", function()
    local us, iso = split(texts.python [[
for i in range(4000):
    us = random.randrange(-62135596800 * 10**6, 253402300800 * 10**6)
    if i % 3 == 0: us -= us % 10**6
    s = (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)).isoformat()
    print(us, s.rstrip("0") if "." in s else s)]], "^(%S+) (%S+)$")
    same(cast("utf8", "timestamp(us)", whole(us)), iso, us)
    same(cast("timestamp(us)", "utf8", iso), us, iso)
  end)

  for unit in pairs(units) do
    it(("in %s read back at both ends of 64 bits"):format(unit), function()
      local list = { -2LL ^ 63, 2LL ^ 63 - 1, -1LL, 0LL, 1LL, 999999999LL, -999999999LL }
      list[1], list[2] = -0x7fffffffffffffffLL - 1, 0x7fffffffffffffffLL
      local kind = "timestamp(" .. unit .. ")"
      local want = {}
      for i, value in ipairs(list) do want[i] = tostring(value):gsub("LL", "") end
      local written = cast("utf8", kind, list)
      same(cast(kind, "utf8", written), want, written)
      kind = "duration(" .. unit .. ")"
      written = cast("utf8", kind, list)
      same(cast(kind, "utf8", written), want, written)
    end)
  end

  it("may leave out the time or the seconds, and may name an offset", function()
    local list = { "1970-01-02", "1970-01-02T00:00", "1970-01-02 00:00:00", "1970-01-02T00:00:00Z",
      "1970-01-02T01:30:00+01:30",
      "1970-01-01T22:30-01:30", "1970-01-02T00:00:00.000000000", "1970-01-02T00:00Z" }
    same(cast("timestamp(s)", "utf8", list), texts.list(#list, function() return 86400 end), list)
  end)

  it("are refused when digits would be lost, or they are no time", function()
    local list = { "1970-01-01T00:00:00.5", "1970-01-01T00:00:00.0001", "1970-01-01T24:00", "1970-01-01T10:60",
      "1970-01-01T10:00:60",
      "1970-01-01T", "1970-01-01T1:00", "1970-01-01T10:00:", "1970-01-01T10:00:00.", "1970-01-01T10:00+1",
        "1970-01-01T10:00+24:00",
      "1970-01-01x10:00", "1970-02-30T10:00", "1970-01-01T10:00z", "10:00", "1970-01-01T10:00:00 " }
    local want = texts.list(#list, function() return "null" end)
    same(cast("timestamp(s)", "utf8", list, "TRY"), want, list)
    want[1], want[2] = 500, "null"
    same(cast("timestamp(ms)", "utf8", list, "TRY"), want, list)
    same(cast("timestamp(ns)", "utf8", { "2262-04-11T23:47:16.854775807", "2262-04-11T23:47:16.854775808" }, "TRY"),
      { "9223372036854775807", "null" })
  end)
end)

describe("durations as text", function()
  it("are written in days, hours, minutes and seconds", function()
    local list = { 0, 1, 60, 3600, 5400, 86400, 90061, -5400, -1 }
    same(cast("utf8", "duration(s)", list), { "PT0S", "PT1S", "PT1M", "PT1H", "PT1H30M", "P1D", "P1DT1H1M1S",
      "-PT1H30M", "-PT1S" }, list)
    same(cast("utf8", "duration(ms)", { 1500, -1, 86400001 }), { "PT1.5S", "-PT0.001S", "P1DT0.001S" })
  end)

  it("are read from weeks to fractions of seconds, each at most once and in order", function()
    local list = { "P1W", "P2D", "PT36H", "PT90M", "P1DT0.5S", "-P1D", "+PT1S" }
    same(cast("duration(ms)", "utf8", list), { 604800000, 172800000, 129600000, 5400000, 86400500, -86400000, 1000 },
      list)
    list = { "", "P", "PT", "1H", "P1H", "PT1D", "P1DT", "PT1M1H", "PT1M1M", "PT1.5M", "P1Y", "P1M", "PT1",
      "PT0.0001S", "PT1S ", "p1d" }
    same(cast("duration(ms)", "utf8", list, "TRY"), texts.list(#list, function() return "null" end), list)
  end)
end)

describe("parts of dates and timestamps", function()
  local names = { "YEAR", "MONTH", "DAY", "WEEKDAY", "YEARDAY", "WEEK" }
  local script = [[
for i in range(3000):
    n = random.choice([random.randrange(1, datetime.date.max.toordinal() + 1), random.randrange(700000, 740000)])
    d = datetime.date.fromordinal(n)
    t = random.randrange(86400)
    print(n - 719163, d.year, d.month, d.day, d.isoweekday(), d.timetuple().tm_yday, d.isocalendar()[1], t, t // 3600,
      t // 60 % 60, t % 60)]]
  local pattern = "^" .. ("(%S+) "):rep(10) .. "(%S+)$"

  it("are Python's for dates", function()
    local lists = { split(texts.python(script), pattern) }
    for k, name in ipairs(names) do same(apply(name, { { "date", whole(lists[1]) } }), lists[k + 1], lists[1]) end
  end)

  for unit, scale in pairs(units) do
    it(("are Python's for timestamps in %s, also before 1970"):format(unit), function()
      local lists = { split(texts.python(script), pattern) }
      local days, seconds = whole(lists[1]), whole(lists[8])
      local values, keep = {}, {}
      for i in ipairs(days) do
        if unit ~= "ns" or days[i] > -100000 and days[i] < 100000 then
          keep[#keep + 1] = i
          values[#values + 1] = (days[i] * 86400 + seconds[i]) * scale + (i % 2 == 0 and 0LL or scale - 1)
        end
      end
      local kind = "timestamp(" .. unit .. ")"
      local function check(name, list)
        local want = {}
        for k, i in ipairs(keep) do want[k] = list[i] end
        same(apply(name, { { kind, values } }), want, values)
      end
      for k, name in ipairs(names) do check(name, lists[k + 1]) end
      check("HOUR", lists[9])
      check("MINUTE", lists[10])
      check("SECOND", lists[11])
    end)
  end

  it("repeat every 400 years, to the ends of 32 bits of days and of 64 bits of seconds", function()
    local days, seconds = { 2147483647, -2147483648, 0 }, { 0x7fffffffffffffffLL, -0x7fffffffffffffffLL - 1, 0LL }
    same(apply("YEAR", { { "date", days } }), { 5881580, -5877641, 1970 })
    same(apply("DAY", { { "date", days } }), { 11, 23, 1 })
    same(apply("YEAR", { { "timestamp(s)", seconds } }), { 292277026596, -292277022657, 1970 })
    same(apply("SECOND", { { "timestamp(s)", seconds } }), { 7, 52, 0 })
  end)

  it("are null where the date is", function()
    same(apply("YEAR", { { "date", { 0, columns.null, 365 } } }), { 1970, "null", 1971 })
  end)
end)

describe("dates and timestamps from each other", function()
  it("give the day of a time, and the midnight that starts a day", function()
    local times = { 0, 86399, 86400, -1, -86400, -86401 }
    same(cast("date", "timestamp(s)", times), { 0, 0, 1, -1, -1, -2 }, times)
    same(cast("timestamp(ms)", "date", { 0, 1, -1 }), { 0, 86400000, -86400000 })
  end)

  it("fail where the other has no such value", function()
    same(cast("timestamp(ns)", "date", { 106751, 106752, -106751, -106752 }, "TRY"),
      { "9223286400000000000", "null", "-9223286400000000000", "null" })
    local _, failure = cast("date", "timestamp(s)", { 0LL, 0x7fffffffffffffffLL })
    assert.equal(1, tonumber(failure.row))
  end)
end)
