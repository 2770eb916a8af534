# Ends a handler at its deadline: R itself interrupts R code then, by an error. C code goes on until it comes back to R.

# Runs the handler of a call.
until_deadline <- function(call, expression) {
  if (is.null(call$deadline)) return(expression)
  call$undisturbed <- 0L
  call$is_stopped <- FALSE
  on.exit(setTimeLimit())
  limit_time(call)
  withCallingHandlers(expression, error = function(e) if (is_time_limit(e)) call$is_stopped <- TRUE)
}

# What was stopped is left alone: it may have to clean up.
limit_time <- function(call) if (!call$is_stopped) setTimeLimit(elapsed = max(0.0001, call$deadline - now_seconds()))

# Runs what must not be left half done, such as the reading of a frame: no limit holds meanwhile.
undisturbed <- function(call, expression) {
  if (is.null(call) || is.null(call$undisturbed)) return(expression)
  if (call$undisturbed == 0L) setTimeLimit()
  call$undisturbed <- call$undisturbed + 1L
  on.exit({
    call$undisturbed <- call$undisturbed - 1L
    if (call$undisturbed == 0L) limit_time(call)
  })
  expression
}

is_time_limit <- function(error) {
  inherits(error, "simpleError") && identical(conditionMessage(error), gettext("reached elapsed time limit", domain = "R"))
}
