-- moonmill.pipeline.pipeline - the value that a script builds: a declaration and a chain of stages. Nothing is read
-- here.
local Call = require "moonmill.script.arguments"
local failure = require "moonmill.base.failure"
local input = require "moonmill.pipeline.input"
local params = require "moonmill.pipeline.params"
local script = require "moonmill.script.script"
local stages = require "moonmill.stages.registry"
local suggest = require "moonmill.base.suggest"

---@class moonmill.Pipeline
---@field about string|false
---@field params moonmill.Param[]
---@field input moonmill.Input|false
---@field stages moonmill.Stage[]
---@field chain moonmill.Link|false the last stage; pipelines that begin alike share links
---@field place moonmill.Place
---@field modules moonmill.Modules|false of its script
---@field half "partial"|"merge"|false see moonmill.pipeline.two_phase
local Pipeline = { is_host = true }

---@class moonmill.Stage
---@field entry table of moonmill.stages.registry
---@field place moonmill.Place
---@field arguments any what the entry's accept returned

---@class moonmill.Link
---@field stage moonmill.Stage
---@field before moonmill.Link|false

local DECLARATION = {
  name = "pipeline",
  usage = 'mm.pipeline { about = "...", params = { "n: i64 = 10  -- help" }, input = { "a: f64?" } }',
}

local function about(call, value)
  if type(value) ~= "string" then call:fail("bad-argument", ("about is %s, not a string"):format(type(value))) end
  return value
end

---@param declaration? table about, params, input
---@return moonmill.Pipeline
local function new(declaration)
  local place, places = script.caller("pipeline", 2)
  local call = Call.new(DECLARATION, place, places, declaration)
  local options = call:options(declaration, { about = about, params = params.declare, input = input.declare })
  return setmetatable({
    is_pipeline = true, about = options.about or false, params = options.params or {}, input = options.input or false,
    chain = false, place = place, modules = script.modules() or false, half = false,
  }, Pipeline)
end

-- A pipeline like another one, with another chain.
local function with_chain(self, chain)
  local copy = {}
  for key, value in pairs(self) do copy[key] = value end
  copy.chain, copy.stages = chain, nil
  return setmetatable(copy, Pipeline)
end

local function extend(self, stage) return with_chain(self, { stage = stage, before = self.chain }) end

-- The stages of a pipeline, in order.
local function stages_of(pipeline)
  local list, link = {}, pipeline.chain
  while link do
    list[#list + 1], link = link.stage, link.before
  end
  local count = #list
  for i = 1, math.floor(count / 2) do list[i], list[count - i + 1] = list[count - i + 1], list[i] end
  return list
end

---A pipeline like another one, with other stages.
---@param pipeline moonmill.Pipeline
---@param list moonmill.Stage[]
---@return moonmill.Pipeline
local function with_stages(pipeline, list)
  local chain = false
  for _, stage in ipairs(list) do chain = { stage = stage, before = chain } end
  return with_chain(pipeline, chain)
end

local function method_of(entry)
  return function(self, ...)
    if getmetatable(self) ~= Pipeline then
      local place = script.caller(entry.name, 2)
      failure.raise {
        id = "no-pipeline", message = ("%s is called without its pipeline"):format(entry.name),
        hint = ("write a colon: pipeline:%s(...)"):format(entry.name),
        file = place.file, line = place.line, column = place.column,
      }
    end
    local before = self.chain and self.chain.stage.place or self.place
    local place, places = script.caller(entry.name, 2, before)
    local call = Call.new(entry, place, places, ...)
    local arguments = entry.accept(call, ...)
    return extend(self, { entry = entry, place = place, arguments = arguments })
  end
end

local methods = {}
for name, entry in pairs(stages.by_name) do methods[name] = method_of(entry) end

function Pipeline.__index(self, key)
  local method = methods[key]
  if method then return method end
  if key == "stages" then -- made when they are first wanted: a chain is built link by link
    local list = stages_of(self)
    rawset(self, "stages", list)
    return list
  end
  local place = script.caller(tostring(key), 2)
  failure.raise {
    id = "unknown-stage", message = ("there is no stage \"%s\""):format(tostring(key)),
    hint = suggest.hint(tostring(key), stages.names) or "moonmill help stages lists them",
    file = place.file, line = place.line, column = place.column,
  }
end

function Pipeline.__newindex(_, key)
  error(("a pipeline cannot be changed (field \"%s\"): chain stages instead"):format(tostring(key)), 2)
end

return { new = new, with_stages = with_stages }
