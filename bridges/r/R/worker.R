# The worker: says hello, then takes what comes and runs it in the order of arrival.

# How long the last frames may take on their way to the host before this process ends.
FAREWELL_SECONDS <- 1

# Serves a script's commands to the host at the other end of two pipes, until the host wants the end. Does not return.
serve <- function(input, output, script, load_script) {
  link <- open_link(input, output)
  hello <- next_frame(link)
  if (is.null(hello)) leave(0L)
  if (hello$kind != KIND$HELLO) complain_and_leave("the first frame is no hello")
  host <- jsonlite::parse_json(rawToChar(hello$body))
  worker <- new_worker(link, host)
  prepared <- guarded(prepare(worker, script, load_script))
  if (!is.null(prepared$error)) refuse_start(worker, prepared$error, prepared$calls)
  outcome <- guarded({
    say_hello(worker)
    run(worker)
  })
  if (!is.null(outcome$error)) complain_and_leave(conditionMessage(outcome$error))
  leave(0L)
}

new_worker <- function(link, host) {
  link$max_frame_bytes <- or_else(host$maxFrameBytes, 67108864)
  worker <- new.env(parent = emptyenv())
  worker$link <- link
  worker$limits <- list(max_depth = or_else(host$maxDepth, 64), max_frame_bytes = link$max_frame_bytes)
  worker$stream_credit <- or_else(host$streamCredit, 64)
  worker$protocols <- or_else(unlist(host$protocol), 2)
  worker$codecs <- or_else(unlist(host$codecs), "json")
  # Frames that became calls, in order; those of closed sessions are among them.
  worker$queue <- list()
  worker$running <- NULL
  worker$is_ending <- FALSE
  worker$is_host_gone <- FALSE
  worker$answers <- list()
  worker$last_ask <- 0
  worker$pongs <- 0
  worker$looked_at <- 0
  worker$sessions <- list()
  worker$log_gate <- new_log_gate()
  worker$metrics <- new_metrics(worker)
  worker
}

or_else <- function(value, default) if (is.null(value)) default else value

prepare <- function(worker, script, load_script) {
  if (!(2 %in% worker$protocols)) stop(startup_error("the host does not speak protocol 2"))
  if (!("json" %in% worker$codecs)) stop(startup_error("the host does not offer the codec 'json', and R workers speak no other"))
  clear_registry()
  scope <- load_script(script)
  worker$commands <- collect_commands(script, scope)
  for (hook in registry$hooks$start) hook()
}

say_hello <- function(worker) {
  hello <- list(
    protocol = 2L,
    codec = "json",
    language = "r",
    runtime = list(name = "R", version = paste(R.version$major, R.version$minor, sep = ".")),
    sdk = list(name = "snakepit", version = getNamespaceVersion("snakepit")[[1L]]),
    pid = Sys.getpid(),
    answersWhileBusy = FALSE,
    typedArrays = TRUE,
    batches = TRUE,
    commands = unname(lapply(worker$commands, describe_command))
  )
  send_frame(worker$link, KIND$HELLO, write_value(hello, "hello", list(max_depth = 256))$body)
}

# Until there is no more to do.
run <- function(worker) {
  repeat {
    if (length(worker$queue) > 0L) {
      task <- worker$queue[[1L]]
      worker$queue[[1L]] <- NULL
      if (is.environment(task)) run_call(worker, task) else close_session(worker, task)
      tell_dropped(worker)
    } else if (worker$is_host_gone) {
      return(invisible())
    } else if (worker$is_ending) {
      return(shut_down(worker))
    } else {
      take_next(worker)
    }
  }
}

# --- what comes ------------------------------------------------------------------------------------

# Waits for a frame and takes it.
take_next <- function(worker) {
  frame <- next_frame(worker$link)
  if (is.null(frame)) worker$is_host_gone <- TRUE else take(worker, frame)
}

# Waits within a call: without a host there is nothing to wait for.
wait_for_frame <- function(worker) {
  take_next(worker)
  if (worker$is_host_gone) leave(0L)
}

# Takes all that has come.
take_all <- function(worker) {
  while (!is.null(frame <- frame_at_hand(worker$link))) take(worker, frame)
}

take <- function(worker, frame) {
  kind <- frame$kind
  if (kind == KIND$CALL) {
    worker$queue[[length(worker$queue) + 1L]] <- new_call(worker, frame)
  } else if (kind == KIND$CANCEL) {
    call <- find_call(worker, frame$id)
    if (!is.null(call)) call$cancel_reason <- max(1L, frame$aux)
  } else if (kind == KIND$CREDIT) {
    call <- find_call(worker, frame$id)
    if (!is.null(call)) call$credit <- call$credit + frame$aux
  } else if (kind == KIND$PING) {
    send_frame(worker$link, KIND$PONG, id = frame$id)
  } else if (kind == KIND$PONG) {
    worker$pongs <- worker$pongs + 1
  } else if (kind == KIND$HOST_RESULT || kind == KIND$HOST_ERROR) {
    worker$answers[[id_key(frame$id)]] <- frame
  } else if (kind == KIND$SESSION_CLOSED) {
    worker$queue[[length(worker$queue) + 1L]] <- read_value(frame$body, frame$flags, worker$limits)
  } else if (kind == KIND$SHUTDOWN) {
    worker$is_ending <- TRUE
  } else if (kind != KIND$RELEASE) {
    stop(protocol_error(sprintf("a frame of kind 0x%02x is not for workers", kind)))
  }
}

find_call <- function(worker, id) {
  if (!is.null(worker$running) && identical(worker$running$id, id)) return(worker$running)
  for (task in worker$queue) if (is.environment(task) && identical(task$id, id)) return(task)
  NULL
}

close_session <- function(worker, id) {
  if (is.null(worker$sessions[[id]])) return(invisible())
  worker$sessions[[id]] <- NULL
  for (hook in registry$hooks$session_close) run_hook(worker, hook, id)
}

# A hook that fails is told of, and nothing else.
run_hook <- function(worker, hook, ...) {
  outcome <- guarded(with_conditions_logged(worker, NULL, hook(...)))
  if (is.null(outcome$error)) return(invisible())
  fields <- list(exception = traceback_text(outcome$error, outcome$calls))
  send_log(worker, NULL, "error", paste("a hook failed:", message_of(outcome$error)), "snakepit", fields)
}

# --- the end ---------------------------------------------------------------------------------------

shut_down <- function(worker) {
  for (hook in registry$hooks$shutdown) run_hook(worker, hook)
  worker$metrics$flush()
  # What was sent has arrived when the host answers what was sent last.
  send_frame(worker$link, KIND$PING, id = u32_bytes(1))
  pongs <- worker$pongs
  wait_at_most(FAREWELL_SECONDS, function() {
    take_all(worker)
    worker$pongs > pongs
  })
}

refuse_start <- function(worker, error, calls) {
  body <- error_body(error, calls)
  if (inherits(error, "startup_error")) {
    body <- drop_null(list(code = "REMOTE_ERROR", message = message_of(error), traceback = error$traceback))
  }
  text <- write_value(list(error = body[setdiff(names(body), "data")]), "hello", list(max_depth = 256))$body
  send_frame(worker$link, KIND$HELLO, text)
  message(or_else(body$traceback, body$message))
  # The host ends the connection when it has read this.
  wait_at_most(FAREWELL_SECONDS / 4, function() identical(look_or_end(worker$link), "end"))
  leave(1L)
}

wait_at_most <- function(seconds, condition) {
  end <- now_seconds() + seconds
  while (!condition() && now_seconds() < end) Sys.sleep(0.002)
}

complain_and_leave <- function(reason) {
  message("snakepit: ", reason)
  leave(1L)
}

leave <- function(status) quit(save = "no", status = status, runLast = FALSE)
