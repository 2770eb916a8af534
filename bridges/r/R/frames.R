# Frames of protocol v2, as proto/PROTOCOL.md describes them.

HEADER_BYTES <- 12L

KIND <- list(
  HELLO = 0x01L, CALL = 0x10L, CANCEL = 0x11L, CREDIT = 0x12L, SHUTDOWN = 0x13L, SESSION_CLOSED = 0x14L, RELEASE = 0x15L,
  RESULT = 0x20L, ERROR = 0x21L, CHUNK = 0x22L, END = 0x23L, PROGRESS = 0x24L, LOG = 0x25L, EVENT = 0x26L,
  PING = 0x30L, PONG = 0x31L, HOST_CALL = 0x40L, HOST_RESULT = 0x41L, HOST_ERROR = 0x42L
)

FLAG <- list(STREAM = 0x01L, DEADLINE = 0x02L, META = 0x04L, TAGGED = 0x80L)

MAX_AUX <- 65535L

NO_ID <- raw(4)

# A frame's header. `id` is four bytes, since R has no unsigned integers of 32 bits.
frame_head <- function(kind, body_bytes, flags, aux, id) {
  c(writeBin(body_bytes, raw(), endian = "big"), as.raw(c(kind, flags, aux %/% 256L, aux %% 256L)), id)
}

# An unsigned integer of 32 bits at a position, as a double.
u32_at <- function(bytes, at) {
  sum(as.integer(bytes[at:(at + 3L)]) * c(16777216, 65536, 256, 1))
}

u32_bytes <- function(number) {
  as.raw(c(number %/% 16777216, (number %/% 65536) %% 256, (number %/% 256) %% 256, number %% 256))
}

# Much of a vector of bytes at once: by index each byte would cost more than by a connection.
bytes_from <- function(bytes, from, count) {
  if (count < 65536) return(bytes[seq_len(count) + from])
  connection <- rawConnection(bytes, "rb")
  on.exit(close(connection))
  if (from > 0) readBin(connection, "raw", from)
  readBin(connection, "raw", count)
}

id_key <- function(id) paste(id, collapse = "")
