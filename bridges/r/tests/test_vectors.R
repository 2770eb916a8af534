vectors <- jsonlite::fromJSON(file.path(here, "..", "..", "..", "proto", "vectors", "values.json"), simplifyVector = FALSE)

# Texts in R cannot hold U+0000.
IMPOSSIBLE <- "string with a NUL"
# Written with 17 digits, although fewer would do; read as the same number.
LONGER <- "float 5e-324"

for (case in vectors$cases) {
  if (is.null(case$json)) next
  flags <- if (isTRUE(case$json$tagged)) 0x80L else 0L
  read <- function() snakepit$read_value(bytes_of(case$json$hex), flags, limits)
  if (case$name == IMPOSSIBLE) {
    test(paste("refuses the vector:", case$name), same(raised("snakepit_refusal", read())$code, "INVALID_ARGUMENTS"))
    next
  }
  test(paste("reads the vector:", case$name), read())
  if (isTRUE(case$decodeOnly)) next
  written <- snakepit$write_value(read(), "result", limits)
  if (case$name == LONGER) {
    test(paste("writes the vector, longer:", case$name), same(snakepit$read_value(written$body, 0L, limits), read()))
  } else if (nchar(case$json$hex) > 0L) {
    test(paste("writes the vector:", case$name), same(list(hex_of(written$body), written$flags), list(case$json$hex, flags)))
  }
}

for (case in vectors$refused) {
  if (case$codec != "json") next
  flags <- if (isTRUE(case$tagged)) 0x80L else 0L
  test(paste("refuses the body:", case$name), {
    outcome <- tryCatch(snakepit$read_value(bytes_of(case$hex), flags, limits), condition = function(e) e)
    if (!inherits(outcome, "protocol_error") && !inherits(outcome, "snakepit_refusal")) stop("was read")
  })
}

frames <- jsonlite::fromJSON(file.path(here, "..", "..", "..", "proto", "vectors", "frames.json"), simplifyVector = FALSE)

# A link that has read these bytes.
link_with <- function(bytes, max_frame_bytes = 1e6) {
  link <- new.env()
  link$data <- raw(0)
  link$at <- 0
  link$parts <- list(bytes)
  link$bytes <- length(bytes)
  link$needed <- snakepit$HEADER_BYTES
  link$max_frame_bytes <- max_frame_bytes
  link
}

for (case in frames$cases) {
  test(paste("reads the frame:", case$name), {
    link <- link_with(bytes_of(paste0(case$hex, case$hex)))
    for (i in 1:2) {
      frame <- snakepit$take_frame(link)
      same(as.double(c(frame$kind, frame$flags, frame$aux, snakepit$u32_at(frame$id, 1L))), as.double(unlist(case$frame[c("kind", "flags", "aux", "id")], use.names = FALSE)))
      same(hex_of(frame$body), case$bodyHex)
    }
    same(snakepit$take_frame(link), NULL)
  })
  test(paste("writes the frame:", case$name), {
    body <- bytes_of(case$bodyHex)
    head <- snakepit$frame_head(case$frame$kind, length(body), case$frame$flags, case$frame$aux, snakepit$u32_bytes(case$frame$id))
    same(hex_of(c(head, body)), case$hex)
  })
}

for (case in frames$refused) {
  test(paste("refuses the frame:", case$name), {
    raised("protocol_error", snakepit$take_frame(link_with(bytes_of(case$hex), case$maxFrameBytes)))
  })
}

test("a frame that comes in pieces is read when it is whole", {
  whole <- c(snakepit$frame_head(0x10L, 5L, 0L, 0L, raw(4)), charToRaw("[1,2]"))
  link <- link_with(whole[1:3])
  for (byte in whole[4:length(whole)]) {
    same(snakepit$take_frame(link), NULL)
    snakepit$add_chunk(link, byte)
  }
  same(rawToChar(snakepit$take_frame(link)$body), "[1,2]")
})
