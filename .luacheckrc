-- Lint rules: LuaJIT's language, 120 columns, specs know busted's words.
std = "luajit"
max_line_length = 120
exclude_files = { "build*", "build/**" }
read_globals = { "MOONMILL_LIBRARY" }
files["pipelines"] = { ignore = { "212/[rp]" } } -- a row function is given the row and the parameters, used or not
files["spec"] = { std = "luajit+busted" }
self = false -- methods of one class have one form, whether or not they look at it
