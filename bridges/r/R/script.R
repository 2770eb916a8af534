# Loads a worker's script.

# Evaluates a script in the global environment, as Rscript does, and tells in which line it failed.
load_script <- function(script) {
  if (!file.exists(script)) stop(startup_error(sprintf("there is no file %s", script)))
  options(keep.source = TRUE)
  parsed <- tryCatch(
    parse(script, keep.source = TRUE, encoding = "UTF-8"),
    # Its first line begins with the file, the line and the column.
    error = function(e) stop(startup_error(paste0("a syntax error: ", conditionMessage(e))))
  )
  references <- attr(parsed, "srcref")
  for (i in seq_along(parsed)) {
    registry$place <- sprintf("%s:%d", basename(script), as.integer(references[[i]])[1L])
    outcome <- guarded(withVisible(eval(parsed[[i]], globalenv())))
    if (!is.null(outcome$error)) stop(script_error(outcome))
  }
  registry$place <- NULL
  globalenv()
}

script_error <- function(outcome) {
  error <- outcome$error
  if (inherits(error, "startup_error")) return(startup_error(paste0(registry$place, ": ", error$message)))
  startup_error(sprintf("%s: %s: %s", registry$place, class(error)[1L], message_of(error)), traceback_text(error, outcome$calls))
}
