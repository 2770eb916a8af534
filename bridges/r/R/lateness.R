# Ends a handler that goes on after its deadline, at the next thing that it tells or asks the host.

# Runs what a handler has its host told or asked; a call that is late ends after the first such thing. What it does to clean up then is left alone.
in_time <- function(call, expression) {
  value <- expression
  if (!is.null(call) && !isTRUE(call$is_stopped) && is_late(call)) {
    stop_cancelled(call)
  }
  value
}
