# The conformance worker of the R SDK; proto/CONFORMANCE.md says what each command does.
library(snakepit)

state <- new.env()
state$closed_sessions <- character()
state$farewell <- NULL

on_session_close(function(session_id) state$closed_sessions <- c(state$closed_sessions, session_id))
on_shutdown(function() if (!is.null(state$farewell)) cat(state$farewell, "\n", sep = ""))

command("echo", function(value) value)

command("add", function(a, b) a + b, params = list(a = "number", b = "number"))

# The text that stop() is given itself may have 8170 bytes; a condition has no limit.
command("fail_with", function(message) stop(simpleError(message)))

command("fail_with_data", function(message, data) {
  stop(structure(class = c("conformance_error", "error", "condition"), list(message = message, call = NULL, data = data)))
})

command("repeat_text", function(text, times) strrep(text, times))

command("nest", function(depth) {
  value <- 0L
  for (i in seq_len(depth)) value <- list(value)
  value
})

stream("count", function(n, emit) for (i in seq_len(n)) emit(i - 1L))

stream("count_then_fail", function(n, message, emit) {
  for (i in seq_len(n)) emit(i - 1L)
  stop(message)
})

stream("count_endlessly", function(emit, ctx) {
  on.exit(ctx$emit("conformance.stream_closed"))
  i <- 0
  repeat {
    emit(i)
    i <- i + 1
  }
})

command("sleep_ms", function(ms, ctx) {
  end <- Sys.time() + ms / 1000
  while ((left <- as.numeric(end - Sys.time(), units = "secs")) > 0) {
    ctx$check()
    Sys.sleep(min(left, 0.005))
  }
  ms
})

command("block_ms", function(ms) {
  Sys.sleep(ms / 1000)
  ms
})

command("print_text", function(text) {
  cat(text, "\n", sep = "")
  cat(text, "\n", sep = "", file = stderr())
  NULL
})

command("grandchild", function() {
  as.integer(system("sleep 60 >/dev/null 2>&1 & echo $!", intern = TRUE))
})

command("deadline_ms", function(ctx) if (is.null(ctx$deadline_seconds)) NULL else 1000 * ctx$deadline_seconds)

command("context", function(ctx) list(session = ctx$session$id, trace = ctx$trace, context = ctx$context))

command("progress", function(values, ctx) {
  for (value in values) ctx$progress(value)
  length(values)
})

command("log_record", function(level, message, fields, ctx) {
  write <- if (level == "warn") ctx$log$warning else ctx$log[[level]]
  do.call(write, c(list(message), fields))
  NULL
})

command("emit_event", function(name, data, ctx) ctx$emit(name, data))

command("measure", function(name, amount, ctx) ctx$metrics$count(name, amount, table = "orders"))

make_bytes <- function(n) as.raw((seq_len(n) - 1) %% 251)

command("make_bytes", make_bytes)

command("sum_bytes", function(data) sum(as.integer(data)))

stream("stream_bytes", function(n, times, emit) for (i in seq_len(times)) emit(make_bytes(n)))

outcome <- function(ask) {
  tryCatch(
    list(returned = ask),
    tool_error = function(e) list(failed = list(code = e$code, message = e$message)),
    message_error = function(e) list(failed = list(code = e$code, message = e$message))
  )
}

command("call_tool", function(name, args = NULL, ctx) outcome(ctx$tools$call(name, args)))

command("send_message", function(pattern, data = NULL, ctx) outcome(ctx$send(pattern, data)))

command("session_put", function(key, value, ctx) {
  ctx$session$set(key, value)
  NULL
})

command("session_get", function(key, ctx) ctx$session$get(key))

command("session_delete", function(key, ctx) ctx$session$delete(key))

command("session_keys", function(ctx) I(ctx$session$keys()))

command("program_put", function(key, value, ctx) {
  ctx$session$programs$set(key, value)
  NULL
})

command("global_put", function(key, value, ctx) {
  ctx$globals$set(key, value)
  NULL
})

command("closed_sessions", function() I(state$closed_sessions))

command("read_input", function(chunk_bytes, ctx) {
  bytes <- 0
  sum <- 0
  while (length(part <- ctx$input$read(chunk_bytes)) > 0) {
    bytes <- bytes + length(part)
    sum <- sum + sum(as.integer(part))
  }
  list(bytes = bytes, sum = sum)
})

command("print_at_exit", function(text) {
  state$farewell <- text
  NULL
})

command("batch_double", function(calls) {
  lapply(calls, function(call) if (call$n < 0) simpleError("negative") else 2 * call$n)
}, batch = list(max_size = 8))
