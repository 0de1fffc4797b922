local json = require "moonmill.base.json"

describe("json", function()
  it("writes numbers so that they read back the same, and others as text", function()
    assert.equal("[0,-1,9007199254740992,0.1,1e+300,0.30000000000000004]",
      json.encode { 0, -1, 2 ^ 53, 0.1, 1e300, 0.1 + 0.2 })
    assert.equal('["nan","inf","-inf"]', json.encode { 0 / 0, math.huge, -math.huge })
  end)

  it("writes text as JSON wants it, whatever the bytes", function()
    assert.equal('"a\\"\\\\\\n\\r\\t\\u0000\\u0007\\u007f\239\191\189\195\164"',
      json.encode 'a"\\\n\r\t\0\7\127\255\195\164')
    assert.equal('""', json.encode "")
  end)

  it("writes objects with keys in order, leaving out nil", function()
    assert.equal('{"a":1,"b":{"c":true}}', json.encode { b = { c = true }, a = 1 })
    local ordered = setmetatable({ a = 1, b = 2 }, { json_keys = { "b", "none", "a" } })
    assert.equal('{"b":2,"a":1}', json.encode(ordered))
  end)

  it("tells an empty list from an empty object, and null from nothing", function()
    assert.equal("[]", json.encode(json.list {}))
    assert.equal("{}", json.encode {})
    assert.equal('{"a":null}', json.encode { a = json.null })
    assert.equal("[1,[2]]", json.encode(json.list { 1, { 2 } }))
  end)

  it("writes anything else as tostring does", function() assert.equal('"12LL"', json.encode(12LL)) end)
end)
