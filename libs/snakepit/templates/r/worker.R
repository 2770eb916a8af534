# Every function of this file is a command, and one with a parameter `emit` is a stream.

# Count, total and mean of a list of numbers.
summarize <- function(amounts) {
  if (length(amounts) == 0) stop("no amounts")
  list(count = length(amounts), total = sum(amounts), mean = mean(amounts))
}

# The total after each of the numbers.
running_totals <- function(amounts, emit) {
  for (total in cumsum(amounts)) emit(total)
}
