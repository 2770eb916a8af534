# What a command asks of its host while it runs.

# Waits for the host's answer. What else arrives meanwhile is kept; calls among it run later.
ask_host <- function(worker, call, method, args) in_time(call, question_and_answer(worker, call, method, args))

question_and_answer <- function(worker, call, method, args) {
  worker$last_ask <- worker$last_ask + 1
  id <- u32_bytes(worker$last_ask)
  question <- list(method = method, args = args)
  if (!is.null(call)) question$call <- u32_at(call$id, 1L)
  written <- write_value(question, "question", worker$limits)
  if (length(written$body) > worker$limits$max_frame_bytes) {
    stop(host_error("INVALID_ARGUMENTS", sprintf("what is asked takes %d bytes, and maxFrameBytes is %.0f", length(written$body), worker$limits$max_frame_bytes)))
  }
  send_frame(worker$link, KIND$HOST_CALL, written$body, written$flags, id = id)
  key <- id_key(id)
  while (is.null(worker$answers[[key]])) wait_for_frame(worker)
  answer <- worker$answers[[key]]
  worker$answers[[key]] <- NULL
  value <- read_value(answer$body, answer$flags, list(max_depth = MAX_ANSWER_DEPTH))
  if (answer$kind == KIND$HOST_RESULT) return(value)
  if (identical(value$code, "CANCELLED")) stop_cancelled(call)
  stop(host_error(if (is.null(value$code)) "REMOTE_ERROR" else value$code, if (is.null(value$message)) "" else value$message, value$type, value$data))
}

# An answer was made by the host, which keeps to its own limits.
MAX_ANSWER_DEPTH <- 1000

stop_cancelled <- function(call) {
  if (!is.null(call)) call$is_stopped <- TRUE
  if (!is.null(call) && is_late(call)) stop(cancelled("CALL_TIMEOUT", "stopped at its deadline"))
  stop(cancelled())
}

# --- data that the host keeps ----------------------------------------------------------------------

MAX_ATTEMPTS <- 1000L

# A map in the host, as functions: it outlives this worker.
new_data_map <- function(worker, call, map) {
  ask <- function(method, ...) ask_host(worker, call, method, list(map = map, ...))
  found <- function(answer, default) if (isTRUE(answer$found)) answer$value else default
  list(
    get = function(key, default = NULL) found(ask("session.read", key = key), default),
    set = function(key, value) {
      ask("session.write", key = key, value = value)
      invisible(value)
    },
    delete = function(key) isTRUE(ask("session.delete", key = key)$written),
    keys = function() as.character(unlist(ask("session.keys"))),
    update = function(key, change, default = NULL) {
      for (attempt in seq_len(MAX_ATTEMPTS)) {
        answer <- ask("session.read", key = key)
        value <- change(found(answer, default))
        if (isTRUE(ask("session.write", key = key, value = value, revision = answer$revision)$written)) return(value)
      }
      stop(sprintf("update of '%s' lost %d races against other writers; write it less often", key, MAX_ATTEMPTS), call. = FALSE)
    }
  )
}

new_session <- function(worker, call, id) {
  c(list(id = id), new_data_map(worker, call, "metadata"), list(programs = new_data_map(worker, call, "programs")))
}

# --- tools and messages ----------------------------------------------------------------------------

new_tools <- function(worker, call) {
  structure(list(ask = function(name, args) {
    withCallingHandlers(
      ask_host(worker, call, "tool.call", list(name = name, args = args)),
      host_error = function(e) stop(tool_error(name, e)),
      unsendable_value = function(e) stop(tool_error(name, host_error("INVALID_ARGUMENTS", e$message)))
    )
  }), class = "snakepit_tools")
}

# `ctx$tools$price_of(sku = "x")`, or `ctx$tools$call("price.of", list(sku = "x"))`.
`$.snakepit_tools` <- function(x, name) {
  ask <- unclass(x)$ask
  if (name == "call") return(function(name, args = NULL) ask(name, args))
  function(...) {
    args <- list(...)
    if (length(args) == 0L) return(ask(name, NULL))
    if (!is.null(names(args)) && all(nzchar(names(args)))) return(ask(name, args))
    if (length(args) == 1L) return(ask(name, args[[1L]]))
    stop(sprintf("tools take named arguments or one value; '%s' got %d without a name", name, length(args)), call. = FALSE)
  }
}

send_message <- function(worker, call, pattern, data) {
  withCallingHandlers(
    ask_host(worker, call, "message.send", list(pattern = pattern, data = data)),
    host_error = function(e) stop(message_error(pattern, e)),
    unsendable_value = function(e) stop(message_error(pattern, host_error("INVALID_ARGUMENTS", e$message)))
  )
}

# --- input -----------------------------------------------------------------------------------------

# What the caller sends while the command runs: bytes, to be read once.
new_input <- function(worker, call) {
  input <- new.env(parent = emptyenv())
  input$rest <- raw(0)
  input$is_at_end <- FALSE
  chunk <- function() {
    if (length(input$rest) > 0L) {
      bytes <- input$rest
      input$rest <- raw(0)
      return(bytes)
    }
    if (input$is_at_end) return(NULL)
    bytes <- ask_host(worker, call, "input.read", no_entries())
    if (is.null(bytes)) input$is_at_end <- TRUE
    bytes
  }
  list(
    # The next bytes as they come; NULL at the end.
    chunk = chunk,
    # Exactly `count` bytes, fewer only at the end.
    read = function(count = Inf) {
      parts <- list()
      left <- count
      while (left > 0 && !is.null(bytes <- chunk())) {
        if (length(bytes) > left) {
          input$rest <- bytes[(left + 1):length(bytes)]
          bytes <- bytes[seq_len(left)]
        }
        parts[[length(parts) + 1L]] <- bytes
        left <- left - length(bytes)
      }
      if (length(parts) == 0L) raw(0) else unlist(parts)
    }
  )
}
