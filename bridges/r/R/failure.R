# What a handler raised, as the host is told.

MAX_CUT_TEXT <- 8192L
MAX_LINE <- 200L
MAX_CALLS <- 100L

# Runs an expression; gives `list(value)` or `list(error, calls)`, where `calls` is the stack at the moment of the error.
guarded <- function(expression) {
  calls <- NULL
  depth <- sys.nframe()
  tryCatch(
    list(value = withCallingHandlers(expression, error = function(e) if (is.null(calls)) calls <<- sys.calls())),
    error = function(e) list(error = e, calls = user_calls(calls, depth)),
    snakepit_cancelled = function(e) list(error = e)
  )
}

# The calls of the handler itself: without those below it, which run it, and those above, which raise.
user_calls <- function(calls, depth) {
  if (is.null(calls)) return(NULL)
  heads <- vapply(calls, function(call) if (is.call(call) && is.name(call[[1L]])) as.character(call[[1L]]) else "", "")
  from <- which(heads == "eval" & seq_along(heads) > depth)
  begin <- if (length(from) > 0L) from[1L] + 2L else depth + 1L
  ends <- which(heads %in% c("stop", ".handleSimpleError", "h") & seq_along(heads) >= begin)
  end <- if (length(ends) == 0L) length(calls) else if (heads[ends[1L]] == "stop") ends[1L] else ends[1L] - 1L
  if (end < begin) return(NULL)
  calls[begin:end]
}

# The error of a call, as a list for the encoder.
error_body <- function(error, calls = NULL) {
  if (inherits(error, "snakepit_refusal")) {
    return(drop_null(list(code = error$code, message = error$message, data = error$data)))
  }
  if (inherits(error, "snakepit_cancelled")) return(list(code = error$code, message = error$message, started = TRUE))
  if (inherits(error, "unsendable_value")) return(list(code = error$code, message = error$message))
  drop_null(list(
    code = "REMOTE_ERROR",
    type = class(error)[1L],
    message = message_of(error),
    traceback = traceback_text(error, calls),
    data = error_data(error)
  ))
}

error_data <- function(error) {
  tryCatch(error[["data"]], error = function(e) NULL)
}

message_of <- function(error) {
  text <- tryCatch(paste(conditionMessage(error), collapse = "\n"), error = function(e) "conditionMessage() of the error failed")
  sendable_text(text)
}

# As Python writes one: the outermost call first, the error last.
traceback_text <- function(error, calls) {
  own <- tryCatch(conditionCall(error), error = function(e) NULL)
  lines <- vapply(utils::tail(calls, MAX_CALLS), call_line, "")
  if (length(calls) == 0L && !is.null(own)) lines <- call_line(own)
  sendable_text(paste(c("Traceback (most recent call last):", lines, paste0(class(error)[1L], ": ", message_of(error))), collapse = "\n"))
}

call_line <- function(call) {
  text <- tryCatch(deparse(call, width.cutoff = 500L, nlines = 1L)[1L], error = function(e) "<a call>")
  if (nchar(text, "chars") > MAX_LINE) text <- paste0(substr(text, 1L, MAX_LINE), "...")
  place <- source_place(call)
  paste0("  ", if (!is.null(place)) paste0(place, ": "), text)
}

# `report.R:12`, where the source of a call is known.
source_place <- function(call) {
  reference <- attr(call, "srcref")
  if (is.null(reference)) return(NULL)
  file <- attr(reference, "srcfile")$filename
  if (is.null(file) || !nzchar(file)) NULL else sprintf("%s:%d", basename(file), as.integer(reference)[1L])
}

sendable_text <- function(text) {
  text <- enc2utf8(text)
  if (validUTF8(text)) text else iconv(text, "UTF-8", "UTF-8", sub = "byte")
}

# Without what takes the most room, or cannot be sent.
shortened_error <- function(body, note = NULL) {
  body <- body[setdiff(names(body), c("data", "traceback"))]
  body$message <- substr(paste0(body$message, note), 1L, MAX_CUT_TEXT)
  body
}

drop_null <- function(x) x[!vapply(x, is.null, NA)]
