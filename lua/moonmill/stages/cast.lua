-- cast: change the types of columns.
local expr = require "moonmill.expr.compiler"
local types = require "moonmill.base.types"

local MODES = { [""] = "check", try = "try", wrap = "wrap", sat = "sat" }

local cast = {
  name = "cast", position = 70, reach = "rows", usage = ':cast { "a: i32", "b: try.f64", "cols(f64): f32" }',
  help = "change types; what does not fit is an error, null with try., modular with wrap., saturated with sat.",
  example = ':cast { "month: i8", "air_time: try.i32" }',
}

function cast.accept(call, list)
  call:at_most(1)
  local casts = {}
  for i, item in ipairs(call:texts(list, '"name: type"', ": ")) do
    local left, mode, shift, kind = item.text:match "^%s*(.-)%s*:%s*(%a*)%.?()([%w_]+[^:]*)$"
    if left and MODES[mode] == nil then kind, shift, mode = mode .. kind, shift - #mode, "" end
    if not left or left == "" then
      call:fail("bad-argument", ("cast takes \"name: type\", got \"%s\""):format(item.text), nil, item.place)
    end
    local place = { file = item.place.file, line = item.place.line, column = item.place.column + shift - 1,
      stage = "cast" }
    casts[i] = call:column { text = left, place = item.place }
    casts[i].type, casts[i].mode, casts[i].at = types.parse(kind, place), MODES[mode], place
  end
  if #casts == 0 then call:fail("bad-argument", "cast names no column") end
  return casts
end

function cast.plan(casts, draft)
  for _, item in ipairs(casts) do
    for _, found in ipairs(draft:expand { item }) do
      draft:builder():cast(found.name, expr.column(found.name, item.place), item.type, item.mode)
    end
  end
end

return cast
