test("scalars are vectors of length one, and I() makes them lists", {
  same(json(5), "5")
  same(json(I(5)), "[5]")
  same(json(c(5, 6)), "[5,6]")
  same(json(numeric()), "[]")
  same(json(character()), "[]")
  same(parsed("5"), 5L)
  same(parsed("[5]"), I(5L))
  same(json(parsed("[5]") * 2), "[10]")
})

test("what is missing is null", {
  same(json(NULL), "null")
  same(json(NA), "null")
  same(json(c(1.5, NA)), "[1.5,null]")
  same(json(c("a", NA)), "[\"a\",null]")
  same(json(list(a = NULL, b = NA_integer_)), "{\"a\":null,\"b\":null}")
  same(parsed("[1,null]"), c(1L, NA))
  same(parsed("[null]"), list(NULL))
})

test("names make a map", {
  same(json(c(a = 1, b = 2)), "{\"a\":1,\"b\":2}")
  same(json(list(a = 1, b = "x")), "{\"a\":1,\"b\":\"x\"}")
  same(json(structure(list(), names = character())), "{}")
  same(json(list()), "[]")
})

test("every bit of a number is kept", {
  set.seed(1)
  numbers <- c(0.1 + 0.2, 1 / 3, 1e300 * pi, 2^-1074, .Machine$double.xmax, 1e22, 123456789.123456789, 2^53 + 2, stats::rnorm(500), stats::runif(400) * 10^(-20:19))
  same(parsed(json(numbers)), numbers)
  same(json(0.1), "0.1")
  same(json(1e5), "100000")
  same(json(100000L), "100000")
  same(json(9007199254740991), "9007199254740991")
  same(tagged(c(NaN, -Inf, 1)), "[{\"$float\":\"NaN\"},{\"$float\":\"-Infinity\"},1]")
  same(tagged(-0), "{\"$float\":\"-0\"}")
})

test("integers beyond 2^53 are kept as digits", {
  same(tagged(big_integer("9223372036854775807")), "{\"$int\":\"9223372036854775807\"}")
  same(json(big_integer("12")), "12")
  raised("unsendable_value", json(big_integer("18446744073709551616")))
  raised("unsendable_value", json(big_integer("-9223372036854775809")))
  same(as.double(big_integer("9007199254740993")), 9007199254740992)
})

test("factors, dates and times", {
  same(json(factor(c("b", "a", NA))), "[\"b\",\"a\",null]")
  same(json(as.Date("2026-01-31")), "\"2026-01-31\"")
  same(tagged(as.POSIXct("2026-01-31 12:00:00", tz = "UTC") + 0.123), "{\"$time\":\"2026-01-31T12:00:00.123Z\"}")
  same(tagged(as.POSIXlt("2026-01-31 13:00:00", tz = "Europe/Berlin")), "{\"$time\":\"2026-01-31T12:00:00.000Z\"}")
  same(json(as.difftime(2, units = "mins")), "120")
})

test("a data frame is a list of rows, or of columns where that is said", {
  frame <- data.frame(a = 1:2, b = c("x", NA), c = factor(c("u", "v")))
  same(json(frame), "[{\"a\":1,\"b\":\"x\",\"c\":\"u\"},{\"a\":2,\"b\":null,\"c\":\"v\"}]")
  same(json(columns(frame[1, ])), "{\"a\":[1],\"b\":[\"x\"],\"c\":[\"u\"]}")
  same(json(frame[0, ]), "[]")
  frame$d <- I(list(1:2, NULL))
  same(json(frame[c("a", "d")]), "[{\"a\":1,\"d\":[1,2]},{\"a\":2,\"d\":null}]")
  same(as_frame(parsed("[{\"a\":1,\"b\":\"x\"},{\"a\":2}]")), data.frame(a = 1:2, b = c("x", NA)))
  same(as_frame(parsed("{\"a\":[1,2],\"b\":[\"x\",\"y\"]}")), data.frame(a = 1:2, b = c("x", "y")))
})

test("a matrix is a list of rows, and so on for more dimensions", {
  same(json(matrix(1:6, 2)), "[[1,3,5],[2,4,6]]")
  same(json(matrix(1:2, 2)), "[[1],[2]]")
  same(json(array(1:8, c(2, 2, 2))), "[[[1,5],[3,7]],[[2,6],[4,8]]]")
  same(json(table(c("a", "b", "a"))), "{\"a\":2,\"b\":1}")
})

test("typed arrays go back as what they were", {
  for (type in names(snakepit$ELEMENTS)) {
    value <- snakepit$numbers_of(type, as.raw(c(1:7, 0x80)))
    same(snakepit$typed_bytes(value), list(type = type, bytes = as.raw(c(1:7, 0x80))))
  }
  value <- snakepit$numbers_of("u4", as.raw(c(255, 255, 255, 255)))
  same(as.vector(value), 4294967295)
  same(snakepit$typed_bytes(value / 2)$type, "f8")
  raised("error", typed(1:3, "f2"))
})

test("what cannot be sent is refused with the path to it", {
  same(raised("unsendable_value", json(list(a = list(1, mean))))$message,
    "result.a[1] is of type 'closure', which cannot be sent; return its parts, or write a method of as_value()")
  same(grepl("^result\\.b is of type 'complex'", raised("unsendable_value", json(list(b = 1i)))$message), TRUE)
  same(grepl("same name twice", raised("unsendable_value", json(c(a = 1, a = 2)))$message), TRUE)
  same(grepl("not UTF-8", raised("unsendable_value", json(`Encoding<-`("\xff", "UTF-8")))$message), TRUE)
  deep <- 0
  for (i in 1:65) deep <- list(deep)
  same(grepl("maxDepth", raised("unsendable_value", json(deep))$message), TRUE)
})

test("texts are escaped as JSON has it", {
  same(json("a\"b\\c\n\001"), "\"a\\\"b\\\\c\\n\\u0001\"")
  same(json(iconv("Gr\u00fc\u00dfe", "UTF-8", "latin1")), "\"Gr\u00fc\u00dfe\"")
  same(parsed("\"\\\\u0000\""), "\\u0000")
})

test("an object is sent as its method of as_value() says", {
  registerS3method("as_value", "point", function(x, ...) list(x = x$x), envir = asNamespace("snakepit"))
  same(json(list(structure(list(x = 1, y = mean), class = "point"))), "[{\"x\":1}]")
})
