"""Sends what nobody catches to the host, each with its traceback as one record."""

import sys
import threading

from .fork_guard import is_child_check
from .log_text import clipped

_LOGGER = "snakepit_bridge.uncaught"


def forward_uncaught(runtime):
    """Take over the hooks that the user's code has left as they were."""
    is_child = is_child_check()
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _EndHook(runtime, is_child)
    if threading.excepthook is _default_thread_hook():
        threading.excepthook = _thread_hook(runtime, is_child)
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable_hook(runtime, is_child)


def tell_end(error):
    """Tell the host now what the worker will end by, unless the user's code has a hook of its own for that."""
    if isinstance(sys.excepthook, _EndHook):
        sys.excepthook(type(error), error, error.__traceback__)


class _EndHook:
    """Called by the interpreter for the exception that ends it; what has been told already is not told again."""

    def __init__(self, runtime, is_child):
        self._runtime = runtime
        self._is_child = is_child
        self._told = None

    def __call__(self, kind, error, trace):
        if self._is_child():
            sys.__excepthook__(kind, error, trace)
            return
        if error is self._told:
            return
        self._told = error
        try:
            _send(self._runtime, "fatal", "the worker ends by an exception", kind, error, trace)
        except BaseException:
            sys.__excepthook__(kind, error, trace)


def _thread_hook(runtime, is_child):
    default = threading.excepthook

    def hook(args):
        if args.exc_type is SystemExit:
            return
        if is_child():
            default(args)
            return
        name = args.thread.name if args.thread is not None else "unknown"
        try:
            _send(runtime, "error", "the thread %s ended by an exception" % name, args.exc_type, args.exc_value, args.exc_traceback)
        except BaseException:
            default(args)

    return hook


def _unraisable_hook(runtime, is_child):
    def hook(args):
        if is_child():
            sys.__unraisablehook__(args)
            return
        try:
            what = args.err_msg or "Exception ignored in"
            place = "" if args.object is None else ": %s" % clipped(repr(args.object), 200)
            _send(runtime, "error", what + place, args.exc_type, args.exc_value, args.exc_traceback)
        except BaseException:  # while the interpreter ends, anything may be gone
            sys.__unraisablehook__(args)

    return hook


def _send(runtime, level, what, kind, error, trace):
    import traceback

    fields = {"exception": clipped("".join(traceback.format_exception(kind, error, trace)).rstrip())}
    summary = traceback.format_exception_only(kind, error)[-1].strip()
    runtime.send_log(runtime.running_call(), level, "%s: %s" % (what, clipped(summary, 1000)), _LOGGER, fields)


def _default_thread_hook():
    try:
        return threading.__excepthook__
    except AttributeError:  # Python 3.9
        import _thread

        return _thread._excepthook
