collect <- function(...) {
  snakepit$clear_registry()
  scope <- new.env()
  for (expression in as.list(substitute(list(...)))[-1L]) eval(expression, scope)
  snakepit$collect_commands("report.R", scope)
}
bound <- function(command, arguments) snakepit$bind_arguments(command, arguments)
run <- function(command, arguments) snakepit$call_function(command, bound(command, arguments), NULL, NULL)

test("functions of a script are commands where none is registered", {
  commands <- collect(add <- function(a, b) a + b, .hidden <- function() 1, count <- function(n, emit) NULL)
  same(vapply(commands, function(command) command$kind, ""), c(add = "call", count = "stream"))
})

test("arguments reach parameters by name, or in order", {
  add <- collect(command("add", function(a, b = 10) a - b))$add
  same(run(add, list(b = 1, a = 3)), 2)
  same(run(add, list(3)), -7)
  same(raised("snakepit_refusal", bound(add, list(b = 1)))$message, "add got no argument 'a'; it takes: a, b")
  same(raised("snakepit_refusal", bound(add, list(a = 1, c = 2)))$message, "add got an unknown argument 'c'; it takes: a, b")
  same(raised("snakepit_refusal", bound(add, list(1, 2, 3)))$message, "add got 3 arguments; it takes: a, b")
  same(raised("snakepit_refusal", bound(add, list(a = 1, ctx = 2)))$code, "INVALID_ARGUMENTS")
})

test("`...` takes what is left", {
  all <- collect(command("all", function(first, ...) list(...)))$all
  same(run(all, list(first = 1, other = 2)), list(other = 2))
  same(run(all, list(1, 2, 3)), list(2, 3))
})

test("null is an argument", {
  is_null <- collect(command("is_null", function(x) is.null(x)))$is_null
  same(run(is_null, list(x = NULL)), TRUE)
})

test("declared types are checked, and told in the manifest", {
  scale <- collect(command("scale", function(x, by = 1, how = NULL) x, params = list(x = "array", by = c("number", "null"), how = list(type = "string", maxLength = 3)), doc = "Scales."))$scale
  same(raised("snakepit_refusal", bound(scale, list(x = 5)))$data, list(path = "args.x"))
  bound(scale, list(x = I(5), by = NULL, how = "log"))
  raised("snakepit_refusal", bound(scale, list(x = 1:3, by = "a")))
  described <- snakepit$describe_command(scale)
  same(described$doc, "Scales.")
  same(json(described$schema), paste0(
    "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"array\"},\"by\":{\"type\":[\"number\",\"null\"]},\"how\":{\"type\":\"string\",\"maxLength\":3}},",
    "\"required\":[\"x\"],\"additionalProperties\":false}"
  ))
})

test("misuse is refused when a script is loaded", {
  message <- function(expression) raised("startup_error", expression)$message
  same(grepl("two commands named 'add'", message(collect(command("add", function() 1), command("add", function() 2)))), TRUE)
  same(grepl("needs a parameter `emit`", message(collect(stream("walk", function() 1)))), TRUE)
  same(grepl("register it by stream", message(collect(command("walk", function(emit) 1)))), TRUE)
  same(grepl("no parameter 'b'", message(collect(command("one", function(a) 1, params = list(b = "number"))))), TRUE)
  same(grepl("is no type", message(collect(command("one", function(a) 1, params = list(a = "text"))))), TRUE)
  same(grepl("has no command", message(collect(x <- 5))), TRUE)
  same(grepl("batch is TRUE, or", message(collect(command("one", function(a) 1, batch = list(size = 3))))), TRUE)
})

test("a failure tells class, message, data and the calls of the script", {
  failing <- collect(command("failing", function() outer_call()))$failing
  assign("outer_call", function() inner_call(1), envir = globalenv())
  assign("inner_call", function(x) stop("no luck"), envir = globalenv())
  outcome <- snakepit$guarded(run(failing, list()))
  body <- snakepit$error_body(outcome$error, outcome$calls)
  same(body[c("code", "type", "message")], list(code = "REMOTE_ERROR", type = "simpleError", message = "no luck"))
  lines <- strsplit(body$traceback, "\n")[[1L]]
  same(sub("^ *([^ ]*: )?", "", lines[2:4]), c("failing()", "outer_call()", "inner_call(1)"))
  same(lines[length(lines)], "simpleError: no luck")
  own <- structure(class = c("bad_month", "error", "condition"), list(message = "13", call = NULL, data = list(month = 13)))
  same(snakepit$error_body(own)[c("type", "data")], list(type = "bad_month", data = list(month = 13)))
})

test("a cancelled call is no error to a handler's tryCatch", {
  outcome <- snakepit$guarded(tryCatch(stop(snakepit$cancelled()), error = function(e) "swallowed"))
  same(snakepit$error_body(outcome$error)$code, "CANCELLED")
})

test("one failed item of a batch is its own", {
  double <- collect(command("double", function(calls) lapply(calls, function(call) if (call$n < 0) simpleError("negative") else 2 * call$n), batch = TRUE))$double
  pair <- unclass(snakepit$serve_batch(double, list(list(n = 1), list(n = -1)), NULL, TRUE))
  same(pair[[1L]], list(2, NULL))
  same(pair[[2L]][[1L]][[1L]], 1L)
  same(snakepit$serve_batch(double, list(n = 4), NULL, FALSE), 8)
  raised("unsendable_value", snakepit$serve_batch(collect(command("none", function(calls) list(), batch = TRUE))$none, list(n = 4), NULL, FALSE))
})
