# What can go wrong in a worker, as conditions.

snakepit_condition <- function(class, message, ...) {
  structure(class = c(class, "error", "condition"), list(message = message, call = NULL, ...))
}

# The worker cannot start: its script or its commands are not usable.
startup_error <- function(message, traceback = NULL) snakepit_condition("startup_error", message, traceback = traceback)

# The host broke the wire protocol; the connection cannot go on.
protocol_error <- function(message) snakepit_condition("protocol_error", message)

# A call that is answered by an error of this package's own making.
refusal <- function(code, message, path = NULL) {
  snakepit_condition("snakepit_refusal", message, code = code, data = if (!is.null(path)) list(path = path))
}

# A value cannot be sent, or is too large to be.
unsendable <- function(message, code = "INVALID_RESULT") snakepit_condition("unsendable_value", message, code = code)

# The call is over for the host. No error, so that a handler's `tryCatch(error = )` does not catch it.
cancelled <- function(code = "CANCELLED", message = "the call was cancelled") {
  structure(class = c("snakepit_cancelled", "condition"), list(message = message, call = NULL, code = code))
}

# The host refused what a command asked of it, or what it did for it failed.
host_error <- function(code, message, type = NULL, data = NULL) {
  snakepit_condition("host_error", message, code = code, type = type, remote = data, data = list(code = code))
}

tool_error <- function(tool, error) {
  data <- list(tool = tool, code = error$code, type = error$type, data = error$remote)
  structure(class = c("tool_error", "host_error", "error", "condition"), c(unclass(error)[c("message", "call", "code", "type", "remote")], list(tool = tool, data = data)))
}

message_error <- function(pattern, error) {
  data <- list(pattern = pattern, code = error$code, type = error$type, data = error$remote)
  structure(class = c("message_error", "host_error", "error", "condition"), c(unclass(error)[c("message", "call", "code", "type", "remote")], list(pattern = pattern, data = data)))
}

conditionMessage.tool_error <- function(c) {
  if (identical(c$code, "REMOTE_ERROR")) {
    sprintf("the tool '%s' threw %s: %s", c$tool, if (is.null(c$type)) "an error" else c$type, c$message)
  } else {
    sprintf("the tool '%s' failed (%s): %s", c$tool, c$code, c$message)
  }
}

conditionMessage.message_error <- function(c) {
  what <- if (is.character(c$pattern)) sprintf("the message '%s' failed", c$pattern) else "the message failed"
  if (identical(c$code, "REMOTE_ERROR")) sprintf("%s: %s", what, c$message) else sprintf("%s (%s): %s", what, c$code, c$message)
}

#' Refuses the arguments of the running call: its caller gets INVALID_ARGUMENTS. `path` tells where the fault is.
invalid_arguments <- function(message, path = NULL) stop(refusal("INVALID_ARGUMENTS", message, path))
