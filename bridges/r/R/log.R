# Log records on their way to the host.

RECORDS_PER_SECOND <- 1000

# Runs a handler; what it tells by message() and warning() becomes log records of its call.
with_conditions_logged <- function(worker, call, expression) {
  withCallingHandlers(
    expression,
    message = function(m) {
      send_log(worker, call, "info", sub("\n$", "", conditionMessage(m)), "message")
      invokeRestart("muffleMessage")
    },
    warning = function(w) {
      if (getOption("warn") >= 2L) return()
      fields <- if (!is.null(conditionCall(w))) list(call = trimws(call_line(conditionCall(w))))
      send_log(worker, call, "warn", conditionMessage(w), "warning", fields)
      invokeRestart("muffleWarning")
    }
  )
}

send_log <- function(worker, call, level, message, logger, fields = NULL) {
  in_time(call, if (admits_record(worker)) write_log(worker, call, level, message, logger, fields))
}

write_log <- function(worker, call, level, message, logger, fields) {
  record <- list(level = level, message = sendable_text(paste(message, collapse = "\n")), logger = logger)
  if (length(fields) > 0L) record$fields <- fields
  written <- tryCatch(write_value(record, "log", worker$limits), unsendable_value = function(e) e)
  if (inherits(written, "unsendable_value") || length(written$body) > worker$limits$max_frame_bytes) {
    reason <- if (inherits(written, "unsendable_value")) sprintf(" (cannot be sent as it is: %s)", written$message)
    record$message <- substr(paste0(record$message, reason), 1L, MAX_CUT_TEXT)
    written <- write_value(record[c("level", "message", "logger")], "log", worker$limits)
  }
  send_frame(worker$link, KIND$LOG, written$body, written$flags, id = if (is.null(call)) NO_ID else call$id)
}

# Lets a thousand records pass at once, and as many each second; how many others there were is told with the next one that passes.
admits_record <- function(worker) {
  gate <- worker$log_gate
  now <- now_seconds()
  gate$room <- min(RECORDS_PER_SECOND, gate$room + max(0, now - gate$looked_at) * RECORDS_PER_SECOND)
  gate$looked_at <- now
  if (gate$room < 1) {
    gate$dropped <- gate$dropped + 1
    return(FALSE)
  }
  gate$room <- gate$room - 1
  tell_dropped(worker)
  TRUE
}

tell_dropped <- function(worker) {
  dropped <- worker$log_gate$dropped
  if (dropped == 0) return(invisible())
  worker$log_gate$dropped <- 0
  text <- sprintf("%.0f log records were dropped: more than %d a second", dropped, RECORDS_PER_SECOND)
  write_log(worker, NULL, "warn", text, "snakepit.log", list(dropped = dropped))
}

new_log_gate <- function() {
  gate <- new.env(parent = emptyenv())
  gate$room <- RECORDS_PER_SECOND
  gate$looked_at <- now_seconds()
  gate$dropped <- 0
  gate
}

now_seconds <- function() as.double(Sys.time())
