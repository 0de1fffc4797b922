-- moonmill.store.views - views of the columns in the store, by name.
--
-- DESIGN. A script sees the store as it is. In a worker's state it is what the job was submitted with: `see` is called
-- before a row function comes to life there, and a view that the function captured is made anew under its name.
local ffi = require "ffi"
local column = require "moonmill.store.column_view"
local native = require "moonmill.base.ffi"

local C = native.C
local COLUMN = native.private "column"
local views = {}

local names = setmetatable({}, { __mode = "k" }) -- view -> its name in the store
local latest = setmetatable({}, { __mode = "v" }) -- name -> view
local shown, MUCH = 0, 64 * 2 ^ 20 -- bytes
local made -- in a worker: views by name
local snapshot -- in a worker: what the job sees

-- Is it the same memory, seen in the same way?
local function shows(view, found)
  local had, type, new = view[COLUMN], view[COLUMN].type, found.type
  return had.data == found.data and had.length == found.length and had.valid == found.valid
    and had.offsets == found.offsets and type.id == new.id and type.unit == new.unit and type.zone == new.zone
end

-- The view that was made last, while the name has that value; the collector does not see what a new one holds, and is
-- asked to work when much has been shown.
local function view_of(name, found)
  local last = latest[name]
  if last and shows(last, found) then return last end
  local view = column.new(found)
  latest[name] = view
  shown = shown + column.bytes(view)
  if shown > MUCH then
    shown = 0
    collectgarbage()
  end
  return view
end

local function as_is(name)
  local found = ffi.gc(ffi.new "mm_column[1]", C.mm_column_release)
  if C.mm_store_get(name, found) == 0 then return nil end
  local view = view_of(name, found[0])
  C.mm_column_release(ffi.gc(found, nil))
  return view
end

local function as_submitted(name)
  local at = C.mm_store_find(snapshot, name)
  if at < 0 then return nil end
  local entry = ffi.new "mm_store_entry"
  C.mm_store_at(snapshot, at, entry)
  made[name] = column.new(entry.column)
  return made[name]
end

---A view of the column of a name, or nil.
---@param name string
---@return ffi.cdata*?
function views.of(name)
  local view = made and made[name]
  if view then return view end
  view = (made and as_submitted or as_is)(name)
  if view then names[view] = name end
  return view
end

---The name of a view of the store; nil for other values.
---@param value any
---@return string?
function views.name(value) return names[value] end

---Call `visit` with each mm_store_entry, in order of names.
---@param visit fun(entry: ffi.cdata*)
function views.each(visit)
  local of = made and snapshot or ffi.gc(C.mm_store_snapshot(), C.mm_store_release)
  local entry = ffi.new "mm_store_entry"
  for i = 0, tonumber(C.mm_store_count(of)) - 1 do
    C.mm_store_at(of, i, entry)
    visit(entry)
  end
  if not made then C.mm_store_release(ffi.gc(of, nil)) end
end

---Give up the memory of all views; they are names from now on.
function views.let_go()
  for view in pairs(names) do column.release(view) end
end

---In a worker: see the store as a job does, and nothing else.
---@param of ffi.cdata* const mm_store *, which outlives this state
function views.see(of) snapshot, made = of, {} end

---Is this a worker, where nothing may change?
---@return boolean
function views.fixed() return made ~= nil end

return views
