# Values that R has no type of its own for, and what users say about how theirs are sent.

MAX_SAFE_INTEGER <- 9007199254740991

#' Whole numbers beyond 2^53, given as texts of digits: they travel as 64-bit integers, without loss. Such numbers arrive as this.
#' `as.double()` makes numbers of them, with the loss that this has.
big_integer <- function(digits) {
  digits <- as.character(digits)
  bad <- !grepl("^-?(0|[1-9][0-9]{0,19})$", digits)
  if (any(bad)) stop(sprintf("'%s' is no whole number of at most 20 digits", digits[bad][1L]))
  structure(digits, class = "big_integer")
}

as.double.big_integer <- function(x, ...) as.double(unclass(x))

format.big_integer <- function(x, ...) unclass(x)

print.big_integer <- function(x, ...) {
  print(noquote(unclass(x)))
  invisible(x)
}

c.big_integer <- function(...) big_integer(unlist(lapply(list(...), as.character)))

`[.big_integer` <- function(x, i) structure(unclass(x)[i], class = "big_integer")

#' What is sent in the place of an object: write a method for a class of your own, or of a package, that returns something simpler.
as_value <- function(x, ...) UseMethod("as_value")

as_value.default <- function(x, ...) x

#' A data frame as a map of its columns; without it, one is sent as a list of its rows.
columns <- function(frame) {
  stopifnot(is.data.frame(frame))
  lapply(as.list(frame), I)
}

#' A data frame of rows as they arrive: a list of maps. What a row lacks, or has as null, is NA.
as_frame <- function(rows) {
  if (is.data.frame(rows)) return(rows)
  if (!is.list(rows)) stop("rows are a list of maps")
  if (!is.null(names(rows))) return(as.data.frame(lapply(rows, as.vector), check.names = FALSE, stringsAsFactors = FALSE))
  keys <- unique(unlist(lapply(rows, names)))
  cells <- lapply(keys, function(key) {
    values <- lapply(rows, function(row) if (is.null(row[[key]])) NA else row[[key]])
    if (all(lengths(values) == 1L) && !any(vapply(values, is.list, NA))) do.call(c, values) else I(values)
  })
  names(cells) <- keys
  frame <- structure(cells, row.names = seq_along(rows), class = "data.frame")
  frame
}
