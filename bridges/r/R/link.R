# The connection to the host: one pipe in each direction.
#
# The pipe that is read is open twice, with and without waiting, so that a worker can sleep until something comes and a busy one can
# look whether something has come. Connections of class `fifo` read without a buffer of their own, hence either may take the next bytes.

CHUNK_BYTES <- 65536L

open_link <- function(input, output, max_frame_bytes = 67108864) {
  link <- new.env(parent = emptyenv())
  link$waiting <- fifo(input, "rb", blocking = TRUE)
  link$looking <- fifo(input, "rb", blocking = FALSE)
  link$output <- fifo(output, "wb", blocking = TRUE)
  link$max_frame_bytes <- max_frame_bytes
  # What was read and belongs to no frame yet: the end of `data` behind `at`, then `parts`; `bytes` in all.
  link$data <- raw(0)
  link$at <- 0
  link$parts <- list()
  link$bytes <- 0
  link$needed <- HEADER_BYTES
  link
}

send_frame <- function(link, kind, body = raw(0), flags = 0L, aux = 0L, id = NO_ID) {
  head <- frame_head(kind, length(body), flags, aux, id)
  if (length(body) < CHUNK_BYTES) return(writeBin(c(head, body), link$output))
  writeBin(head, link$output)
  writeBin(body, link$output)
}

# Waits for the next frame; NULL when the host is gone.
next_frame <- function(link) {
  repeat {
    frame <- take_frame(link)
    if (!is.null(frame)) return(frame)
    chunk <- readBin(link$waiting, "raw", room(link))
    if (length(chunk) == 0L) return(NULL)
    add_chunk(link, chunk)
  }
}

# The next frame if there is one, else NULL; does not wait.
frame_at_hand <- function(link) {
  repeat {
    frame <- take_frame(link)
    if (!is.null(frame)) return(frame)
    chunk <- look_or_end(link)
    # The end is found by who waits; until then there is nothing.
    if (!is.raw(chunk)) return(NULL)
    add_chunk(link, chunk)
  }
}

# How much to read: of a long frame no more than belongs to it, so that its parts need not be cut.
room <- function(link) {
  missing <- link$needed - link$bytes
  if (missing > HEADER_BYTES) min(missing, CHUNK_BYTES) else CHUNK_BYTES
}

# What there is to read, without waiting: bytes, `"nothing"`, or `"end"` where that is known.
look_or_end <- function(link) {
  # Nothing to read is an error to the system, and so it is to R.
  chunk <- tryCatch(readBin(link$looking, "raw", room(link)), error = function(e) "nothing")
  if (length(chunk) == 0L) "end" else chunk
}

add_chunk <- function(link, chunk) {
  link$parts[[length(link$parts) + 1L]] <- chunk
  link$bytes <- link$bytes + length(chunk)
}

# Cuts one whole frame off what was read; NULL when there is none.
take_frame <- function(link) {
  if (link$bytes < link$needed) return(NULL)
  if (length(link$parts) > 0L) join_parts(link)
  data <- link$data
  at <- link$at
  head <- as.integer(data[at + 1:HEADER_BYTES])
  length_of_body <- sum(head[1:4] * c(16777216, 65536, 256, 1))
  if (length_of_body > link$max_frame_bytes) {
    stop(protocol_error(sprintf("a frame of %.0f bytes exceeds maxFrameBytes (%.0f)", length_of_body, link$max_frame_bytes)))
  }
  whole <- HEADER_BYTES + length_of_body
  if (link$bytes < whole) {
    link$needed <- whole
    return(NULL)
  }
  frame <- list(
    kind = head[5L],
    flags = head[6L],
    aux = head[7L] * 256L + head[8L],
    id = data[at + 9:12],
    body = if (length_of_body == 0) raw(0) else bytes_from(data, at + HEADER_BYTES, length_of_body)
  )
  link$needed <- HEADER_BYTES
  link$bytes <- link$bytes - whole
  link$at <- if (link$bytes == 0) 0 else at + whole
  if (link$bytes == 0) link$data <- raw(0)
  frame
}

# All that was read and belongs to no frame yet becomes one vector.
join_parts <- function(link) {
  left <- if (link$at < length(link$data)) list(link$data[(link$at + 1):length(link$data)])
  link$data <- do.call(c, c(left, link$parts))
  link$at <- 0
  link$parts <- list()
}
