-- moonmill - the module that pipeline scripts require.
local pipeline = require "moonmill.pipeline"

return { pipeline = pipeline.new }
