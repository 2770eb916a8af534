# Makes the package available from its sources, so that workers need no installation: what `library(snakepit)` and `snakepit::` find is
# the very code that runs the worker, whatever else is installed.
load_snakepit <- function(folder) {
  root <- if (dir.exists(file.path(folder, "R")) && file.exists(file.path(folder, "R", "worker.R"))) folder else dirname(folder)
  if (!file.exists(file.path(root, "R", "worker.R"))) return(asNamespace("snakepit"))
  namespace <- new_namespace(root)
  for (file in sort(list.files(file.path(root, "R"), "\\.R$", full.names = TRUE))) sys.source(file, namespace)
  directives <- parseNamespaceFile(basename(root), dirname(root))
  namespaceExport(namespace, directives$exports)
  registerS3methods(directives$S3methods, "snakepit", namespace)
  attach(mget(directives$exports, envir = namespace), name = "package:snakepit", warn.conflicts = FALSE)
  namespace
}

# A namespace as the loader of R makes one, but that it has no files of an installation.
new_namespace <- function(root) {
  imports <- new.env(parent = .BaseNamespaceEnv)
  attr(imports, "name") <- "imports:snakepit"
  namespace <- new.env(parent = imports)
  information <- new.env(parent = baseenv())
  version <- read.dcf(file.path(root, "DESCRIPTION"), "Version")[[1L]]
  information$spec <- c(name = "snakepit", version = version)
  namespace$.__NAMESPACE__. <- information
  namespace$.__S3MethodsTable__. <- new.env(parent = baseenv())
  namespace$.packageName <- "snakepit"
  setNamespaceInfo(namespace, "exports", new.env(parent = baseenv()))
  setNamespaceInfo(namespace, "imports", list(base = TRUE))
  setNamespaceInfo(namespace, "path", root)
  setNamespaceInfo(namespace, "dynlibs", NULL)
  setNamespaceInfo(namespace, "S3methods", matrix(NA_character_, 0L, 4L))
  .Internal(registerNamespace("snakepit", namespace))
  namespace
}
