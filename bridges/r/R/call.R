# One call: from its frame to its answer.

# How often a handler that asks whether it was cancelled makes the worker look at what has come.
LOOK_SECONDS <- 0.002

CANCELLED_BY_CALLER <- 1L

new_call <- function(worker, frame) {
  call <- new.env(parent = emptyenv())
  call$id <- frame$id
  call$frame <- frame
  call$credit <- worker$stream_credit
  call$cancel_reason <- 0L
  call$meta <- list()
  body <- frame$body
  if (bitwAnd(frame$flags, FLAG$DEADLINE) != 0L) {
    if (length(body) < 4L) stop(protocol_error("a call ends before its deadline"))
    call$deadline <- now_seconds() + u32_at(body, 1L) / 1000
    call$frame$body <- if (length(body) > 4L) body[5:length(body)] else raw(0)
  }
  call
}

is_late <- function(call) {
  call$cancel_reason != CANCELLED_BY_CALLER && !is.null(call$deadline) && now_seconds() >= call$deadline
}

is_cancelled <- function(worker, call) {
  now <- now_seconds()
  if (abs(now - worker$looked_at) >= LOOK_SECONDS) {
    worker$looked_at <- now
    take_all(worker)
  }
  call$cancel_reason != 0L || is_late(call)
}

# Runs a call and answers it.
run_call <- function(worker, call) {
  if (call$cancel_reason != 0L) {
    return(answer_error(worker, call, list(code = "CANCELLED", message = "cancelled before it began", started = FALSE)))
  }
  if (is_late(call)) {
    return(answer_error(worker, call, list(code = "CALL_TIMEOUT", message = "the deadline passed before the command began", started = FALSE)))
  }
  worker$running <- call
  started_at <- now_seconds()
  outcome <- guarded(with_conditions_logged(worker, call, serve_call(worker, call)))
  # What is told from here on is not the handler's.
  call$is_stopped <- TRUE
  worker$metrics$flush()
  call$service_time <- min(MAX_AUX, max(0, round((now_seconds() - started_at) * 1e6)))
  worker$running <- NULL
  if (!is.null(outcome$error)) {
    if (inherits(outcome$error, "protocol_error")) stop(outcome$error)
    return(answer_error(worker, call, error_body(outcome$error, outcome$calls)))
  }
  answer_result(worker, call, outcome$value)
}

# The value of a call's handler.
serve_call <- function(worker, call) {
  arguments <- arguments_of_call(worker, call)
  command <- call$command
  wants_stream <- bitwAnd(call$frame$flags, FLAG$STREAM) != 0L
  if (command$kind == "stream" && !wants_stream) {
    stop(refusal("INVALID_ARGUMENTS", sprintf("'%s' is a stream; call it as one", command$name)))
  }
  call$frame$body <- NULL
  open_session(worker, call)
  ctx <- if (command$takes_context) new_context(worker, call)
  if (!is.null(command$batch)) return(serve_batch(command, arguments, ctx, isTRUE(call$meta$batch)))
  value <- call_function(command, bind_arguments(command, arguments), ctx, emit = function(value) emit_chunk(worker, call, value))
  if (command$kind == "stream") NULL else value
}

# Reads the body; sets the call's command and meta.
arguments_of_call <- function(worker, call) {
  frame <- call$frame
  if (length(frame$body) == 0L) {
    arguments <- list()
  } else if (bitwAnd(frame$flags, FLAG$META) != 0L) {
    pair <- read_with_meta(frame$body, frame$flags, worker$limits)
    call$meta <- as.list(pair$meta)
    arguments <- pair$arguments
  } else {
    arguments <- read_arguments(frame$body, frame$flags, worker$limits)
  }
  call$command <- if (frame$aux == MAX_AUX) {
    worker$commands[[as.character(call$meta$command)[1L]]]
  } else if (frame$aux < length(worker$commands)) {
    worker$commands[[frame$aux + 1L]]
  }
  if (is.null(call$command)) {
    name <- if (is.null(call$meta$command)) sprintf("number %d", frame$aux) else sprintf("'%s'", call$meta$command)
    stop(refusal("UNKNOWN_COMMAND", sprintf("there is no command %s; the worker has: %s", name, toString(names(worker$commands)))))
  }
  arguments
}

# Hooks run before the first call of a session in this worker.
open_session <- function(worker, call) {
  id <- call$meta$session
  if (is.null(id) || !is.null(worker$sessions[[id]])) return(invisible())
  hooks <- registry$hooks$session_open
  if (length(hooks) > 0L) {
    session <- new_session(worker, call, id)
    for (hook in hooks) hook(session)
  }
  worker$sessions[[id]] <- TRUE
}

# Sends one value of a stream; waits while the caller takes no more.
emit_chunk <- function(worker, call, value) {
  if (is_cancelled(worker, call)) stop_cancelled(call)
  while (call$credit < 1) {
    wait_for_frame(worker)
    if (call$cancel_reason != 0L) stop_cancelled(call)
  }
  send_value(worker, KIND$CHUNK, call, value, "an item")
  call$credit <- call$credit - 1
  invisible()
}

# --- batches ---------------------------------------------------------------------------------------

# The function gets a list of what several callers sent, each a list of arguments as it came.
serve_batch <- function(command, arguments, ctx, is_batch) {
  items <- if (is_batch) arguments else list(arguments)
  values <- call_function(command, structure(list(unname(items)), names = command$parameters[1L]), ctx, NULL)
  if (!is.list(values) && is.atomic(values)) values <- as.list(values)
  if (!is.list(values) || length(values) != length(items)) {
    stop(unsendable(sprintf("'%s' returned %d results for %d calls", command$name, length(values), length(items))))
  }
  failed <- vapply(values, inherits, NA, "condition")
  if (!is_batch) {
    if (failed) stop(values[[1L]])
    return(values[[1L]])
  }
  errors <- lapply(which(failed), function(i) list(i - 1L, error_body(values[[i]])))
  values[failed] <- list(NULL)
  structure(list(unname(values), if (length(errors) > 0L) errors), class = "batch_answer")
}

# --- answers ---------------------------------------------------------------------------------------

answer_result <- function(worker, call, value) {
  wants_stream <- bitwAnd(call$frame$flags, FLAG$STREAM) != 0L
  is_stream <- call$command$kind == "stream"
  if (inherits(value, "batch_answer")) value <- sendable_answer(worker, unclass(value))
  if (is_stream) return(answer(worker, call, KIND$END))
  written <- guarded(write_value(value, "result", worker$limits))
  if (!is.null(written$error)) return(answer_error(worker, call, error_body(written$error, written$calls)))
  written <- written$value
  if (length(written$body) > worker$limits$max_frame_bytes) {
    message <- sprintf("a result of %d bytes exceeds maxFrameBytes (%.0f)", length(written$body), worker$limits$max_frame_bytes)
    return(answer_error(worker, call, list(code = "FRAME_TOO_LARGE", message = message)))
  }
  if (!wants_stream) return(answer(worker, call, KIND$RESULT, written$body, written$flags))
  send_frame(worker$link, KIND$CHUNK, written$body, written$flags, id = call$id)
  answer(worker, call, KIND$END)
}

# A result of a batch that cannot be sent is the affair of its own caller.
sendable_answer <- function(worker, pair) {
  if (!inherits(try(write_value(pair, "result", worker$limits), silent = TRUE), "try-error")) return(pair)
  for (i in seq_along(pair[[1L]])) {
    failure <- tryCatch({
      write_value(pair[[1L]][[i]], "result", worker$limits)
      NULL
    }, unsendable_value = function(e) e)
    if (is.null(failure)) next
    pair[[1L]][i] <- list(NULL)
    pair[[2L]] <- c(pair[[2L]], list(list(i - 1L, error_body(failure))))
  }
  pair
}

answer_error <- function(worker, call, body) {
  written <- tryCatch(write_value(body, "error", worker$limits), unsendable_value = function(e) e)
  if (inherits(written, "unsendable_value")) {
    written <- write_value(shortened_error(body, sprintf(" (its data cannot be sent: %s)", written$message)), "error", worker$limits)
  }
  if (length(written$body) > worker$limits$max_frame_bytes) written <- write_value(shortened_error(body), "error", worker$limits)
  answer(worker, call, KIND$ERROR, written$body, written$flags)
}

answer <- function(worker, call, kind, body = raw(0), flags = 0L) {
  time <- if (is.null(call$service_time)) 0L else as.integer(call$service_time)
  send_frame(worker$link, kind, body, flags, aux = time, id = call$id)
}
