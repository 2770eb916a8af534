# The commands that the bench calls.
library(snakepit)

command("add", function(a, b) a + b)
