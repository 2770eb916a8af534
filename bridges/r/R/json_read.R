# Bodies of the JSON codec, as R values.
#
#   null, boolean, number, string   NULL, logical, integer or double, character: vectors of length one
#   list of scalars of one type     a vector, null being NA; of one element: I(x), which goes back as a list
#   any other list                  an unnamed list
#   map                             a named list

# Reads a body; `limits` has `max_depth`.
read_value <- function(body, flags, limits) {
  if (length(body) == 0L && flags == 0L) return(NULL)
  reading <- open_reading(body, flags)
  value_of(reading$parsed, reading, limits$max_depth)
}

# Reads arguments: a map becomes a named list and a list an unnamed one, whatever is in it; anything else is the only argument.
read_arguments <- function(body, flags, limits) {
  reading <- open_reading(body, flags)
  arguments_of(reading$parsed, reading, limits$max_depth)
}

# `[meta, arguments]`: what META wraps around arguments counts for no depth.
read_with_meta <- function(body, flags, limits) {
  reading <- open_reading(body, flags)
  pair <- reading$parsed
  if (!is.list(pair) || !is.null(names(pair)) || length(pair) != 2L) stop(protocol_error("a body with META is no pair"))
  list(meta = value_of(pair[[1L]], reading, 16), arguments = arguments_of(pair[[2L]], reading, limits$max_depth))
}

arguments_of <- function(parsed, reading, depth_left) {
  if (is.null(parsed)) return(list())
  if (!is.list(parsed) || (reading$is_tagged && is_tag(parsed) && !identical(names(parsed), "$esc"))) {
    return(list(value_of(parsed, reading, depth_left)))
  }
  if (reading$is_tagged && identical(names(parsed), "$esc")) parsed <- parsed[[1L]]
  if (depth_left <= 0) refuse_depth()
  if (has_lists(parsed)) parsed[] <- lapply(parsed, value_of, reading, depth_left - 1)
  parsed
}

open_reading <- function(body, flags) {
  is_tagged <- bitwAnd(flags, FLAG$TAGGED) != 0L
  if (!is_tagged) return(list(parsed = parse_text(body), is_tagged = FALSE))
  if (length(body) < 4L) stop(protocol_error("a tagged body ends early"))
  text_bytes <- u32_at(body, 1L)
  if (text_bytes + 4 > length(body)) stop(protocol_error("the text of a tagged body ends early"))
  list(
    parsed = parse_text(body[seq_len(text_bytes) + 4L]),
    is_tagged = TRUE,
    body = body,
    attachments_at = text_bytes + 4,
    left = new_counter(length(body) - text_bytes - 4)
  )
}

new_counter <- function(count) {
  counter <- new.env(parent = emptyenv())
  counter$count <- count
  counter
}

parse_text <- function(bytes) {
  tryCatch(parse_utf8(bytes), simpleError = function(e) stop(protocol_error(paste0("a body is not JSON: ", conditionMessage(e)))))
}

parse_utf8 <- function(bytes) {
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  if (!validUTF8(text)) stop("it is not UTF-8")
  if (grepl("\\u0000", text, fixed = TRUE) && has_null_escape(text)) {
    stop(refusal("INVALID_ARGUMENTS", "a text holds the character U+0000, which texts in R cannot; send it as binary"))
  }
  jsonlite::parse_json(text)
}

# Whether the escape of U+0000 is one: the backslash before it may be escaped itself.
has_null_escape <- function(text) grepl("(^|[^\\\\])(\\\\\\\\)*\\\\u0000", text)

value_of <- function(parsed, reading, depth_left) {
  if (!is.list(parsed)) return(parsed)
  if (is.null(names(parsed))) {
    if (depth_left <= 0) refuse_depth()
    return(list_of(parsed, reading, depth_left - 1))
  }
  if (reading$is_tagged && is_tag(parsed)) return(untag(names(parsed), parsed[[1L]], reading, depth_left))
  map_of(parsed, reading, depth_left)
}

map_of <- function(parsed, reading, depth_left) {
  if (depth_left <= 0) refuse_depth()
  if (has_lists(parsed)) parsed[] <- lapply(parsed, value_of, reading, depth_left - 1)
  parsed
}

has_lists <- function(parsed) {
  for (item in parsed) if (is.list(item)) return(TRUE)
  FALSE
}

list_of <- function(parsed, reading, depth_left) {
  if (length(parsed) == 0L) return(parsed)
  types <- vapply(parsed, typeof, "")
  if (any(types == "list")) {
    parsed <- lapply(parsed, value_of, reading, depth_left)
    types <- vapply(parsed, typeof, "")
    types[lengths(parsed) > 1L | vapply(parsed, is.object, NA)] <- "list"
  }
  present <- unique(types[types != "NULL"])
  if (all(present %in% c("integer", "double"))) {
    if (length(present) == 0L) return(parsed)
  } else if (!identical(present, "character") && !identical(present, "logical")) {
    return(times_of(parsed))
  }
  parsed[types == "NULL"] <- NA
  vector <- unlist(parsed, use.names = FALSE)
  if (length(vector) == 1L) I(vector) else vector
}

# A list of nothing but times is a vector as well.
times_of <- function(values) {
  if (!all(vapply(values, inherits, NA, "POSIXct"))) return(values)
  times <- do.call(c, values)
  attr(times, "tzone") <- "UTC"
  if (length(times) == 1L) I(times) else times
}

is_tag <- function(parsed) length(parsed) == 1L && !is.null(names(parsed)) && startsWith(names(parsed), "$")

untag <- function(tag, content, reading, depth_left) {
  switch(tag,
    "$esc" = if (is.list(content) && !is.null(names(content))) map_of(content, reading, depth_left) else refuse_tag(tag),
    "$int" = integer_of(content),
    "$float" = float_of(content),
    "$time" = time_of(content),
    "$bin" = attachment(content, reading),
    "$typed" = typed_of(content, reading),
    stop(protocol_error(sprintf("unknown tag '%s'", tag)))
  )
}

integer_of <- function(content) {
  if (!is.character(content) || !grepl("^-?(0|[1-9][0-9]{0,19})$", content) || !in_64_bits(content)) refuse_tag("$int")
  number <- as.double(content)
  if (abs(number) <= MAX_SAFE_INTEGER) number else big_integer(content)
}

float_of <- function(content) {
  if (!is.character(content)) refuse_tag("$float")
  switch(content, "NaN" = NaN, "Infinity" = Inf, "-Infinity" = -Inf, "-0" = -0, refuse_tag("$float"))
}

time_of <- function(content) {
  shape <- "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$"
  time <- if (is.character(content) && grepl(shape, content)) as.POSIXct(strptime(content, "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC"))
  if (is.null(time) || is.na(time)) refuse_tag("$time")
  time
}

attachment <- function(content, reading) {
  place <- unlist(content)
  if (!is.list(content) || !is.numeric(place) || length(place) != 2L || any(place < 0 | place != trunc(place))) refuse_tag("$bin")
  from <- reading$attachments_at + place[1L]
  # Each byte is handed out once: a reference takes far fewer bytes than what it refers to.
  if (from + place[2L] > length(reading$body) || place[2L] > reading$left$count) refuse_tag("$bin")
  reading$left$count <- reading$left$count - place[2L]
  bytes_from(reading$body, from, place[2L])
}

typed_of <- function(content, reading) {
  if (!is.list(content) || length(content) != 2L || !identical(names(content[[2L]]), "$bin")) refuse_tag("$typed")
  numbers_of(content[[1L]], attachment(content[[2L]][[1L]], reading))
}

refuse_tag <- function(tag) stop(protocol_error(sprintf("bad content of tag %s", tag)))

refuse_depth <- function() stop(refusal("INVALID_ARGUMENTS", "the arguments are nested deeper than maxDepth"))
