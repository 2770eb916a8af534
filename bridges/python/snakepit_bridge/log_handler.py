"""Sends the records of `logging` to the host. Loaded once that is."""

import logging
import sys
import threading

from .fork_guard import is_child_check
from .log_text import clipped

_LEVELS = ((50, "fatal"), (40, "error"), (30, "warn"), (20, "info"))
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class HostHandler(logging.Handler):
    """Turns each record into one of the host's, with its fields, and its traceback as one of them."""

    def __init__(self, runtime):
        super().__init__()
        self._runtime = runtime
        self._is_child = is_child_check()
        self._otherwise = logging.StreamHandler()
        self._otherwise.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        self._state = threading.local()

    def emit(self, record):
        """Send a record; what is logged meanwhile, such as by a `__repr__` that is part of it, is dropped.

        A process that a command has forked writes to stderr, which the host reads too.
        """
        if self._is_child():
            self._otherwise.handle(record)
            return
        if getattr(self._state, "is_busy", False):
            return
        self._state.is_busy = True
        try:
            level = next((name for number, name in _LEVELS if record.levelno >= number), "debug")
            self._send(level, record.getMessage(), record.name, _fields(record))
        except Exception:
            self.handleError(record)
        finally:
            self._state.is_busy = False

    def handleError(self, record):
        """Tell what is wrong with a record, such as arguments that do not fit its message."""
        error = sys.exc_info()[1]
        fields = {"template": clipped(str(record.msg), 1000), "file": record.pathname, "line": record.lineno}
        try:
            message = "a log record cannot be written: %s: %s" % (type(error).__name__, error)
            self._send("error", message, record.name, fields)
        except Exception:
            pass  # the host is gone: nobody reads logs any more

    def _send(self, level, message, name, fields):
        runtime = self._runtime
        runtime.send_log(runtime.running_call(), level, message, name, fields)


def install(runtime, keeps_console):
    """Add a handler to the root logger, in place of those that write to the standard streams, unless these are kept: each record is to come once.

    Where nobody has configured logging, records of level INFO and above are sent.
    """
    root = logging.getLogger()
    if root.level == logging.WARNING and not root.handlers:
        root.setLevel(logging.INFO)
    for handler in list(root.handlers):
        if isinstance(handler, HostHandler) or (_writes_to_console(handler) and not keeps_console):
            root.removeHandler(handler)
    root.addHandler(HostHandler(runtime))


def _writes_to_console(handler):
    is_plain = type(handler) is logging.StreamHandler
    return is_plain and handler.stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _fields(record):
    fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    if record.exc_info and record.exc_info[0] is not None:
        fields["exception"] = clipped(logging.Formatter().formatException(record.exc_info))
    elif record.exc_text:
        fields["exception"] = clipped(record.exc_text)
    if record.stack_info:
        fields["stack"] = clipped(record.stack_info)
    return fields
