# Typed arrays: numbers in a row of bytes, which cost far less than the same numbers as text.

ELEMENTS <- list(
  i1 = list(what = "integer", size = 1L, from = -128, to = 127),
  u1c = list(what = "integer", size = 1L, signed = FALSE, from = 0, to = 255),
  i2 = list(what = "integer", size = 2L, from = -32768, to = 32767),
  u2 = list(what = "integer", size = 2L, signed = FALSE, from = 0, to = 65535),
  i4 = list(what = "integer", size = 4L, from = -2147483648, to = 2147483647),
  u4 = list(what = "integer", size = 4L, from = 0, to = 4294967295),
  f4 = list(what = "double", size = 4L),
  f8 = list(what = "double", size = 8L)
)

# What R has no numbers for, as bytes.
OPAQUE <- c("i8", "u8", "raw")

#' Has a numeric vector travel as a typed array: `f8` is a Float64Array in the application, `f4` a Float32Array, `i4` an Int32Array,
#' and so on for `i1`, `i2`, `u1c`, `u2`, `u4`. Values that the type has no room for travel as `f8`.
typed <- function(x, type = "f8") {
  if (!(type %in% names(ELEMENTS))) stop(sprintf("there is no element type '%s'; there are: %s", type, toString(names(ELEMENTS))))
  if (!is.numeric(x) || is.object(x)) stop("only plain numbers travel as a typed array")
  x <- as.vector(x)
  attr(x, "typed") <- type
  x
}

numbers_of <- function(type, bytes) {
  if (is.character(type) && type %in% OPAQUE) return(structure(bytes, typed = type))
  element <- if (is.character(type)) ELEMENTS[[type]]
  if (is.null(element) || length(bytes) %% element$size != 0L) refuse_tag("$typed")
  count <- length(bytes) %/% element$size
  numbers <- if (type == "u4") {
    halves <- readBin(bytes, "integer", 2L * count, size = 2L, signed = FALSE, endian = "little")
    halves[c(TRUE, FALSE)] + 65536 * halves[c(FALSE, TRUE)]
  } else if (type == "i4") {
    # The smallest one is R's NA.
    integers <- readBin(bytes, "integer", count, size = 4L, endian = "little")
    if (anyNA(integers)) replace(as.double(integers), is.na(integers), -2147483648) else integers
  } else {
    readBin(bytes, element$what, count, size = element$size, signed = !isFALSE(element$signed), endian = "little")
  }
  attr(numbers, "typed") <- type
  numbers
}

# The element type and the bytes of a vector with the attribute `typed`.
typed_bytes <- function(x) {
  type <- attr(x, "typed")
  if (is.raw(x)) return(list(type = type, bytes = as.vector(x)))
  element <- ELEMENTS[[type]]
  x <- as.vector(x)
  if (is.null(element) || !fits(x, element)) {
    type <- "f8"
    element <- ELEMENTS$f8
  }
  bytes <- if (type == "u4") {
    halves <- as.vector(rbind(x %% 65536, x %/% 65536))
    writeBin(as.integer(halves), raw(), size = 2L, endian = "little")
  } else if (element$what == "integer") {
    # as.integer makes NA of the smallest one, whose bytes are the right ones.
    writeBin(suppressWarnings(as.integer(x)), raw(), size = element$size, endian = "little")
  } else {
    writeBin(as.double(x), raw(), size = element$size, endian = "little")
  }
  list(type = type, bytes = bytes)
}

fits <- function(x, element) {
  if (element$what == "double") return(TRUE)
  length(x) == 0L || (!anyNA(x) && all(x == trunc(x)) && min(x) >= element$from && max(x) <= element$to)
}
