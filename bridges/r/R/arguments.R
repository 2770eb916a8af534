# How arguments reach a function.

# Arguments as `read_arguments` gives them, by parameter; those without a name are matched in order.
bind_arguments <- function(command, arguments) {
  if (is.null(names(arguments))) arguments <- in_order(command, arguments)
  if (!identical(names(arguments), command$parameters)) check_names(command, names(arguments))
  for (name in names(command$types)) {
    types <- command$types[[name]]
    if (name %in% names(arguments) && !is_of_types(types, arguments[[name]])) {
      message <- sprintf("%s: the argument '%s' is no %s", command$name, name, paste(types, collapse = " or "))
      stop(refusal("INVALID_ARGUMENTS", message, paste0("args.", name)))
    }
  }
  arguments
}

check_names <- function(command, given) {
  if (anyDuplicated(given) > 0L) refuse_arguments(command, sprintf("the argument '%s' twice", given[anyDuplicated(given)]))
  unknown <- given[given %in% SPECIAL_PARAMETERS | (!command$takes_more & !(given %in% command$parameters))]
  if (length(unknown) > 0L) refuse_arguments(command, sprintf("an unknown argument '%s'", unknown[1L]))
  missing <- command$required[!(command$required %in% given)]
  if (length(missing) > 0L) refuse_arguments(command, sprintf("no argument '%s'", missing[1L]))
}

in_order <- function(command, arguments) {
  count <- length(arguments)
  room <- length(command$parameters)
  if (count > room && !command$takes_more) {
    refuse_arguments(command, sprintf("%d arguments", count))
  }
  names(arguments) <- c(command$parameters, if (count > room) sprintf("argument_%d", (room + 1L):count))[seq_len(count)]
  arguments
}

refuse_arguments <- function(command, what) {
  takes <- if (length(command$parameters) == 0L) "none" else toString(command$parameters)
  stop(refusal("INVALID_ARGUMENTS", sprintf("%s got %s; it takes: %s", command$name, what, takes)))
}

is_of_types <- function(types, value) {
  for (type in types) if (is_of_type(type, value)) return(TRUE)
  FALSE
}

is_of_type <- function(type, value) {
  is_scalar <- is.atomic(value) && length(value) == 1L && !inherits(value, "AsIs")
  switch(type,
    number = is_scalar && (is.numeric(value) && !inherits(value, "POSIXct") || inherits(value, "big_integer")),
    integer = is_scalar && (inherits(value, "big_integer") || is.numeric(value) && !is.object(value) && is.finite(value) && value == trunc(value)),
    string = is_scalar && is.character(value) && !is.object(value),
    boolean = is_scalar && is.logical(value),
    array = !is.null(value) && !is_scalar && !is.raw(value) && is.null(names(value)),
    object = is.list(value) && !is.null(names(value)),
    null = is.null(value)
  )
}

# Calls a command's function. Arguments are given as variables, so that a traceback shows names instead of what may be much data.
call_function <- function(command, arguments, ctx, emit) {
  if (command$takes_context) arguments["ctx"] <- list(ctx)
  if (command$kind == "stream") arguments["emit"] <- list(emit)
  scope <- list2env(arguments, parent = command$scope)
  names <- names(arguments)
  variables <- lapply(names, as.name)
  if (command$takes_more) names[startsWith(names, "argument_") & !(names %in% command$parameters)] <- ""
  names(variables) <- names
  eval(as.call(c(as.name(command$name), variables)), scope)
}
