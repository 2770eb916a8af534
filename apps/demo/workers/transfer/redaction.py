"""Takes out of a log what tells who somebody is."""

import re

# A line may be longer than this; then what it holds at the cut may be overlooked.
_LONGEST_LINE = 1024 * 1024
_PERSONAL = re.compile(
    rb"(?P<address>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]))"
    rb"|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)"
)


def redact(chunks):
    """The same bytes, with IPv4 addresses as x.x.x.x and mail addresses as x@x; line by line, however the chunks are cut."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end == 0 and len(rest) + len(chunk) < _LONGEST_LINE:
            rest += chunk
            continue
        end = end or len(chunk)
        yield _PERSONAL.sub(_mask, rest + chunk[:end])
        rest = chunk[end:]
    if rest:
        yield _PERSONAL.sub(_mask, rest)


def _mask(found):
    return b"x.x.x.x" if found.lastgroup == "address" else b"x@x"
