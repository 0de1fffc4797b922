-- moonmill doctor: is this build sound on this machine?
local doctor = { name = "doctor", summary = "check this build on this machine" }

function doctor.configure() end

function doctor.run() return require("moonmill.doctor.diagnosis").run() end

return doctor
