source("NAME.R")

stopifnot(identical(summarize(c(1, 2, 6)), list(count = 3L, total = 9, mean = 3)))
stopifnot(inherits(tryCatch(summarize(numeric()), error = identity), "error"))

totals <- c()
running_totals(c(1, 2, 6), function(total) totals <<- c(totals, total))
stopifnot(identical(totals, c(1, 3, 9)))

cat("all passed\n")
