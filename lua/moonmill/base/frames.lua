-- moonmill.base.frames - the functions of a script that were running when an error was raised, innermost first.
local frames = {}

---@class moonmill.Frame
---@field file string
---@field line integer
---@field ["function"] string its name, "<function>" when it has none, "main chunk" for the script itself

frames.MOST = 24 -- of a recursion without end the innermost tell enough

local own = debug.getinfo(1, "S").source:match "^(.*)moonmill/base/frames%.lua$"
local module, modules = own .. "moonmill.lua", own .. "moonmill/"

---Whether a chunk is code of ours.
---@param source string of debug.getinfo
---@return boolean
function frames.is_own(source) return source == module or source:sub(1, #modules) == modules end

---The file of a chunk, as the script's user knows it.
---@param info table of debug.getinfo with "S"
---@return string
local function file_of(info) return info.source:match "^[@=](.*)" or info.short_src end

---The frames from `level` up, seen from the caller as for debug.getinfo; C and our own modules are left out.
---@param level integer
---@param outer? { running: function, name: string? } the function of ours where they end, and what to call the one that
---it runs
---@return moonmill.Frame[]
function frames.stack(level, outer)
  local list = {}
  local ends = outer and debug.getinfo(outer.running, "S").source -- all of a generated chunk is ours
  for at = level + 1, math.huge do
    local info = debug.getinfo(at, "Slnf")
    if not info or #list == frames.MOST then return list end
    if outer and info.func == outer.running then
      if #list > 0 and outer.name then list[#list]["function"] = outer.name end
      return list
    end
    if info.what ~= "C" and info.source ~= ends and not frames.is_own(info.source) then
      local name = info.what == "main" and "main chunk" or info.name or "<function>"
      list[#list + 1] = { file = file_of(info), line = info.currentline, ["function"] = name }
    end
  end
  return list
end

---As the text of mm_error.frames, at most so many bytes: the outermost are left out when there is no room.
---@param list moonmill.Frame[]
---@param size integer
---@return string
function frames.encode(list, size)
  local text = ""
  for _, frame in ipairs(list) do
    local line = ("%s\t%d\t%s\n"):format(frame.file:gsub("[\t\n]", " "), frame.line, frame["function"])
    if #text + #line > size then break end
    text = text .. line
  end
  return text
end

---@param text string of frames.encode
---@return moonmill.Frame[]
function frames.decode(text)
  local list = {}
  for file, line, name in text:gmatch "([^\t\n]*)\t(%-?%d+)\t([^\n]*)\n" do
    list[#list + 1] = { file = file, line = tonumber(line), ["function"] = name }
  end
  return list
end

return frames
