# Runs a worker: `launch.sh Rscript worker.R --module report.R`, as a host of nestjs-snakepit does.
local({
  arguments <- commandArgs(trailingOnly = TRUE)
  at <- match("--module", arguments)
  if (is.na(at) || at == length(arguments)) {
    message("usage: launch.sh Rscript worker.R --module FILE.R, with a host's socket as SNAKEPIT_FD")
    quit(save = "no", status = 2L)
  }
  file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
  folder <- dirname(normalizePath(file))
  if (getRversion() < "4.1.0") {
    message("snakepit: R workers need R 4.1 or newer, and this is R ", getRversion())
    quit(save = "no", status = 1L)
  }
  # Without a language in the environment R would write texts that are not ASCII as escapes.
  if (!l10n_info()[["UTF-8"]]) {
    for (locale in c("C.UTF-8", "en_US.UTF-8")) if (nzchar(suppressWarnings(Sys.setlocale("LC_CTYPE", locale)))) break
  }
  if (!requireNamespace("jsonlite", quietly = TRUE)) {
    message("snakepit: R workers need the package 'jsonlite': install.packages(\"jsonlite\"), or Debian's r-cran-jsonlite. Looked in ",
      paste(.libPaths(), collapse = ", "))
    quit(save = "no", status = 1L)
  }
  source(file.path(folder, "load.R"), local = TRUE)
  snakepit <- load_snakepit(folder)
  input <- Sys.getenv("SNAKEPIT_R_INPUT")
  output <- Sys.getenv("SNAKEPIT_R_OUTPUT")
  # The session's own folder is made; for whatever else it is as it was.
  if (nzchar(Sys.getenv("SNAKEPIT_FOLDER"))) {
    before <- Sys.getenv("SNAKEPIT_R_TMPDIR")
    if (nzchar(before)) Sys.setenv(TMPDIR = before) else Sys.unsetenv("TMPDIR")
  }
  Sys.unsetenv(c("SNAKEPIT_R_INPUT", "SNAKEPIT_R_OUTPUT", "SNAKEPIT_R_TMPDIR", "SNAKEPIT_FOLDER", "SNAKEPIT_FD", "SNAKEPIT_PROTOCOL"))
  snakepit$serve(input, output, arguments[at + 1L], snakepit$load_script)
})
