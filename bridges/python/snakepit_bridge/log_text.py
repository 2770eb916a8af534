"""Texts of log records, within bounds."""

MAX_MESSAGE = 32 * 1024
MAX_FIELDS_BYTES = 256 * 1024
_MAX_FIELDS = 50
_MAX_FIELD = 1000


def clipped(text, limit=MAX_MESSAGE):
    """The beginning and the end of a text that is too long: the end of a traceback says what happened."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return "%s … %d characters are left out … %s" % (text[:half], len(text) - 2 * half, text[-half:])


def printable(text):
    """A text that can be encoded."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def as_texts(fields):
    """Fields that cannot be sent as they are, because they cannot be encoded or are too large."""
    some = list(fields.items())[:_MAX_FIELDS]
    return {printable(str(key)): printable(clipped(_text(value), _MAX_FIELD)) for key, value in some}


def _text(value):
    if isinstance(value, str):
        return value
    try:
        return repr(value)
    except Exception as error:
        return "<a %s whose repr failed: %s>" % (type(value).__name__, error)
