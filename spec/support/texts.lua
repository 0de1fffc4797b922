-- texts - what the specs of text share: one operation over columns, expected values from Python, comparing long lists.
--
--   texts.apply("UPPER", { { "utf8", { "a" } } })             --> { "A" }, the mm_error of a row that failed
--   texts.apply("SUB_TEXT", { { "utf8", list }, { "i64", first }, { "i64", last } })
--   texts.cast("i32", "utf8", { "12", "x" }, "TRY")           --> { "12", "null" }
--   texts.python([[for i in range(3): print(i)]])             --> { "0", "1", "2" }; `random` is seeded
--   texts.same(got, want, inputs)                             -- fails with the first row that differs
local columns = require "columns"
local programs = require "programs"

local texts = { seed = tonumber(os.getenv "MM_SEED") or os.time() % 100000 }

---Run an operation on whole columns. options: those of Program:op, and `type` of the operands.
function texts.apply(op, fields, options)
  options = options or {}
  local types, registers = {}, {}
  for i, field in ipairs(fields) do types[i] = field[1] end
  local p = programs.new(types)
  for i in ipairs(fields) do registers[i] = p:load(i - 1) end
  local result
  if op == "CAST" then result = p:cast(options.to, types[1], registers[1], options.mode)
  else result = p:op(op, options.type or types[1], registers[1], registers[2], registers[3], options) end
  local batch, owner = programs.batch(fields)
  if not batch then return {} end
  local lists, failure = p:run({ result }, batch)
  return lists[1], failure, owner
end

---Cast a column. mode: "CHECK" (default) or "TRY".
function texts.cast(to, from, list, mode)
  return texts.apply("CAST", { { from, list, n = list.n } }, { to = to, mode = mode })
end

---Lines that a Python script prints.
function texts.python(script)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(("import random, struct, math, datetime\nseed = %d\nrandom.seed(seed)\n"):format(texts.seed), script)
  file:close()
  local lines, pipe = {}, assert(io.popen("python3 " .. name))
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  os.remove(name)
  assert(#lines > 0, "python3 printed nothing; seed " .. texts.seed)
  return lines
end

local function shown(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

---Compare lists of results; `inputs` (a list, or several) are shown with a row that differs.
function texts.same(got, want, ...)
  if #got ~= #want then error(("%d rows, not %d; seed %d"):format(#got, #want, texts.seed), 2) end
  for i = 1, #want do
    if got[i] ~= tostring(want[i]) then
      local from = {}
      for k, list in ipairs { ... } do from[k] = shown(list[i]) end
      error(("row %d of %s: %s, not %s; seed %d"):format(i, table.concat(from, ", "), shown(got[i]),
        shown(tostring(want[i])), texts.seed), 2)
    end
  end
end

---A text of code points as UTF-8.
function texts.utf8(points)
  local parts = {}
  for i, c in ipairs(points) do
    if c < 0x80 then parts[i] = string.char(c)
    elseif c < 0x800 then parts[i] = string.char(0xc0 + math.floor(c / 64), 0x80 + c % 64)
    elseif c < 0x10000 then parts[i] = string.char(0xe0 + math.floor(c / 4096), 0x80 + math.floor(c / 64) % 64,
      0x80 + c % 64)
    else
      parts[i] = string.char(0xf0 + math.floor(c / 262144), 0x80 + math.floor(c / 4096) % 64,
        0x80 + math.floor(c / 64) % 64, 0x80 + c % 64)
    end
  end
  return table.concat(parts)
end

---The characters of valid UTF-8, each as a string.
function texts.characters(text)
  local list = {}
  for character in text:gmatch "[%z\1-\127\192-\255][\128-\191]*" do list[#list + 1] = character end
  return list
end

local alphabets = {
  { { 0x20, 0x7e } }, { { 0x61, 0x63 } },
  { { 0x20, 0x7e }, { 0xa0, 0x24f }, { 0x391, 0x4ff }, { 0x2000, 0x2fff }, { 0x4e00, 0x9fff }, { 0x1f300, 0x1f6ff } },
}

---A random text of at most `most` characters, ASCII or not.
function texts.random(most)
  local alphabet, points = alphabets[math.random(#alphabets)], {}
  for i = 1, math.random(0, most) do
    local range = alphabet[math.random(#alphabet)]
    points[i] = math.random(range[1], range[2])
  end
  return texts.utf8(points)
end

---n values of make(i); every tenth or so is null when `nulls`.
function texts.list(n, make, nulls)
  local list = {}
  for i = 1, n do list[i] = nulls and math.random(10) == 1 and columns.null or make(i) end
  return list
end

return texts
