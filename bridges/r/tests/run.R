# Runs the tests of this package: `Rscript bridges/r/tests/run.R`. Nothing but base R and jsonlite; exits with status 1 where one fails.
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])))
if (!l10n_info()[["UTF-8"]]) Sys.setlocale("LC_CTYPE", "C.UTF-8")
source(file.path(here, "..", "inst", "load.R"))
snakepit <- load_snakepit(normalizePath(file.path(here, "..", "inst")))

passed <- 0L
failures <- character()

test <- function(name, body) {
  failure <- tryCatch({
    force(body)
    NULL
  }, error = function(e) conditionMessage(e))
  if (is.null(failure)) passed <<- passed + 1L else failures <<- c(failures, sprintf("%s: %s", name, failure))
}

same <- function(got, expected) {
  if (!identical(got, expected)) {
    show <- function(x) paste(utils::capture.output(utils::str(x)), collapse = " ")
    stop(sprintf("expected %s, got %s", show(expected), show(got)))
  }
}

# The condition of a class that an expression raises.
raised <- function(class, expression) {
  outcome <- do.call(tryCatch, c(list(quote({
    expression
    NULL
  })), structure(list(identity), names = class)))
  if (is.null(outcome)) stop(sprintf("raised no %s", class))
  outcome
}

limits <- list(max_depth = 64, max_frame_bytes = 1e6)
bytes_of <- function(hex) {
  if (!nzchar(hex)) return(raw(0))
  at <- 2 * seq_len(nchar(hex) / 2)
  as.raw(strtoi(substring(hex, at - 1, at), 16L))
}
hex_of <- function(bytes) paste(bytes, collapse = "")
json <- function(value) {
  written <- snakepit$write_value(value, "result", limits)
  stopifnot(written$flags == 0L)
  rawToChar(written$body)
}
# The text of a tagged body.
tagged <- function(value) {
  written <- snakepit$write_value(value, "result", limits)
  stopifnot(written$flags == 0x80L)
  rawToChar(written$body[seq_len(snakepit$u32_at(written$body, 1L)) + 4L])
}
parsed <- function(text) snakepit$read_value(charToRaw(enc2utf8(text)), 0L, limits)

for (file in sort(list.files(here, "^test_.*\\.R$", full.names = TRUE))) source(file, local = TRUE)

if (length(failures) > 0L) {
  writeLines(failures, stderr())
  quit(status = 1L)
}
cat(sprintf("%d tests passed\n", passed))
