-- moonmill.rows - row functions: check them, see what they read, pack them for workers, make vector programs of them.
return {
  ship = require "moonmill.rows.ship", reads = require("moonmill.rows.inspect").reads,
  vectorise = require "moonmill.rows.vector",
}
