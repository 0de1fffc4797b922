-- moonmill.rows - row functions: check them, see what they read, pack them for the workers.
return { ship = require "moonmill.rows.ship", reads = require("moonmill.rows.inspect").reads }
