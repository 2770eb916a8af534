"""Signals that end a worker, and the children that its commands fork."""

import os
import signal
import threading

_PUT_OFF_SECONDS = 0.001
_PUT_OFF_LONGER_SECONDS = 0.05
_HELD = (signal.SIGTERM,)

_handlers = set()
_masks = {}
_due = set()
_is_ignoring = False


def end_by(number, handler):
    """Have `handler(signum, frame)` end the worker upon a signal; its forked children end by it as any process does. On the main thread."""

    def on_signal(signum, frame):
        # What a handler raises among the callbacks of a fork is printed, and lost.
        if threading.get_ident() in _masks:
            _due.add(signum)
        elif _is_going_on(frame):
            _put_off(signum, _PUT_OFF_LONGER_SECONDS)
        else:
            handler(signum, frame)

    _handlers.add(on_signal)
    signal.signal(number, on_signal)


def ignore(number):
    """Have the worker, but not its forked children, ignore a signal. On the main thread."""
    global _is_ignoring
    _is_ignoring = True
    signal.signal(number, signal.SIG_IGN)


def guard_forks():
    """Hold SIGTERM back around each fork, until the child has the default disposition. Once for each process.

    The interpreter forgets a signal that comes to a child before the child has come to itself, and one that comes a moment later is lost
    among the callbacks of the fork. `multiprocessing.Pool`, which terminates its children soon after it has made them, would wait for them
    for ever.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_hold, after_in_parent=_go_on, after_in_child=_leave_to_parent)


def _hold():
    _masks[threading.get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)


def _go_on():
    thread = threading.get_ident()
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks[thread])
    del _masks[thread]
    while _due:
        _put_off(_due.pop(), _PUT_OFF_SECONDS)


def _put_off(number, seconds):
    again = threading.Timer(seconds, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _is_going_on(frame):
    """Tell whether the frame lies within `_go_on`: on a busy machine to start a thread takes longer than what it is to wait."""
    while frame is not None and frame.f_code is not _go_on.__code__:
        frame = frame.f_back
    return frame is not None


def _leave_to_parent():
    mask = _masks[threading.get_ident()]
    _masks.clear()
    _due.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) in _handlers:
            signal.signal(number, signal.SIG_DFL)
    if _is_ignoring and signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def is_child_check():
    """A function that tells whether its caller is in a process that was forked from this one."""
    pid = os.getpid()
    return lambda: os.getpid() != pid
