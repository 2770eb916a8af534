"""The worker's process: signals, standard streams, and how it ends."""

import os
import signal
import sys

from .fork_guard import end_by, guard_forks, ignore

PROTOCOL_FAILURE = 70

_PR_SET_PDEATHSIG = 1
_STACK_SIGNAL = getattr(signal, "SIGUSR1", None)

_is_prepared = False
_terminated = False
_dumps_stacks = False


def prepare_process():
    """Set up what every worker needs: stack dumps, prompt output, SIGTERM as an orderly exit, SIGINT ignored."""
    global _is_prepared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_by(signal.SIGTERM, _exit_in_order)
    if not _is_prepared:
        _is_prepared = True
        guard_forks()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, write_through=True)
    _enable_stack_dumps()


def complain(message):
    """Write one line to stderr, if there is one."""
    try:
        print("snakepit_bridge: %s" % message, file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def end_with_host():
    """End at once because the host is gone, and with this process its group, if it leads one."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def die_with_host():
    """Let the kernel kill this process when its host dies, so that not even C code that holds the interpreter outlives it.

    The signal comes when the thread ends that started this process, so it is set only where the host itself did; a
    forked worker is the child of its zygote, which it may outlive. Linux only; elsewhere nothing is done. The import
    takes over a millisecond: call this once the host has been answered.
    """
    host = os.environ.get("SNAKEPIT_HOST", "").partition(".")[0]
    if sys.platform != "linux" or not host.isdigit() or os.getppid() != int(host):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return  # a Python or a C library without it: the guardian and the end of the connection remain
    if os.getppid() != int(host):  # it died just before
        end_with_host()


def end_by_protocol_error(error):
    """End at once because the connection cannot go on."""
    complain("protocol error: %s" % error)
    os._exit(PROTOCOL_FAILURE)


def exit_status(error):
    """The status of a process that cannot start: what its module asked for by `sys.exit`, else 1."""
    if not isinstance(error, SystemExit):
        return 1
    code = error.code
    return 0 if code is None else code & 0xFF if isinstance(code, int) else 1


def is_terminated():
    """Tell whether SIGTERM has come."""
    return _terminated


def ignore_termination():
    """Let the clean-up that is now under way finish, whatever SIGTERM comes."""
    ignore(signal.SIGTERM)


def _exit_in_order(signum, frame):
    global _terminated
    _terminated = True
    raise SystemExit(0)


def stack_signal():
    """Name of the signal upon which all stacks are written to stderr; None if the user's code has taken it for itself."""
    is_ours = _dumps_stacks and signal.getsignal(_STACK_SIGNAL) in (signal.SIG_DFL, None)
    return "SIGUSR1" if is_ours else None


def _enable_stack_dumps():
    import faulthandler

    global _dumps_stacks
    try:
        faulthandler.enable()
        # Its handler runs at once, in C: while Python code loops, and while a C call holds the interpreter's lock.
        faulthandler.register(_STACK_SIGNAL, all_threads=True)
        _dumps_stacks = True
    except (OSError, ValueError, AttributeError, RuntimeError, TypeError):
        complain("no stack dumps on SIGUSR1, since stderr is not a file")
