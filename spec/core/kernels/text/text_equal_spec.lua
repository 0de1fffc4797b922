-- == and ~= of text and a constant, of every size, against Lua.
local columns = require "columns"
local programs = require "programs"
local null = columns.null

local texts = { n = 0 }
for size = 0, 20 do
  local text = ("abcdefghijklmnopqrstu"):sub(1, size)
  for _, variant in ipairs { text, "X" .. text:sub(2), text:sub(1, -2) .. "X", text:upper() } do
    texts.n = texts.n + 1
    texts[texts.n] = variant
  end
  texts.n = texts.n + 1
  texts[texts.n] = size % 3 == 0 and null or text:sub(1, 9) .. "-" .. text:sub(11)
end

describe("text and a constant", function()
  for size = 0, 20 do
    it(("of %d bytes are equal where all bytes are"):format(size), function()
      local constant = ("abcdefghijklmnopqrstu"):sub(1, size)
      for _, name in ipairs { "utf8", "binary" } do
        local batch, keep = programs.batch { { name, texts } }
        local p = programs.new { name }
        local x, y = p:load(0), p:const(name, constant)
        local outputs = { p:op("EQ", name, x, y), p:op("NE", name, x, y), p:op("IS_DISTINCT", name, x, y),
          p:op("EQ", name, y, x) }
        local result = p:run(outputs, batch)
        for i = 1, texts.n do
          local known = texts[i] ~= null
          local same = tostring(texts[i] == constant)
          assert.same({ known and same or "null", known and tostring(same ~= "true") or "null",
            tostring(texts[i] ~= constant), known and same or "null" },
            { result[1][i], result[2][i], result[3][i], result[4][i] }, tostring(texts[i]))
        end
        assert.truthy(keep)
      end
    end)
  end
end)
