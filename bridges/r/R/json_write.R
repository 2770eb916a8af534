# R values as bodies of the JSON codec.
#
#   NULL, NA                  null
#   a vector of length one    a scalar; I(x) is a list of one
#   any other vector          a list; with names, a map
#   a list                    a list; with names, a map
#   a data frame              a list of its rows, each a map
#   a matrix                  a list of its rows, each a list
#   raw                       binary
#   factor, Date              texts; POSIXct is a time

# `list(body, flags)`; refuses what cannot be sent with the path to it, which begins with `root`.
write_value <- function(value, root, limits) {
  writing <- new_writing(root, limits, escapes = FALSE)
  text <- json_of(value, writing, 0L)
  if (writing$is_tagged && writing$has_dollar) {
    # Only now is it known that keys which begin with `$` have to be told from tags.
    writing <- new_writing(root, limits, escapes = TRUE)
    text <- json_of(value, writing, 0L)
  }
  text <- charToRaw(enc2utf8(text))
  if (!writing$is_tagged) return(list(body = text, flags = 0L))
  list(body = do.call(c, c(list(u32_bytes(length(text)), text), writing$attachments)), flags = FLAG$TAGGED)
}

new_writing <- function(root, limits, escapes) {
  writing <- new.env(parent = emptyenv())
  writing$root <- root
  writing$max_depth <- limits$max_depth
  writing$escapes <- escapes
  writing$is_tagged <- FALSE
  writing$has_dollar <- FALSE
  writing$attachments <- list()
  writing$attached <- 0
  # Where it is: a key or a position for each level.
  writing$at <- list()
  writing
}

json_of <- function(x, writing, level) {
  if (is.null(x)) return("null")
  if (is.object(x)) {
    if (isS4(x)) refuse_value(x, writing, level)
    if (inherits(x, "AsIs")) return(listed(x, writing, level))
    if (is.data.frame(x)) return(rows_of(x, writing, level))
    simpler <- as_value(x)
    if (!identical(class(simpler), class(x))) return(json_of(simpler, writing, level))
    if (inherits(x, "POSIXlt")) return(json_of(as.POSIXct(x), writing, level))
    if (inherits(x, "numeric_version")) return(json_of(as.character(x), writing, level))
  }
  if (is.list(x)) {
    return(if (is.null(names(x))) list_text(x, writing, level) else map_text(x, names(x), writing, level))
  }
  if (is.raw(x) || !is.null(attr(x, "typed"))) return(binary(x, writing))
  if (!is.atomic(x)) refuse_value(x, writing, level)
  dims <- dim(x)
  if (length(dims) > 1L) return(matrix_text(x, writing, level))
  if (!is.null(names(x))) return(vector_map(x, writing, level))
  if (length(x) == 1L && is.null(dims)) scalars(x, writing, level) else vector_list(x, writing, level)
}

# What `I()` was said of: a list, whatever its length.
listed <- function(x, writing, level) {
  class(x) <- setdiff(class(x), "AsIs")
  if (is.list(x) || is.null(x) || is.raw(x) || length(dim(x)) > 1L) return(json_of(x, writing, level))
  vector_list(x, writing, level)
}

vector_list <- function(x, writing, level) {
  check_depth(writing, level, x)
  paste0("[", paste(scalars(unname(x), writing, level), collapse = ","), "]")
}

vector_map <- function(x, writing, level) {
  check_depth(writing, level, x)
  keys <- names(x)
  map_of_texts(keys, scalars(unname(x), writing, level), writing, level)
}

list_text <- function(x, writing, level) {
  check_depth(writing, level, x)
  texts <- character(length(x))
  for (i in seq_along(x)) {
    writing$at[[level + 1L]] <- i - 1L
    texts[i] <- json_of(x[[i]], writing, level + 1L)
  }
  paste0("[", paste(texts, collapse = ","), "]")
}

map_text <- function(x, keys, writing, level) {
  check_depth(writing, level, x)
  texts <- character(length(x))
  x <- unclass(x)
  for (i in seq_along(x)) {
    writing$at[[level + 1L]] <- keys[i]
    texts[i] <- json_of(x[[i]], writing, level + 1L)
  }
  map_of_texts(keys, texts, writing, level)
}

map_of_texts <- function(keys, texts, writing, level) {
  if (anyNA(keys) || anyDuplicated(keys) > 0L) {
    refuse("has the same name twice, or items with a name beside others without: give each its own, or use unname()", writing, level)
  }
  text <- paste0("{", paste0(json_texts(keys, writing, level), ":", texts, collapse = ","), "}")
  if (length(keys) == 0L) return("{}")
  escaped(text, keys, writing)
}

# The text of a map, told from a tag where it looks like one.
escaped <- function(text, keys, writing) {
  if (length(keys) != 1L || !startsWith(keys, "$")) return(text)
  writing$has_dollar <- TRUE
  if (writing$escapes) paste0("{\"$esc\":", text, "}") else text
}

# Rows of a data frame, each a map.
rows_of <- function(frame, writing, level) {
  check_depth(writing, level, frame)
  paste0("[", paste(row_texts(frame, writing, level), collapse = ","), "]")
}

row_texts <- function(frame, writing, level) {
  if (nrow(frame) == 0L) return(character())
  check_depth(writing, level + 1L, frame)
  keys <- names(frame)
  if (anyNA(keys) || anyDuplicated(keys) > 0L) refuse("is a data frame with the same name for two columns", writing, level)
  labels <- paste0(json_texts(keys, writing, level), ":")
  columns <- lapply(seq_along(keys), function(i) {
    writing$at[[level + 1L]] <- keys[i]
    paste0(labels[i], cells(frame[[i]], writing, level + 1L))
  })
  texts <- paste0("{", if (length(columns) == 0L) rep("", nrow(frame)) else do.call(paste, c(columns, sep = ",")), "}")
  escaped(texts, keys, writing)
}

# One text for each row of a column.
cells <- function(column, writing, level) {
  if (is.data.frame(column)) return(row_texts(column, writing, level))
  if (inherits(column, "POSIXlt")) column <- as.POSIXct(column)
  if (inherits(column, "AsIs")) class(column) <- setdiff(class(column), "AsIs")
  if (is.list(column) || is.raw(column)) return(vapply(seq_along(column), function(i) json_of(column[[i]], writing, level + 1L), ""))
  if (length(dim(column)) > 1L) return(vapply(seq_len(nrow(column)), function(i) vector_list(column[i, ], writing, level), ""))
  scalars(unname(column), writing, level)
}

# Rows first, and so on for further dimensions.
matrix_text <- function(x, writing, level) {
  check_depth(writing, level, x)
  dims <- dim(x)
  if (dims[1L] == 0L) return("[]")
  rest <- dims[-1L]
  cells <- matrix(as.vector(unclass(x)), nrow = dims[1L])
  texts <- vapply(seq_len(dims[1L]), function(i) {
    row <- cells[i, ]
    if (length(rest) == 1L) vector_list(row, writing, level + 1L) else matrix_text(array(row, rest), writing, level + 1L)
  }, "")
  paste0("[", paste(texts, collapse = ","), "]")
}

# One text for each element.
scalars <- function(x, writing, level) {
  if (is.object(x)) {
    if (is.factor(x)) return(json_texts(as.character(x), writing, level))
    if (inherits(x, "Date")) return(json_texts(format(x, "%Y-%m-%d"), writing, level))
    if (inherits(x, "POSIXct")) return(time_texts(x, writing, level))
    if (inherits(x, "difftime")) return(double_texts(as.double(x, units = "secs"), writing))
    if (inherits(x, "big_integer") || inherits(x, "integer64")) return(digit_texts(x, writing, level))
    x <- unclass(x)
  }
  switch(typeof(x),
    logical = ifelse(is.na(x), "null", ifelse(x, "true", "false")),
    integer = ifelse(is.na(x), "null", sprintf("%d", as.vector(x))),
    double = double_texts(as.vector(x), writing),
    character = json_texts(as.vector(x), writing, level),
    refuse_value(x, writing, level)
  )
}

double_texts <- function(x, writing) {
  if (length(x) == 1L && is.finite(x) && x == trunc(x) && abs(x) <= MAX_SAFE_INTEGER && x != 0) return(sprintf("%.0f", x))
  texts <- character(length(x))
  is_finite <- is.finite(x)
  is_whole <- is_finite & x == trunc(x) & abs(x) <= MAX_SAFE_INTEGER
  texts[is_whole] <- sprintf("%.0f", x[is_whole])
  is_fraction <- is_finite & !is_whole
  if (any(is_fraction)) texts[is_fraction] <- fraction_texts(x[is_fraction])
  is_negative_zero <- is_whole & x == 0 & 1 / x < 0
  is_special <- is.nan(x) | is.infinite(x) | is_negative_zero
  if (any(is_special, na.rm = TRUE)) {
    writing$is_tagged <- TRUE
    names <- ifelse(is.nan(x), "NaN", ifelse(x == 0, "-0", ifelse(x > 0, "Infinity", "-Infinity")))
    texts[is_special] <- paste0("{\"$float\":\"", names[is_special], "\"}")
  }
  texts[is.na(x) & !is.nan(x)] <- "null"
  texts
}

# The fewest digits, from 15 to 17, that give the very same number again.
fraction_texts <- function(x) {
  # Measurements have few digits and results of computing have many, and then there is nothing to gain by looking at each.
  has_few <- length(x) <= SAMPLE || mean(need_17(x[seq_len(SAMPLE)])) < 0.5
  texts <- sprintf(if (has_few) "%.15g" else "%.17g", x)
  if (has_few) {
    differs <- read_numbers(texts) != x
    if (any(differs)) {
      texts[differs] <- sprintf("%.16g", x[differs])
      differs[differs] <- read_numbers(texts[differs]) != x[differs]
      texts[differs] <- sprintf("%.17g", x[differs])
    }
  }
  # Beyond 2^53 digits alone would look like an integer that has to be exact.
  is_bare <- abs(x) > MAX_SAFE_INTEGER & !grepl("e", texts, fixed = TRUE)
  texts[is_bare] <- sprintf("%.16e", x[is_bare])
  texts
}

SAMPLE <- 64L

need_17 <- function(x) read_numbers(sprintf("%.15g", x)) != x

# As other programs read them: what R itself makes of digits may be off by the last bit.
read_numbers <- function(texts) {
  as.double(unlist(jsonlite::parse_json(paste0("[", paste(texts, collapse = ","), "]")), use.names = FALSE))
}

json_texts <- function(x, writing, level) {
  is_missing <- is.na(x)
  x <- enc2utf8(x)
  if (!all(validUTF8(x) | is_missing)) refuse("is a text that is not UTF-8; use iconv()", writing, level)
  needs_escape <- grepl("[\"\\\\\001-\037]", x, useBytes = TRUE)
  if (any(needs_escape)) x[needs_escape] <- escape_text(x[needs_escape])
  texts <- paste0("\"", x, "\"", recycle0 = TRUE)
  texts[is_missing] <- "null"
  texts
}

escape_text <- function(x) {
  x <- gsub("\\", "\\\\", x, fixed = TRUE)
  x <- gsub("\"", "\\\"", x, fixed = TRUE)
  for (code in 1:31) {
    character <- intToUtf8(code)
    if (any(grepl(character, x, fixed = TRUE))) x <- gsub(character, CONTROL_ESCAPES[code], x, fixed = TRUE)
  }
  x
}

CONTROL_ESCAPES <- local({
  escapes <- sprintf("\\u%04x", 1:31)
  escapes[c(8, 9, 10, 12, 13)] <- c("\\b", "\\t", "\\n", "\\f", "\\r")
  escapes
})

time_texts <- function(x, writing, level) {
  milliseconds <- round(as.double(x) * 1000)
  is_missing <- is.na(milliseconds)
  seconds <- as.POSIXct(milliseconds %/% 1000, origin = "1970-01-01", tz = "UTC")
  year <- as.POSIXlt(seconds)$year + 1900
  if (any(is.infinite(milliseconds)) || any(year < 0 | year > 9999, na.rm = TRUE)) refuse("is a time outside of the years 0 to 9999", writing, level)
  if (!all(is_missing)) writing$is_tagged <- TRUE
  day <- sprintf("%04d", as.integer(year))
  texts <- paste0("{\"$time\":\"", day, format(seconds, "-%m-%dT%H:%M:%S"), sprintf(".%03.0fZ\"}", milliseconds %% 1000))
  texts[is_missing] <- "null"
  texts
}

digit_texts <- function(x, writing, level) {
  digits <- as.character(x)
  is_missing <- is.na(digits)
  is_large <- !is_missing & abs(as.double(digits)) > MAX_SAFE_INTEGER
  if (any(is_large & !in_64_bits(digits))) refuse("is an integer beyond 64 bits", writing, level)
  texts <- ifelse(is_missing, "null", digits)
  if (any(is_large)) {
    writing$is_tagged <- TRUE
    texts[is_large] <- paste0("{\"$int\":\"", digits[is_large], "\"}")
  }
  texts
}

in_64_bits <- function(digits) {
  is_negative <- startsWith(digits, "-")
  digits <- sub("-", "", digits, fixed = TRUE)
  limit <- ifelse(is_negative, "9223372036854775808", "18446744073709551615")
  # Texts of one length compare as their numbers do, in halves that doubles hold exactly.
  length_of <- nchar(digits)
  upper <- function(x) as.double(substr(x, 1L, nchar(x) - 10L))
  lower <- function(x) as.double(substr(x, nchar(x) - 9L, nchar(x)))
  is_long <- length_of == nchar(limit)
  suppressWarnings(length_of < nchar(limit) |
    (is_long & (upper(digits) < upper(limit) | (upper(digits) == upper(limit) & lower(digits) <= lower(limit)))))
}

binary <- function(x, writing) {
  writing$is_tagged <- TRUE
  type <- attr(x, "typed")
  bytes <- x
  if (!is.null(type)) {
    converted <- typed_bytes(x)
    bytes <- converted$bytes
    type <- converted$type
  }
  place <- sprintf("{\"$bin\":[%.0f,%.0f]}", writing$attached, length(bytes))
  writing$attachments[[length(writing$attachments) + 1L]] <- as.vector(bytes)
  writing$attached <- writing$attached + length(bytes)
  if (is.null(type)) place else sprintf("{\"$typed\":[\"%s\",%s]}", type, place)
}

check_depth <- function(writing, level, x) {
  if (level >= writing$max_depth) refuse(sprintf("is nested deeper than maxDepth (%d)", as.integer(writing$max_depth)), writing, level)
}

refuse_value <- function(x, writing, level) {
  what <- if (isS4(x)) sprintf("an S4 object of class '%s'", class(x)[1L]) else sprintf("of type '%s'", typeof(x))
  refuse(sprintf("is %s, which cannot be sent; return its parts, or write a method of as_value()", what), writing, level)
}

refuse <- function(what, writing, level) {
  steps <- vapply(writing$at[seq_len(level)], function(step) {
    if (is.numeric(step)) sprintf("[%d]", step) else if (grepl("^[A-Za-z_.][A-Za-z0-9_.]*$", step)) paste0(".", step) else sprintf("[\"%s\"]", step)
  }, "")
  stop(unsendable(paste0(writing$root, paste(steps, collapse = ""), " ", what)))
}
