"""What can go wrong in a worker, and how it is told to the host."""

import os

REMOTE_ERROR = "REMOTE_ERROR"
INVALID_ARGUMENTS = "INVALID_ARGUMENTS"
UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
INVALID_RESULT = "INVALID_RESULT"
FRAME_TOO_LARGE = "FRAME_TOO_LARGE"
CANCELLED = "CANCELLED"

_MAX_TEXT = 8192
_PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


class SnakepitError(Exception):
    """Base class of the errors that this package raises."""


class StartupError(SnakepitError):
    """The worker cannot start: its module or its commands are not usable."""


class ProtocolError(SnakepitError):
    """The host broke the wire protocol; the connection cannot go on."""


class HostGone(SnakepitError):
    """The host closed the connection."""


class Cancelled(SnakepitError):
    """The call was cancelled; raised by `Context.raise_if_cancelled`."""


class Refusal(SnakepitError):
    """A call that is answered by an error of this package's own making, with `code` as in the protocol."""

    data = None

    def __init__(self, code, message, started=None):
        super().__init__(message)
        self.code = code
        self.started = started


class UnencodableValue(SnakepitError):
    """A value cannot be sent; the message names the path to it and the remedy."""


class RefusedValue(SnakepitError):
    """A received value is well-formed, yet cannot be taken, such as one nested too deeply."""


class HostError(SnakepitError):
    """The host refused what a command asked of it; `code` is the host's error code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.data = {"code": code}


def refusal_map(code, message, started=None):
    """The error map of a call that this package itself refuses."""
    error = {"code": code, "message": _printable(message)}
    if started is not None:
        error["started"] = started
    return error


def error_map(error):
    """The error map of an exception, `data` excluded (see `error_data`)."""
    if isinstance(error, Refusal):
        return refusal_map(error.code, str(error), error.started)
    if isinstance(error, Cancelled):
        return refusal_map(CANCELLED, str(error), started=True)
    return {
        "code": REMOTE_ERROR,
        "type": type(error).__name__,
        "message": _printable(_message_of(error)),
        "traceback": _printable(_traceback_of(error)),
    }


def shorten(described):
    """An error map that is too large, without what takes the most room."""
    return {key: _cut(value) for key, value in described.items() if key not in ("data", "traceback")}


def error_data(error):
    """The structured data that an exception carries in `data` or `error_data`, else None."""
    data = getattr(error, "data", None)
    return getattr(error, "error_data", None) if data is None else data


def _cut(value):
    return value[:_MAX_TEXT] + "…" if isinstance(value, str) and len(value) > _MAX_TEXT else value


def _message_of(error):
    try:
        return str(error)
    except Exception as failure:
        return "<str() of the exception failed: %r>" % (failure,)


def _traceback_of(error):
    """The formatted traceback, from the first frame that is not this package's."""
    import traceback

    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_PACKAGE_FOLDER):
        frames = frames.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, frames))
    except Exception as failure:
        return "<the traceback could not be formatted: %r>" % (failure,)


def _printable(text):
    """The text with lone surrogates escaped, since the wire cannot carry them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
