"""Hooks: functions of the user's that run at turning points of a worker's life."""

from .errors import StartupError

_MARK = "__snakepit_hook__"

START = "start"
SHUTDOWN = "shutdown"
SESSION_OPEN = "session_open"
SESSION_CLOSE = "session_close"


def on_start(function):
    """Run the function, without arguments, after the module is loaded and before the worker is ready."""
    return _mark(function, START)


def on_shutdown(function):
    """Run the function, without arguments, when the worker ends in good order or by SIGTERM."""
    return _mark(function, SHUTDOWN)


def on_session_open(function):
    """Run the function with the session before its first call in this worker."""
    return _mark(function, SESSION_OPEN)


def on_session_close(function):
    """Run the function with the session (its id; the data is gone) after the session ended."""
    return _mark(function, SESSION_CLOSE)


def hook_kind(candidate):
    """Which hook the object was marked as, or None."""
    if not callable(candidate) or isinstance(candidate, type):
        return None
    kind = getattr(candidate, _MARK, None)
    return kind if isinstance(kind, str) else None


def _mark(function, kind):
    if not callable(function):
        raise StartupError("@on_%s takes a function, not %r" % (kind, function))
    setattr(function, _MARK, kind)
    return function
