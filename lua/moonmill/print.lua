-- moonmill.print - what scripts print: it goes to stderr, since stdout is for data.
return function(...)
  local texts = {}
  for i = 1, select("#", ...) do texts[i] = tostring((select(i, ...))) end
  io.stderr:write(table.concat(texts, "\t"), "\n")
end
