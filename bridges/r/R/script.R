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
    outcome <- guarded(withVisible(eval(parsed[[i]], globalenv())))
    if (!is.null(outcome$error)) stop(script_error(script, references[[i]], outcome))
  }
  globalenv()
}

script_error <- function(script, reference, outcome) {
  error <- outcome$error
  line <- as.integer(reference)[1L]
  message <- sprintf("%s:%d: %s: %s", basename(script), line, class(error)[1L], message_of(error))
  if (inherits(error, "startup_error")) message <- sprintf("%s:%d: %s", basename(script), line, error$message)
  startup_error(message, traceback_text(error, outcome$calls))
}
