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
    """The call was cancelled; raised by `Context.raise_if_cancelled`, and by what waits for the host then."""

    code = "CANCELLED"


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
    """The host refused what a command asked of it; `code` is the host's error code.

    Where something was raised in the host, `type` is its class, `message` its message and `data` what it carried.
    """

    def __init__(self, code, message, type=None, data=None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.type = type
        self.data = data

    @property
    def remote_data(self):
        """What the caller of the command is told besides, when the command does not catch this."""
        return {"code": self.code}


class ToolError(HostError):
    """A tool of the host raised, or could not be called.

    `type`, `message` and `data` are those of what it raised (of an exception of Nest's, `data` is `{"status", "body"}`), and `code` is
    REMOTE_ERROR then.
    """

    def __init__(self, tool, error):
        super().__init__(error.code, error.message, error.type, error.data)
        self.tool = tool

    @property
    def remote_data(self):
        """What the caller of the command is told besides, when the command does not catch this."""
        return {"tool": self.tool, "code": self.code, "type": self.type, "data": self.data}

    def __str__(self):
        if self.code == REMOTE_ERROR:
            return "the tool %r threw %s: %s" % (self.tool, self.type or "an error", self.message)
        return "the tool %r failed (%s): %s" % (self.tool, self.code, self.message)


class MessageError(HostError):
    """A message to the host was refused, or its handler raised.

    `message` and `data` are those of what it raised: the payload of an RpcException is the data. `code` is REMOTE_ERROR then, and
    UNKNOWN_PATTERN where nobody answers the pattern.
    """

    def __init__(self, pattern, error):
        super().__init__(error.code, error.message, error.type, error.data)
        self.pattern = pattern

    @property
    def remote_data(self):
        """What the caller of the command is told besides, when the command does not catch this."""
        return {"pattern": self.pattern, "code": self.code, "type": self.type, "data": self.data}

    def __str__(self):
        if self.code == REMOTE_ERROR:
            return "the message %r failed: %s" % (self.pattern, self.message)
        return "the message %r failed (%s): %s" % (self.pattern, self.code, self.message)


def host_failure(described):
    """The exception for an error map that answers what was asked of the host."""
    code, message = described.get("code", REMOTE_ERROR), described.get("message", "")
    if code == CANCELLED:
        return Cancelled(message)
    return HostError(code, message, described.get("type"), described.get("data"))


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
    if isinstance(error, HostError):
        return error.remote_data
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
