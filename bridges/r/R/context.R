# What a command may know and do besides its arguments.

# The value of a handler's parameter `ctx`: an environment, so that what is not asked for is not made.
new_context <- function(worker, call) {
  ctx <- new.env(parent = emptyenv())
  ctx$command <- call$command$name
  ctx$call_id <- u32_at(call$id, 1L)
  ctx$trace <- call$meta$trace
  ctx$context <- if (is.null(call$meta$context)) no_entries() else as.list(call$meta$context)
  ctx$check <- function() {
    if (is_cancelled(worker, call)) stop_cancelled(call)
    invisible(TRUE)
  }
  ctx$progress <- function(value) send_value(worker, KIND$PROGRESS, call, value, "progress")
  ctx$emit <- function(name, data = NULL) emit_event(worker, call, name, data)
  ctx$send <- function(pattern, data = NULL) send_message(worker, call, pattern, data)
  ctx$metrics <- worker$metrics$api
  lazily(ctx, "session", if (is.null(call$meta$session)) NULL else new_session(worker, call, call$meta$session))
  lazily(ctx, "globals", new_data_map(worker, call, "globals"))
  lazily(ctx, "tools", new_tools(worker, call))
  lazily(ctx, "input", new_input(worker, call))
  lazily(ctx, "log", new_call_log(worker, call))
  makeActiveBinding("cancelled", function() is_cancelled(worker, call), ctx)
  makeActiveBinding("deadline_seconds", function() if (is.null(call$deadline)) NULL else max(0, call$deadline - now_seconds()), ctx)
  makeActiveBinding("traceparent", function() call$meta$trace$traceparent, ctx)
  ctx
}

# A member that is made when it is first asked for.
lazily <- function(ctx, name, expression) {
  do.call(delayedAssign, list(name, substitute(expression), parent.frame(), ctx))
}

# Log records of one call: `ctx$log$info("loaded", rows = 3)`.
new_call_log <- function(worker, call) {
  level <- function(level) function(message, ...) send_log(worker, call, level, message, call$command$name, list(...))
  list(debug = level("debug"), info = level("info"), warning = level("warn"), error = level("error"))
}

emit_event <- function(worker, call, name, data) {
  if (is.list(name)) name <- rawToChar(write_value(name, "pattern", worker$limits)$body)
  if (!is.character(name) || length(name) != 1L || !nzchar(name)) stop("the name of an event is a text, or a named list", call. = FALSE)
  if (startsWith(name, "snakepit.")) {
    stop(sprintf("events named snakepit.… are the library's own; choose another name than '%s'", name), call. = FALSE)
  }
  send_event(worker, call, name, data)
}

send_event <- function(worker, call, name, data) {
  send_value(worker, KIND$EVENT, call, list(name = name, data = data), "event")
}

send_value <- function(worker, kind, call, value, what) {
  written <- write_value(value, what, worker$limits)
  if (length(written$body) > worker$limits$max_frame_bytes) {
    stop(unsendable(sprintf("%s of %d bytes exceeds maxFrameBytes (%.0f)", what, length(written$body), worker$limits$max_frame_bytes), "FRAME_TOO_LARGE"))
  }
  in_time(call, send_frame(worker$link, kind, written$body, written$flags, id = if (is.null(call)) NO_ID else call$id))
  invisible()
}
