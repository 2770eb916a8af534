# What commands measure, on its way to the host.

METRICS_EVENT <- "snakepit.metrics"
METRICS_WAIT_SECONDS <- 0.1
MAX_ENTRIES <- 1000L

new_metrics <- function(worker) {
  metrics <- new.env(parent = emptyenv())
  metrics$entries <- list()
  metrics$size <- 0L
  metrics$due_since <- 0
  list(
    flush = function() flush_metrics(worker, metrics),
    api = list(
      count = function(name, amount = 1, ...) {
        amount <- finite_number(name, amount)
        if (amount < 0) stop(sprintf("metric '%s': a count must not be negative, and %g is", name, amount), call. = FALSE)
        measure(worker, metrics, "count", name, list(...), function(before) sum(before, amount))
      },
      gauge = function(name, value, ...) {
        value <- finite_number(name, value)
        measure(worker, metrics, "gauge", name, list(...), function(before) value)
      },
      observe = function(name, value, ...) {
        value <- finite_number(name, value)
        measure(worker, metrics, "observe", name, list(...), function(before) I(c(before, value)))
      }
    )
  )
}

measure <- function(worker, metrics, kind, name, labels, change) {
  in_time(worker$running, add_measured(worker, metrics, kind, name, labels, change))
}

add_measured <- function(worker, metrics, kind, name, labels, change) {
  labels <- if (length(labels) > 0L) lapply(labels[order(names(labels))], as.character)
  key <- paste(c(kind, name, names(labels), unlist(labels)), collapse = "\r")
  before <- metrics$entries[[key]]
  metrics$entries[[key]] <- list(kind, name, labels, change(if (!is.null(before)) unclass(before[[4L]])))
  metrics$size <- metrics$size + 1L
  now <- now_seconds()
  if (metrics$size == 1L) metrics$due_since <- now
  if (now - metrics$due_since > METRICS_WAIT_SECONDS || metrics$size > MAX_ENTRIES) flush_metrics(worker, metrics)
  invisible()
}

flush_metrics <- function(worker, metrics) {
  if (metrics$size == 0L) return(invisible())
  entries <- unname(metrics$entries)
  metrics$entries <- list()
  metrics$size <- 0L
  send_event(worker, NULL, METRICS_EVENT, entries)
}

finite_number <- function(name, value) {
  if (!is.character(name) || length(name) != 1L) stop("the name of a metric is a text", call. = FALSE)
  if (!is.numeric(value) || length(value) != 1L || !is.finite(value)) stop(sprintf("metric '%s': the value is no finite number", name), call. = FALSE)
  as.double(value)
}
