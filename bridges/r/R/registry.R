# What a script registers: its commands and hooks.

registry <- new.env(parent = emptyenv())

clear_registry <- function() {
  # The line of the script that is being evaluated, as `report.R:12`.
  registry$place <- NULL
  registry$commands <- list()
  registry$hooks <- list(start = list(), shutdown = list(), session_open = list(), session_close = list())
}

clear_registry()

#' Makes a function a command. Its parameters are the command's arguments, by name; one named `ctx` gets the call's context.
#'
#' `doc` is a sentence for the manifest. `params` declares arguments, by name: a type of JSON Schema ("number", "integer", "string",
#' "boolean", "array", "object", "null", or several of them), or a whole schema as a list. `batch`, TRUE or
#' `list(max_size =, max_wait_ms =, adaptive =)`, has the function get a list with the arguments of several calls, and return a list with a
#' result, or an error object, for each.
command <- function(name, fn, doc = NULL, params = NULL, batch = NULL) {
  register(new_command(name, fn, "call", doc, params, batch))
  invisible(fn)
}

#' Makes a function a stream. Its parameter `emit` is a function that sends the caller one value, and waits while the caller takes no more.
stream <- function(name, fn, doc = NULL, params = NULL) {
  register(new_command(name, fn, "stream", doc, params, NULL))
  invisible(fn)
}

#' Runs a function before the worker is ready; an error keeps it from starting.
on_start <- function(fn) add_hook("start", fn)

#' Runs a function when the worker is told to end, after its calls.
on_shutdown <- function(fn) add_hook("shutdown", fn)

#' Runs a function before the first call of a session in this worker; it gets the session.
on_session_open <- function(fn) add_hook("session_open", fn)

#' Runs a function when a session that had calls in this worker is over; it gets the session's id.
on_session_close <- function(fn) add_hook("session_close", fn)

add_hook <- function(kind, fn) {
  if (!is.function(fn)) stop(startup_error(sprintf("on_%s() takes a function", kind)))
  registry$hooks[[kind]] <- c(registry$hooks[[kind]], fn)
  invisible(fn)
}

register <- function(described) {
  registry$commands <- c(registry$commands, list(described))
}

SPECIAL_PARAMETERS <- c("ctx", "emit")

new_command <- function(name, fn, kind, doc, params, batch, place = registry$place) {
  word <- if (kind == "stream") "stream" else "command"
  if (!is.character(name) || length(name) != 1L || is.na(name) || !nzchar(name)) stop(startup_error(sprintf("%s() takes a name and a function", word)))
  if (!is.function(fn)) stop(startup_error(sprintf("%s(\"%s\") takes a function", word, name)))
  if (is.primitive(fn)) stop(startup_error(sprintf("%s(\"%s\"): a primitive function has no named parameters; wrap it in a function", word, name)))
  defaults <- formals(fn)
  names <- as.character(names(defaults))
  if (kind == "stream" && !("emit" %in% names)) stop(startup_error(sprintf("stream(\"%s\"): its function needs a parameter `emit`", name)))
  if (kind == "call" && "emit" %in% names) stop(startup_error(sprintf("command(\"%s\") has a parameter `emit`: register it by stream()", name)))
  parameters <- setdiff(names, c(SPECIAL_PARAMETERS, "..."))
  unknown <- if (!("..." %in% names)) setdiff(names(params), parameters)
  if (length(unknown) > 0L) stop(startup_error(sprintf("%s(\"%s\"): its function has no parameter '%s'", word, name, unknown[1L])))
  has_default <- vapply(parameters, function(parameter) !identical(defaults[[parameter]], quote(expr = )), NA)
  list(
    name = name, kind = kind, doc = doc, place = place, fn = fn,
    parameters = parameters, required = parameters[!has_default], takes_more = "..." %in% names,
    takes_context = "ctx" %in% names, schemas = lapply(params, schema_of, where = sprintf("%s(\"%s\")", word, name)),
    types = drop_null(lapply(params, function(given) if (is.list(given)) unlist(given$type) else given)),
    batch = batch_of(batch, name),
    scope = list2env(structure(list(fn), names = name), parent = globalenv())
  )
}

TYPES <- c("number", "integer", "string", "boolean", "array", "object", "null")

schema_of <- function(given, where) {
  if (is.list(given)) return(given)
  if (!is.character(given) || !all(given %in% TYPES)) {
    stop(startup_error(sprintf("%s: '%s' is no type; there are: %s", where, toString(given), toString(TYPES))))
  }
  list(type = if (length(given) == 1L) given else as.list(given))
}

batch_of <- function(batch, name) {
  if (is.null(batch) || isFALSE(batch)) return(NULL)
  if (isTRUE(batch)) return(list())
  known <- c(max_size = "maxSize", max_wait_ms = "maxWaitMs", adaptive = "adaptive")
  unknown <- setdiff(names(batch), names(known))
  if (!is.list(batch) || length(unknown) > 0L) {
    stop(startup_error(sprintf("command(\"%s\"): batch is TRUE, or a list of %s", name, toString(names(known)))))
  }
  names(batch) <- known[names(batch)]
  batch
}

# --- the manifest ----------------------------------------------------------------------------------

MAX_COMMANDS <- 65535L

# The commands of a script: those it has registered, else all its functions whose names begin with no dot.
collect_commands <- function(script, scope) {
  commands <- registry$commands
  if (length(commands) == 0L) commands <- public_functions(scope)
  if (length(commands) == 0L) {
    stop(startup_error(sprintf("%s has no command; define a function, or register one by command() or stream()", basename(script))))
  }
  if (length(commands) > MAX_COMMANDS) stop(startup_error(sprintf("%d commands; at most %d are possible", length(commands), MAX_COMMANDS)))
  names <- vapply(commands, function(command) command$name, "")
  twice <- anyDuplicated(names)
  if (twice > 0L) {
    places <- unlist(lapply(commands[names == names[twice]], function(command) command$place))
    where <- if (length(places) > 0L) sprintf(" (%s)", paste(places, collapse = " and "))
    stop(startup_error(paste0("two commands named '", names[twice], "'", where, "; rename one")))
  }
  names(commands) <- names
  commands
}

public_functions <- function(scope) {
  names <- ls(scope, sorted = TRUE)
  is_own <- vapply(names, function(name) {
    value <- get(name, envir = scope, inherits = FALSE)
    is.function(value) && !is.primitive(value) && identical(environment(value), scope)
  }, NA)
  hooks <- unlist(registry$hooks, use.names = FALSE)
  functions <- mget(names[is_own], envir = scope)
  functions <- Filter(function(fn) !any(vapply(hooks, identical, NA, fn)), functions)
  lapply(seq_along(functions), function(i) {
    fn <- functions[[i]]
    kind <- if ("emit" %in% names(formals(fn))) "stream" else "call"
    new_command(names(functions)[i], fn, kind, NULL, NULL, NULL, place = NULL)
  })
}

# One command as the hello carries it.
describe_command <- function(command) {
  described <- list(name = command$name, kind = command$kind)
  if (!is.null(command$doc)) described$doc <- paste(command$doc, collapse = " ")
  if (length(command$schemas) > 0L && is.null(command$batch)) described$schema <- arguments_schema(command)
  if (!is.null(command$batch)) described$batch <- if (length(command$batch) == 0L) no_entries() else command$batch
  described
}

arguments_schema <- function(command) {
  properties <- lapply(command$parameters, function(name) if (is.null(command$schemas[[name]])) no_entries() else command$schemas[[name]])
  names(properties) <- command$parameters
  schema <- list(type = "object", properties = properties)
  if (length(command$required) > 0L) schema$required <- as.list(command$required)
  if (!command$takes_more) schema$additionalProperties <- FALSE
  schema
}

# A list that is written as `{}`.
no_entries <- function() structure(list(), names = character())
